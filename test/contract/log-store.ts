import { afterEach, describe, expect, it } from 'vitest';
import type { LogChunk, LogPage, LogStore } from '../../src/model/ports/log-store.ts';

export interface LogStoreUnderTest {
  /** The same data each time: what was written before a `close` is there after the next `open`. */
  open(options?: { readonly capBytes?: number }): LogStore;
}

/** A chunk of output; position as if the masker had changed nothing. */
export function chunk(text: string, position: number, overrides: Partial<LogChunk> = {}): LogChunk {
  const at = '2030-01-02T03:04:05.000Z';
  return { step: 'build', attempt: 1, stream: 'stdout', bytes: Buffer.from(text), position, at, afterEvent: 0, ...overrides };
}

/** All pages from an offset on. */
export async function readLog(
  store: LogStore,
  run: string,
  query: Partial<Parameters<LogStore['read']>[1]> = {},
): Promise<{ readonly text: string; readonly chunks: LogPage['chunks']; readonly end: boolean }> {
  const chunks: LogPage['chunks'][number][] = [];
  for (let offset = query.offset ?? 0; ; ) {
    const page = await store.read(run, { limit: 65_536, ...query, offset });
    chunks.push(...page.chunks);
    if (page.next === offset || page.end) return { text: textOf(chunks), chunks, end: page.end };
    offset = page.next;
  }
}

function textOf(chunks: LogPage['chunks']): string {
  return Buffer.concat(chunks.map((one) => one.bytes)).toString();
}

