import type { Delivery } from '../../model/ports/delivery-reader.ts';
import { imageDelivery } from './images.ts';
import { type DeliveryFormat, deliveryIdOf, type RegistrySourceOfHook } from './message.ts';
import { isAuthorized, isSecret } from './proof.ts';

const MOST_TAGS = 10_000;

/** Docker Hub. It sends no header of anyone's choice, so the secret is in the path. Its `callback_url` is never called: it could be any address. */
export const DOCKER_HUB_FORMAT: DeliveryFormat<RegistrySourceOfHook> = {
  verify: verifyPath,
  read: ({ payload, body }, source) => {
    const image = { repository: payload.object('repository').raw('repo_name'), tag: payload.object('push_data').raw('tag') };
    return imageDelivery(deliveryIdOf(undefined, 'dockerhub', body), source, [image]);
  },
};

/** Quay. Updated tags are names, in old versions names with image ids. */
export const QUAY: DeliveryFormat<RegistrySourceOfHook> = {
  verify: verifyPath,
  read: ({ payload, body, receivedAt }, source) => {
    const repository = payload.raw('repository');
    const tags = Array.isArray(payload.raw('updated_tags'))
      ? payload.list('updated_tags').slice(0, MOST_TAGS)
      : payload.keys('updated_tags', MOST_TAGS);
    // Two pushes of one tag have the same bytes, and no id: only their time tells them apart.
    const id = deliveryIdOf(undefined, 'quay', receivedAt, body);
    return imageDelivery(
      id,
      source,
      tags.map((tag) => ({ repository, tag })),
    );
  },
};

function verifyPath({ headers, pathSecret }: Delivery, secrets: readonly string[]): string | undefined {
  const inPath = isSecret(pathSecret, secrets);
  return isAuthorized(headers['authorization'], secrets) || inPath
    ? undefined
    : 'expected the secret of the hook as the last part of the URL';
}
