import { systemClock } from '../util/clock.ts';
import { type EngineApi, EngineRefusal, isRefusal, toEngineError } from './engine-api.ts';
import { imagePath } from './image-name.ts';

/** What `GET /containers/{id}/json` says, as far as it is used. */
export interface ContainerDetails {
  readonly Id: string;
  readonly Image: string;
  readonly State: {
    /** `created`, `running`, `paused`, `restarting`, `removing`, `exited`, `dead`; Podman has more. */
    readonly Status: string;
    readonly Running: boolean;
    readonly ExitCode: number;
    readonly OOMKilled: boolean;
    readonly Error?: string;
    readonly Pid?: number;
    readonly StartedAt?: string;
    readonly FinishedAt?: string;
  };
}

/** Creates a container under the first of `names` that is free. Rejects with EngineRefusal or EngineError. */
export async function createContainer(
  api: EngineApi,
  names: readonly string[],
  body: object,
  platform: string | undefined = undefined,
): Promise<string> {
  const [name, ...others] = names;
  try {
    const query = { ...(name === undefined ? {} : { name }), ...(platform === undefined ? {} : { platform }) };
    const { Id } = await api.json<{ Id: string }>({ method: 'POST', path: '/containers/create', query, body });
    return Id;
  } catch (error) {
    if (others.length > 0 && isNameTaken(error)) return await createContainer(api, others, body, platform);
    throw error;
  }
}

export function isNameTaken(error: unknown): boolean {
  // Podman answers 500 where Docker answers 409.
  return error instanceof EngineRefusal && /name .*(already )?in use/i.test(error.message);
}

export function isImageMissing(error: unknown): boolean {
  return isRefusal(error, 404) && /no such image|image not known|failed to find image/i.test(error.message);
}

export async function startContainer(api: EngineApi, id: string): Promise<void> {
  await api.json({ method: 'POST', path: `/containers/${id}/start` });
}

export async function inspectContainer(api: EngineApi, id: string, signal?: AbortSignal): Promise<ContainerDetails> {
  return await api.json<ContainerDetails>({ method: 'GET', path: `/containers/${id}/json`, ...(signal === undefined ? {} : { signal }) });
}

/** Sends a signal; a container that is gone or no longer runs has what it needs. */
export async function killContainer(api: EngineApi, id: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  try {
    await api.json({ method: 'POST', path: `/containers/${id}/kill`, query: { signal } });
  } catch (error) {
    if (!isRefusal(error, 404) && !isRefusal(error, 409) && !isRefusal(error, 500)) throw error;
  }
}

const REMOVAL_ATTEMPTS = 9;
const FIRST_PAUSE_MS = 10;

/** Removes a container with its anonymous volumes, running or not. One that is gone already is a success. */
export async function removeContainer(api: EngineApi, id: string, signal?: AbortSignal): Promise<void> {
  await removeThing(api, `/containers/${id}`, { force: true, v: true }, signal);
}

export async function removeNetwork(api: EngineApi, name: string, signal?: AbortSignal): Promise<void> {
  await removeThing(api, `/networks/${encodeURIComponent(name)}`, {}, signal);
}

export async function removeVolume(api: EngineApi, name: string, signal?: AbortSignal): Promise<void> {
  await removeThing(api, `/volumes/${encodeURIComponent(name)}`, { force: true }, signal);
}

/** Takes a tag off its image, and with the last one the image. */
export async function removeTag(api: EngineApi, reference: string, signal?: AbortSignal): Promise<void> {
  await removeThing(api, `/images/${imagePath(reference)}`, {}, signal);
}

/**
 * Engines refuse for a moment what they are still tidying up: a removal in progress, an endpoint, a mount. The pauses
 * double and make 2.5 s together.
 */
async function removeThing(api: EngineApi, path: string, query: Readonly<Record<string, boolean>>, signal?: AbortSignal): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await api.json({ method: 'DELETE', path, query, ...(signal === undefined ? {} : { signal }) });
      return;
    } catch (error) {
      if (isRefusal(error, 404)) return;
      if (attempt >= REMOVAL_ATTEMPTS || signal?.aborted === true) throw toEngineError(error);
      await systemClock.sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1), signal);
    }
  }
}
