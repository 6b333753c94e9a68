import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReadDelivery } from '../../src/model/ports/delivery-reader.ts';
import { mutate, mutation, seedOf } from './mutations.ts';
import { reader } from './recorded.ts';
import { fixture, sent } from './sign.ts';

/** For each parser; SLIPWAY_FUZZ_CASES=1000000 for a long run. */
const CASES = Number(process.env['SLIPWAY_FUZZ_CASES'] ?? 5_000);
const SLOWEST_MS = 50;

const FOLDERS = {
  Github: ['github', ['push', 'pull_request', 'ping']],
  GitLab: ['gitlab', ['Push Hook']],
  Gitea: ['gitea', ['push', 'pull_request']],
  Bitbucket: ['bitbucket', ['repo:push', 'pullrequest:created', 'pullrequest:updated']],
  VisualStudioTeamService: ['azure-devops', ['']],
  Generic: ['generic', ['']],
  distribution: ['distribution', ['']],
  acr: ['acr', ['']],
  harbor: ['harbor', ['']],
  dockerhub: ['dockerhub', ['']],
  ghcr: ['ghcr', ['package', 'registry_package']],
  quay: ['quay', ['']],
} as const;

/** The seeds of a folder that go with an event: a pull request is seldom read as a push. */
function seedsOf(folder: string, events: readonly string[]) {
  return readdirSync(new URL(`../fixtures/deliveries/${folder}`, import.meta.url)).map((file) => {
    const seed = seedOf(fixture(`${folder}/${file.replace('.json', '')}`));
    const fit = events.filter((event) => /pull/.test(event) === /^pull/.test(file));
    return { seed, events: fit.length === 0 ? events : fit };
  });
}

const cases = (folder: string, events: readonly string[]) => {
  const seeds = seedsOf(folder, events);
  return fc.record({
    from: fc.nat(10_000).map((index) => seeds[index % seeds.length] ?? seeds[0]),
    event: fc.nat(10),
    mutations: fc.array(mutation, { minLength: 1, maxLength: 3 }),
    // Seldom: bytes that are no JSON, odd headers.
    cut: fc.option(fc.nat(30_000), { freq: 20 }),
    headers: fc.option(
      fc.dictionary(fc.constantFrom('content-type', 'x-github-event', 'x-event-key', 'idempotency-key'), fc.string({ maxLength: 40 })),
      { freq: 20 },
    ),
  });
};

describe.each(Object.entries(FOLDERS))('%s', (kind, [folder, events]) => {
  it(
    `answers ${CASES} mutated payloads in kind`,
    async () => {
      let told = 0;
      await fc.assert(
        fc.asyncProperty(cases(folder, events), async ({ from, event, mutations, cut, headers }) => {
          if (from === undefined) return;
          const whole = mutate(from.seed, mutations);
          const delivery = sent(kind as keyof typeof FOLDERS, {
            body: cut === null ? whole : whole.slice(0, cut),
            event: from.events[event % from.events.length] ?? '',
            headers: headers ?? {},
          });
          const started = performance.now();
          const answer = await reader.read(delivery);
          if (performance.now() - started > SLOWEST_MS) await expectFast(() => reader.read(delivery));
          const problem = problemOf(answer);
          if (problem !== undefined) throw new Error(`${problem}: ${JSON.stringify(answer)}`);
          if (answer.kind === 'happenings') told++;
        }),
        { numRuns: CASES },
      );
      // Or all were refused at the door, and nothing was tested.
      expect(told).toBeGreaterThan(CASES / 100);
    },
    30_000 + CASES * 2,
  );
});

/** The machine may have been busy elsewhere; a slow parser is slow each time. */
async function expectFast(read: () => Promise<ReadDelivery>): Promise<void> {
  const times: number[] = [];
  for (let again = 0; again < 3; again++) {
    const started = performance.now();
    await read();
    times.push(performance.now() - started);
  }
  expect(Math.min(...times)).toBeLessThan(SLOWEST_MS);
}

function problemOf(answer: ReadDelivery): string | undefined {
  switch (answer.kind) {
    case 'ping':
      return undefined;
    case 'ignored':
      return /^[ -~]{1,200}$/.test(answer.because) ? undefined : 'an odd reason';
    case 'refused':
      if (![400, 401, 415].includes(answer.status)) return 'an odd status';
      if (answer.because === 'the delivery could not be read') return 'an error that no reader meant';
      return /^[ -~]{1,300}$/.test(answer.because) ? undefined : 'an odd reason';
    case 'happenings':
      if (answer.happenings.length === 0 || answer.happenings.length > 1000) return 'too many or no happenings';
      if (!/^[\w.{}+/=-]{1,200}$/.test(answer.deliveryId)) return 'an odd delivery id';
      return problemOfValue(answer.repositoryId) ?? answer.happenings.map(problemOfHappening).find((problem) => problem !== undefined);
    default:
      return 'no answer of the union';
  }
}

const FIELDS = {
  push: ['repository', 'ref', 'before', 'after'],
  tag: ['repository', 'ref', 'before', 'after'],
  'pull-request': ['repository', 'number', 'action', 'headSha', 'headBranch', 'baseBranch', 'fork'],
  repository: ['repository'],
  image: ['image'],
} as const;

type Told = Extract<ReadDelivery, { readonly kind: 'happenings' }>['happenings'][number];

function problemOfHappening(happening: Told): string | undefined {
  if (!(happening.kind in FIELDS)) return `a happening ${happening.kind}`;
  for (const field of FIELDS[happening.kind as keyof typeof FIELDS]) if (!Object.hasOwn(happening, field)) return `no ${field}`;
  if (happening.kind === 'push' || happening.kind === 'tag') {
    if (!/^refs\/(?:heads|tags)\/[^\s~^:?*[\\]{1,1013}$/.test(happening.ref)) return 'an odd ref';
    if ((happening.kind === 'tag') !== happening.ref.startsWith('refs/tags/')) return 'a ref of the other kind';
    if (![happening.before, happening.after].every((id) => /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(id))) return 'an odd object id';
  }
  if (happening.kind === 'pull-request' && !/^[0-9a-f]{7,64}$/.test(happening.headSha)) return 'an odd head';
  if ('repository' in happening && !isCleanUrl(happening.repository.url)) return 'an odd URL';
  return problemOfValue(happening);
}

/** No text is long or has control characters, and nothing undefined is told. */
function problemOfValue(value: unknown, name = ''): string | undefined {
  if (typeof value === 'string') {
    if (value.length > 2048 || (name === 'actor' && value.length > 256)) return `a long ${name}`;
    return /\p{Cc}/u.test(value) || !value.isWellFormed() ? `control characters in ${name}` : undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, item] of Object.entries(value)) {
    const problem = item === undefined ? `undefined ${key}` : problemOfValue(item, key);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function isCleanUrl(text: string): boolean {
  const url = new URL(text);
  return /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
}
