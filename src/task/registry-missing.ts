import type { SourceRange } from '../model/diagnostic.ts';
import type { Problems } from './schema/problems.ts';

/** Whether a name begins with the registry of the run, and the run has none: `$Registry/app` is then `/app`. */
export function lacksRegistry(image: string, registry: string): boolean {
  return registry === '' && image.startsWith('/');
}

export function warnRegistryMissing(image: string, range: SourceRange | undefined, problems: Problems): void {
  problems.warn('registry-missing', `The name \`${image}\` begins with an empty registry: the run has no \`.Run.Registry\`.`, {
    range,
    help: 'Name one with `--registry HOST`, or set `registry: HOST` in slipway.yaml.',
  });
}
