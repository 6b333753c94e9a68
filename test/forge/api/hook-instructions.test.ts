import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { hookInstructions } from '../../../src/forge/api/hook-instructions.ts';
import { createDeliveryReader } from '../../../src/forge/delivery-reader.ts';
import type { Delivery } from '../../../src/model/ports/delivery-reader.ts';
import { REGISTRY_HOOK_KINDS } from '../../../src/model/ports/hook-store.ts';
import { SOURCE_CONTROL_TYPES } from '../../../src/model/trigger-definition.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { runProcess } from '../../../src/util/process.ts';
import { startHttpServer } from '../../support/http-server.ts';
import { waitFor } from '../../support/wait-for.ts';

const facts = {
  url: 'https://slipway.example.com/hooks/AbCdEfGhIjKlMnOpQrStUv',
  secret: 'c2VjcmV0-b2Y_aG9vaw',
  repositoryUrl: 'https://user:password@git.example.com/acme/shop.git',
};

describe.each([...SOURCE_CONTROL_TYPES, ...REGISTRY_HOOK_KINDS])('the instructions for %s', (kind) => {
  it('have all that is to be copied', () => {
    const steps = hookInstructions(kind, facts);
    const values = steps.flatMap(({ value }) => (value === undefined ? [] : [value])).join('\n');
    expect(values).toContain(facts.url);
    expect(values).toContain(facts.secret);
    expect(JSON.stringify(steps)).not.toContain('password@');
    // What is secret is in no sentence, so that it can be shown on its own or left out.
    expect(steps.map(({ text }) => text).join('\n')).not.toContain(facts.secret);
  });
});

it('names the page of the repository', () => {
  expect(hookInstructions('Github', facts)[0]?.value).toBe('https://git.example.com/acme/shop/settings/hooks/new');
  expect(hookInstructions('GitLab', { ...facts, repositoryUrl: 'git@gitlab.com:acme/shop.git' })[0]?.value).toBeUndefined();
});

interface Received extends AsyncDisposable {
  readonly url: string;
  readonly deliveries: Delivery[];
}

async function startReceiver(source: Delivery['source']): Promise<Received> {
  const deliveries: Delivery[] = [];
  const server = await startHttpServer(async (incoming, outgoing) => {
    const body = await buffer(incoming);
    const headers = Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]));
    deliveries.push({ source, headers, body, secrets: [facts.secret], receivedAt: new Date().toISOString() });
    outgoing.writeHead(202).end();
  });
  return { url: `${server.url}/hooks/id`, deliveries, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

it('the script for other servers posts what is accepted', async () => {
  await using receiver = await startReceiver({ kind: 'git', forge: 'Generic', repositoryUrl: 'https://git.example.com/shop.git' });
  const script = hookInstructions('Generic', { ...facts, url: receiver.url }).find(({ value }) => value?.startsWith('#!/bin/sh'))?.value;
  const run = () => runProcess({ file: 'sh', args: ['-c', script ?? 'false'], env: { PATH: process.env['PATH'] ?? '' } });
  const outcomes = [await run(), await run()];
  expect(outcomes.map((outcome) => outcome.kind === 'exited' && outcome.exitCode)).toEqual([0, 0]);
  const reader = createDeliveryReader({ clock: systemClock });
  const read = await Promise.all(receiver.deliveries.map((delivery) => reader.read(delivery)));
  expect(read.map((each) => (each.kind === 'happenings' ? each.happenings.map(({ kind }) => kind) : each))).toEqual([
    ['repository'],
    ['repository'],
  ]);
  expect(new Set(read.map((each) => (each.kind === 'happenings' ? each.deliveryId : ''))).size).toBe(2);
});

it('a real registry with the configuration posts what is accepted', async () => {
  await using receiver = await startReceiver({ kind: 'registry', registryKind: 'distribution', registry: 'registry.example.com' });
  const snippet = hookInstructions('distribution', { ...facts, url: receiver.url })[0]?.value;
  const folder = await mkdtemp(join(tmpdir(), 'slipway-notify-'));
  const address = `127.0.0.1:${await freePort()}`;
  const config = `version: 0.1\nstorage:\n  inmemory:\nhttp:\n  addr: ${address}\n${snippet}\n`;
  await writeFile(join(folder, 'config.yml'), config);
  const stop = new AbortController();
  const running = runProcess({
    file: 'docker-registry',
    args: ['serve', join(folder, 'config.yml')],
    env: { PATH: process.env['PATH'] ?? '' },
    signal: stop.signal,
    graceMs: 2_000,
  });
  try {
    await waitFor(() =>
      fetch(`http://${address}/v2/`).then(
        () => true,
        () => undefined,
      ),
    );
    await pushIndex(address);
    const [delivery] = await waitFor(async () => (receiver.deliveries.length > 0 ? receiver.deliveries : undefined));
    if (delivery === undefined) throw new Error('nothing came');
    const read = await createDeliveryReader({ clock: systemClock }).read(delivery);
    expect(read.kind === 'happenings' ? read.happenings : read).toMatchObject([
      { kind: 'image', image: { repository: 'acme/base', tag: '1' } },
    ]);
  } finally {
    stop.abort();
    await running;
    await rm(folder, { recursive: true, force: true });
  }
});

/** An index without images: the smallest thing that a registry takes under a tag. */
async function pushIndex(address: string): Promise<void> {
  const type = 'application/vnd.oci.image.index.v1+json';
  const body = JSON.stringify({ schemaVersion: 2, mediaType: type, manifests: [] });
  const answer = await fetch(`http://${address}/v2/acme/base/manifests/1`, { method: 'PUT', headers: { 'content-type': type }, body });
  expect(answer.status).toBe(201);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}
