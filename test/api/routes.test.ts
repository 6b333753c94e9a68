import { expect, it } from 'vitest';
import type { RouteEntry } from '../../src/api/route-entry.ts';
import { ROUTES } from '../../src/api/routes.ts';
import { SCOPES } from '../../src/model/security.ts';

const routes: readonly RouteEntry[] = ROUTES;

it('has each name and each method with path once', () => {
  expect(new Set(routes.map(({ name }) => name)).size).toBe(routes.length);
  expect(new Set(routes.map(({ method, path }) => `${method} ${path}`)).size).toBe(routes.length);
});

it.each(routes)('$name: its path, rights and body fit together', (route) => {
  const inPath = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => name);
  expect(Object.keys(route.params?.shape ?? {})).toStrictEqual(inPath);
  if (route.target.kind === 'task' || route.target.kind === 'run') expect(inPath).toContain(route.target.param);
  // Whatever names a run or a task asks for the right on it.
  if (/\/runs\/:/.test(route.path)) expect(route.target.kind).toBe('run');
  if (/\/tasks\/:/.test(route.path)) expect(route.target.kind).toBe('task');
  expect(route.changes).toBe(!['GET', 'HEAD'].includes(route.method));
  if (route.creates) expect([route.method, route.changes]).toStrictEqual(['POST', true]);
  if (route.body !== undefined) expect(route.changes).toBe(true);
  if (route.changes) expect(SCOPES).toContain(route.scope);
  expect(Object.keys(route.answers).every((status) => Number(status) >= 200)).toBe(true);
});
