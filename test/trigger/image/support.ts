import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BaseImage } from '../../../src/model/image.ts';
import type { ImageTargetState } from '../../../src/model/ports/image-watch-store.ts';
import type { Store } from '../../../src/model/ports/store.ts';
import type { AnalysedTask } from '../../../src/model/ports/task-analyser.ts';
import { type ChosenBase, isTerminal, type RunRecord, type TerminalStatus } from '../../../src/model/run-record.ts';
import type { TaskDefinition, TaskRecord } from '../../../src/model/task-definition.ts';
import type { BaseImageTrigger } from '../../../src/model/trigger-definition.ts';
import type { TriggerDecision, TriggerEvent } from '../../../src/model/trigger-event.ts';
import { createRegistryClient } from '../../../src/registry/registry-client.ts';
import { createRunStarter } from '../../../src/service/runs/run-starter.ts';
import { standardTaskDefaults } from '../../../src/service/tasks/task-defaults.ts';
import { openSqliteStore } from '../../../src/store/sqlite/open-store.ts';
import { imageTagOf } from '../../../src/trigger/image/image-tag.ts';
import { createImageTriggers, type ImageTriggers } from '../../../src/trigger/image/image-triggers.ts';
import type { PostJson } from '../../../src/trigger/image/post-update.ts';
import type { GateLimits } from '../../../src/trigger/image/registry-gate.ts';
import { createTriggerService, type TriggerService } from '../../../src/trigger/trigger-service.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { registryWriter, type Uploaded } from '../../support/registry-server.ts';
import { waitFor } from '../../support/wait-for.ts';

export interface RigOptions {
  readonly directory?: string;
  readonly windowSeconds?: number;
  readonly analyse?: (record: TaskRecord) => AnalysedTask;
  readonly post?: PostJson;
  readonly limits?: (host: string) => GateLimits;
  /** Called before each run that is fired. */
  readonly beforeFire?: (task: string) => void;
}

/** The triggers of a daemon for images over a real store; its runs are brought to their end by the test. */
export interface ImageRig extends AsyncDisposable {
  readonly directory: string;
  readonly store: Store;
  readonly images: ImageTriggers;
  readonly service: TriggerService;
  readonly problems: unknown[];
  start(): Promise<void>;
  /** Stops it as it is; the next rig over the same directory goes on. */
  stop(): Promise<void>;
  define(name: string, options?: TaskOptions): Promise<TaskRecord>;
  /** Runs a task by hand, or goes on with a run, to its end. */
  build(task: TaskRecord | RunRecord, outcome?: BuildOutcome): Promise<RunRecord>;
  /** A run by hand with what tracks chose. */
  order(task: TaskRecord, baseImages: readonly ChosenBase[]): Promise<RunRecord>;
  /** Claims a run and lets it resolve its base images. */
  begin(run: RunRecord, bases?: readonly BaseImage[]): Promise<RunRecord>;
  /** Everything is looked at, decided on, and what follows from it too. */
  settle(): Promise<void>;
  look(image: string): Promise<void>;
  targets(): Promise<readonly ImageTargetState[]>;
  live(): Promise<readonly RunRecord[]>;
  decisions(task: string): Promise<readonly TriggerDecision[]>;
  events(): Promise<readonly TriggerEvent[]>;
}

export interface TaskOptions {
  readonly trigger?: Partial<BaseImageTrigger>;
  readonly status?: 'Enabled' | 'Disabled';
  readonly pushes?: readonly string[];
  /** Another task that it runs after. */
  readonly after?: string;
}

export interface BuildOutcome {
  readonly bases?: readonly BaseImage[];
  readonly pushed?: readonly { readonly reference: string; readonly digest: string }[];
  readonly status?: TerminalStatus;
}

const AGENT = 'test-agent';
const DEFAULTS = standardTaskDefaults('x64');

