import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scanBuild } from '../../src/service/scan.ts';
import { parseBuild } from '../../src/task/build/parse-build.ts';
import { noContextParts } from '../support/context-parts.ts';
import { type Case, describePublished, difference, loadCases } from './cases.ts';

type Outcome = { readonly ok: true; readonly output: unknown } | { readonly ok: false; readonly error: string };

/** Runs what `task scan` runs, in a folder with the case's files. */
async function scan(one: Case): Promise<Outcome> {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-deps-'));
  try {
    for (const [name, text] of Object.entries(one.input.files ?? {})) {
      await mkdir(dirname(join(directory, name)), { recursive: true });
      await writeFile(join(directory, name), text);
    }
    const text = one.args.slice(1).join(' ');
    const range = { source: { name: 'arguments', text }, start: 0, end: text.length };
    const spec = parseBuild(text, { stepId: 'scan', taskName: '', registry: '', cache: '', env: [], workdir: '/workspace', range });
    if (!spec.ok) return { ok: false, error: spec.error.map(({ message }) => message).join('\n') };
    const request = {
      spec: spec.value.value,
      directory,
      platform: 'linux/amd64',
      signal: new AbortController().signal,
      onNote: () => undefined,
    };
    const scanned = await scanBuild(request, noContextParts());
    return scanned.ok
      ? { ok: true, output: scanned.value.value }
      : { ok: false, error: scanned.error.map(({ message }) => message).join('\n') };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** What is ours where differences.json has the case: `reference` of the runtime and the buildtime images, or an error. */
const OURS: Readonly<Record<string, { readonly runtime: Readonly<Record<string, string>>; readonly buildtime: readonly string[] | null }>> =
  {
    'deps-library-dup': { runtime: { reference: 'scratch:latest' }, buildtime: null },
    'deps-crlf': { runtime: { reference: 'busybox:latest' }, buildtime: null },
    'deps-registry-port': {
      runtime: { reference: 'localhost:5000/team/base:1', registry: 'localhost:5000', repository: 'team/base', tag: '1' },
      buildtime: null,
    },
    'deps-colon-port-only': { runtime: { reference: 'localhost:5000/x', registry: 'localhost:5000', repository: 'x' }, buildtime: null },
    'deps-target-missing': { runtime: { reference: 'b:1' }, buildtime: null },
    'deps-arg-no-default': { runtime: { reference: 'alpine:$V', registry: '', repository: '' }, buildtime: null },
    'deps-arg-default-expansion': { runtime: { reference: 'alpine:3.1' }, buildtime: null },
    'deps-arg-nested': { runtime: { reference: 'x:12' }, buildtime: null },
    'deps-arg-bad-build-arg': { runtime: { reference: 'x:latest' }, buildtime: null },
    'deps-platform-flag-noas': { runtime: { reference: 'alpine:3' }, buildtime: null },
    'deps-continuation': { runtime: { reference: 'alpine:3' }, buildtime: null },
    'deps-heredoc': { runtime: { reference: 'alpine:latest' }, buildtime: null },
    'deps-context-subdir': { runtime: { reference: 'alpine:sub' }, buildtime: null },
  };

async function check(one: Case): Promise<void> {
  const outcome = await scan(one);
  const ours = OURS[one.id];
  expect(difference(one.id) !== undefined, 'a case of ours that differs stands in differences.json, and no other').toBe(ours !== undefined);
  if (ours !== undefined) {
    const buildtime = ours.buildtime?.map((reference) => expect.objectContaining({ reference })) ?? null;
    expect(outcome).toMatchObject({ ok: true, output: [{ 'runtime-dependency': ours.runtime, 'buildtime-dependency': buildtime }] });
  } else if (one.expect.ok === true) expect(outcome).toEqual({ ok: true, output: one.expect.output });
  else expect(outcome).toMatchObject({ ok: false });
}

describe('images a Dockerfile builds upon', () => {
  it.each(loadCases('deps').map((one) => [one.id, one] as const))('%s', async (_id, one) => {
    await check(one);
  });
});

describePublished('deps', 'images that published Dockerfiles build upon', check);
