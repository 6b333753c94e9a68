import { randomBytes } from 'node:crypto';
import type { ContainerSpec } from '../../src/model/plan.ts';
import type {
  ContainerEngine,
  ContainerIo,
  ContainerOutcome,
  ContainerRequest,
  RunSpace,
  RunSpaceSpec,
} from '../../src/model/ports/container-engine.ts';
import type { CredentialSource } from '../../src/model/ports/credential-source.ts';

export const IMAGE = 'busybox:local';

export const noCredentials: CredentialSource = { forHost: async () => undefined, explicitHosts: () => [] };

/** A run of a test: its own id, the task's default network, nothing else. */
export function runSpec(overrides: Partial<RunSpaceSpec> = {}): RunSpaceSpec {
  const runId = `test${randomBytes(6).toString('hex')}`;
  return {
    runId,
    networks: [{ name: 'acb_default_network', driver: 'bridge', ipv6: false, existing: false }],
    lanes: [],
    volumes: [],
    workspace: { kind: 'volume', name: `workspace-${runId}`, seed: undefined },
    dockerSocket: false,
    credentials: noCredentials,
    durableLogs: false,
    insecureRegistries: [],
    ...overrides,
  };
}

export function containerSpec(overrides: Partial<ContainerSpec> = {}): ContainerSpec {
  return {
    image: IMAGE,
    args: [],
    env: ['HOME=/acb/home'],
    workdir: '/workspace',
    network: { kind: 'default' },
    ports: [],
    expose: [],
    privileged: false,
    volumeMounts: [],
    extra: {},
    ...overrides,
  };
}

export function request(
  step: string,
  container: Partial<ContainerSpec>,
  overrides: Partial<Omit<ContainerRequest, 'step' | 'container'>> = {},
): ContainerRequest {
  return { step, attempt: 1, detach: false, keep: false, ...overrides, container: containerSpec(container) };
}

/** A step that runs a script of the image's shell. */
export function script(
  step: string,
  text: string,
  container: Partial<ContainerSpec> = {},
  overrides: Partial<Omit<ContainerRequest, 'step' | 'container'>> = {},
): ContainerRequest {
  return request(step, { args: ['sh', '-c', text], ...container }, overrides);
}

/** Collects what a container prints. */
export class OutputRecorder {
  readonly chunks: { readonly stream: 'stdout' | 'stderr'; readonly text: string }[] = [];
  readonly #controller = new AbortController();
  readonly #waiting: { readonly text: string; readonly resolve: () => void }[] = [];

  readonly io: ContainerIo = {
    signal: this.#controller.signal,
    graceMs: 10_000,
    onOutput: (stream, chunk) => {
      this.chunks.push({ stream, text: Buffer.from(chunk).toString('latin1') });
      const all = this.all;
      for (const { text, resolve } of this.#waiting) if (all.includes(text)) resolve();
    },
  };

  withGrace(graceMs: number): ContainerIo {
    return { ...this.io, graceMs };
  }

  cancel(): void {
    this.#controller.abort();
  }

  /** Resolves when the output contains a text. */
  async saw(text: string): Promise<void> {
    if (!this.all.includes(text)) await new Promise<void>((resolve) => this.#waiting.push({ text, resolve }));
  }

  get all(): string {
    return this.chunks.map(({ text }) => text).join('');
  }

  text(stream: 'stdout' | 'stderr'): string {
    return this.chunks
      .filter((chunk) => chunk.stream === stream)
      .map(({ text }) => text)
      .join('');
  }
}

export interface Finished {
  readonly outcome: ContainerOutcome;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a container to its end and returns what it printed. */
export async function run(space: RunSpace, container: ContainerRequest): Promise<Finished> {
  const output = new OutputRecorder();
  const outcome = await space.runContainer(container, output.io);
  return { outcome, stdout: output.text('stdout'), stderr: output.text('stderr') };
}

/** Opens a run, hands it to a test, and destroys it whatever happens. */
export async function withRun<T>(
  engine: ContainerEngine,
  overrides: Partial<RunSpaceSpec>,
  use: (space: RunSpace, spec: RunSpaceSpec) => Promise<T>,
): Promise<T> {
  const spec = runSpec(overrides);
  const space = await engine.openRun(spec);
  try {
    return await use(space, spec);
  } finally {
    await space.destroy({ signal: AbortSignal.timeout(30_000) });
  }
}
