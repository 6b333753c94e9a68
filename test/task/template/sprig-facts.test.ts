import { expect, test } from 'vitest';
import { failure, render } from './render.ts';

test.each([
  // Words of scripts without spaces are neither letters nor numbers.
  ['snakecase', 'HTTP状态码404/502Error', 'http_状态码404/502_error'],
  ['snakecase', '混合ABCWords与123数字456', '混合_abc_words_与123_数字456'],
  ['kebabcase', '混合ABCWords与123数字456', '混合-abc-words-与123-数字456'],
  // Invalid characters belong to the word of the character after them, at the end to that before.
  ['snakecase', 'Abc\ufffdE\ufffdf\ufffdd\ufffd2\ufffd00z\ufffdZZ\ufffdZZ', 'abc_\ufffde\ufffdf\ufffdd_\ufffd2\ufffd00z_\ufffdzz\ufffdzz'],
  ['snakecase', '\ufffd\ufffd', '\ufffd\ufffd'],
  ['snakecase', 'abC\ufffd', 'ab_c\ufffd'],
  ['snakecase', 'Bld4Floor3rd', 'bld4_floor_3rd'],
  ['snakecase', 'A//B%%2c', 'a//b%%2c'],
  ['snakecase', ' Mixed-hyphen case _and SENTENCE_case', '_mixed_hyphen_case__and_sentence_case'],
  ['camelcase', 'FROM CamelCase to snake/kebab-case', 'FromCamelcaseToSnake/kebabCase'],
  ['camelcase', '_complex__case_', '_Complex_Case_'],
  ['upper', 'ᾳ ß ŉ ǆ', 'ᾼ ß ŉ Ǆ'],
])('%s of %j', (name, text, expected) => {
  expect(render(`{{${name} ${JSON.stringify(text)}}}`)).toBe(expected);
});

test.each([
  ['{{float64 "+nan"}}', '0'],
  ['{{float64 "nan"}}', 'NaN'],
  ['{{round 1.5 -23}}', '0'],
  ['{{round 1.005 2}}', '1'],
  ['{{(urlParse "http://[fe80::1%25en0]:80/").hostname}}', 'fe80::1%en0'],
  ['{{(urlParse "http://h:80/").host}}', 'h:80'],
])('%s', (template, expected) => {
  expect(render(template)).toBe(expected);
});

test.each([
  ['{{urlParse "http://::1/"}}', 'invalid port "::1" after host'],
  ['{{urlParse "http://localhost:80:80/"}}', 'invalid port ":80:80" after host'],
  ['{{urlParse "http://[host]/"}}', 'is no IPv6 address'],
])('%s is no URL', (template, message) => {
  expect(failure(template).message).toContain(message);
});
