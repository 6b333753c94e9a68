import { expect, test } from 'vitest';
import { buildsBeforeAllCommands } from '../../src/run/step-order.ts';
import { build, cmd, push } from './plans.ts';

test('a build that every cmd step waits for reads the seed', () => {
  const steps = [
    build('a'),
    build('b'),
    push('p', ['x:1'], { needs: ['a', 'b'] }),
    cmd('c', { needs: ['p'] }),
    cmd('d', { needs: ['a', 'b'] }),
  ];
  expect(buildsBeforeAllCommands(steps)).toEqual(new Set(['a', 'b']));
});

test('a build behind or beside a cmd step does not', () => {
  expect(buildsBeforeAllCommands([cmd('c'), build('a', { needs: ['c'] })])).toEqual(new Set());
  expect(buildsBeforeAllCommands([build('a'), cmd('c')])).toEqual(new Set());
  expect(buildsBeforeAllCommands([build('a'), cmd('c', { needs: ['a'] }), build('b', { needs: ['c'] })])).toEqual(new Set(['a']));
});

test('without cmd steps every build does', () => {
  expect(buildsBeforeAllCommands([build('a'), build('b', { needs: ['a'] })])).toEqual(new Set(['a', 'b']));
});
