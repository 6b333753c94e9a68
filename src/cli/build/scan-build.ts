import { loadSettings } from '../../config/load-settings.ts';
import type { Checked, SourceText } from '../../model/diagnostic.ts';
import type { ImageDependencies } from '../../model/image.ts';
import { parseBuild } from '../../task/build/parse-build.ts';
import { shellJoin } from '../../task/command/shell-join.ts';
import { err, ok } from '../../util/result.ts';
import type { ScanFlags } from '../commands/scan.ts';
import { createContextParts } from '../composition/context-parts.ts';
import { readCredentials } from '../composition/credentials.ts';
import { registryTrust } from '../composition/registry-trust.ts';
import type { Io } from '../io.ts';
import { contextProblems, placeBuild } from './build-place.ts';

const GO_ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/** What the build of these flags would depend on. */
export async function scanForCommand(context: string, flags: ScanFlags, io: Io): Promise<Checked<readonly ImageDependencies[]>> {
  const settings = await loadSettings({ directory: io.directory, environment: io.environment });
  if (!settings.ok) return settings;
  const problems = await contextProblems(context, io.directory);
  if (problems.length > 0) return err(problems);
  const credentials = readCredentials(flags, io);
  if (!credentials.ok) return credentials;
  const place = placeBuild(context, flags.file, io.directory);
  const source: SourceText = { name: '<task scan>', text: shellJoin(buildWords(flags, place)) };
  const parsed = parseBuild(source.text, {
    stepId: 'build',
    taskName: '',
    registry: '',
    cache: '',
    env: environmentWords(io.environment),
    workdir: '/workspace',
    range: { source, start: 0, end: source.text.length },
  });
  if (!parsed.ok) return parsed;
  const { scanBuild } = await import('../../service/scan.ts');
  const notes: string[] = [];
  const scanned = await scanBuild(
    {
      spec: parsed.value.value,
      directory: place.root ?? io.directory,
      platform: flags.platform ?? `linux/${GO_ARCHITECTURES[process.arch] ?? process.arch}`,
      signal: new AbortController().signal,
      onNote: (_level, message) => notes.push(message),
    },
    createContextParts({ credentials: credentials.value, ...registryTrust(settings.value, flags), io }),
  );
  if (!scanned.ok) return err([...scanned.error, ...parsed.value.warnings]);
  const noted = notes.map((message) => ({ code: 'scan-note' as const, severity: 'warning' as const, message }));
  return ok({ value: scanned.value.value, warnings: [...parsed.value.warnings, ...scanned.value.warnings, ...noted] });
}

function buildWords(flags: ScanFlags, place: ReturnType<typeof placeBuild>): string[] {
  return [
    ...flags.tag.flatMap((tag) => ['-t', tag]),
    ...(place.dockerfile === undefined ? [] : ['-f', place.dockerfile]),
    ...flags.buildArg.flatMap((arg) => ['--build-arg', arg]),
    ...(flags.target === undefined ? [] : ['--target', flags.target]),
    place.context,
  ];
}

function environmentWords(environment: NodeJS.ProcessEnv): string[] {
  return Object.entries(environment).map(([name, value]) => `${name}=${value ?? ''}`);
}
