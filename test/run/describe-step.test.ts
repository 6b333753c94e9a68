import { expect, test } from 'vitest';
import { describeStep } from '../../src/run/describe-step.ts';
import { build, cmd, push } from './plans.ts';

test.each([
  [cmd('a', { container: { image: 'bash', args: ['-c', "echo 'hi there'"] } }), `bash -c 'echo '\\''hi there'\\'''`],
  [cmd('a', { container: { image: 'x', entrypoint: ['sh'], args: ['one\n  two', ''] } }), "x sh 'one two' ''"],
  [
    build('b', { spec: { tags: ['app:1'], dockerfile: 'sub/Dockerfile', target: 'prod' } }),
    '-t app:1 -f sub/Dockerfile --target prod /workspace',
  ],
  [
    build('b', { spec: { context: { kind: 'git', url: 'https://example.com/r.git', ref: 'main', subdir: 'sub' } } }),
    'https://example.com/r.git#main:sub',
  ],
  [build('b', { spec: { context: { kind: 'archive', url: 'https://example.com/r.tgz', subdir: '' } } }), 'https://example.com/r.tgz'],
  [build('b', { spec: { context: { kind: 'stdin' } } }), '-'],
  [push('p', ['x:1', 'y:2']), 'x:1 y:2'],
])('%#: one line for people', (step, expected) => {
  expect(describeStep(step)).toBe(expected);
});

test('a long command is shortened', () => {
  expect(describeStep(cmd('a', { container: { args: ['x'.repeat(5_000)] } }))).toHaveLength(240);
});
