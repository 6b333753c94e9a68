import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EngineError } from '../../../src/model/engine-error.ts';
import { type Principal, ROLES, SCOPES, type Scope } from '../../../src/model/security.ts';
import { authorise, authoriseGrant, holds, scopesOf, visibleTasks } from '../../../src/service/security/authorisation.ts';
import { isTaskGlob, matchesTaskGlob } from '../../../src/service/security/task-glob.ts';
import { principal } from '../parts.ts';

function allows(who: Principal, scope: Scope, target?: { readonly task?: string | undefined }): boolean {
  try {
    authorise(who, scope, target);
    expect(holds(who, scope, target)).toBe(true);
    return true;
  } catch (error) {
    if (error instanceof EngineError && error.code === 'forbidden') return holds(who, scope, target);
    throw error;
  }
}

const someGlob = fc.string({ unit: fc.constantFrom('a', 'b', '-', '*'), minLength: 1, maxLength: 8 }).filter(isTaskGlob);
const someName = fc.string({ unit: fc.constantFrom('a', 'b', '-'), minLength: 1, maxLength: 8 });
const someRights = fc.record(
  {
    role: fc.constantFrom(...ROLES),
    scopes: fc.subarray([...SCOPES], { minLength: 1 }),
    tasks: fc.array(someGlob, { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: ['role'] },
);

describe('the rights of roles', () => {
  const TABLE: Readonly<Record<Scope, string>> = {
    'task:read': 'viewer runner editor admin',
    'task:write': 'editor admin',
    'run:read': 'viewer runner editor admin',
    'run:create': 'runner editor admin',
    'run:cancel': 'runner editor admin',
    'run:approve': 'editor admin',
    'run:write': 'editor admin',
    'queue:read': 'viewer runner editor admin',
    'queue:write': 'admin',
    'secret:read': 'editor admin',
    'secret:write': 'editor admin',
    'token:read': 'admin',
    'token:write': 'admin',
    'audit:read': 'admin',
    admin: 'admin',
  };

  test.each(SCOPES)('%s', (scope) => {
    expect(ROLES.filter((role) => allows(principal(role), scope)).join(' ')).toBe(TABLE[scope]);
  });

  test('each role holds what the one below it holds', () => {
    for (const [index, role] of ROLES.entries()) {
      const below = ROLES[index - 1];
      if (below !== undefined) expect(scopesOf(principal(role))).toEqual(expect.arrayContaining([...scopesOf(principal(below))]));
    }
  });

  test('a refusal names the role that would do, and who was refused', () => {
    expect(() => authorise(principal('viewer'), 'run:create', { task: 'web' })).toThrow(
      'token viewer may not do this (`run:create`): it needs the role runner, and this has the role viewer',
    );
  });

  test('scopes narrow a role and never widen it', () => {
    const narrowed = principal('runner', { scopes: ['run:read', 'admin', 'task:write'] });
    expect(SCOPES.filter((scope) => allows(narrowed, scope))).toEqual(['run:read']);
  });
});

describe('rights for some tasks', () => {
  const team = principal('admin', { tasks: ['web', 'api-*'] });

  test.each([
    ['web', true],
    ['api-1', true],
    ['api-', true],
    ['api', false],
    ['web2', false],
    ['xweb', false],
    [undefined, false],
  ])('a task %s: %s', (task, expected) => {
    expect(allows(team, 'task:write', { task })).toBe(expected);
    expect(allows(team, 'run:create', { task })).toBe(expected);
    expect(visibleTasks(team)?.(task ?? '')).toBe(expected);
  });

  test('nothing that concerns the whole daemon', () => {
    const held = SCOPES.filter((scope) => allows(team, scope));
    expect(held).toEqual(['task:read', 'task:write', 'run:read', 'run:create', 'run:cancel', 'run:approve', 'run:write', 'queue:read']);
  });

  test('all tasks, and runs without one, for who has no globs', () => {
    expect(visibleTasks(principal('viewer'))).toBeUndefined();
    expect(allows(principal('runner'), 'run:create', { task: undefined })).toBe(true);
  });
});

describe('globs of tasks', () => {
  test('match as regular expressions do', () => {
    fc.assert(
      fc.property(someGlob, someName, (glob, name) => {
        const expression = new RegExp(`^${glob.replaceAll('*', '.*')}$`);
        expect(matchesTaskGlob(glob, name)).toBe(expression.test(name));
      }),
    );
  });

  test('a glob that is matched by another matches nothing else', () => {
    fc.assert(
      fc.property(someGlob, someGlob, someName, (wide, narrow, name) => {
        if (matchesTaskGlob(wide, narrow) && matchesTaskGlob(narrow, name)) expect(matchesTaskGlob(wide, name)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test('hostile ones take no time', () => {
    expect(matchesTaskGlob('a*'.repeat(60), 'a'.repeat(63).concat('b'))).toBe(true);
    expect(matchesTaskGlob(`${'*a'.repeat(60)}c`, 'a'.repeat(5000))).toBe(false);
  });
});

describe('rights that are given', () => {
  test('for all tasks are more than those for every task by name', () => {
    const giver = principal('admin', { tasks: ['*'] });
    expect(() => authoriseGrant(giver, { role: 'editor', scopes: ['run:create'] })).toThrow(
      'token admin cannot give rights on all tasks and runs without one: it is for *',
    );
    expect(() => authoriseGrant(giver, { role: 'editor', tasks: ['*'], scopes: ['run:create'] })).not.toThrow();
  });

  test('never exceed those of the giver, for any task', () => {
    fc.assert(
      fc.property(
        someRights,
        someRights,
        fc.constantFrom(...SCOPES),
        fc.option(someName, { nil: undefined }),
        (own, given, scope, task) => {
          const [giver, made] = [
            { ...principal('admin'), ...own },
            { ...principal('admin'), ...given },
          ];
          try {
            authoriseGrant(giver, given);
          } catch {
            return;
          }
          if (allows(made, scope, { task })) expect(allows(giver, scope, { task })).toBe(true);
          if (allows(made, scope)) expect(allows(giver, scope)).toBe(true);
        },
      ),
      { numRuns: 3000 },
    );
  });
});
