import { EngineError } from '../../model/engine-error.ts';
import type { Clock } from '../../model/ports/clock.ts';
import { type SecretBox, secretBinding } from '../../model/ports/secret-box.ts';
import type { SecretStore } from '../../model/ports/store.ts';
import type { TrustClass } from '../../model/run-record.ts';
import type { Principal, SecretRow } from '../../model/security.ts';
import type { Audit } from './audit.ts';
import { authorise } from './authorisation.ts';
import { isTaskGlob, matchesAnyTaskGlob } from './task-glob.ts';

export interface SecretRequest {
  readonly name: string;
  readonly value: string;
  /** Left as it is when not given. */
  readonly description?: string;
  /** Globs of the tasks whose runs may use it; empty: all runs. Left as it is when not given. */
  readonly tasks?: readonly string[];
}

/** A secret as people may see it. No method gives a value to anybody but a run. */
export type SecretInfo = Omit<SecretRow, 'sealed'>;

/** Who needs values: a run, of a task or without one; or a trigger of a task. */
export interface SecretUse {
  /** Absent for quick runs. */
  readonly task?: string | undefined;
  readonly trust: TrustClass;
  /** For the audit. A trigger names none and leaves no entry: it asks again every few minutes. */
  readonly run?: string;
}

export interface SecretService {
  set(principal: Principal, request: SecretRequest): Promise<SecretInfo>;
  list(principal: Principal): Promise<readonly SecretInfo[]>;
  delete(principal: Principal, name: string): Promise<void>;
  /** Why a task cannot use what it names, one sentence each; empty when it can. */
  problemsOf(names: Iterable<string>, task: string | undefined): Promise<readonly string[]>;
  /**
   * Values by name, for a run. Rejects with `policy-refused` for an untrusted run (before anything is read) and for a secret that is not for
   * this task, with `secret-unavailable` for one that is not there or cannot be opened.
   */
  resolveNamed(names: readonly string[], use: SecretUse): Promise<Readonly<Record<string, string>>>;
}

const NAME = /^[A-Za-z][A-Za-z0-9._-]{0,126}$/;
const LONGEST_VALUE = 64 * 1024;
/** A shorter one cannot be masked in logs without hiding ordinary text. */
const SHORTEST_VALUE = 4;
const LONGEST_DESCRIPTION = 1000;
const MOST_GLOBS = 100;

interface Parts {
  readonly secrets: SecretStore;
  readonly box: SecretBox;
  readonly audit: Audit;
  readonly clock: Clock;
}

/** Whether a text can name a secret of the daemon. */
export function isSecretName(name: string): boolean {
  return NAME.test(name);
}

export function createSecretService(parts: Parts): SecretService {
  const { secrets, audit } = parts;
  return {
    set: async (principal, request) => {
      authorise(principal, 'secret:write');
      checkRequest(request);
      return setSecret(parts, principal, request);
    },
    list: async (principal) => {
      authorise(principal, 'secret:read');
      return secrets.list();
    },
    delete: async (principal, name) => {
      authorise(principal, 'secret:write');
      if ((await secrets.delete(name)) === 'missing') throw new EngineError('not-found', `there is no secret ${JSON.stringify(name)}`);
      await audit.record(principal, { action: 'secret.delete', target: name });
    },
    problemsOf: async (names, task) => {
      const wanted = [...new Set(names)];
      if (wanted.length === 0) return [];
      const known = new Map((await secrets.list()).map((info) => [info.name, info]));
      return wanted.flatMap((name) => {
        const info = known.get(name);
        const because = info === undefined ? missing(name) : isFor(info, task) ? undefined : notFor(info, task);
        return because === undefined ? [] : [because];
      });
    },
    resolveNamed: (names, use) => resolveNamed(parts, names, use),
  };
}

async function setSecret({ secrets, box, audit, clock }: Parts, principal: Principal, request: SecretRequest): Promise<SecretInfo> {
  const before = await secrets.get(request.name);
  const now = clock.now().toISOString();
  const info: SecretInfo = {
    name: request.name,
    description: request.description ?? before?.description ?? '',
    tasks: request.tasks ?? before?.tasks ?? [],
    createdAt: before?.createdAt ?? now,
    updatedAt: now,
    updatedBy: principal.name,
  };
  await secrets.put({ ...info, sealed: box.seal(request.value, secretBinding(request.name)) });
  await audit.record(principal, {
    action: 'secret.set',
    target: info.name,
    details: { tasks: info.tasks, replaced: before !== undefined },
  });
  return info;
}

async function resolveNamed(
  { secrets, box, audit }: Parts,
  names: readonly string[],
  use: SecretUse,
): Promise<Readonly<Record<string, string>>> {
  const wanted = [...new Set(names)];
  if (wanted.length === 0) return {};
  if (use.trust === 'untrusted') throw new EngineError('policy-refused', 'a run of untrusted code gets no secrets');
  const values: [string, string][] = [];
  for (const name of wanted) {
    const row = await secrets.get(name);
    if (row === undefined) throw new EngineError('secret-unavailable', missing(name), { help: `Set it with \`task secret set ${name}\`.` });
    if (!isFor(row, use.task)) throw new EngineError('policy-refused', notFor(row, use.task));
    values.push([name, box.open(row.sealed, secretBinding(name)).toString('utf8')]);
  }
  if (use.run === undefined) return Object.fromEntries(values);
  await audit.record(
    { name: `run ${use.run}`, from: 'agent' },
    { action: 'secret.use', target: wanted.join(','), details: { task: use.task } },
  );
  return Object.fromEntries(values);
}

function isFor({ tasks }: Pick<SecretRow, 'tasks'>, task: string | undefined): boolean {
  return tasks.length === 0 || (task !== undefined && matchesAnyTaskGlob(tasks, task));
}

function missing(name: string): string {
  return `there is no secret ${JSON.stringify(name)}`;
}

function notFor({ name, tasks }: Pick<SecretRow, 'name' | 'tasks'>, task: string | undefined): string {
  return `the secret ${JSON.stringify(name)} is for the tasks ${tasks.join(', ')}, not for ${task === undefined ? 'runs without a task' : JSON.stringify(task)}`;
}

function checkRequest({ name, value, description, tasks }: SecretRequest): void {
  if (!isSecretName(name)) throw invalid('name', 'up to 127 letters, digits, `.`, `_` and `-`, the first a letter');
  const bytes = Buffer.byteLength(value);
  if (bytes < SHORTEST_VALUE || bytes > LONGEST_VALUE) throw invalid('value', `${SHORTEST_VALUE} bytes to 64 KiB (it has ${bytes} bytes)`);
  if ((description ?? '').length > LONGEST_DESCRIPTION) throw invalid('description', `at most ${LONGEST_DESCRIPTION} characters`);
  if (tasks !== undefined && (tasks.length > MOST_GLOBS || !tasks.every(isTaskGlob))) {
    throw invalid('tasks', `up to ${MOST_GLOBS} names of tasks, in which \`*\` stands for any characters`);
  }
}

function invalid(field: string, expected: string): EngineError {
  return new EngineError('invalid-request', `\`${field}\` of the secret cannot be this`, { help: `Expected: ${expected}.` });
}
