import { expect, test } from 'vitest';
import { describeStep } from '../../src/run/describe-step.ts';
import { createMasker } from '../../src/util/masker.ts';
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
  expect(describeStep(step, createMasker([]))).toBe(expected);
});

test('a long command is shortened', () => {
  expect(describeStep(cmd('a', { container: { args: ['x'.repeat(5_000)] } }), createMasker([]))).toHaveLength(240);
});

test('a secret is hidden before it could be cut in two', () => {
  const step = cmd('a', { container: { image: 'x', args: [`${'y'.repeat(230)}hunter22-hunter22`] } });
  expect(describeStep(step, createMasker(['hunter22-hunter22']))).toBe(`x ${'y'.repeat(230)}***`);
});
