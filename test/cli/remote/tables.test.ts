import { expect, test } from 'vitest';
import type { RunSummaryResource } from '../../../src/api/run-schema.ts';
import { parseExpiry, parseSince } from '../../../src/cli/flags/since.ts';
import { queueTable } from '../../../src/cli/tables/daemon-tables.ts';
import { fitTable } from '../../../src/cli/tables/fit-table.ts';
import { jsonText, printList, yamlText } from '../../../src/cli/tables/print-value.ts';
import { runTable } from '../../../src/cli/tables/run-table.ts';
import { relativeText, timeText } from '../../../src/cli/tables/time-text.ts';
import { createPaint } from '../../../src/cli/terminal/paint.ts';
import { textWidth } from '../../../src/cli/terminal/text-width.ts';
import { collected } from '../collected-stream.ts';
import { remoteIo } from './remote-io.ts';

const NOW = new Date('2026-11-23T12:00:00Z');
const plain = createPaint(false);

const RUN: RunSummaryResource = {
  runId: 'ra001',
  number: 1,
  status: 'Queued',
  runType: 'QuickRun',
  trigger: 'Manual',
  task: null,
  createTime: '2026-11-23T11:57:00Z',
  startTime: null,
  finishTime: null,
  lastUpdatedTime: '2026-11-23T11:57:00Z',
  isArchiveEnabled: false,
  agentPoolName: 'default',
  platform: { os: 'linux', architecture: 'amd64' },
  outputImages: [],
  runErrorMessage: null,
  trust: 'trusted',
  priority: 0,
  attempt: 0,
  causes: [],
  waiting: { position: 2, reason: 'group-full', because: 'group deploy is full', queuedMs: 180_000 },
};

const wide = [
  { title: 'A', cell: (row: readonly string[]) => row[0] ?? '' },
  { title: 'B', cell: (row: readonly string[]) => row[1] ?? '', shrinks: true },
  { title: 'C', cell: (row: readonly string[]) => row[2] ?? '', optional: true },
];

test('a terminal gets rows that fit, a pipe gets whole values', () => {
  const rows = [['id', 'x'.repeat(200), '']];
  const terminal = fitTable(wide, rows, { ...collected(true), columns: 40 }, plain);
  expect(Math.max(...terminal.split('\n').map(textWidth))).toBe(40);
  expect(terminal).toContain('…');
  expect(fitTable(wide, rows, collected(), plain)).toContain('x'.repeat(200));
});

test('a terminal that is too narrow gets what explains a row below it, whole', () => {
  const because = 'branch main of https://git.example/acme/app.git was pushed';
  const columns = [...wide, { title: 'BECAUSE', cell: () => because, below: true }];
  const narrow = (more: typeof columns): string => fitTable(more, [['id', 'b', '']], { ...collected(true), columns: 40 }, plain);
  expect(narrow(columns)).toBe('A   B\nid  b\n  branch main of\n  https://git.example/acme/app.git was\n  pushed\n');
  expect(narrow([...columns, { title: 'NEXT', cell: () => 'soon', below: true }])).toMatch(
    /\n {2}because: branch main of\n(.*\n)+ {2}next: soon\n$/,
  );
  expect(fitTable(columns, [['id', 'b', '']], { ...collected(true), columns: 80 }, plain)).toContain(`id  b  ${because}\n`);
  expect(fitTable(columns, [['id', 'b', '']], collected(), plain)).toContain(`id  b  ${because}\n`);
});

test('a column without any value is left out when it may be', () => {
  expect(fitTable(wide, [['a', 'b', '']], collected(), plain)).toBe('A  B\na  b\n');
  expect(fitTable(wide, [['a', 'b', 'c']], collected(), plain)).toBe('A  B  C\na  b  c\n');
});

test('nothing in a cell, a JSON text or a YAML text can steer a terminal', async () => {
  const evil = '\x1b]0;title\x07\x9b2J\x7fname\r\nnext';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
  const controls = /[\x00-\x09\x0b-\x1f\x7f-\x9f]/;
  expect(fitTable(wide, [[evil, evil, evil]], collected(true), plain)).not.toMatch(controls);
  const run = { ...RUN, task: evil, branch: evil, runErrorMessage: evil, waiting: { ...RUN.waiting, because: evil } } as RunSummaryResource;
  expect(runTable([run], { stream: collected(true), paint: plain, now: NOW })).not.toMatch(controls);
  expect(jsonText({ name: evil })).not.toMatch(controls);
  expect(JSON.parse(jsonText({ name: evil }))).toEqual({ name: evil });
  expect(await yamlText({ name: evil })).not.toMatch(controls);
});

test('a run that waits says where and why', () => {
  const text = runTable([RUN], { stream: collected(), paint: plain, now: NOW });
  expect(text).toContain('RUN ID');
  expect(text).toContain('position 2: group deploy is full');
  expect(text).toContain(' 3m ago ');
  expect(text).not.toContain('SOURCE');
});

