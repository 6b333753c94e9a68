/** Words as a POSIX shell reads them back. */
export function shellJoin(words: readonly string[]): string {
  return words.map(shellQuote).join(' ');
}

function shellQuote(word: string): string {
  if (word === '') return "''";
  return /^[\w^@=+%,:./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}
