/** `main` of `refs/heads/main`. */
export function branchOf(ref: string): string | undefined {
  return ref.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : undefined;
}

export function tagOf(ref: string): string | undefined {
  return ref.startsWith('refs/tags/') ? ref.slice('refs/tags/'.length) : undefined;
}

/** The number of a pull or merge request whose head the ref is. */
export function pullRequestOf(ref: string): string | undefined {
  return /^refs\/(?:pull|pull-requests|merge-requests)\/(\d+)\/(?:head|from)$/.exec(ref)?.[1];
}

/** A whole object id in lower case. */
export function isObjectId(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/** An id as people read it. */
export function short(id: string): string {
  return id.slice(0, 12);
}

const LONGEST_SHOWN = 100;

/** A name for a sentence: strangers choose how long theirs are. */
export function shown(name: string): string {
  return name.length > LONGEST_SHOWN ? `${name.slice(0, LONGEST_SHOWN)}…` : name;
}
