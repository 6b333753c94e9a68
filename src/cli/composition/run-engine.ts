import type { ContainerEngine, RunSpace } from '../../model/ports/container-engine.ts';
import { lazyPort } from './lazy-port.ts';

/** The engine of a run, loaded at its first use. */
export interface RunEngine {
  readonly engine: ContainerEngine;
  /** Loads the adapter and asks the engine who it is, while the caller does something else. Failures show at the first use. */
  warmUp(): void;
  /** Removes everything of the open run at once, whatever its steps are doing. */
  destroyNow(deadline: AbortSignal): void;
  /** Closes the engine if it was ever used. */
  close(): Promise<void>;
}

export function createRunEngine(options: { readonly endpoint: string | undefined; readonly environment: NodeJS.ProcessEnv }): RunEngine {
  let used = false;
  let space: RunSpace | undefined;
  const methods = {
    ...({ describe: true, openRun: true, findImage: true, removeImage: true } as const),
    ...({ collect: true, collectRuns: true, close: true } as const),
  };
  const lazy = lazyPort<ContainerEngine>(methods, async () => {
    used = true;
    const { createDockerEngine } = await import('../../container/docker-engine.ts');
    return createDockerEngine({
      environment: options.environment,
      ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    });
  });
  const engine: ContainerEngine = {
    ...lazy,
    openRun: async (spec) => {
      space = await lazy.openRun(spec);
      return space;
    },
  };
  return {
    engine,
    warmUp: () => void engine.describe().catch(() => undefined),
    destroyNow: (deadline) => {
      void space?.destroy({ signal: deadline }).catch(() => undefined);
    },
    close: async () => {
      if (used) await lazy.close().catch(() => undefined);
    },
  };
}
