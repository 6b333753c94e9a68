import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import type { Io } from '../../../src/cli/io.ts';
import { askHidden, askKey, askYes, canAsk } from '../../../src/cli/remote/prompts.ts';
import { collected } from '../collected-stream.ts';
import { remoteIo } from './remote-io.ts';

/** A terminal whose keyboard is a stream. */
function terminal() {
  const keyboard = Object.assign(new PassThrough(), {
    isTTY: true,
    raw: false,
    setRawMode(on: boolean) {
      keyboard.raw = on;
      return keyboard;
    },
  });
  const stderr = collected(true);
  const io: Io = { ...remoteIo().io, stdin: keyboard, stderr };
  return { io, keyboard, stderr };
}

test('nobody is asked through a pipe', () => {
  expect([canAsk(remoteIo().io), canAsk(terminal().io)]).toEqual([false, true]);
});

test('a hidden line is never shown, can be mended, and the terminal is as before', async () => {
  const { io, keyboard, stderr } = terminal();
  const typed = askHidden(io, 'Value: ');
  expect(keyboard.raw).toBe(true);
  for (const text of ['wrong\x15s', 'ecrx\x7f', 'et grüße🚀🚀\b', '\r']) keyboard.write(text);
  expect(await typed).toBe('secret grüße🚀');
  expect([keyboard.raw, stderr.text()]).toEqual([false, 'Value: \n']);
});

test.each(['\x03', '\x04'])('%j gives up', async (key) => {
  const { io, keyboard } = terminal();
  const typed = askHidden(io, 'Value: ');
  keyboard.write(key);
  expect(await typed).toBeUndefined();
  const other = terminal();
  const answer = askKey(other.io, '? ', ['c', 'l']);
  other.keyboard.write(key);
  expect(await answer).toBeUndefined();
});

test('only keys that mean something answer, in either case', async () => {
  const { io, keyboard } = terminal();
  const answer = askKey(io, '? ', ['c', 'l']);
  keyboard.write('x?L');
  expect(await answer).toBe('l');
});

test('a question can be answered from elsewhere', async () => {
  const { io, keyboard } = terminal();
  const elsewhere = new AbortController();
  const answer = askKey(io, '? ', ['c', 'l'], elsewhere.signal);
  elsewhere.abort();
  expect([await answer, keyboard.raw]).toEqual([undefined, false]);
});

test('yes is y alone', async () => {
  for (const [key, yes] of [
    ['y', true],
    ['n', false],
    ['\r', false],
    ['\x03', false],
  ] as const) {
    const { io, keyboard } = terminal();
    const answer = askYes(io, 'Sure?');
    keyboard.write(key);
    expect(await answer).toBe(yes);
  }
});
