import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { createDaemonLog } from '../../src/daemon/daemon-log.ts';
import { EngineError } from '../../src/model/engine-error.ts';

function logged(error: Error, level = 'info'): Readonly<Record<string, unknown>> {
  let text = '';
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString();
      done();
    },
  });
  createDaemonLog(level, stream as unknown as NodeJS.WriteStream).warn({ err: error }, 'it failed');
  return JSON.parse(text).err;
}

test('a broken environment is told without the places of the program, a broken program with them', () => {
  const refused = new EngineError('forge-failed', 'git.example refused the token', { help: 'Give it another.', cause: new Error('401') });
  expect(logged(refused)).toEqual({
    code: 'forge-failed',
    message: 'git.example refused the token',
    help: 'Give it another.',
    cause: '401',
  });
  expect(logged(refused, 'debug')).toMatchObject({ stack: expect.stringContaining('daemon-log.test') });
  expect(logged(new TypeError('undefined is not a function'))).toMatchObject({ stack: expect.stringContaining('daemon-log.test') });
  expect(logged(new EngineError('internal', 'this cannot be'))).toMatchObject({ stack: expect.stringContaining('daemon-log.test') });
});
