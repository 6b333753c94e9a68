import { EngineError } from '../../model/engine-error.ts';
import type { TaskStore } from '../../model/ports/store.ts';
import type { Principal } from '../../model/security.ts';
import type { TaskRecord } from '../../model/task-definition.ts';
import type { TaskInput } from '../../model/task-input.ts';
import type { Audit } from '../security/audit.ts';
import { authorise, visibleTasks } from '../security/authorisation.ts';
import { type FieldProblem, refuseFields } from './field-problem.ts';
import { mergeTaskPatch } from './merge-patch.ts';
import { type PlanParts, planTask } from './plan-task.ts';
import { inputOf } from './secret-places.ts';
import type { ChangeOptions, TaskChange, TaskPlan } from './task-change.ts';
import { guardOwner, guardVersion, noSuchTask, versionConflict } from './task-guard.ts';

/**
 * The tasks of a daemon. Every method asks the one authorisation point, and leaves an entry in the audit when it changed something. User
 * mistakes reject with EngineError: `invalid-request` or `bad-task` with all diagnostics, `not-found`, `already-exists`,
 * `version-conflict`, `managed-by-file`, `forbidden`.
 */
export interface TaskService {
  create(principal: Principal, input: TaskInput, options?: Pick<ChangeOptions, 'managedBy'>): Promise<TaskChange>;
  get(principal: Principal, name: string): Promise<TaskRecord>;
  /** By name; tasks that the principal may not see are left out. */
  list(principal: Principal, page: { readonly limit: number; readonly after?: string }): Promise<readonly TaskRecord[]>;
  /** PUT: replaces the whole definition, or creates the task when there is none and no version was named. */
  replace(principal: Principal, input: TaskInput, options?: ChangeOptions): Promise<TaskChange>;
  /** PATCH: see `mergeTaskPatch`. Without a version it is repeated on what another change left. */
  patch(
    principal: Principal,
    name: string,
    patch: Readonly<Record<string, unknown>>,
    options?: ChangeOptions & { readonly unset?: readonly string[] },
  ): Promise<TaskChange>;
  /** Any change, made on the task as an input (its sealed values are `{ stored: true }`). `action` is the audit's word for it. */
  edit(
    principal: Principal,
    name: string,
    action: string,
    change: (input: TaskInput) => TaskInput,
    options?: ChangeOptions,
  ): Promise<TaskChange>;
  delete(principal: Principal, name: string, options?: ChangeOptions): Promise<void>;
  /** What `replace` would do, with every check. */
  plan(principal: Principal, input: TaskInput, options?: ChangeOptions): Promise<TaskPlan>;
}

interface Parts extends PlanParts {
  readonly tasks: TaskStore;
  readonly audit: Audit;
  /** A task was made, changed or deleted. Returns at once and never throws. */
  onChanged?(name: string): void;
}

/** Times that a change without a version is laid over a task that changed in between. */
const MOST_TRIES = 5;

export function createTaskService(parts: Parts): TaskService {
  return new StoredTasks(parts);
}

class StoredTasks implements TaskService {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async create(principal: Principal, input: TaskInput, options: Pick<ChangeOptions, 'managedBy'> = {}): Promise<TaskChange> {
    authorise(principal, 'task:write', { task: input.name });
    if ((await this.#parts.tasks.get(input.name)) !== undefined) throw alreadyExists(input.name);
    const change = await this.#create(principal, await planTask(this.#parts, { principal, input, existing: undefined }), options);
    if (change === undefined) throw alreadyExists(input.name);
    return change;
  }

  async get(principal: Principal, name: string): Promise<TaskRecord> {
    authorise(principal, 'task:read', { task: name });
    const record = await this.#parts.tasks.get(name);
    if (record === undefined) throw noSuchTask(name);
    return record;
  }

  async list(principal: Principal, { limit, after }: { readonly limit: number; readonly after?: string }): Promise<readonly TaskRecord[]> {
    authorise(principal, 'task:read');
    const visible = visibleTasks(principal) ?? (() => true);
    const found: TaskRecord[] = [];
    for (let last = after; ; ) {
      const page = await this.#parts.tasks.list({ limit, ...(last === undefined ? {} : { after: last }) });
      found.push(...page.filter(({ definition }) => visible(definition.name)));
      last = page.at(-1)?.definition.name;
      if (found.length >= limit || page.length < limit) return found.slice(0, limit);
    }
  }

  async replace(principal: Principal, input: TaskInput, options: ChangeOptions = {}): Promise<TaskChange> {
    return this.#retried(input.name, options, async () => {
      const plan = await this.plan(principal, input, options);
      if (plan.existing !== undefined) return this.#update(principal, plan, 'task.update', options);
      if (options.version !== undefined) throw noSuchTask(input.name);
      return this.#create(principal, plan, options);
    });
  }

