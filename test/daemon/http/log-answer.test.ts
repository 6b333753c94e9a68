import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { logChunks } from '../../../src/daemon/http/log-answer.ts';
import { createFileLogStore } from '../../../src/files/file-log-store.ts';
import { systemClock } from '../../../src/util/clock.ts';

const NEVER = new AbortController().signal;

it('asks whether the run is over only where the log has no more, and ends with both', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-log-answer-'));
  const logs = createFileLogStore({ directory, clock: systemClock });
  try {
    const writer = await logs.open('ra001');
    const at = new Date().toISOString();
    const piece = Buffer.alloc(64 * 1024, 'x');
    for (let count = 1; count <= 64; count += 1) {
      await writer.append({ step: 's', attempt: 1, stream: 'stdout', bytes: piece, position: count * piece.length, at, afterEvent: 0 });
    }
    await writer.close();
    let asked = 0;
    const isOver = async (): Promise<boolean> => {
      asked += 1;
      return asked > 1;
    };
    const over = new AbortController();
    let bytes = 0;
    for await (const chunk of logChunks(logs, { run: 'ra001', offset: 0, end: undefined }, isOver, { reader: NEVER, over: over.signal })) {
      bytes += chunk.bytes.length;
      // Whoever watches the run says so; until then the answer waits.
      if (bytes === 64 * piece.length) setImmediate(() => over.abort());
    }
    expect([bytes, asked]).toEqual([64 * piece.length, 2]);
  } finally {
    await logs.close();
    await rm(directory, { recursive: true, force: true });
  }
});
