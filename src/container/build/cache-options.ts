import type { BuildSpec } from '../../model/plan.ts';
import type { Refusal } from './build-parameters.ts';
import { parseKeyValues } from './flag-values.ts';

/**
 * How a build shares its cache through a registry. The engine's build API exports cache only inside the image
 * ("inline"), so a registry cache is the image itself, pushed under the cache's reference too.
 */
export interface CachePlan {
  readonly from: readonly string[];
  /** Write the cache into the image. */
  readonly inline: boolean;
  /** References to push the image to after the build, for its cache. */
  readonly pushTo: readonly string[];
}

/** Reads `--cache-from`, `--cache-to` and `cache: enabled`. */
export function planCache(spec: BuildSpec): CachePlan | Refusal {
  const from: string[] = [];
  const pushTo: string[] = [];
  let inline = false;
  for (const text of spec.cacheFrom) {
    const options = text.includes('=') ? parseKeyValues(text, '--cache-from') : new Map([['ref', text]]);
    const type = options.get('type') ?? 'registry';
    if (type !== 'registry') return refuse('--cache-from', type);
    from.push(options.get('ref') ?? '');
  }
  for (const text of spec.cacheTo) {
    const options = text.includes('=') ? parseKeyValues(text, '--cache-to') : new Map([['ref', text]]);
    const type = options.get('type') ?? 'registry';
    if (type !== 'registry' && type !== 'inline') return refuse('--cache-to', type);
    inline = true;
    if (type === 'registry') pushTo.push(options.get('ref') ?? '');
  }
  if (spec.cacheRef !== undefined) {
    inline = true;
    from.push(spec.cacheRef);
    pushTo.push(spec.cacheRef);
  }
  const given = (reference: string): boolean => reference !== '';
  return { from: [...new Set(from)].filter(given), inline, pushTo: [...new Set(pushTo)].filter(given) };
}

function refuse(flag: string, type: string): Refusal {
  return {
    reason: `${flag} type=${type}: the engine's build API caches in registries only (type=registry or inline)`,
  };
}
