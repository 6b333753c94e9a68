import { connect } from 'node:net';
import { posix } from 'node:path';
import type { BuildRequest } from '../../model/ports/container-engine.ts';
import type { BuildRunContext } from '../image-builder.ts';
import { readWorkspaceFile } from './build-secrets.ts';
import { FlagValueError } from './flag-values.ts';
import type { AgentDialer } from './session/ssh-service.ts';

/**
 * Agents for the `--ssh` options by id: `default` (or an id alone) is the agent that the environment offers,
 * `id=KEY[,KEY]` are private key files of the workspace, held by an agent of this process. Throws FlagValueError.
 */
export async function openSshAgents(request: BuildRequest, environment: BuildRunContext): Promise<Map<string, AgentDialer>> {
  const agents = new Map<string, AgentDialer>();
  for (const option of request.spec.ssh) {
    const [id = '', paths] = option.split(/=(.*)/s);
    if (id === '') throw new FlagValueError(`--ssh "${option}": default or id=KEYFILE is expected`);
    agents.set(
      id,
      paths === undefined || paths === '' ? systemAgent(id, environment) : await keyAgent(id, paths.split(','), request, environment),
    );
  }
  return agents;
}

function systemAgent(id: string, environment: BuildRunContext): AgentDialer {
  const socket = environment.sshAgentSocket;
  if (socket === undefined) {
    throw new FlagValueError(
      `--ssh ${id}: no ssh agent is offered to this build (is SSH_AUTH_SOCK set?); name a key file: --ssh ${id}=KEYFILE`,
    );
  }
  return () => connect(socket);
}

async function keyAgent(id: string, paths: readonly string[], request: BuildRequest, environment: BuildRunContext): Promise<AgentDialer> {
  const keys: Uint8Array[] = [];
  for (const path of paths) keys.push(await readWorkspaceFile(posix.resolve(request.spec.workdir, path), id, environment));
  // The ssh library is only loaded by the rare build that names a key.
  const { keyFileAgent } = await import('./key-file-agent.ts');
  return keyFileAgent(id, keys);
}
