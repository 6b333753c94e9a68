import { posix } from 'node:path';
import type { BuildRequest } from '../../model/ports/container-engine.ts';
import type { BuildRunContext } from '../image-builder.ts';
import { FlagValueError, parseKeyValues } from './flag-values.ts';

/** BuildKit's own limit on one secret. */
const MAX_SECRET_BYTES = 500 * 1024;

/**
 * Values of the `--secret` options by id. `src=` is a file of the workspace, `env=` a variable of the step; without
 * either the id names a secret of the run, else a variable. Throws FlagValueError; values are in no message.
 */
export async function readBuildSecrets(request: BuildRequest, environment: BuildRunContext): Promise<Map<string, Uint8Array>> {
  const secrets = new Map<string, Uint8Array>();
  for (const option of request.spec.secrets) {
    const fields = parseKeyValues(option, '--secret');
    const id = fields.get('id') || fields.get('source') || fields.get('src') || fields.get('env') || '';
    if (id === '') throw new FlagValueError('--secret: id=NAME is expected (id=token,env=TOKEN or id=token,src=token.txt)');
    const value = await readSecret(id, fields, request, environment);
    if (value.length > MAX_SECRET_BYTES)
      throw new FlagValueError(`--secret id=${id}: more than ${MAX_SECRET_BYTES} bytes; the engine takes no longer ones`);
    secrets.set(id, value);
  }
  return secrets;
}

async function readSecret(
  id: string,
  fields: ReadonlyMap<string, string>,
  request: BuildRequest,
  environment: BuildRunContext,
): Promise<Uint8Array> {
  const type = fields.get('type');
  if (type !== undefined && type !== 'file' && type !== 'env')
    throw new FlagValueError(`--secret id=${id}: type=${type}: file or env is expected`);
  const source = fields.get('source') ?? fields.get('src');
  const name = fields.get('env') ?? (type === 'env' ? source : undefined);
  if (name !== undefined) {
    const value = variable(request, name);
    if (value === undefined) throw new FlagValueError(`--secret id=${id}: the step's environment has no ${name}`);
    return value;
  }
  if (source !== undefined) return readWorkspaceFile(posix.resolve(request.spec.workdir, source), id, environment);
  const value = request.secrets.get(id) ?? variable(request, id);
  if (value === undefined) {
    throw new FlagValueError(`--secret id=${id}: the run has no secret of that id; add src=FILE or env=NAME, or define the secret`);
  }
  return value;
}

function variable(request: BuildRequest, name: string): Uint8Array | undefined {
  const entry = request.spec.env.findLast((candidate) => candidate.startsWith(`${name}=`));
  return entry === undefined ? undefined : Buffer.from(entry.slice(name.length + 1), 'utf8');
}

/** Reads one small file of the workspace for an option that names it. Throws FlagValueError when it is not there. */
export async function readWorkspaceFile(path: string, id: string, environment: BuildRunContext): Promise<Uint8Array> {
  const content = await environment.readWorkspaceFile(path);
  if (content === undefined) throw new FlagValueError(`id=${id}: there is no file ${path} in the workspace`);
  return content;
}
