import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { createAgent } from '../../src/agent/agent.ts';
import type { Agent, AgentDependencies, MakeRunParts } from '../../src/agent/agent-options.ts';
import { createContextFetcher } from '../../src/archive/context-fetcher.ts';
import { createGitSource } from '../../src/git/git-source.ts';
import type { BuildInputsRequest } from '../../src/model/ports/build-inputs.ts';
import { systemClock } from '../../src/util/clock.ts';
import { createFakeEngine, type FakeEngine, type FakeEngineOptions } from '../fakes/fake-engine.ts';
import { createInputs, NO_REGISTRY } from '../run/rig.ts';
import { createFakeChannel, type FakeChannel } from './fake-channel.ts';

const OWN_NETWORK = { allowPrivate: true, allowLoopback: true } as const;

export interface AgentRig {
  readonly agent: Agent;
  readonly channel: FakeChannel;
  readonly engine: FakeEngine;
  readonly workDirectory: string;
  readonly logged: readonly string[];
  readonly inputRequests: readonly BuildInputsRequest[];
  readonly partsAsked: readonly Parameters<MakeRunParts>[0][];
}

const rigs: AgentRig[] = [];
afterEach(async () => {
  for (const { agent, channel } of rigs.splice(0)) {
    channel.broken = false;
    await agent.stop();
  }
});

/**
 * An agent on a fake engine and a fake daemon; git and archives are real. It is stopped at the test's end. With `before` it is the next
 * process of the same agent: engine, daemon and files are the same.
 */
export function createRig(
  options: { readonly engine?: FakeEngineOptions; readonly deps?: Partial<AgentDependencies>; readonly before?: AgentRig } = {},
): AgentRig {
  const channel = options.before?.channel ?? createFakeChannel();
  const clock = options.deps?.clock ?? systemClock;
  const engine = options.before?.engine ?? createFakeEngine({ clock, ...options.engine });
  const workDirectory = options.before?.workDirectory ?? join(mkdtempSync(join(tmpdir(), 'agent-')), 'work');
  const logged: string[] = [];
  const inputRequests: BuildInputsRequest[] = [];
  const partsAsked: Parameters<MakeRunParts>[0][] = [];
  const agent = createAgent({
    ...{ channel, engine, clock, workDirectory, addresses: OWN_NETWORK, insecureRegistries: [] },
    git: createGitSource({ addresses: OWN_NETWORK }),
    contexts: createContextFetcher({ addresses: OWN_NETWORK }),
    makeRunParts: (asked) => {
      partsAsked.push(asked);
      return {
        credentials: { forHost: async () => undefined, explicitHosts: () => asked.logins.map(({ loginServer }) => loginServer) },
        registry: NO_REGISTRY,
        inputs: createInputs(inputRequests),
        unpackArtifact: async () => {
          throw new Error('this test expects no artifact');
        },
      };
    },
    describe: {
      ...{ id: 'agent1', bootId: 'boot1', pool: 'default', version: '1', slots: 2, labels: {} },
      platform: { os: 'linux', architecture: 'amd64' },
    },
    log: (level, message) => void logged.push(`${level} ${message}`),
    ...options.deps,
  });
  const rig = { agent, channel, engine, workDirectory, logged, inputRequests, partsAsked };
  rigs.push(rig);
  return rig;
}

export const NEVER = new AbortController().signal;
