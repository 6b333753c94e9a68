import type { Fields } from './fields.ts';
import { imageDelivery, verifyAuthorization } from './images.ts';
import { type DeliveryFormat, deliveryIdOf, ignored, type RegistrySourceOfHook, shown } from './message.ts';

const MOST_RESOURCES = 10_000;

/** Harbor, in its own format and as CloudEvents. Scans, pulls, replications and deletions start nothing. */
export const HARBOR: DeliveryFormat<RegistrySourceOfHook> = {
  verify: verifyAuthorization,
  read: ({ payload, body }, source) => {
    const cloudEvent = payload.has('specversion');
    const type = payload.note('type', 64);
    if (type !== (cloudEvent ? 'harbor.artifact.pushed' : 'PUSH_ARTIFACT'))
      return ignored(`the Harbor event ${shown(type)} starts nothing`);
    const data = payload.object(cloudEvent ? 'data' : 'event_data');
    const repository = nameOf(data.object('repository'));
    const images = data
      .objects('resources', MOST_RESOURCES)
      .map((resource) => ({ repository, tag: resource.raw('tag'), digest: resource.raw('digest') }));
    return imageDelivery(deliveryIdOf(cloudEvent ? payload.optionalId('id') : undefined, 'harbor', body), source, images);
  },
};

function nameOf(repository: Fields): string {
  return repository.optionalText('repo_full_name') ?? `${repository.text('namespace')}/${repository.text('name')}`;
}