export async function openRig(options: RigOptions = {}): Promise<ImageRig> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'slipway-images-')));
  const store = await openSqliteStore({ path: join(directory, 'slipway.db') });
  const problems: unknown[] = [];
  const client = createRegistryClient({
    credentials: { forHost: () => Promise.resolve(undefined), explicitHosts: () => [] },
    insecureRegistries: [],
    retry: { attempts: 2, baseMs: 1, capMs: 5 },
  });
  let images: ImageTriggers | undefined;
  const service = createTriggerService({
    store,
    runs: createRunStarter({
      defaults: DEFAULTS,
      baseImagesOf: async (record) => (await images?.baseImagesOf(record)) ?? [],
      runs: {
        fire: async (request, firing, _by, hold) => {
          options.beforeFire?.(request.task ?? '');
          return store.runs.fire({ request, ...(hold === undefined ? {} : { hold }) }, firing);
        },
        join: (run, joining) => store.runs.join(run, joining),
        hold: (run, hold) => store.runs.hold(run, hold),
        cancel: async (run, { name }, reason = name) => {
          await store.runs.requestCancel(run, { by: name, reason });
          const canceled = await store.runs.get(run);
          if (canceled === undefined) throw new Error(`${run} is gone`);
          return { kind: 'canceled', run: canceled };
        },
      },
    }),
    git: unexpected(),
    secrets: {
      sourceToken: () => Promise.resolve(undefined),
      registryCredential: () => 'default',
      registry: () => Promise.resolve(client),
      updateEndpoint: (record) =>
        Promise.resolve(record.definition.trigger?.baseImageTrigger?.updateTriggerEndpoint === undefined ? undefined : 'http://endpoint'),
    },
    clock: systemClock,
    settings: { gitPollSeconds: 0, imagePollSeconds: { least: 600, most: 3600 }, imageWindowSeconds: options.windowSeconds ?? 0 },
    gitCache: directory,
    onProblem: (what, error) => problems.push([what, error]),
    approveRun: () => Promise.reject(new Error('nothing is approved')),
    outside: (parts) => {
      const made = createImageTriggers(parts, {
        analyse: (record) => Promise.resolve(options.analyse?.(record) ?? { dependencies: [], outputs: [] }),
        post: options.post ?? (() => Promise.reject(new Error('nothing is posted'))),
        ...(options.limits === undefined ? {} : { limits: options.limits }),
      });
      images = made;
      return { sources: [made], afterRun: (run, signal) => made.afterRun(run, signal), headOf: () => Promise.resolve(undefined) };
    },
  });
  if (images === undefined) throw new Error('no triggers for images');
  return rigOf({ directory, store, images, service, problems }, () => client.close(), options.directory === undefined);
}

type RigParts = Pick<ImageRig, 'directory' | 'store' | 'images' | 'service' | 'problems'>;

function rigOf(parts: RigParts, closeClient: () => void, own: boolean): ImageRig {
  const { directory, store, images, service } = parts;
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (stopped) return;
    stopped = true;
    await service.close();
    await store.close();
    closeClient();
  };
  const settle = async (): Promise<void> => {
    await images.analysed();
    await service.idle();
    await waitFor(async () => {
      const held = await store.runs.held();
      const awaited = await Promise.all(held.flatMap(({ hold }) => hold?.runs ?? []).map((id) => store.runs.get(id)));
      return awaited.some((run) => run !== undefined && isTerminal(run)) ? undefined : true;
    });
  };
  const begin = async (run: RunRecord, bases: readonly BaseImage[] = []): Promise<RunRecord> => {
    const claimed = await store.runs.claim(run.id, { agent: AGENT, from: run.attempt });
    if (claimed === undefined) throw new Error(`${run.id} cannot be claimed: ${run.hold?.because ?? run.status}`);
    const at = new Date().toISOString();
    const event = { version: 1, seq: 1, at, run: run.id, type: 'base-images', step: 'build', images: bases } as const;
    await store.runs.append(run.id, claimed.attempt, [event], { steps: [], status: 'Running' });
    return claimed;
  };
  return {
    ...parts,
    start: async () => {
      await service.start();
      await settle();
    },
    stop,
    define: async (name, options = {}) => {
      const written = await store.tasks.create(definition(name, options));
      if (!written.ok) throw new Error(written.because);
      return written.value;
    },
    begin,
    order: (task, baseImages) => byHand(store, task, baseImages),
    build: async (of, { bases = [], pushed = [], status = 'Succeeded' } = {}) => {
      const created = 'definition' in of ? await byHand(store, of) : of;
      const run = await begin((await store.runs.get(created.id)) ?? created, bases);
      await store.runs.finish(run.id, run.attempt, {
        status,
        steps: [{ id: 'build', kind: 'build', needs: [], status: status === 'Succeeded' ? 'succeeded' : 'failed', attempts: 1 }],
        images: pushed.map((image) => ({ step: 'push', ...image })),
        built: [],
        baseImages: bases.map((base) => ({ step: 'build', ...base })),
        dependencies: [],
      });
      await service.runEnded({ id: run.id, status, request: run.request });
      return (await store.runs.get(run.id)) ?? run;
    },
    settle,
    look: async (reference) => {
      const image = imageTagOf(reference);
      if (image === undefined) throw new Error(`${reference} is no tag`);
      await store.events.record([{ dedupKey: `look:${Math.random()}`, origin: 'notification', happening: { kind: 'image', image } }]);
      service.notify();
      await settle();
    },
    targets: () => store.imageWatch.targets({}),
    live: async () => await store.runs.live(),
    decisions: (task) => store.events.decisions({ task, limit: 100 }),
    events: () => store.events.list({ limit: 1000 }),
    [Symbol.asyncDispose]: async () => {
      await stop();
      if (own) await rm(directory, { recursive: true, force: true });
    },
  };
}

