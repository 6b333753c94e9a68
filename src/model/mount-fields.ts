const SYNONYMS: Readonly<Record<string, string>> = { src: 'source', dst: 'target', destination: 'target', ro: 'readonly' };

/**
 * Fields of a `--mount` word (`type=bind,source=/a,target=/b,readonly`; comma separated, fields may be quoted) by their names; the last of
 * a name counts, as in docker. What checks a mount and what makes it read it here, so that both see the same mount.
 */
export function mountFields(word: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const field of splitCsv(word)) {
    const equals = field.indexOf('=');
    const key = (equals === -1 ? field : field.slice(0, equals)).trim().toLowerCase();
    fields.set(SYNONYMS[key] ?? key, equals === -1 ? 'true' : field.slice(equals + 1));
  }
  return fields;
}

function splitCsv(word: string): readonly string[] {
  return [...word.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((match) => match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
}
