import type { ContainerEngine } from '../../model/ports/container-engine.ts';
import type { Check } from './check.ts';

const NEEDS_ENGINE = { status: 'skipped', message: 'needs a container engine' } as const;

/** Does an engine answer, can it build with BuildKit, and did runs that died leave anything behind? */
export function engineChecks(engine: ContainerEngine, options: { readonly fix: boolean }): readonly Check[] {
  return [
    {
      code: 'engine',
      title: 'Container engine',
      run: async () => {
        const { kind, version, apiVersion, os, architecture, cpus, endpoint } = await engine.describe();
        return { status: 'ok', message: `${kind} ${version} (API ${apiVersion}, ${os}/${architecture}, ${cpus} CPUs) at ${endpoint}` };
      },
    },
    {
      code: 'buildkit',
      title: 'BuildKit',
      run: async () => {
        const description = await engine.describe().catch(() => undefined);
        if (description === undefined) return NEEDS_ENGINE;
        const { buildkit, kind } = description;
        if (buildkit) return { status: 'ok', message: 'builds use BuildKit through the engine' };
        return {
          status: 'warning',
          message: `${kind} builds without BuildKit: slower, without build secrets and cache export`,
          help: 'Use Docker Engine 20.10 or newer for BuildKit.',
        };
      },
    },
    { code: 'leftovers', title: 'Leftovers', run: () => checkLeftovers(engine, options.fix) },
  ];
}

async function checkLeftovers(engine: ContainerEngine, fix: boolean): ReturnType<Check['run']> {
  if ((await engine.describe().catch(() => undefined)) === undefined) return NEEDS_ENGINE;
  // Only what a process that is surely gone has made is collected, so age does not matter.
  const things = await engine.collect({ olderThanMs: 0, dryRun: !fix });
  if (things.length === 0) return { status: 'ok', message: 'no run left anything behind' };
  const names = things.map(({ kind, name }) => `${kind} ${name}`).join(', ');
  if (fix) return { status: 'ok', message: `removed ${names}` };
  return {
    status: 'warning',
    message: `runs that no longer live left ${names}`,
    help: '`task doctor --fix` removes them; the next `task run` does so too.',
  };
}