const DONE: RunSummaryResource = {
  ...{ ...RUN, task: 'web', status: 'Succeeded', trigger: 'Commit', branch: 'main', commit: '937a038'.padEnd(40, '0') },
  ...{ startTime: '2026-11-23T11:57:01Z', finishTime: '2026-11-23T11:57:13Z' },
};
const { waiting: _, ...PUSHED } = DONE;

test('a list of runs fits 80 columns, with the branch or the tag that each was for', () => {
  const tagged = { ...PUSHED, trigger: 'Tag', gitTag: 'v1.0', branch: 'main' };
  expect(runTable([tagged, PUSHED], { stream: collected(), paint: plain, now: NOW })).toBe(
    [
      'RUN ID  TASK  PLATFORM     STATUS     TRIGGER  CREATED  DURATION  SOURCE',
      'ra001   web   linux/amd64  Succeeded  Tag      3m ago   12.0s     v1.0 937a038',
      'ra001   web   linux/amd64  Succeeded  Commit   3m ago   12.0s     main 937a038',
      '',
    ].join('\n'),
  );
  const updated = { ...PUSHED, task: 'nightly-build', trigger: 'Image Update', branch: 'release/2026' };
  const piped = runTable([updated, PUSHED], { stream: collected(), paint: plain, now: NOW });
  expect(piped).toContain('nightly-build  linux/amd64  Succeeded  Image Update  3m ago   12.0s     release/2026 937a038');
  const pull = { ...PUSHED, trigger: 'Pull Request', branch: 'pull/8' };
  expect(runTable([pull], { stream: { ...collected(true), columns: 80 }, paint: plain, now: NOW })).toContain(
    'ra001   web   amd64     Succeeded  PR       3m ago   12.0s     pull/8 937a038\n',
  );
  const narrow = runTable([updated, PUSHED], { stream: { ...collected(true), columns: 80 }, paint: plain, now: NOW });
  expect(narrow).toContain('nightly-b…  amd64     Succeeded  Image    3m ago   12.0s     release/20…\n');
  expect(Math.max(...narrow.split('\n').map(textWidth))).toBeLessThanOrEqual(80);
});

test('a run that is not in line has no position', () => {
  const run = { ...RUN, waiting: { reason: 'approval', because: 'waits for a word', queuedMs: 1 } } as const;
  const text = runTable([run], { stream: collected(), paint: plain, now: NOW });
  expect(text).toContain('  waits for a word\n');
  expect(text).not.toContain('position');
  const queue = { paused: false, queued: 1, running: 0, waiting: [{ runId: 'ra001', ...run.waiting }] };
  expect(queueTable(queue, { stream: collected(), paint: plain, now: NOW })).toMatch(/\n +ra001 .* approval +waits for a word\n$/);
});

test('an empty list says so beside the data', async () => {
  const people = remoteIo();
  await printList(people.io, 'table', [], { none: 'Nothing.', table: () => 'never' });
  expect([people.stdout.text(), people.stderr.text()]).toEqual(['', 'Nothing.\n']);
  const programs = remoteIo();
  await printList(programs.io, 'json', [], { none: 'Nothing.', table: () => 'never' });
  expect([programs.stdout.text(), programs.stderr.text()]).toEqual(['[]\n', '']);
});

test('YAML of a task can be read back', async () => {
  const { load } = await import('js-yaml');
  const value = { name: '1.0', yes: 'no', list: [], when: '2026-11-23', text: 'a: b\n- c', nested: { empty: '' } };
  expect(load(await yamlText(value))).toEqual(value);
});

test.each([
  ['2026-11-23T12:00:00Z', 'now'],
  ['2026-11-23T11:59:30Z', '30s ago'],
  ['2026-11-23T09:00:00Z', '3h ago'],
  ['2026-10-01T12:00:00Z', '53d ago'],
  ['2026-11-24T12:00:00Z', 'in 1d'],
  ['2026-12-23T11:59:59Z', 'in 30d'],
])('%s is %s', (at, text) => {
  expect(relativeText(new Date(at), NOW)).toBe(text);
  expect(timeText(at, NOW)).toContain(`(${text})`);
});

test('moments are relative or dates', () => {
  expect(parseSince('2h', NOW)).toBe('2026-11-23T10:00:00.000Z');
  expect(parseSince('2026-11-01', NOW)).toBe('2026-11-01T00:00:00.000Z');
  expect(parseExpiry('30d', NOW)).toBe('2026-12-23T12:00:00.000Z');
  for (const text of ['yesterday', '2x', '', '5', '2026-99-99']) expect(() => parseSince(text, NOW)).toThrow('Expected a time');
  expect(() => parseExpiry('2020-01-01', NOW)).toThrow('a time to come');
});
