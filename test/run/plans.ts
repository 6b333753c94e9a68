import type {
  BuildSpec,
  ContainerSpec,
  DockerRunFlags,
  Plan,
  PlanBuildStep,
  PlanCmdStep,
  PlanNetwork,
  PlanPushStep,
  PlanStep,
} from '../../src/model/plan.ts';
import { PLAIN_BUILD } from '../support/plain-build.ts';

type Common = Partial<Omit<PlanStep, 'id' | 'kind'>>;

const COMMON = {
  needs: [],
  weight: 1,
  timeoutMs: 600_000,
  startDelayMs: 0,
  ignoreErrors: false,
  retries: 0,
  retryDelayMs: 5_000,
  retryOnErrors: [],
  repeat: 0,
} as const;

export type CmdOptions = Common &
  Partial<Pick<PlanCmdStep, 'detach' | 'keep' | 'pull'>> & {
    readonly env?: readonly string[];
    readonly container?: Partial<ContainerSpec>;
    readonly extra?: DockerRunFlags;
  };

/** A cmd step on the task's default network; `env` steers the fake engine. */
export function cmd(id: string, options: CmdOptions = {}): PlanCmdStep {
  const { env = [], container = {}, extra = {}, detach = false, keep = false, ...common } = options;
  return {
    ...COMMON,
    ...common,
    kind: 'cmd',
    id,
    detach,
    keep,
    container: {
      image: 'busybox',
      args: ['true'],
      env: ['HOME=/acb/home', ...env],
      workdir: '/workspace',
      network: { kind: 'task', name: 'net' },
      ports: [],
      expose: [],
      privileged: false,
      volumeMounts: [],
      extra,
      ...container,
    },
  };
}

export function build(id: string, options: Common & { readonly spec?: Partial<BuildSpec> } = {}): PlanBuildStep {
  const { spec = {}, ...common } = options;
  return { ...COMMON, ...common, kind: 'build', id, build: { ...PLAIN_BUILD, ...spec } };
}

export function push(id: string, images: readonly string[], options: Common = {}): PlanPushStep {
  return { ...COMMON, ...options, kind: 'push', id, images };
}

export const NETWORK: PlanNetwork = { name: 'net', driver: 'bridge', ipv6: false, existing: false };

/** A plan with one default network; weights are filled in as the compiler does. */
export function plan(steps: readonly PlanStep[], networks: readonly PlanNetwork[] = [NETWORK]): Plan {
  const weights = new Map<string, number>();
  for (const step of steps.toReversed()) weights.set(step.id, Math.max(weights.get(step.id) ?? 0, 1));
  for (const step of steps.toReversed()) {
    const own = weights.get(step.id) ?? 1;
    for (const need of step.needs) weights.set(need, Math.max(weights.get(need) ?? 1, own + 1));
  }
  return {
    formatVersion: 1,
    taskName: 'quickrun',
    registry: 'registry.example',
    networks,
    volumes: [],
    steps: steps.map((step) => ({ ...step, weight: weights.get(step.id) ?? 1 })),
  };
}
