import { createGitSource } from '../../../src/git/git-source.ts';
import type { FireOrder } from '../../../src/model/ports/run-starter.ts';
import type { RunRecord } from '../../../src/model/run-record.ts';
import type { TaskDefinition, TaskRecord, TaskStepDefinition } from '../../../src/model/task-definition.ts';
import { NO_TRIGGERS, type SourceTrigger } from '../../../src/model/trigger-definition.ts';
import type { Happening, PullRequestHappening, TriggerDecision, TriggerEvent } from '../../../src/model/trigger-event.ts';
import { createRunStarter } from '../../../src/service/runs/run-starter.ts';
import { standardTaskDefaults } from '../../../src/service/tasks/task-defaults.ts';
import { createEvaluator, type Evaluator } from '../../../src/trigger/evaluator.ts';
import { createGitTriggers } from '../../../src/trigger/git/git-triggers.ts';
import type { TriggerParts, TriggerSource } from '../../../src/trigger/parts.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { taskDefinition } from '../../contract/store-values.ts';
import { type Folder, openPlane, type Plane } from '../../service/runs/control-plane.ts';
import { waitFor } from '../../support/wait-for.ts';

export const ZERO = '0'.repeat(40);

export interface GitRig extends AsyncDisposable {
  readonly plane: Plane;
  readonly triggers: TriggerSource;
  readonly evaluator: Evaluator;
  /** What triggers asked of the run service, in order. */
  readonly orders: readonly FireOrder[];
  readonly problems: readonly string[];
  define(name: string, url: string, trigger?: Partial<SourceTrigger>, definition?: Partial<TaskDefinition>): Promise<TaskRecord>;
  /** Tells of it as a webhook does, and waits for what is decided. */
  hook(happening: Happening, dedupKey?: string): Promise<Decided>;
  /** Looks at what the task follows, and waits for what is decided about all that was found. */
  look(task: string): Promise<readonly Decided[]>;
  /** Runs of a task, oldest first. */
  runs(task: string): Promise<readonly RunRecord[]>;
  events(): Promise<readonly TriggerEvent[]>;
}

export interface Decided {
  readonly id: string;
  readonly decisions: readonly TriggerDecision[];
  readonly codes: readonly string[];
}

export interface GitRigOptions {
  readonly gitPollSeconds?: number;
  readonly token?: (task: TaskRecord, trigger: SourceTrigger) => string | undefined;
  readonly allowFile?: boolean;
  /** The loop looks by itself when repositories are due. */
  readonly start?: boolean;
  /** Between two questions to one repository; a daemon waits a second. */
  readonly spaceMs?: number;
}