/** What every LogStore keeps (model/ports/log-store.ts in words). */
export function logStoreContract(name: string, subject: () => LogStoreUnderTest): void {
  describe(`log store contract: ${name}`, () => {
    const opened: LogStore[] = [];
    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close();
    });
    function start(): { open: LogStoreUnderTest['open'] } {
      const place = subject();
      return {
        open: (options) => {
          const store = place.open(options);
          opened.push(store);
          return store;
        },
      };
    }

    it('gives back what was appended, in order, with its stream, place and time', async () => {
      const store = start().open();
      const writer = await store.open('ra001');
      void writer.append(chunk('one\n', 4, { afterEvent: 3 }));
      void writer.append(chunk('two\n', 4, { stream: 'stderr', afterEvent: 3 }));
      void writer.append(chunk('grüße\n', 8, { step: 'schritt "2"\n', attempt: 7, afterEvent: 9, at: '2030-01-02T03:04:06.789Z' }));
      await writer.seal();
      const { chunks, text, end } = await readLog(store, 'ra001');
      expect(text).toBe('one\ntwo\ngrüße\n');
      expect(end).toBe(true);
      expect(chunks.map(({ bytes: _, ...rest }) => rest)).toEqual([
        { step: 'build', attempt: 1, stream: 'stdout', position: 4, at: '2030-01-02T03:04:05.000Z', afterEvent: 3, offset: 0 },
        { step: 'build', attempt: 1, stream: 'stderr', position: 4, at: '2030-01-02T03:04:05.000Z', afterEvent: 3, offset: 4 },
        { step: 'schritt "2"\n', attempt: 7, stream: 'stdout', position: 8, at: '2030-01-02T03:04:06.789Z', afterEvent: 9, offset: 8 },
      ]);
    });

    it('reads from every offset with every limit, also within a chunk', async () => {
      const store = start().open();
      const writer = await store.open('ra001');
      const words = ['alpha ', 'beta ', 'gamma ', 'delta '];
      for (const [index, word] of words.entries()) void writer.append(chunk(word, index, { step: `s${index % 2}` }));
      await writer.seal();
      const all = words.join('');
      for (let offset = 0; offset <= all.length; offset += 1) {
        for (let limit = 1; limit <= all.length + 1; limit += 1) {
          const { text, end } = await readLog(store, 'ra001', { offset, limit });
          expect({ text, end }).toEqual({ text: all.slice(offset), end: true });
        }
      }
      const beyond = await store.read('ra001', { offset: 1000, limit: 10 });
      expect(beyond).toEqual({ chunks: [], next: 1000, end: true });
    });

    it('picks out a step, an attempt and what is new, and goes on after what it left out', async () => {
      const store = start().open();
      const writer = await store.open('ra001');
      for (let round = 0; round < 600; round += 1) {
        const at = new Date(Date.UTC(2030, 0, 1, 0, 0, round)).toISOString();
        void writer.append(chunk(`a${round}\n`, round, { step: 'a', attempt: 1 + Math.floor(round / 300), at }));
        void writer.append(chunk(`b${round}\n`, round, { step: 'b', at }));
      }
      await writer.seal();
      const numbers = (from: number, to: number, letter: string) =>
        Array.from({ length: to - from }, (_, index) => `${letter}${from + index}\n`).join('');
      expect((await readLog(store, 'ra001', { step: 'a' })).text).toBe(numbers(0, 600, 'a'));
      expect((await readLog(store, 'ra001', { step: 'a', limit: 50 })).text).toBe(numbers(0, 600, 'a'));
      expect((await readLog(store, 'ra001', { step: 'a', attempt: 2 })).text).toBe(numbers(300, 600, 'a'));
      expect((await readLog(store, 'ra001', { step: 'b', since: '2030-01-01T00:09:50.000Z' })).text).toBe(numbers(590, 600, 'b'));
      const nothing = await store.read('ra001', { offset: 0, limit: 10, step: 'no such step' });
      expect(nothing).toMatchObject({ chunks: [], end: true });
    });

    it('tells the largest position of each stream of each attempt', async () => {
      const place = start();
      const store = place.open();
      const writer = await store.open('ra001');
      void writer.append(chunk('a', 10));
      void writer.append(chunk('b', 25));
      void writer.append(chunk('c', 5, { stream: 'stderr' }));
      void writer.append(chunk('d', 7, { attempt: 2 }));
      void writer.append(chunk('e', 9, { step: 'other' }));
      await writer.close();
      const expected = [
        { step: 'build', attempt: 1, stream: 'stdout', position: 25 },
        { step: 'build', attempt: 1, stream: 'stderr', position: 5 },
        { step: 'build', attempt: 2, stream: 'stdout', position: 7 },
        { step: 'other', attempt: 1, stream: 'stdout', position: 9 },
      ];
      expect(await store.positions('ra001')).toEqual(expected);
      await store.close();
      expect(await place.open().positions('ra001')).toEqual(expected);
      expect(await place.open().positions('ra002')).toEqual([]);
    });

    it('goes on where it stopped when it is opened again, and a seal stays', async () => {
      const place = start();
      const first = place.open();
      const writer = await first.open('ra001');
      void writer.append(chunk('before ', 7));
      await first.close();
      const second = place.open();
      expect(await second.stat('ra001')).toEqual({ bytes: 7, droppedBytes: 0, sealed: false });
      const again = await second.open('ra001');
      void again.append(chunk('after', 12));
      await again.seal();
      await second.close();
      const third = place.open();
      expect(await third.stat('ra001')).toEqual({ bytes: 12, droppedBytes: 0, sealed: true });
      expect((await readLog(third, 'ra001')).text).toBe('before after');
    });

    it('knows no log of a run that has none', async () => {
      const store = start().open();
      expect(await store.stat('ra001')).toBeUndefined();
      expect(await store.read('ra001', { offset: 0, limit: 10 })).toEqual({ chunks: [], next: 0, end: false });
      await store.delete('ra001');
    });

    it('wakes those who wait: by bytes, by the seal, by the end of their patience, by deletion', async () => {
      const store = start().open();
      const never = new AbortController().signal;
      const early = store.changed('ra001', 0, never);
      const writer = await store.open('ra001');
      const second = store.changed('ra001', 3, never);
      void writer.append(chunk('one', 3));
      await early;
      await store.changed('ra001', 2, never);
      const waiting = { done: false };
      void second.then(() => {
        waiting.done = true;
      });
      await store.changed('ra001', 0, never);
      expect(waiting.done).toBe(false);
      void writer.append(chunk('two', 6));
      await second;
      const impatient = new AbortController();
      const aborted = store.changed('ra001', 6, impatient.signal);
      impatient.abort();
      await aborted;
      const sealed = store.changed('ra001', 1_000_000, never);
      await writer.seal();
      await sealed;
      await store.changed('ra001', 1_000_000, never);
      const other = await store.open('ra002');
      void other.append(chunk('x', 1));
      const deleted = store.changed('ra002', 1, never);
      await store.delete('ra002');
      await deleted;
    });

    it('cuts at the cap with one marker, counts the rest, and positions go on', async () => {
      const place = start();
      const store = place.open({ capBytes: 10 });
      const writer = await store.open('ra001');
      await writer.append(chunk('123456789', 9));
      await writer.append(chunk('ü23456789', 19));
      await writer.append(chunk('dropped', 26));
      await writer.append(chunk('dropped too', 11, { step: 'other' }));
      await store.close();
      const again = place.open({ capBytes: 10 });
      const more = await again.open('ra001');
      await more.append(chunk('and this', 34));
      await more.seal();
      const { chunks } = await readLog(again, 'ra001');
      const markers = chunks.filter((one) => one.marker !== undefined);
      expect(markers.map((one) => [one.marker, one.step])).toEqual([['truncated', 'build']]);
      expect(Buffer.from(markers[0]?.bytes ?? []).toString()).toContain('limit of 10 bytes');
      const own = chunks.filter((one) => one.marker === undefined);
      expect(Buffer.concat(own.map((one) => one.bytes)).toString()).toBe('123456789');
      expect((await again.stat('ra001'))?.droppedBytes).toBe(10 + 7 + 11 + 8);
      expect(await again.positions('ra001')).toEqual([
        { step: 'build', attempt: 1, stream: 'stdout', position: 34 },
        { step: 'other', attempt: 1, stream: 'stdout', position: 11 },
      ]);
    });

    it('marks a gap on a line of its own', async () => {
      const store = start().open();
      const writer = await store.open('ra001');
      void writer.append(chunk('half a li', 9));
      writer.gap('build', 1, 'the engine had\nlost it');
      void writer.append(chunk('ne\n', 30));
      await writer.seal();
      const { chunks, text } = await readLog(store, 'ra001');
      expect(text).toBe('half a li\n[slipway: output is missing here: the engine had lost it]\nne\n');
      expect(chunks.map((one) => one.marker)).toEqual([undefined, 'gap', undefined]);
    });

    it('deletes, lists and measures', async () => {
      const store = start().open();
      for (const run of ['ra001', 'ra002', 'rb1000']) {
        const writer = await store.open(run);
        await writer.append(chunk('0123456789', 10));
        await writer.seal();
      }
      expect(await listed(store)).toEqual(['ra001', 'ra002', 'rb1000']);
      expect(await store.size()).toBe(30);
      await store.delete('ra002');
      expect(await listed(store)).toEqual(['ra001', 'rb1000']);
      expect(await store.size()).toBe(20);
      expect(await store.stat('ra002')).toBeUndefined();
      const anew = await store.open('ra002');
      void anew.append(chunk('new', 3));
      await anew.seal();
      expect((await readLog(store, 'ra002')).text).toBe('new');
    });

    it('serves many followers while it is written, each every byte once', async () => {
      const store = start().open();
      const writer = await store.open('ra001');
      const followers = Array.from({ length: 8 }, (_, index) => follow(store, 'ra001', 1 + index * 1000));
      let expected = '';
      for (let line = 0; line < 2000; line += 1) {
        const text = `line ${line}\n`;
        expected += text;
        await writer.append(chunk(text, expected.length, { step: `s${line % 3}` }));
        if (line % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await writer.seal();
      expect(await Promise.all(followers)).toEqual(followers.map(() => expected));
    });

    it('takes no output after the seal', async () => {
      const store = start().open();
      const writer = await store.open('ra001');
      await writer.seal();
      await writer.seal();
      expect(() => writer.append(chunk('late', 4))).toThrow('sealed');
    });

    it.each(['../../etc', '..', 'ra001/../x', 'RA001', '%2e%2e', 'ra0\0', 'con', '', 'a'.repeat(41)])(
      'refuses %j as the id of a run',
      async (run) => {
        const store = start().open();
        const never = new AbortController().signal;
        const attempts = [
          store.open(run),
          store.read(run, { offset: 0, limit: 1 }),
          store.stat(run),
          store.positions(run),
          store.delete(run),
          store.changed(run, 0, never),
        ];
        for (const attempt of attempts) await expect(attempt).rejects.toMatchObject({ code: 'not-found' });
      },
    );
  });
}

async function listed(store: LogStore): Promise<readonly string[]> {
  const runs: string[] = [];
  for await (const run of store.list()) runs.push(run);
  return runs.sort();
}

async function follow(store: LogStore, run: string, limit: number): Promise<string> {
  const signal = new AbortController().signal;
  const parts: Uint8Array[] = [];
  for (let offset = 0; ; ) {
    const page = await store.read(run, { offset, limit });
    parts.push(...page.chunks.map((one) => one.bytes));
    if (page.end) return Buffer.concat(parts).toString();
    if (page.next === offset) await store.changed(run, offset, signal);
    offset = page.next;
  }
}
