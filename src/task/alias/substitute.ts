import { type MappedText, MappedTextBuilder, originOf } from '../mapped-text.ts';

/** Longest text that aliases may make: a small file can name a big alias many times. */
const LONGEST = 16 * 1024 * 1024;

/**
 * Replaces references to aliases: the directive and the longest run of ASCII letters and digits after it. The directive
 * twice stands for itself once; unknown names stay as they are; inserted text is not looked at again. After an unknown
 * name, a directive that follows at once is plain text. What is inserted has the place of its reference.
 * `undefined` when the text would grow beyond 16 MiB.
 */
export function substituteAliases(mapped: MappedText, aliases: ReadonlyMap<string, string>, directive: string): MappedText | undefined {
  const { text } = mapped;
  const builder = new MappedTextBuilder();
  let copied = 0;
  let at = text.indexOf(directive);
  while (at !== -1) {
    const nameStart = at + directive.length;
    const nameEnd = endOfName(text, nameStart);
    const followed = text.startsWith(directive, nameEnd);
    const value = aliases.get(text.slice(nameStart, nameEnd));
    if (nameEnd === nameStart && followed) {
      builder.copy(mapped, copied, nameStart);
      copied = nameStart + directive.length;
      at = text.indexOf(directive, copied);
    } else if (value === undefined) {
      at = text.indexOf(directive, followed ? nameEnd + directive.length : nameEnd);
    } else {
      builder.copy(mapped, copied, at);
      const origin = originOf(mapped, at, nameEnd);
      if (origin !== undefined) builder.generate(value, origin);
      copied = nameEnd;
      at = followed ? nameEnd : text.indexOf(directive, nameEnd);
      if (builder.length > LONGEST) return undefined;
    }
  }
  if (copied === 0) return mapped;
  builder.copy(mapped, copied, text.length);
  return builder.build();
}

function endOfName(text: string, start: number): number {
  let end = start;
  while (isNameUnit(text.charCodeAt(end))) end += 1;
  return end;
}

/** An ASCII letter or digit; not for NaN, which stands for the end of the text. */
function isNameUnit(unit: number): boolean {
  return (unit >= 0x30 && unit <= 0x39) || (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x61 && unit <= 0x7a);
}
