import type { EngineApi } from './engine-api.ts';
import type { ContainerDetails } from './engine-containers.ts';

/** 128 + SIGKILL, 128 + SIGTERM, and what Docker says of a container that was running when its machine went down. */
const TAKEN_ALONG = new Set([137, 143, 255]);

/**
 * Whether a container that ended while nobody watched was ended by its engine, which takes its containers along when it stops, unless it is
 * set to live-restore. Docker does not record that; but it makes its bridge anew at each start. A container that was running before that
 * and has an exit code of the kind was taken along. (One that ended so by itself, and whose engine was restarted later, looks the same.)
 */
export async function wasTakenAlong(api: EngineApi, { State }: ContainerDetails): Promise<boolean> {
  if (!TAKEN_ALONG.has(State.ExitCode) || State.OOMKilled) return false;
  const [info, bridge] = await Promise.all([
    api.json<{ LiveRestoreEnabled?: boolean }>({ method: 'GET', path: '/info' }),
    api.json<{ Created?: string }>({ method: 'GET', path: '/networks/bridge' }).catch(() => undefined),
  ]);
  return info.LiveRestoreEnabled !== true && Date.parse(bridge?.Created ?? '') > Date.parse(State.StartedAt ?? '');
}