async function byHand(store: Store, { definition: task }: TaskRecord, baseImages: readonly ChosenBase[] = []): Promise<RunRecord> {
  const { makeRunRequest } = await import('../../../src/service/tasks/task-to-run.ts');
  const causes = [{ kind: 'manual', principal: 'ann', from: 'test' }] as const;
  return store.runs.create({ request: makeRunRequest(task, {}, { causes, baseImages }, DEFAULTS).request });
}

function definition(name: string, { trigger = {}, status = 'Enabled', pushes = [], after }: TaskOptions): TaskDefinition {
  return {
    name,
    status,
    platform: { os: 'linux', architecture: 'amd64' },
    agentConfiguration: { cpu: 1 },
    timeout: 3600,
    step: {
      type: 'Docker',
      contextPath: 'https://git.example/app.git',
      dockerFilePath: 'Dockerfile',
      imageNames: pushes,
      isPushEnabled: true,
      noCache: false,
      arguments: [],
    },
    credentials: [],
    agentPoolName: 'default',
    priority: 0,
    policy: { privileged: false, hostMounts: false, dockerSocket: false },
    trigger: {
      sourceTriggers: [],
      timerTriggers: [],
      afterTriggers: after === undefined ? [] : [{ name: 'after', status: 'Enabled', task: after, on: 'succeeded' }],
      baseImageTrigger: {
        name: 'base',
        status: 'Enabled',
        baseImageTriggerType: 'Runtime',
        updateTriggerPayloadType: 'Default',
        trackIndex: false,
        tracks: [],
        ...trigger,
      },
    },
  };
}

function unexpected<Port extends object>(): Port {
  return new Proxy({} as Port, {
    get: () => {
      throw new Error('not in this test');
    },
  });
}

/** What a build says of a base image that neither a registry nor the engine has. */
export function missingBase(reference: string): BaseImage {
  return { reference, platform: 'linux/amd64', role: 'runtime', source: 'unresolved', indexDigest: '', platformDigest: '' };
}

/** What a build says of a base image that it resolved. */
export function base(
  reference: string,
  pushed: Pushed,
  options: { readonly role?: BaseImage['role']; readonly platform?: string } = {},
): BaseImage {
  const { role = 'runtime', platform = 'linux/amd64' } = options;
  return {
    reference,
    platform,
    role,
    source: 'registry',
    indexDigest: pushed.digest,
    platformDigest: pushed.platforms[platform] ?? pushed.digest,
  };
}

export interface Pushed {
  readonly digest: string;
  readonly platforms: Readonly<Record<string, string>>;
}

const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/** Puts images into a registry: single ones, and indexes as BuildKit pushes them, attestations included. */
export function imagePusher(host: string) {
  const write = registryWriter(host);
  const single = async (repository: string, tag: string, content: string): Promise<Pushed> => {
    const { digest } = await write.image(repository, tag, [content]);
    return { digest, platforms: {} };
  };
  const index = async (
    repository: string,
    tag: string,
    contents: Readonly<Record<string, string>>,
    attestation: string,
  ): Promise<Pushed> => {
    const entries: object[] = [];
    const platforms: Record<string, string> = {};
    for (const [platform, content] of Object.entries(contents)) {
      const child: Uploaded = await write.image(repository, undefined, [content]);
      const [os, architecture, variant] = platform.split('/');
      platforms[platform] = child.digest;
      entries.push({ mediaType: MANIFEST, ...child, platform: { os, architecture, ...(variant === undefined ? {} : { variant }) } });
    }
    const proof = await write.image(repository, undefined, [attestation]);
    const annotations = { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': Object.values(platforms)[0] };
    entries.push({ mediaType: MANIFEST, ...proof, platform: { os: 'unknown', architecture: 'unknown' }, annotations });
    const body = { schemaVersion: 2, mediaType: INDEX, manifests: entries };
    const { digest } = await write.manifest(repository, tag, body);
    return { digest, platforms };
  };
  return { single, index };
}
