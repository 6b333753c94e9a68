import { isPrintable, runes, toBytes } from '../go-string.ts';

const HTML: Readonly<Record<string, string>> = {
  '\0': '\ufffd',
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
};

export function escapeHtml(text: string): string {
  return text.replaceAll(/[\0"'&<>]/g, (character) => HTML[character] ?? character);
}

const JAVASCRIPT: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
};

export function escapeJavaScript(text: string): string {
  return runes(text).map(escapeScriptCharacter).join('');
}

function escapeScriptCharacter(character: string): string {
  const known = JAVASCRIPT[character];
  if (known !== undefined) return known;
  const code = character.codePointAt(0) ?? 0;
  if (code >= 0x20 && code < 0x80) return character;
  if (code >= 0x80 && isPrintable(character)) return character;
  return `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** A part of a query: letters, digits and `-_.~` stay, a blank becomes `+`. */
export function escapeQuery(text: string): string {
  return escapeBytes(text, /[A-Za-z0-9\-_.~]/).replaceAll('%20', '+');
}

/** Percent-escapes every byte that the class of allowed characters does not name. */
export function escapeBytes(text: string, allowed: RegExp): string {
  const parts: string[] = [];
  for (const byte of toBytes(text)) {
    parts.push(allowed.test(byte) ? byte : `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
  }
  return parts.join('');
}
