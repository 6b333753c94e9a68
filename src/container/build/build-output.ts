import { posix } from 'node:path';
import type { BuildSpec } from '../../model/plan.ts';
import type { Refusal } from './build-parameters.ts';
import { FlagValueError, parseKeyValues } from './flag-values.ts';

/** Where the result of a build goes. */
export type BuildTarget =
  | { readonly kind: 'image' }
  /** Files into a directory of the workspace, or one archive file. Paths are absolute. */
  | { readonly kind: 'directory' | 'archive'; readonly path: string };

/** Reads `--output`: `DIR`, `type=local,dest=DIR`, `type=tar,dest=FILE`, `type=docker`, `type=image`. Throws FlagValueError. */
export function planOutput(spec: BuildSpec): BuildTarget | Refusal {
  const [first, ...others] = spec.outputs;
  if (first === undefined) return { kind: 'image' };
  if (others.length > 0) return { reason: '--output: this engine writes one output at a time' };
  const options = first.includes('=')
    ? parseKeyValues(first, '--output')
    : new Map([
        ['type', first === '-' ? 'tar' : 'local'],
        ['dest', first],
      ]);
  const type = options.get('type') ?? 'local';
  const destination = options.get('dest');
  if (destination === '-') return { reason: '--output: a step has no standard output for an archive; name a file' };
  if ((type === 'docker' || type === 'image') && destination === undefined && options.get('push') !== 'true') return { kind: 'image' };
  if (type === 'registry' || options.get('push') === 'true') {
    return { reason: `--output ${first}: push with a push step, which retries and records the digest` };
  }
  if (type !== 'local' && type !== 'tar') {
    return { reason: `--output type=${type}: this engine writes type=local, tar and docker` };
  }
  if (destination === undefined || destination === '') throw new FlagValueError(`--output ${first}: dest=PATH is expected`);
  return { kind: type === 'local' ? 'directory' : 'archive', path: posix.resolve(spec.workdir, destination) };
}
