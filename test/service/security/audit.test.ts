import { afterEach, beforeEach, expect, test } from 'vitest';
import { ADMIN, openServices, type ServiceParts } from '../parts.ts';

let parts: ServiceParts;

beforeEach(async () => {
  parts = await openServices();
});

afterEach(() => parts[Symbol.asyncDispose]());

test('an entry says who, what, from where, and holds nothing secret', async () => {
  await parts.audit.record(ADMIN, {
    action: 'task.update',
    target: 'web',
    outcome: 'refused',
    details: {
      changes: ['step.arguments'],
      password: 'canary-1',
      step: {
        contextPath: 'https://user:canary-2@git.example/x.git',
        arguments: [{ name: 'A', value: 'canary-3' }],
        contextAccessToken: { sealed: 'canary-4' },
      },
      reference: { secret: 'NPM' },
      long: 'x'.repeat(5000),
      many: Array.from({ length: 200 }, (_, index) => index),
      deep: { a: { b: { c: { d: { e: { f: { g: 'canary-5' } } } } } } },
    },
  });
  const [entry] = await parts.audit.list({ limit: 1 });
  expect(entry).toMatchObject({
    action: 'task.update',
    principal: 'token admin',
    from: '127.0.0.1',
    target: 'web',
    outcome: 'refused',
    details: {
      changes: ['step.arguments'],
      password: '[hidden]',
      reference: { secret: 'NPM' },
      step: { contextPath: 'https://…@git.example/x.git' },
    },
  });
  expect(JSON.stringify(entry)).not.toContain('canary');
  expect(JSON.stringify(entry).length).toBeLessThan(4000);
});
