const GLOB = /^[a-z0-9*][a-z0-9._*-]{0,126}$/;

/** What a glob of task names may look like: a name in which each `*` stands for any characters, also none. */
export function isTaskGlob(glob: string): boolean {
  return GLOB.test(glob);
}

/**
 * Whether a glob matches a whole name. Given another glob as the name it tells whether all that the other matches is matched: a `*` of the
 * name is met by a `*` alone. Takes time in proportion to the product of the lengths at worst.
 */
export function matchesTaskGlob(glob: string, name: string): boolean {
  let [at, from] = [0, 0];
  let star = -1;
  let resume = 0;
  while (from < name.length) {
    if (glob[at] === '*') {
      star = at;
      resume = from;
      at += 1;
    } else if (at < glob.length && glob[at] === name[from]) {
      at += 1;
      from += 1;
    } else if (star !== -1) {
      resume += 1;
      at = star + 1;
      from = resume;
    } else return false;
  }
  while (glob[at] === '*') at += 1;
  return at === glob.length;
}

export function matchesAnyTaskGlob(globs: readonly string[], name: string): boolean {
  return globs.some((glob) => matchesTaskGlob(glob, name));
}
