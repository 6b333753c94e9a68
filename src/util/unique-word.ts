const WORD_CHARS = 10;

/**
 * Lower-case letters and digits that no other call gives, as far as chance goes (5 bits a character). For names, never for secrets: Node's
 * cryptography takes 7 ms to load, which a short run would pay before its first request.
 */
export function uniqueWord(length: number): string {
  let word = '';
  while (word.length < length)
    word += Math.floor(Math.random() * 36 ** WORD_CHARS)
      .toString(36)
      .padStart(WORD_CHARS, '0');
  return word.slice(0, length);
}
