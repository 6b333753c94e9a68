import { EngineError } from '../model/engine-error.ts';
import type { AgentChannel, ResolvedSecrets } from '../model/ports/agent-channel.ts';
import type { RunRequest } from '../model/run-record.ts';
import type { SecretReference } from '../model/task.ts';
import type { ActiveRun } from './active-run.ts';

const NAMED = /^secret:\/\/([A-Za-z0-9][A-Za-z0-9._-]*)$/;
const NONE: ResolvedSecrets = { values: {}, credentials: [], named: {} };

/**
 * The secrets of one run: those of its request, and those that its task file names. All of them are masked. A run of class
 * untrusted has none, whatever its request and its file say, but for the token that its context is fetched with.
 */
export class RunSecrets {
  readonly #channel: AgentChannel;
  readonly #run: ActiveRun;
  readonly #byId = new Map<string, string>();
  readonly request: ResolvedSecrets;

  private constructor(channel: AgentChannel, run: ActiveRun, request: ResolvedSecrets) {
    this.#channel = channel;
    this.#run = run;
    this.request = request;
  }

  /** Rejects with the channel's EngineError. */
  static async open(channel: AgentChannel, run: ActiveRun): Promise<RunSecrets> {
    const { request } = run.assignment;
    const asks = request.trust === 'trusted' ? hasSecrets(request) : request.step.contextAccessToken !== undefined;
    return new RunSecrets(channel, run, asks ? await channel.secrets(run.lease, { kind: 'request' }) : NONE);
  }

  /** Values by the id of the task file's entry. Rejects with `policy-refused` or `secret-unavailable`, naming the entry. */
  async resolve(references: readonly SecretReference[]): Promise<ReadonlyMap<string, string>> {
    const names = new Map(references.map((reference) => [reference.id, nameOf(reference)]));
    if (this.#run.assignment.request.trust === 'untrusted') {
      throw new EngineError(
        'policy-refused',
        `the task file asks for the secret ${quoted(references[0]?.id)}, and an untrusted run gets none`,
        {
          help: 'Nothing allows it: leave the secret out of what forked pull requests run.',
        },
      );
    }
    const { named } = await this.#channel.secrets(this.#run.lease, { kind: 'named', names: [...new Set(names.values())] });
    for (const [id, name] of names) {
      const value = named[name];
      if (value === undefined)
        throw new EngineError('secret-unavailable', `the daemon has no secret ${quoted(name)} for the entry ${quoted(id)}`);
      this.#byId.set(id, value);
    }
    return this.#byId;
  }

  /** For `--secret id=…` of builds. */
  forBuilds(): ReadonlyMap<string, Uint8Array> {
    return new Map([...this.#byId].map(([id, value]) => [id, Buffer.from(value)]));
  }

  /** Every text that must not be seen; logins also as docker's `auth`. */
  masked(): readonly string[] {
    const { values, contextToken, credentials, named } = this.request;
    return [
      ...Object.values(values),
      ...Object.values(named),
      ...(contextToken === undefined ? [] : [contextToken, Buffer.from(`dummy:${contextToken}`).toString('base64')]),
      ...credentials.flatMap(({ userName, password }) => [password, Buffer.from(`${userName}:${password}`).toString('base64')]),
      ...this.#byId.values(),
    ];
  }
}

function hasSecrets({ step, credentials }: RunRequest): boolean {
  const values = step.type === 'Docker' ? step.arguments : step.values;
  return step.contextAccessToken !== undefined || credentials.length > 0 || values.some(({ isSecret }) => isSecret);
}

function nameOf({ id, keyvault }: SecretReference): string {
  const name = NAMED.exec(keyvault.trim())?.[1];
  if (name !== undefined) return name;
  throw new EngineError('secret-unavailable', `the secret ${quoted(id)} cannot be resolved: a daemon knows only its own secrets`, {
    help: 'Store it with `task secret set NAME`, and write `keyvault: secret://NAME` in the task file.',
  });
}

function quoted(text: string | undefined): string {
  return JSON.stringify(text ?? '');
}