/** The triggers of a daemon for git: real git, the real store and the real run service; no agent takes the runs. */
export async function openGitRig(folder: Folder, options: GitRigOptions = {}): Promise<GitRig> {
  const plane = await openPlane(folder);
  const { store } = plane;
  const orders: FireOrder[] = [];
  const problems: string[] = [];
  const onProblem = (what: string, error: unknown): void => void problems.push(`${what}: ${String(error)}`);
  const starter = createRunStarter({ runs: plane.runs, defaults: standardTaskDefaults('x64'), baseImagesOf: async () => [] });
  let evaluator: Evaluator | undefined;
  const parts: TriggerParts = {
    ...{ store, onProblem, clock: systemClock, gitCache: `${folder.path}/git-cache` },
    runs: {
      ...starter,
      fire: (order) => {
        orders.push(order);
        return starter.fire(order);
      },
    },
    git: createGitSource({ addresses: { allowPrivate: true, allowLoopback: true }, allowFile: options.allowFile ?? false }),
    secrets: {
      sourceToken: async (task, trigger) => options.token?.(task, trigger),
      registryCredential: () => 'default',
      registry: () => Promise.reject(new Error('no registry')),
      updateEndpoint: async () => undefined,
    },
    settings: { gitPollSeconds: options.gitPollSeconds ?? 3600, imagePollSeconds: { least: 600, most: 3600 }, imageWindowSeconds: 30 },
    notify: () => evaluator?.notify(),
  };
  const triggers = createGitTriggers(parts, { spaceMs: options.spaceMs ?? 50 });
  const running = createEvaluator({ events: store.events, handlers: triggers.handlers, clock: systemClock, onProblem });
  evaluator = running;
  running.start();
  if (options.start ?? true) await triggers.start();
  const decided = async (id: string): Promise<Decided> => {
    await running.settled([id], AbortSignal.timeout(20_000));
    const decisions = await store.events.decisions({ event: id, limit: 1000 });
    return { id, decisions, codes: decisions.map(({ code }) => code) };
  };
  let number = 0;
  const events = async (): Promise<readonly TriggerEvent[]> => (await store.events.list({ limit: 1000 })).toReversed();
  return {
    ...{ plane, triggers, evaluator: running, orders, problems, events },
    async define(name, url, trigger = {}, definition = {}) {
      const written = await put(plane, definitionOf(name, url, trigger, definition));
      await triggers.taskChanged(name, written);
      await waitFor(async () => ((await store.gitWatch.list()).every(({ checkedAt, error }) => checkedAt ?? error) ? true : undefined));
      return written;
    },
    async hook(happening, dedupKey) {
      number += 1;
      const [recorded] = await store.events.record([{ dedupKey: dedupKey ?? `hook:test:${number}:0`, origin: 'webhook', happening }]);
      running.notify();
      return decided(recorded?.id ?? '');
    },
    async look(task) {
      const known = (await events()).length;
      const record = await store.tasks.get(task);
      if (record !== undefined) await triggers.check(record);
      return Promise.all((await events()).slice(known).map(({ id }) => decided(id)));
    },
    async runs(task) {
      const list = await store.runs.list({ task, limit: 1000 });
      return Promise.all(list.toReversed().map(({ id }) => plane.get(id)));
    },
    async [Symbol.asyncDispose]() {
      await triggers.close();
      await running.close();
      await plane.stop();
    },
  };
}

async function put({ store }: Plane, wanted: TaskDefinition): Promise<TaskRecord> {
  const known = await store.tasks.get(wanted.name);
  const written = known === undefined ? await store.tasks.create(wanted) : await store.tasks.replace(wanted, {});
  if (!written.ok) throw new Error(`the task was not written: ${written.because}`);
  return written.value;
}

function definitionOf(name: string, url: string, trigger: Partial<SourceTrigger>, definition: Partial<TaskDefinition>): TaskDefinition {
  const sourceTriggers = [sourceTrigger(url, trigger)];
  return taskDefinition(name, { step: fileTask(`${url}#:sub`), trigger: { ...NO_TRIGGERS, sourceTriggers }, ...definition });
}

export function sourceTrigger(url: string, parts: Partial<SourceTrigger> = {}): SourceTrigger {
  return {
    ...{ name: 'src', status: 'Enabled', sourceTriggerEvents: ['commit'], branches: [], tags: [], paths: { include: [], exclude: [] } },
    ...{ skipCi: false, latestOnly: false, forks: 'approve', commitStatus: true },
    sourceRepository: { sourceControlType: 'Gitea', repositoryUrl: url },
    ...parts,
  };
}

export function fileTask(contextPath: string): TaskStepDefinition {
  return { type: 'FileTask', contextPath, taskFilePath: 'acr-task.yaml', values: [] };
}

/** A push as a webhook tells it. */
export function push(url: string, ref: string, before: string, after: string): Happening {
  const kind = ref.startsWith('refs/tags/') ? 'tag' : 'push';
  return { kind, repository: { forge: 'Gitea', url, id: '1' }, ref, before, after, hook: 'h', actor: 'ann' };
}

export function pullRequest(url: string, parts: Partial<PullRequestHappening> & Pick<PullRequestHappening, 'headSha'>): Happening {
  return {
    ...{ kind: 'pull-request', repository: { forge: 'Gitea', url, id: '1' }, number: '7', action: 'opened', headRef: 'refs/pull/7/head' },
    ...{ headBranch: 'feature', baseBranch: 'main', fork: false, hook: 'h' },
    ...parts,
  };
}
