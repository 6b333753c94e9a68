import { createHash } from 'node:crypto';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { ROUTES } from '../../src/api/routes.ts';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { waitFor } from '../support/wait-for.ts';
import { filesWith, inlineRun, runToEnd } from './threat-rig.ts';

const EMPTY = 'version: v1.1.0\nsteps: []\n';

async function makeToken(daemon: TestDaemon, body: object): Promise<{ readonly id: string; readonly token: string }> {
  const { status, body: made } = await daemon.api<{ id: string; token: string }>('POST', '/api/v1/tokens', body);
  expect(status).toBe(201);
  return made;
}

describe('threat 14: tokens', () => {
  it('are in no file but the one of their user, end when they are revoked, and stay so after a restart', async () => {
    await using daemon = await startDaemon();
    const { id, token } = await makeToken(daemon, { name: 'ci', role: 'runner' });
    const soon = new Date(Date.now() + 3000).toISOString();
    const brief = await makeToken(daemon, { name: 'brief', role: 'viewer', expiresAt: soon });
    const status = async (secret: string) => (await daemon.api('GET', '/api/v1/me', undefined, { token: secret })).status;
    expect([await status(token), await status(brief.token)]).toStrictEqual([200, 200]);
    expect(await filesWith(daemon.data, [token, token.slice(4), brief.token.slice(4)])).toStrictEqual([]);
    // What is stored of it opens nothing.
    for (const stored of [createHash('sha256').update(token).digest('hex'), createHash('sha256').update(token).digest('base64url')])
      for (const guess of [stored, `slw_${stored}`, `slw_${stored.slice(0, 43)}`]) expect(await status(guess)).toBe(401);
    expect((await daemon.api('DELETE', `/api/v1/tokens/${id}`)).status).toBe(204);
    expect(await status(token)).toBe(401);
    expect(daemon.stderr).not.toContain(token.slice(4));
    await daemon.kill();
    await daemon.start();
    expect([await status(token), await status(daemon.token)]).toStrictEqual([401, 200]);
    const { body } = await daemon.api<{ items: { id: string; expiresAt?: string }[] }>('GET', '/api/v1/tokens');
    expect(body.items.find((one) => one.id === brief.id)?.expiresAt).toBe(soon);
    while (Date.now() <= Date.parse(soon)) await daemon.api('GET', '/healthz');
    expect(await status(brief.token)).toBe(401);
  });
});

interface Entry {
  readonly action: string;
  readonly principal: string;
  readonly from: string;
  readonly target: string;
  readonly outcome: string;
}

/** Of the end of a run, decided on. */
async function endedEvent(daemon: TestDaemon): Promise<string> {
  await runToEnd(daemon, inlineRun(EMPTY));
  return waitFor(async () => {
    const { body } = await daemon.api<{ items: { eventId: string }[] }>('GET', '/api/v1/trigger-events?kind=run-ended&status=settled');
    return body.items[0]?.eventId;
  }, 20_000);
}

async function hookId(daemon: TestDaemon): Promise<string> {
  return (await daemon.api<{ items: { id: string }[] }>('GET', '/api/v1/hooks')).body.items[0]?.id ?? '';
}

