import { err, ok, type Result } from '../util/result.ts';

/**
 * What to check out.
 *
 * - `default`: the remote's HEAD.
 * - `commit`: a full object id (SHA-1 or SHA-256).
 * - `name`: a branch or tag; `maybeCommit` when it could also be a shortened object id.
 * - `ref`: a full name below `refs/`, pull requests among them.
 */
export type GitRef =
  | { readonly kind: 'default' }
  | { readonly kind: 'commit'; readonly id: string }
  | { readonly kind: 'name'; readonly name: string; readonly maybeCommit: boolean }
  | { readonly kind: 'ref'; readonly name: string };

/** Checks the ref of a context (`#ref:dir`) by the rules of `git check-ref-format` and some of our own. The error is one sentence. */
export function parseGitRef(text: string): Result<GitRef, string> {
  if (text === '' || text === 'HEAD') return ok({ kind: 'default' });
  const problem = refProblem(text);
  if (problem !== undefined) return err(problem);
  if (/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i.test(text)) return ok({ kind: 'commit', id: text.toLowerCase() });
  if (/^pull\/\d{1,12}\/(?:head|merge)$/.test(text)) return ok({ kind: 'ref', name: `refs/${text}` });
  if (text.startsWith('refs/')) return ok({ kind: 'ref', name: text });
  return ok({ kind: 'name', name: text, maybeCommit: /^[0-9a-f]{4,63}$/i.test(text) });
}

function refProblem(ref: string): string | undefined {
  if (ref.length > 255) return 'the ref is longer than 255 characters';
  if (/[\p{Cc}\p{Cf}\p{Z}]/u.test(ref)) return 'the ref contains blanks or control characters';
  if (/[~^:?*[\\]/.test(ref)) return 'the ref contains one of ~ ^ : ? * [ \\';
  // A leading + is legal in a name, but in a refspec it means "force".
  if (/^[-+]/.test(ref)) return `the ref starts with "${ref.charAt(0)}"`;
  if (ref === '@' || ref.includes('@{')) return 'the ref is or contains a reflog expression (@)';
  if (ref.includes('..')) return 'the ref contains ".."';
  if (ref.endsWith('.')) return 'the ref ends with "."';
  const components = ref.split('/');
  if (components.includes('')) return 'the ref has an empty component';
  if (components.some((component) => component.startsWith('.') || component.startsWith('-')))
    return 'a component of the ref starts with "." or "-"';
  if (components.some((component) => component.toLowerCase().endsWith('.lock'))) return 'a component of the ref ends with ".lock"';
  return undefined;
}
