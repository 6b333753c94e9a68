import { EngineError } from '../../model/engine-error.ts';
import type { ForgeAnswer, ForgeCall, ForgeDialect } from './forge-call.ts';
import { statusError } from './forge-errors.ts';

/** The URL that a `Link` header names as the next page. */
export function linkedPage(answer: ForgeAnswer): string | undefined {
  const header = answer.headers['link'];
  const text = Array.isArray(header) ? header.join(',') : (header ?? '');
  return /<([^<>]{1,2000})>\s*;[^<]*?\brel="?next"?/i.exec(text)?.[1];
}

/** Forges redirect within themselves when a repository was renamed; the same method and body go to the new place. */
export function redirected(
  call: ForgeCall,
  hop: {
    readonly from: string;
    readonly location: string;
    readonly left: number;
    readonly dialect: ForgeDialect;
    readonly answer: ForgeAnswer;
  },
): string {
  if (hop.dialect.denies?.(hop.answer.status, hop.location) === true) throw statusError(call, hop.answer, hop.dialect);
  const host = new URL(hop.from).host;
  const target = URL.canParse(hop.location, hop.from) ? new URL(hop.location, hop.from) : undefined;
  if (target === undefined) throw new EngineError('forge-failed', `${host} redirects ${call.doing} to something that is no URL`);
  if (target.origin !== new URL(hop.from).origin) {
    throw new EngineError('forge-failed', `${host} redirects ${call.doing} to ${target.origin}, and a token goes to no other server`, {
      help: 'If the repository has moved there, give the trigger its new URL.',
    });
  }
  if (hop.left <= 0 || (hop.answer.status === 303 && call.method !== 'GET')) {
    throw new EngineError('forge-failed', `${host} redirects ${call.doing} without end`);
  }
  target.username = '';
  target.password = '';
  return target.href;
}

/** The URL of a next page, if it is of the same server. */
export function sameOrigin(next: string | undefined, from: string): string | undefined {
  if (next === undefined || !URL.canParse(next, from)) return undefined;
  const url = new URL(next, from);
  return url.origin === new URL(from).origin && url.username === '' && url.password === '' ? url.href : undefined;
}
