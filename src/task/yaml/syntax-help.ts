/** How to mend the most common mistakes, judged by the text at the place where the parser stopped. */
export function syntaxHelp(text: string, at: number, reason: string): string | undefined {
  const character = text.charAt(at);
  if (character === '\t' || reason.startsWith('tab characters')) return 'Indent with blanks, not with tabs.';
  if (character === '@' || character === '`' || character === '%') {
    return `A value cannot start with \`${character}\`: put it in quotes.`;
  }
  if (character === ':' && /[ \r\n]/.test(text.charAt(at + 1))) return 'A value that contains `: ` must stand in quotes.';
  if (character === '-' && text.charAt(at + 1) === ' ') return 'A list starts on the line after its key.';
  if (reason.startsWith('deficient indentation')) return 'Close the quote or the bracket, and indent the lines inside it.';
  if (reason.includes('quoted scalar')) return 'Close the quote.';
  if (reason.includes('flow collection'))
    return 'Close the bracket, put commas between the items, and put items with special characters in quotes.';
  if (reason.startsWith('bad indentation')) return 'Keys of one mapping, and items of one list, start in the same column.';
  return undefined;
}