describe('threat 26: the audit', () => {
  it('has who did what to what from where, for each kind of change, and can be changed by nobody', async () => {
    await using daemon = await startDaemon();
    const ended = await endedEvent(daemon);
    const { token } = await makeToken(daemon, { name: 'ann', role: 'admin' });
    const as = { token };
    const audit = async () => (await daemon.api<{ items: Entry[] }>('GET', '/api/v1/audit?top=1000')).body.items;
    const task = { name: 'one', step: { encodedTaskContent: Buffer.from(EMPTY).toString('base64') } };
    const { body: run } = await daemon
      .api<{ runId: string }>('POST', '/api/v1/queue/pause', { reason: 'audit' }, as)
      .then(() => daemon.api<{ runId: string }>('POST', '/api/v1/runs', inlineRun(EMPTY), as));
    const made = await daemon.api<{ id: string }>('POST', '/api/v1/tokens', { name: 'bob', role: 'viewer' }, as);
    const changes: readonly [method: string, path: string, body?: unknown][] = [
      ['POST', 'tasks', task],
      ['PATCH', 'tasks/one', { timeout: 600 }],
      ['PUT', 'tasks/one', { ...task, timeout: 700 }],
      ['PUT', 'tasks/one/credentials/registry.example', { userName: 'u', password: { plain: 'canary-pass-26' } }],
      ['DELETE', 'tasks/one/credentials/registry.example'],
      ['POST', 'apply', { tasks: [{ ...task, name: 'two' }] }],
      ['PUT', 'secrets/name', { value: 'canary-value-26' }],
      ['DELETE', 'secrets/name'],
      ['PATCH', `runs/${run.runId}`, { isArchiveEnabled: true }],
      ['POST', `runs/${run.runId}/cancel`, { reason: 'enough' }],
      ['POST', `runs/${run.runId}/rerun`, {}],
      ['POST', 'queue/resume', {}],
      ['DELETE', `tokens/${made.body.id}`],
      ['PUT', 'tasks/one/timers/nightly', { schedule: '0 3 * * *' }],
      ['DELETE', 'tasks/one/timers/nightly'],
      ['POST', 'hooks', { registry: 'registry.example', registryKind: 'harbor' }],
      ['POST', 'hooks/:id/rotate', {}],
      ['DELETE', 'hooks/:id'],
      ['POST', `trigger-events/${ended}/replay`],
      ['DELETE', 'tasks/one'],
      ['POST', 'tokens', { name: 'eve', role: 'viewer' }],
      ['POST', 'gc', {}],
    ];
    for (const [method, written, body] of changes) {
      const path = written.includes(':id') ? written.replace(':id', await hookId(daemon)) : written;
      const before = (await audit()).length;
      const { status, body: said } = await daemon.api(method, `/api/v1/${path}`, body, as);
      expect([method, path, status, status < 300 ? '' : said]).toStrictEqual([method, path, expect.any(Number), '']);
      const added = (await audit()).slice(0, -before || undefined);
      expect([path, added.length > 0, added.every(({ from }) => from.includes('127.0.0.1') || from === 'agent')]).toStrictEqual([
        path,
        true,
        true,
      ]);
      expect(added.some(({ principal, outcome, target }) => principal.includes('ann') && outcome === 'done' && target !== '')).toBe(true);
    }
    // Each route that changes something was tried, or is no change of what the daemon keeps.
    const tried = new Set(changes.map(([method, path]) => `${method} ${path.split('/')[0]}`));
    const untried = ROUTES.filter(
      ({ method, path }) => method !== 'GET' && method !== 'HEAD' && !tried.has(`${method} ${path.split('/')[3]}`),
    );
    expect(untried.map(({ name }) => name).toSorted()).toStrictEqual(['putUpload']);
    const refused = await daemon.api(
      'POST',
      '/api/v1/tokens',
      { name: 'x', role: 'admin' },
      { token: (await makeToken(daemon, { name: 'low', role: 'viewer' })).token },
    );
    expect(refused.status).toBe(403);
    expect((await audit())[0]).toMatchObject({ outcome: 'refused', principal: expect.stringContaining('low') });
    expect(JSON.stringify(await audit())).not.toMatch(/canary-(pass|value)-26/);
    const database = new Database(join(daemon.data, 'slipway.db'));
    try {
      const table = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%audit%'").pluck().get();
      const count = database.prepare(`SELECT count(*) FROM ${String(table)}`).pluck();
      const rows = count.get();
      for (const change of [
        `UPDATE ${String(table)} SET action = 'x'`,
        `DELETE FROM ${String(table)}`,
        `INSERT OR REPLACE INTO ${String(table)} SELECT * FROM ${String(table)}`,
      ])
        expect(() => database.prepare(change).run()).toThrow(/audit|append|constraint/i);
      expect(count.get()).toBe(rows);
    } finally {
      database.close();
    }
  });

  it('says of a run why it is there', async () => {
    await using daemon = await startDaemon();
    const { run } = await runToEnd(daemon, inlineRun(EMPTY));
    const again = await daemon.api<{ causes: { kind: string }[] }>('POST', `/api/v1/runs/${run.runId}/rerun`, {});
    expect(again.body.causes.map(({ kind }) => kind)).toStrictEqual(['rerun', 'manual']);
  });
});
