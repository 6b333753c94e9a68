import { expect, test } from 'vitest';
import type { Io } from '../../../src/cli/io.ts';
import { type LogFlags, printLogs } from '../../../src/cli/remote/print-logs.ts';
import { startHttpServer } from '../../support/http-server.ts';
import { collected } from '../collected-stream.ts';
import { remoteIo } from './remote-io.ts';

const FLAGS: LogFlags = { follow: false, json: false, raw: false };
const EVIL = Buffer.from('\x1b]0;owned\x07\x1b[2Jred \x1b[31mtext\x1b[0m \xc3\xbc\r\n', 'latin1');

interface Part {
  readonly step: string;
  readonly bytes: Buffer;
}

/** The lines that a daemon sends for the parts, from an offset on. */
function linesFrom(parts: readonly Part[], offset: number): string[] {
  let at = 0;
  return parts.flatMap(({ step, bytes }) => {
    const from = at;
    at += bytes.length;
    if (from < offset) return [];
    const base = { offset: from, next: at, step, attempt: 1, stream: 'stdout', at: '2026-11-23T12:00:00Z', afterEvent: 1 };
    return [`${JSON.stringify({ ...base, base64: bytes.toString('base64') })}\n`];
  });
}

async function logsOf(
  parts: readonly Part[],
  flags: Partial<LogFlags>,
  place: { readonly isTTY: boolean; readonly breakAfter?: number; readonly status?: string; readonly run?: string },
) {
  const offsets: string[] = [];
  const asked: string[] = [];
  await using server = await startHttpServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://x');
    asked.push(pathname.replace('/api/v1', ''));
    if (!pathname.endsWith('/log')) {
      const run = { runId: 'ra001', status: place.status ?? 'Succeeded', steps: [{ id: 'compile' }, { id: 'a' }] };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(run));
      return;
    }
    const offset = new URL(request.url ?? '', 'http://x').searchParams.get('offset') ?? '';
    offsets.push(offset);
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    const lines = linesFrom(parts, Number(offset));
    if (place.breakAfter === undefined || lines.length <= place.breakAfter) response.end(lines.join(''));
    else response.write(lines.slice(0, place.breakAfter).join(''), () => response.socket?.destroy());
  });
  const written: Buffer[] = [];
  const remote = remoteIo();
  const io: Io = {
    ...remote.io,
    stdout: { ...collected(place.isTTY), write: (data: string | Uint8Array) => written.push(Buffer.from(data)) > 0 },
  };
  const code = await printLogs(place.run ?? 'ra001', { ...FLAGS, ...flags, server: server.url }, io);
  return { code, bytes: Buffer.concat(written), offsets, asked, said: remote.stderr.text() };
}

test('into a pipe every byte goes as it is', async () => {
  const binary = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const { bytes, code } = await logsOf(
    [
      { step: 'a', bytes: EVIL },
      { step: 'b', bytes: binary },
    ],
    {},
    { isTTY: false },
  );
  expect(code).toBe(0);
  expect(bytes.equals(Buffer.concat([EVIL, binary]))).toBe(true);
});

test('on a terminal nothing but colours passes, also when a sequence or a character is cut', async () => {
  const parts = [...EVIL].map((byte) => ({ step: 'a', bytes: Buffer.from([byte]) }));
  const { bytes } = await logsOf(parts, {}, { isTTY: true });
  expect(bytes.toString()).toBe('red \x1b[31mtext\x1b[0m ü\r\n');
  expect((await logsOf(parts, { raw: true }, { isTTY: true })).bytes.equals(EVIL)).toBe(true);
});

test('a sequence that one step began does not swallow the words of another', async () => {
  const parts = [
    { step: 'a', bytes: Buffer.from('\x1b]0;never ended') },
    { step: 'b', bytes: Buffer.from('plain words\n') },
  ];
  expect((await logsOf(parts, {}, { isTTY: true })).bytes.toString()).toBe('plain words\n');
});

test('a lost connection goes on where it broke off', async () => {
  const parts = ['one\n', 'two\n', 'three\n', 'four\n', 'five\n'].map((text) => ({ step: 'a', bytes: Buffer.from(text) }));
  const { bytes, offsets, said } = await logsOf(parts, { follow: true }, { isTTY: false, breakAfter: 2 });
  expect(bytes.toString()).toBe('one\ntwo\nthree\nfour\nfive\n');
  expect(offsets).toEqual(['0', '8', '19']);
  expect(said).toContain('the connection to the daemon is lost, trying again\nconnected again\n');
});

test('`last` stays the run that it was when a lost connection is taken up again', async () => {
  const parts = ['one\n', 'two\n'].map((text) => ({ step: 'a', bytes: Buffer.from(text) }));
  const { asked } = await logsOf(parts, { follow: true }, { isTTY: false, breakAfter: 1, run: 'last' });
  expect(asked).toEqual(['/runs/last', '/runs/ra001/log', '/runs/ra001/log']);
});

test('a log that is not whole yet says so, beside what it prints', async () => {
  const { bytes, said } = await logsOf([], {}, { isTTY: false, status: 'Queued' });
  expect([bytes.length, said]).toEqual([0, 'ra001 is Queued, there may be more to come: `--follow` waits for it\n']);
  expect((await logsOf([], {}, { isTTY: false })).said).toBe('');
});

test('a step that the run does not have is refused, with the one that is meant', async () => {
  const wrong = logsOf([], { step: 'compil' }, { isTTY: false });
  await expect(wrong).rejects.toThrow('the run ra001 has no step "compil"');
  await expect(wrong).rejects.toMatchObject({ help: 'Did you mean "compile"? Its steps: compile, a.' });
});

test('as JSON a line is an object, and DEL and C1 stand as escapes', async () => {
  const { bytes } = await logsOf([{ step: '\x9b2J', bytes: EVIL }], { json: true }, { isTTY: true });
  expect(bytes.toString()).toContain('\\u009b2J');
  expect(Buffer.from((JSON.parse(bytes.toString()) as { base64: string }).base64, 'base64').equals(EVIL)).toBe(true);
});
