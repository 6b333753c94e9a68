/** A `cmd` whose first word is exactly the name of an alias, taken apart. */
interface FirstWord {
  readonly name: string;
  /** What follows the name, starting with the blank. */
  readonly rest: string;
}

/** The first word of a `cmd` if it may be the name of an alias. Only a blank (U+0020) ends it: `bash:3` and a tab do not. */
export function firstWord(cmd: string): FirstWord {
  const trimmed = cmd.trim();
  const blank = trimmed.indexOf(' ');
  return blank === -1 ? { name: trimmed, rest: '' } : { name: trimmed.slice(0, blank), rest: trimmed.slice(blank) };
}
