// A program that writes the log of run `ra001` in the folder of its argument as fast as it can, until it is killed.
// `full`: instead, a disk that fills up and gets space again; prints what happened as JSON.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFileLogStore } from '../../src/files/file-log-store.ts';
import { systemClock } from '../../src/util/clock.ts';
import { streamBytes } from './stream-bytes.ts';

const [folder = '', mode = 'endless'] = process.argv.slice(2);
const store = createFileLogStore({ directory: join(folder, 'logs'), clock: systemClock, syncMs: 20, capBytes: 1024 ** 3 });

function chunkAt(step: string, from: number, length: number) {
  const at = new Date().toISOString();
  return {
    step,
    attempt: 1,
    stream: 'stdout',
    bytes: streamBytes(step, from, length),
    position: from + length,
    at,
    afterEvent: 0,
  } as const;
}

async function endless(): Promise<never> {
  const writer = await store.open('ra001');
  const ends = new Map((await store.positions('ra001')).map(({ step, position }) => [step, position]));
  for (let round = 0; ; round += 1) {
    const step = `s${round % 3}`;
    const from = ends.get(step) ?? 0;
    const length = 1 + ((round * 7919) % 5000);
    ends.set(step, from + length);
    await writer.append(chunkAt(step, from, length));
    if (round % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    if (round % 200 === 0) process.stdout.write('.\n');
  }
}

async function full(): Promise<void> {
  const filler = join(folder, 'filler');
  writeFileSync(filler, Buffer.alloc(200 * 1024));
  const writer = await store.open('ra001');
  const failures: unknown[] = [];
  let position = 0;
  const append = async (bytes: number): Promise<void> => {
    try {
      await writer.append(chunkAt('s0', position, bytes));
    } catch (error) {
      failures.push(error instanceof Error && 'code' in error ? error.code : error);
    }
    position += bytes;
    await new Promise((resolve) => setImmediate(resolve));
  };
  while (failures.length < 5) await append(10_000);
  rmSync(filler);
  await append(100);
  await writer.seal();
  const page = await store.read('ra001', { offset: 0, limit: 4 * 1024 ** 2 });
  const intact = page.chunks
    .filter((chunk) => chunk.marker === undefined)
    .every((chunk) => Buffer.compare(streamBytes('s0', chunk.position - chunk.bytes.length, chunk.bytes.length), chunk.bytes) === 0);
  const gaps = page.chunks.filter((chunk) => chunk.marker === 'gap').map((chunk) => Buffer.from(chunk.bytes).toString());
  process.stdout.write(JSON.stringify({ failures: [...new Set(failures)], intact, gaps, last: page.chunks.at(-1)?.position, position }));
}

await (mode === 'full' ? full() : endless());
