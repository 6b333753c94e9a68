import { createServer, type Server, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Case, describePublished, difference, loadCases } from './cases.ts';
import { runTaskCase, type TaskOutcome } from './task-case.ts';

/** The server that the recorded `src-url-*` cases speak to. `/slow` answers only when the test is over. */
const waiting: ServerResponse[] = [];
let server: Server;

beforeAll(async () => {
  server = createServer((request, response) => {
    switch (request.url) {
      case '/ext.yaml':
        return response.end('remote: REMOTE\n');
      case '/gone':
        return response.writeHead(404).end('not here');
      case '/500':
        return response.writeHead(500).end('server sad');
      case '/bad.yaml':
        return response.end('a: [b\n');
      default:
        waiting.push(response);
        return response;
    }
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(8765, '127.0.0.1', resolve));
});

afterAll(async () => {
  for (const response of waiting) response.destroy();
  await new Promise((resolve) => server.close(resolve));
});

interface PeerStep {
  readonly id: string;
  readonly cmd?: string;
  readonly build?: string;
  readonly push?: readonly string[];
}

/** What is ours where differences.json has the case. */
const OURS: Readonly<Record<string, (outcome: TaskOutcome) => void>> = {
  'alias-version-upper': (outcome) =>
    expect(outcome).toMatchObject({
      ok: true,
      text: 'version: V1.1.0\nsteps:\n  - cmd: busybox x\n',
      plan: { steps: [{ cmd: 'busybox x' }] },
    }),
};

async function check(one: Case): Promise<void> {
  const outcome = await runTaskCase(one);
  if (difference(one.id) !== undefined) {
    const ours = OURS[one.id];
    if (ours === undefined) throw new Error(`${one.id} has a difference that nothing asserts`);
    ours(outcome);
  } else if (one.expect.ok === true) {
    expect(outcome).toMatchObject({ ok: true, text: one.expect.output });
    const steps = (one.expect['steps'] as readonly PeerStep[] | undefined) ?? [];
    const ours = outcome.ok ? (outcome.plan.steps ?? []) : [];
    expect(ours.map(({ id, cmd, build, push }) => JSON.parse(JSON.stringify({ id, cmd, build, push })))).toEqual(steps);
  } else {
    expect(outcome.ok, `the peer says: ${one.expect.error}`).toBe(false);
  }
}

describe('recorded cases: aliases', () => {
  it.each(loadCases('alias').map((one): [string, Case] => [one.id, one]))('%s', (_id, one) => check(one));
});

describePublished('alias', 'recorded cases over published alias files', check);
