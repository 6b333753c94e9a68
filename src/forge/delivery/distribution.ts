import type { Fields } from './fields.ts';
import { imageDelivery, isManifestType, type ToldImage, verifyAuthorization } from './images.ts';
import { type DeliveryFormat, deliveryIdOf, PING, type RegistrySourceOfHook } from './message.ts';

const MOST_EVENTS = 10_000;

/** CNCF Distribution (`registry:2`, `registry:3`): an envelope of events, blobs among them. Only pushes with a tag are of interest. */
export const DISTRIBUTION: DeliveryFormat<RegistrySourceOfHook> = {
  verify: verifyAuthorization,
  read: ({ payload, body }, source) =>
    imageDelivery(deliveryIdOf(undefined, 'distribution', body), source, payload.objects('events', MOST_EVENTS).flatMap(pushedImage)),
};

/** Azure Container Registry: one such event, without the envelope. */
export const ACR: DeliveryFormat<RegistrySourceOfHook> = {
  verify: verifyAuthorization,
  read: ({ payload, body }, source) => {
    if (payload.note('action') === 'ping') return PING;
    return imageDelivery(deliveryIdOf(payload.optionalId('id'), 'acr', body), source, pushedImage(payload));
  },
};

function pushedImage(event: Fields): ToldImage[] {
  const target = event.optionalObject('target');
  if (event.note('action') !== 'push' || target === undefined || !isManifestType(target.note('mediaType'))) return [];
  return [{ repository: target.raw('repository'), tag: target.raw('tag'), digest: target.raw('digest') }];
}
