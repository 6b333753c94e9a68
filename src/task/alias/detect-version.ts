/**
 * The version of a task text, found by reading lines and not YAML, because aliases are replaced before there is YAML: the
 * first line that starts with `version` (or with it in quotes) and a colon. Empty when there is none.
 */
export function detectVersion(text: string): string {
  for (let start = 0; start <= text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    const unit = text.charCodeAt(start);
    if (unit === LOWER_V || unit === SINGLE_QUOTE || unit === DOUBLE_QUOTE) {
      const version = versionOf(text.slice(start, end));
      if (version !== undefined) return version;
    }
    start = end + 1;
  }
  return '';
}

/** Aliases work from v1.1.0 on; versions compare as text, so that one made by a template (`{{…}}`) counts as later. */
export function hasAliases(version: string): boolean {
  return (version.startsWith('V') ? `v${version.slice(1)}` : version) >= 'v1.1.0';
}

const LOWER_V = 0x76;
const SINGLE_QUOTE = 0x27;
const DOUBLE_QUOTE = 0x22;

function versionOf(line: string): string | undefined {
  const unquoted = line.replace(/^["']+/, '');
  const colon = unquoted.indexOf(':');
  if (!unquoted.startsWith('version') || colon === -1) return undefined;
  if (trimQuotes(unquoted.slice(0, colon).trim()) !== 'version') return undefined;
  return trimQuotes(unquoted.slice(colon + 1).trim());
}

function trimQuotes(text: string): string {
  return text.replace(/^["']+|["']+$/g, '');
}
