import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join, relative } from 'node:path';
import type { RunResource } from '../../src/api/run-schema.ts';
import type { TestDaemon } from '../support/daemon.ts';

/** `{ type: 'EncodedTaskRunRequest' }` of a task file's text. */
export function inlineRun(text: string, more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return { type: 'EncodedTaskRunRequest', encodedTaskContent: Buffer.from(text).toString('base64'), ...more };
}

/** A task file of one step that runs `script` in a shell. */
export function shellTask(script: string, more = ''): string {
  return `version: v1.1.0\nsteps:\n  - id: one\n    cmd: busybox:local sh -c ${JSON.stringify(script)}\n${more}`;
}

export interface EndedRun {
  readonly run: RunResource;
  readonly log: string;
}

/** Asks for a run and waits for its end. Rejects when the daemon does not take it. */
export async function runToEnd(daemon: TestDaemon, body: unknown): Promise<EndedRun> {
  const id = await begin(daemon, body);
  return ended(daemon, id);
}

export async function begin(daemon: TestDaemon, body: unknown): Promise<string> {
  const made = await daemon.api<RunResource>('POST', '/api/v1/runs', body);
  if (made.status !== 201) throw new Error(`the run was refused: ${made.status} ${JSON.stringify(made.body)}`);
  return made.body.runId;
}

/** Follows the log, which ends with the run. */
export async function ended(daemon: TestDaemon, id: string): Promise<EndedRun> {
  const { body: log } = await daemon.api<string>('GET', `/api/v1/runs/${id}/log?follow=true`);
  const { body: run } = await daemon.api<RunResource>('GET', `/api/v1/runs/${id}`);
  return { run, log };
}

/** The longest time that the daemon took for an answer while `work` went on, in milliseconds: how long its event loop stood still. */
export async function slowestAnswer<Value>(
  daemon: TestDaemon,
  work: () => Promise<Value>,
): Promise<{ readonly slowestMs: number; readonly value: Value }> {
  const over = new AbortController();
  let slowestMs = 0;
  const probe = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const began = performance.now();
      await daemon.api('GET', '/healthz');
      slowestMs = Math.max(slowestMs, performance.now() - began);
    }
  };
  const probing = probe();
  try {
    return {
      value: await work(),
      get slowestMs() {
        return slowestMs;
      },
    };
  } finally {
    over.abort();
    await probing;
  }
}

/** Sends a context. Resolves with the status of the answer. */
export function upload(daemon: TestDaemon, archive: Buffer): Promise<{ readonly sha256: string; readonly status: number }> {
  const sha256 = createHash('sha256').update(archive).digest('hex');
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        socketPath: join(daemon.data, 'slipway.sock'),
        method: 'PUT',
        path: `/api/v1/uploads/${sha256}`,
        headers: { 'content-type': 'application/x-tar', 'content-length': String(archive.length) },
      },
      (response) => {
        response.resume();
        response.on('end', () => resolve({ sha256, status: response.statusCode ?? 0 }));
      },
    );
    sent.on('error', reject);
    sent.end(archive);
  });
}

/** Every file below a folder whose bytes hold the text, with its path from there. */
export async function filesWith(folder: string, texts: readonly string[]): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path);
    if (texts.some((text) => bytes.includes(text))) found.push(relative(folder, path));
  }
  return found;
}
