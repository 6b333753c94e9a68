import type { RunStore, SettingStore } from '../../model/ports/store.ts';
import type { TriggerEvent } from '../../model/trigger-event.ts';
import type { TriggerSecrets } from '../parts.ts';
import type { Affected } from './affected.ts';
import type { ImageCause } from './update-runs.ts';

/** Sends JSON to a URL, with retries of its own; rejects with EngineError, `transient` when it may work later. */
export type PostJson = (url: string, body: unknown, signal: AbortSignal) => Promise<void>;

export interface PostParts {
  readonly settings: SettingStore;
  readonly runs: Pick<RunStore, 'last'>;
  readonly secrets: Pick<TriggerSecrets, 'updateEndpoint'>;
  readonly post: PostJson;
}

/**
 * What an update trigger endpoint gets. `Default`: all of it. `Token`: `id`, `task` and `updateTriggerToken` only. The token is that of the
 * task's last run, as `task run --update-trigger-token` gave it; absent when it gave none. `id` is the event's: the same update, sent again
 * after a crash, has the same.
 */
export interface UpdatePost {
  readonly id: string;
  readonly task: string;
  readonly updateTriggerToken?: string;
  readonly timestamp?: string;
  readonly action?: 'base-image-update';
  readonly imageUpdateTrigger?: { readonly id: string; readonly timestamp: string; readonly images: ImageCause['images'] };
}

/** Tells a task's endpoint of an update, once for each digest. False when it was told before. */
export async function postUpdate(
  { record, trigger }: Affected,
  {
    event,
    images,
    signal,
  }: { readonly event: Pick<TriggerEvent, 'id' | 'receivedAt'>; readonly images: ImageCause['images']; readonly signal: AbortSignal },
  { settings, runs, secrets, post }: PostParts,
): Promise<boolean> {
  const url = await secrets.updateEndpoint(record);
  if (url === undefined) return false;
  const places = images.map((image) => ({ image, place: `image-update-posted:${record.id}:${nameOf(image)}` }));
  const posted = await Promise.all(places.map(({ place }) => settings.get(place)));
  const fresh = places.filter(({ image }, at) => posted[at] !== image.digest);
  if (fresh.length === 0) return false;
  const token = (await runs.last(record.definition.name))?.request.updateTriggerToken;
  const common = { id: event.id, task: record.definition.name, ...(token === undefined ? {} : { updateTriggerToken: token }) };
  const { id, receivedAt: timestamp } = event;
  const imageUpdateTrigger = { id, timestamp, images: fresh.map(({ image }) => image) };
  const whole = { ...common, timestamp, action: 'base-image-update' as const, imageUpdateTrigger };
  await post(url, (trigger.updateTriggerPayloadType === 'Token' ? common : whole) satisfies UpdatePost, signal);
  for (const { image, place } of fresh) await settings.set(place, image.digest);
  return true;
}

function nameOf({ registry, repository, tag }: ImageCause['images'][number]): string {
  return `${registry}/${repository}:${tag}`;
}
