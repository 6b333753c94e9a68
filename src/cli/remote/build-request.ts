import { resolve } from 'node:path';
import type { CreateRunInput } from '../../api/run-request-schema.ts';
import { classifyContext } from '../../task/build/context.ts';
import type { BuildFlags } from '../build/build-task.ts';
import type { RemoteRunFlags } from '../flags/remote-run-flags.ts';
import type { RunFlags } from '../flags/run-flags.ts';
import type { Io } from '../io.ts';
import { isDirectory } from '../source/find-task-file.ts';
import { contextMissing } from '../source/task-source.ts';
import { buildArguments } from './arguments.ts';
import { belowPath, type RunPlace } from './context-folder.ts';
import { defined } from './defined.ts';
import { FlagError, unsupportedContext } from './flag-error.ts';
import { quickFields } from './run-fields.ts';
import { readText } from './task-step.ts';

export type BuildInputFlags = BuildFlags & RunFlags & RemoteRunFlags;

/** The request of `task build`. Rejects with FlagError. */
export async function buildRequest(context: string, flags: BuildInputFlags, { io, send }: RunPlace): Promise<CreateRunInput> {
  const { kind } = classifyContext(context);
  if (kind === 'stdin' || kind === 'none')
    throw unsupportedContext(`a daemon cannot build the context ${context}`, 'name a folder, a git or archive URL, or oci://…');
  const args = await buildArguments({ arg: flags.buildArg, secretArg: flags.secretBuildArg }, io);
  const common = {
    type: 'DockerBuildRequest',
    ...(await quickFields(flags, io)),
    imageNames: flags.tag,
    isPushEnabled: flags.push,
    noCache: !flags.cache,
    arguments: args,
    ...defined({ target: flags.target }),
  } as const;
  if (kind !== 'local') return { ...common, sourceLocation: context, ...defined({ dockerFilePath: flags.file }) };
  const directory = resolve(io.directory, context);
  if (!isDirectory(directory)) throw new FlagError([contextMissing(context, 'a folder, a git or archive URL, or oci://…')]);
  const dockerfile = await dockerfileOf(directory, flags.file, io);
  const sourceLocation = await send({ directory, keep: [dockerfile.path], dockerfile: dockerfile.path, extras: dockerfile.extras });
  return { ...common, sourceLocation, dockerFilePath: dockerfile.path };
}

/** A Dockerfile from outside of the context is sent beside it, under a name that no context has. */
async function dockerfileOf(directory: string, file: string | undefined, io: Io) {
  const path = resolve(io.directory, file ?? resolve(directory, 'Dockerfile'));
  const below = belowPath(directory, path);
  if (below !== undefined) return { path: below, extras: [] };
  const content = Buffer.from(await readText(file ?? path, '--file', io), 'utf8');
  const name = '.slipway.Dockerfile';
  return { path: name, extras: [{ path: name, mode: 0o644, content }] };
}
