import type { SourceRange } from '../../model/diagnostic.ts';
import type { Problems } from '../schema/problems.ts';

/** Warns of an isolation that no engine of the run's platform has; the step that asks for it will fail. */
export function warnIsolation(isolation: string | undefined, os: string, range: SourceRange, problems: Problems): void {
  if (isolation === undefined || isolation === '' || isolation.toLowerCase() === 'default' || os.toLowerCase() !== 'linux') return;
  problems.warn('isolation-unsupported', `An engine on Linux will refuse the isolation \`${isolation}\`.`, {
    range,
    expected: '`default`, or no isolation',
  });
}
