import type { Fields } from './fields.ts';
import { verifyGithubSignature } from './github-signature.ts';
import { imageDelivery } from './images.ts';
import { type DeliveryFormat, deliveryIdOf, ignored, PING, type RegistrySourceOfHook, shown } from './message.ts';

/** GitHub's container registry: hooks of GitHub, for the events `package` or `registry_package`. */
export const GHCR: DeliveryFormat<RegistrySourceOfHook> = {
  forms: true,
  verify: verifyGithubSignature,
  read: ({ headers, payload, body }, source) => {
    const event = headers['x-github-event'];
    if (event === 'ping') return PING;
    if (event !== 'package' && event !== 'registry_package') return ignored(`the GitHub event ${shown(event)} starts nothing`);
    const action = payload.note('action', 64);
    if (action !== 'published' && action !== 'updated') return ignored(`the package action ${shown(action)} starts nothing`);
    const item = payload.object(event);
    const version = item.optionalObject('package_version');
    const tag = version?.optionalObject('container_metadata')?.optionalObject('tag');
    if (version === undefined || tag === undefined) return ignored('it names no tag of an image');
    const image = { repository: nameOf(item, version), tag: tag.raw('name'), digest: tag.raw('digest') };
    return imageDelivery(deliveryIdOf(headers['x-github-delivery'], event, body), source, [image]);
  },
};

/** `ghcr.io/OWNER/NAME:TAG` of the version; else from owner and name. Names of images are in lower case, those of owners need not be. */
function nameOf(item: Fields, version: Fields): string {
  const url = /^[^/\s]+\/([^:@\s]+)(?::|@|$)/.exec(version.note('package_url') ?? '')?.[1];
  return (url ?? `${item.object('owner').text('login')}/${item.text('name')}`).toLowerCase();
}
