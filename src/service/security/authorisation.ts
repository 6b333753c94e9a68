import { EngineError } from '../../model/engine-error.ts';
import { type Principal, ROLES, type Role, SCOPES, type Scope } from '../../model/security.ts';
import { matchesAnyTaskGlob } from './task-glob.ts';

/** The lowest role that holds a scope; every higher role holds it too. The one table of rights. */
const LOWEST_ROLE: Readonly<Record<Scope, Role>> = {
  'task:read': 'viewer',
  'run:read': 'viewer',
  'queue:read': 'viewer',
  'run:create': 'runner',
  'run:cancel': 'runner',
  'task:write': 'editor',
  'run:write': 'editor',
  'run:approve': 'editor',
  // Names and descriptions. No scope reads a value.
  'secret:read': 'editor',
  'secret:write': 'editor',
  'queue:write': 'admin',
  'token:read': 'admin',
  'token:write': 'admin',
  'audit:read': 'admin',
  admin: 'admin',
};

/** They concern the daemon as a whole: a principal for some tasks never holds them. */
const DAEMON_WIDE: ReadonlySet<Scope> = new Set<Scope>([
  'secret:read',
  'secret:write',
  'queue:write',
  'token:read',
  'token:write',
  'audit:read',
  'admin',
]);

/** What is to be touched: a task, or a run of one. A run without a task (quick run) is `{ task: undefined }`. */
export interface AuthorisationTarget {
  readonly task?: string | undefined;
}

type Rights = Pick<Principal, 'role' | 'scopes' | 'tasks'>;

/**
 * The one decision of who may do what; everything is refused that it does not allow. Without a target only the scope is looked at (lists,
 * which are then filtered by `visibleTasks`). Throws EngineError `forbidden`, naming the role that would do.
 */
export function authorise(principal: Principal, scope: Scope, target?: AuthorisationTarget): void {
  const because = refusal(principal, scope, target);
  if (because !== undefined) throw new EngineError('forbidden', `${principal.name} may not do this (\`${scope}\`): ${because}`);
}

/** The same decision as a question. */
export function holds(principal: Principal, scope: Scope, target?: AuthorisationTarget): boolean {
  return refusal(principal, scope, target) === undefined;
}

/** Why not, as a part of a sentence; undefined when it is allowed. */
function refusal(rights: Rights, scope: Scope, target: AuthorisationTarget | undefined): string | undefined {
  const needed = LOWEST_ROLE[scope];
  if (ROLES.indexOf(rights.role) < ROLES.indexOf(needed)) return `it needs the role ${needed}, and this has the role ${rights.role}`;
  if (rights.scopes !== undefined && !rights.scopes.includes(scope)) {
    return `the role ${needed} is needed in full, and this one is narrowed to ${list(rights.scopes)}`;
  }
  if (rights.tasks === undefined) return undefined;
  if (DAEMON_WIDE.has(scope))
    return `it concerns the whole daemon and needs the role ${needed} for all tasks, not only ${list(rights.tasks)}`;
  if (target === undefined || (target.task !== undefined && matchesAnyTaskGlob(rights.tasks, target.task))) return undefined;
  const what = target.task === undefined ? 'a run without a task' : `the task ${JSON.stringify(target.task)}`;
  return `${what} needs the role ${needed} for it, and this one is for ${list(rights.tasks)} only`;
}

function list(words: readonly string[]): string {
  return words.length === 0 ? 'nothing' : words.join(', ');
}

/**
 * Which tasks, and runs of tasks, a principal may see in lists; undefined: all. Runs without a task are asked for as `''` and belong to
 * principals for all tasks only.
 */
export function visibleTasks(principal: Principal): ((task: string) => boolean) | undefined {
  const { tasks } = principal;
  return tasks === undefined ? undefined : (task) => task !== '' && matchesAnyTaskGlob(tasks, task);
}

/** The scopes a principal or token has in effect. */
export function scopesOf(rights: Rights): readonly Scope[] {
  return SCOPES.filter((scope) => refusal(rights, scope, undefined) === undefined);
}

/** Refuses a token that could do what its maker cannot. Throws EngineError `forbidden`. */
export function authoriseGrant(principal: Principal, granted: Rights): void {
  const own = new Set(scopesOf(principal));
  const more = scopesOf(granted).filter((scope) => !own.has(scope));
  if (ROLES.indexOf(granted.role) > ROLES.indexOf(principal.role) || more.length > 0) {
    throw new EngineError(
      'forbidden',
      `${principal.name} cannot give what it does not have: ${more.length > 0 ? list(more) : granted.role}`,
      {
        help: 'Ask for fewer scopes or a lower role, or use a token with the role admin.',
      },
    );
  }
  const { tasks } = principal;
  if (tasks === undefined) return;
  // Rights without globs reach runs without a task as well, which no glob does: not even `*` may give them.
  const wider =
    granted.tasks === undefined ? ['all tasks and runs without one'] : granted.tasks.filter((glob) => !matchesAnyTaskGlob(tasks, glob));
  if (wider.length > 0) {
    throw new EngineError('forbidden', `${principal.name} cannot give rights on ${list(wider)}: it is for ${list(tasks)}`, {
      help: `Name the tasks that the rights are for, within ${list(tasks)}.`,
    });
  }
}

/** The daemon itself as the one who acts: for folders of tasks, timers and the first start. */
export function daemonPrincipal(name: string): Principal {
  return { name, role: 'admin', from: 'daemon' };
}
