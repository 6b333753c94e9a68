import { expect, test } from 'vitest';
import type { DependencyGraph } from '../../../src/api/dependency-schema.ts';
import { dependencyMermaid } from '../../../src/cli/dependencies/mermaid.ts';
import { dependencyTable } from '../../../src/cli/dependencies/table.ts';
import { dependencyTree } from '../../../src/cli/dependencies/tree.ts';
import { createPaint } from '../../../src/cli/terminal/paint.ts';
import { collected } from '../collected-stream.ts';

const PLACE = { stream: collected(), paint: createPaint(false), now: new Date('2026-11-23T12:00:00Z') };
const NODE = { registry: 'docker.io', repository: 'library/node', tag: '20' };
const BASE = { registry: 'r.example', repository: 'base', tag: '1' };
const WEB = { registry: 'r.example', repository: 'web', tag: '' };
const DIGEST = `sha256:${'ab'.repeat(32)}`;

type Edge = DependencyGraph['dependencies'][number];

function edge(task: string, image: Edge['image'], more: Partial<Edge> = {}): Edge {
  return {
    ...{
      task,
      image,
      step: 'build',
      platform: 'linux/amd64',
      written: `${image.repository}:${image.tag}`,
      role: 'runtime',
      followed: true,
    },
    ...{ indexDigest: DIGEST, platformDigest: DIGEST, state: 'built', runId: 'ra001', credential: 'default' },
    ...more,
  };
}

const GRAPH: DependencyGraph = {
  dependencies: [
    edge('base', NODE, { pattern: 'semver:~20' }),
    edge('web', BASE),
    edge('web', NODE, { role: 'buildtime', followed: false, state: 'static', indexDigest: '', platformDigest: '' }),
  ],
  outputs: [
    { task: 'base', image: BASE, state: 'pushed', runId: 'ra001' },
    { task: 'web', image: WEB, state: 'static' },
  ],
  followed: [
    {
      ...{
        image: { ...NODE, tag: '' },
        pattern: 'semver:~20',
        newestTag: '20.3',
        credential: 'default',
        indexDigest: DIGEST,
        digests: {},
        status: 'ok',
      },
      ...{ checkedAt: '2026-11-23T11:50:00Z', nextCheck: '2026-11-23T12:30:00Z' },
    },
  ],
  cycles: [],
  problems: [],
};

test('a table says who builds on what, and when it is looked at', () => {
  const lines = dependencyTable(GRAPH, PLACE).split('\n');
  expect(lines[0]).toMatch(/^IMAGE +TASK +STEP +PLATFORM +ROLE +USED +FOLLOWED +CHECKED +NEXT$/);
  expect(lines[1]).toMatch(
    /docker\.io\/library\/node:20 +base .*sha256:abababababab in ra001 +yes semver:~20, now 20\.3 .*\(10m ago\).*\(in 30m\)/,
  );
  expect(lines[3]).toMatch(/library\/node:20 +web .*buildtime +not known yet +no$/);
  expect(lines.join('\n')).toContain('r.example/web (a tag for each run)');
});

test('what would rebuild comes in order, with what it waits for and what is refused', () => {
  const rebuilds = [
    { task: 'base', after: [], because: 'builds on it' },
    { task: 'web', after: ['base'], because: 'builds on r.example/base:1' },
    { task: 'loop', after: ['web'], because: 'builds on r.example/web', refused: 'already in the chain' },
  ];
  const text = dependencyTable({ ...GRAPH, whatIf: { image: 'node:20', rebuilds } }, PLACE);
  expect(text.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
    ['#', 'WOULD REBUILD', 'AFTER', 'BECAUSE', 'NOT, BECAUSE'],
    ['1', 'base', 'builds on it'],
    ['2', 'web', 'base', 'builds on r.example/base:1'],
    ['-', 'loop', 'web', 'builds on r.example/web', 'already in the chain'],
    [''],
  ]);
  expect(dependencyTable({ ...GRAPH, whatIf: { image: 'x', rebuilds: [] } }, PLACE)).toBe('No task would rebuild if x had a new digest.\n');
});

test('a tree goes from images over tasks to images, and ends in circles', () => {
  expect(dependencyTree(GRAPH, PLACE)).toBe(
    [
      'docker.io/library/node:20',
      '├─ base',
      '│  └─ r.example/base:1',
      '│     └─ web',
      '│        └─ r.example/web',
      '└─ web (builder stage, not followed) (above)',
      '',
    ].join('\n'),
  );
  const circle: DependencyGraph = {
    ...GRAPH,
    dependencies: [edge('a', BASE), edge('b', WEB)],
    outputs: [
      { task: 'a', image: WEB, state: 'static' },
      { task: 'b', image: BASE, state: 'static' },
      { task: 'alone', image: NODE, state: 'static' },
    ],
  };
  expect(dependencyTree(circle, PLACE)).toBe(
    [
      'alone',
      '└─ docker.io/library/node:20',
      'r.example/base:1',
      '└─ a',
      '   └─ r.example/web',
      '      └─ b',
      '         └─ r.example/base:1 (above)',
      '',
    ].join('\n'),
  );
});

test('a mermaid chart cannot be broken out of', () => {
  const rebuilds = [{ task: 'web', after: [], because: '' }];
  expect(dependencyMermaid({ ...GRAPH, whatIf: { image: 'node', rebuilds } })).toBe(
    [
      'graph LR',
      '  i0(["docker.io/library/node:20"])',
      '  i1(["r.example/base:1"])',
      '  i2(["r.example/web"])',
      '  t0["base"]',
      '  t1["web"]',
      '  i0 --> t0',
      '  i0 -.-> t1',
      '  i1 --> t1',
      '  t0 ==> i1',
      '  t1 ==> i2',
      '  classDef rebuilds stroke-width:3px',
      '  class t1 rebuilds',
      '',
    ].join('\n'),
  );
  const evil = { ...GRAPH, dependencies: [edge('a"]\n  click a "javascript:x"', NODE)], outputs: [] };
  expect(dependencyMermaid(evil).split('\n')).toHaveLength(5);
  expect(dependencyMermaid(evil)).toContain('a#34;#93;#10;');
});
