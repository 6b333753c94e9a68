import type { Duplex } from 'node:stream';
import { writeDrained } from '../drained.ts';
import { ProtoWriter, readFields } from '../protobuf.ts';
import { GRPC_STATUS, type GrpcCall, GrpcFailure, type GrpcHandler } from './grpc-call.ts';
import { unary } from './unary.ts';

/** Opens one connection to the agent that holds the keys of an `--ssh` id. */
export type AgentDialer = () => Duplex;

/** moby.sshforward.v1.SSH: agent connections for `RUN --mount=type=ssh`, by id. */
export function sshService(agents: ReadonlyMap<string, AgentDialer>): ReadonlyMap<string, GrpcHandler> {
  return new Map([
    [
      '/moby.sshforward.v1.SSH/CheckAgent',
      unary((request) => {
        for (const field of readFields(request)) if (field.number === 1) findAgent(agents, Buffer.from(field.bytes).toString('utf8'));
        return new Uint8Array(0);
      }),
    ],
    ['/moby.sshforward.v1.SSH/ForwardAgent', (call) => forward(call, findAgent(agents, call.header('buildkit.ssh.id')[0] ?? 'default')())],
  ]);
}

function findAgent(agents: ReadonlyMap<string, AgentDialer>, id: string): AgentDialer {
  const agent = agents.get(id === '' ? 'default' : id);
  if (agent === undefined) throw new GrpcFailure(GRPC_STATUS.notFound, `no ssh agent "${id}" among the --ssh options`);
  return agent;
}

async function forward(call: GrpcCall, agent: Duplex): Promise<void> {
  agent.on('error', () => agent.destroy());
  try {
    await Promise.all([toAgent(call, agent), fromAgent(call, agent)]);
  } finally {
    agent.destroy();
  }
}

async function toAgent(call: GrpcCall, agent: Duplex): Promise<void> {
  for await (const message of call.messages) {
    for (const field of readFields(message)) {
      if (field.number === 1) await writeDrained(agent, field.bytes);
    }
  }
  agent.end();
}

async function fromAgent(call: GrpcCall, agent: Duplex): Promise<void> {
  for await (const chunk of agent as AsyncIterable<Uint8Array>) await call.send(new ProtoWriter().bytes(1, chunk).finish());
}
