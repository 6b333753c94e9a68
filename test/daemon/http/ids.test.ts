import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROUTES } from '../../../src/api/routes.ts';
import { send } from './client.ts';
import { startDaemon } from './daemon-fixture.ts';

let daemon: Awaited<ReturnType<typeof startDaemon>>;

beforeAll(async () => {
  daemon = await startDaemon();
  await mkdir(join(daemon.directory, 'logs'), { recursive: true });
  await writeFile(join(daemon.directory, 'outside.log'), 'canary-7c1f');
});
afterAll(() => daemon[Symbol.asyncDispose]());

const NASTY = [
  '../outside',
  '..%2foutside',
  '%2e%2e/outside',
  '%2e%2e%2foutside',
  '..\\outside',
  '%00',
  'ra001%00',
  'ra001%0a',
  'CON',
  'nul.log',
  '.',
  '..',
  'RA001',
  'ra0',
  `r${'a'.repeat(40)}`,
  '%ff',
  '%',
  '%zz',
  'ra001;x',
  'ra001?x=1',
  '~root',
  '$(id)',
  '__proto__',
  'constructor',
  'ra001/',
  "ra001'--",
];
const withId = ROUTES.filter(({ path }) => path.includes(':')).map(({ method, path, changes }) => ({ method, path, changes }));
const piece = fc.constantFrom('..', '/', '%2f', '%2e', '%5c', '%00', 'a', 'Z', '0', '-', '_', '.', 'ra001', '%e2%80%ae', ' ', '~');
const wild = fc.oneof(
  fc.constantFrom(...NASTY),
  fc.array(piece, { minLength: 1, maxLength: 12 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 60 }).map((text) => encodeURIComponent(text.toWellFormed())),
);

describe('threat 22: ids in paths', () => {
  it('are refused or name nothing, whatever they are', async () => {
    const before = await readdir(daemon.directory);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...withId), wild, async (route, id) => {
        const path = route.path.replaceAll(/:\w+/g, id.replaceAll(' ', '%20')).replaceAll('\\', '%5c');
        const answer = await send(daemon.socket, { method: route.method, path, ...(route.changes ? { body: {} } : {}) });
        expect(answer.text).not.toContain('canary-7c1f');
        expect(answer.status, `${route.method} ${path}: ${answer.text}`).toBeLessThan(500);
        // A route without its id is another route, and that may answer.
        if (answer.status >= 400 && route.method !== 'HEAD') expect(answer.headers['content-type']).toMatch(/problem|^undefined/);
      }),
      { numRuns: 400 },
    );
    expect(await readdir(daemon.directory)).toStrictEqual(before);
  });

  it.each(NASTY)('a run %j has no log, no events and cannot be touched', async (id) => {
    for (const [method, rest] of [
      ['GET', ''],
      ['GET', '/log'],
      ['GET', '/events'],
      ['POST', '/cancel'],
      ['POST', '/rerun'],
    ] as const) {
      const { status } = await send(daemon.socket, { method, path: `/api/v1/runs/${id}${rest}` });
      // `.` and `..` are taken out by nobody here, so none of these is a route or a run.
      expect([200, 201, 202, 500]).not.toContain(status);
    }
  });

  it('refuses parameters beside the path that are out of range', async () => {
    for (const query of [
      'top=0',
      'top=1001',
      'top=x',
      'top=1e3&top=2',
      'after=%7b',
      'status=Nope',
      'commit=zz',
      'since=yesterday',
      'archived=maybe',
    ]) {
      const answer = await send(daemon.socket, { path: `/api/v1/runs?${query}` });
      expect([query, answer.status, answer.json()['code']]).toStrictEqual([query, 422, 'invalid-request']);
    }
  });
});
