import { isSpace, lowerRune, runes, upperRune } from '../go-string.ts';
import { type FunctionTable, fixed } from './signature.ts';

type WordKind = 'number' | 'capitals' | 'letters' | 'connector' | 'punctuation' | 'other' | 'invalid';

interface Word {
  readonly kind: WordKind;
  readonly text: string;
}

/** A character with the invalid ones (U+FFFD) before it, which belong to the same word. */
interface Unit {
  readonly character: string;
  readonly text: string;
}

const INVALID = '\ufffd';

const isUpper = (character: string): boolean => /\p{Lu}/u.test(character);
/** A letter of a script that writes words apart: of the Chinese characters only those beyond these ranges count as letters. */
const isLetter = (character: string): boolean =>
  /\p{L}/u.test(character) && !/[\u3400-\u4d85\u4e00-\u9fcc\u{20000}-\u{2b81d}]/u.test(character);
const isNumber = (character: string): boolean => /\p{N}/u.test(character);
const isPunctuation = (character: string): boolean => /\p{P}/u.test(character);

function isConnector(character: string): boolean {
  return character === '-' || character === '_' || isSpace(character);
}

function kindOfFirst(character: string): WordKind {
  if (character === INVALID) return 'invalid';
  if (isConnector(character)) return 'connector';
  if (isPunctuation(character)) return 'punctuation';
  if (isUpper(character)) return 'capitals';
  if (isLetter(character)) return 'letters';
  return isNumber(character) ? 'number' : 'other';
}

function splitUnits(text: string): Unit[] {
  const units: Unit[] = [];
  let invalid = '';
  for (const character of runes(text)) {
    if (character === INVALID) {
      invalid += character;
      continue;
    }
    units.push({ character, text: invalid + character });
    invalid = '';
  }
  // At the end of a text they count as more of what stands before them.
  if (invalid !== '') units.push({ character: units.at(-1)?.character ?? INVALID, text: invalid });
  return units;
}

/** Splits a text into runs of one kind; `HTTPServer` gives `HTTP` and `Server`. */
function splitWords(text: string): Word[] {
  const units = splitUnits(text);
  const characters = units.map(({ character }) => character);
  const words: Word[] = [];
  for (let start = 0; start < units.length; ) {
    const kind = kindOfFirst(characters[start] ?? '');
    const end = endOfWord(characters, start, kind);
    const parts = units.slice(start, end).map((unit) => unit.text);
    words.push({ kind, text: parts.join('') });
    start = end;
  }
  return words;
}

function endOfWord(characters: readonly string[], start: number, kind: WordKind): number {
  const run = (from: number, belongs: (character: string) => boolean): number => {
    let end = from;
    while (end < characters.length && belongs(characters[end] ?? '')) end += 1;
    return end;
  };
  switch (kind) {
    case 'invalid':
      return start + 1;
    case 'connector':
      return run(start + 1, isConnector);
    case 'punctuation':
      return run(start + 1, isPunctuation);
    case 'number':
      return run(start + 1, isNumber);
    case 'letters':
      return run(start + 1, (one) => isLetter(one) && !isUpper(one));
    case 'other':
      return run(start + 1, (one) => !isConnector(one) && !isLetter(one) && !isNumber(one) && !isPunctuation(one));
    default: {
      const end = run(start + 1, isUpper);
      if (end === start + 1) return run(end, (one) => isLetter(one) && !isUpper(one));
      // The last capital of several begins the next word when a small letter follows.
      return end < characters.length && isLetter(characters[end] ?? '') ? end - 1 : end;
    }
  }
}

/** Joins the words of a text in small letters by a connector: numbers stay with the letters that follow them. */
function joinWords(text: string, connector: string): string {
  const words = splitWords(text);
  const parts: string[] = [];
  const put = (word: Word | undefined): void => {
    if (word !== undefined) parts.push(lowerWord(word, connector));
  };
  const breaks = (word: Word | undefined): boolean => word !== undefined && word.kind !== 'connector' && word.kind !== 'punctuation';
  let at = 0;
  /** Writes the letters and numbers that follow a number, and a connector when another word comes. */
  const finishNumber = (afterWord: boolean): void => {
    for (let next = words[at]; next?.kind === 'letters' || next?.kind === 'number'; next = words[at]) {
      put(next);
      at += 1;
    }
    // A number that begins a word gets a connector even before a connector.
    if (breaks(words[at]) || (!afterWord && words[at]?.kind === 'connector')) parts.push(connector);
  };
  while (at < words.length - 1) {
    const word = words[at];
    put(word);
    at += 1;
    const next = words[at];
    if (word?.kind === 'number') finishNumber(false);
    else if (word?.kind === 'connector' || word?.kind === 'punctuation') continue;
    else if (next?.kind !== 'number') {
      if (breaks(next)) parts.push(connector);
    } else if (at < words.length - 1) {
      at += 1;
      if (words[at]?.kind === 'letters') {
        parts.push(connector);
        put(next);
        finishNumber(true);
      } else {
        // A number before no small letters belongs to the word in front: Bld4Floor is bld4_floor.
        put(next);
        if (breaks(words[at])) parts.push(connector);
      }
    }
  }
  put(words[at]);
  return parts.join('');
}

function lowerWord(word: Word, connector: string): string {
  if (word.kind !== 'capitals' && word.kind !== 'connector') return word.text;
  return [...word.text].map((one) => (isConnector(one) ? connector : isUpper(one) ? lowerRune(one) : one)).join('');
}

/** `some_words` becomes `SomeWords`; connectors at the beginning stay, of several in a row all but the last. */
function camelCase(text: string): string {
  const characters = runes(text);
  const start = characters.findIndex((character) => !isConnector(character));
  // A text of connectors only gets its last one twice.
  if (start === -1) return text + (characters.at(-1) ?? '');
  const parts = characters.slice(0, start);
  let previous = upperRune(characters[start] ?? '');
  for (const character of characters.slice(start + 1)) {
    if (isConnector(character) && isConnector(previous)) {
      parts.push(previous);
      previous = character;
    } else if (isConnector(previous)) {
      previous = upperRune(character);
    } else {
      parts.push(previous);
      previous = lowerRune(character);
    }
  }
  return [...parts, previous].join('');
}

export const WORD_FUNCTIONS: FunctionTable = {
  snakecase: fixed(['string'], (_, text) => joinWords(text, '_')),
  kebabcase: fixed(['string'], (_, text) => joinWords(text, '-')),
  camelcase: fixed(['string'], (_, text) => camelCase(text)),
};