  async plan(principal: Principal, input: TaskInput, options: ChangeOptions = {}): Promise<TaskPlan> {
    authorise(principal, 'task:write', { task: input.name });
    const existing = await this.#parts.tasks.get(input.name);
    if (existing !== undefined) guardChange(existing, options);
    return planTask(this.#parts, { principal, input, existing, options });
  }

  patch(
    principal: Principal,
    name: string,
    patch: Readonly<Record<string, unknown>>,
    options: ChangeOptions & { readonly unset?: readonly string[] } = {},
  ): Promise<TaskChange> {
    return this.#change(
      principal,
      name,
      'task.update',
      ({ definition }) => mergeTaskPatch(definition, patch, options.unset ?? []),
      options,
    );
  }

  edit(
    principal: Principal,
    name: string,
    action: string,
    change: (input: TaskInput) => TaskInput,
    options: ChangeOptions = {},
  ): Promise<TaskChange> {
    return this.#change(principal, name, action, ({ definition }) => ({ input: change(inputOf(definition)), problems: [] }), options);
  }

  async delete(principal: Principal, name: string, options: ChangeOptions = {}): Promise<void> {
    authorise(principal, 'task:write', { task: name });
    const existing = await this.#parts.tasks.get(name);
    if (existing === undefined) throw noSuchTask(name);
    guardChange(existing, options);
    const written = await this.#parts.tasks.delete(name, options.version === undefined ? {} : { version: options.version });
    if (!written.ok) throw written.because === 'version' ? versionConflict(name, options.version, undefined) : noSuchTask(name);
    this.#parts.onChanged?.(name);
    await this.#parts.audit.record(principal, {
      action: 'task.delete',
      target: name,
      details: { version: existing.version, managedBy: existing.managedBy },
    });
  }

  async #change(
    principal: Principal,
    name: string,
    action: string,
    make: (existing: TaskRecord) => { readonly input: TaskInput; readonly problems: readonly FieldProblem[] },
    options: ChangeOptions,
  ): Promise<TaskChange> {
    authorise(principal, 'task:write', { task: name });
    return this.#retried(name, options, async () => {
      const existing = await this.#parts.tasks.get(name);
      if (existing === undefined) throw noSuchTask(name);
      guardChange(existing, options);
      const { input, problems } = make(existing);
      refuseFields(problems);
      return this.#update(principal, await planTask(this.#parts, { principal, input, existing, options }), action, options);
    });
  }

  /** Repeats what another change was faster than; with a version there is nothing to repeat on. */
  async #retried(name: string, { version }: ChangeOptions, change: () => Promise<TaskChange | undefined>): Promise<TaskChange> {
    for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
      const done = await change();
      if (done !== undefined) return done;
      if (version !== undefined) throw versionConflict(name, version, undefined);
    }
    throw new EngineError('version-conflict', `the task ${JSON.stringify(name)} is being changed by others all the time`, {
      transient: true,
    });
  }

  /** Undefined when somebody else was faster. */
  async #create(principal: Principal, plan: TaskPlan, options: ChangeOptions): Promise<TaskChange | undefined> {
    const written = await this.#parts.tasks.create(plan.definition, options.managedBy);
    if (!written.ok) return undefined;
    const record = written.value;
    this.#parts.onChanged?.(record.definition.name);
    await this.#parts.audit.record(principal, {
      action: 'task.create',
      target: record.definition.name,
      details: { managedBy: options.managedBy },
    });
    return { action: 'created', changes: [], record, warnings: plan.warnings };
  }

  /** Undefined when somebody else was faster. */
  async #update(principal: Principal, plan: TaskPlan, action: string, options: ChangeOptions): Promise<TaskChange | undefined> {
    const { definition, existing, warnings, changes } = plan;
    if (existing === undefined) throw new Error('bug: an update without a task');
    if (plan.action === 'unchanged') return { action: 'unchanged', changes, record: existing, warnings };
    const owner = options.managedBy === undefined ? {} : { managedBy: options.managedBy };
    const written = await this.#parts.tasks.replace(definition, { version: existing.version, ...owner });
    if (!written.ok) return undefined;
    this.#parts.onChanged?.(definition.name);
    await this.#parts.audit.record(principal, {
      action,
      target: definition.name,
      details: { version: written.value.version, changes, ...owner },
    });
    return { action: 'updated', changes, record: written.value, warnings };
  }
}

function guardChange(existing: TaskRecord, options: ChangeOptions): void {
  guardVersion(existing, options.version);
  guardOwner(existing, options);
}

function alreadyExists(name: string): EngineError {
  return new EngineError('already-exists', `there is a task ${JSON.stringify(name)} already`);
}
