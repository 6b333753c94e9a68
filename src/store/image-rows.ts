import type { PushedImage } from '../model/image.ts';
import { DOCKER_HUB, parseImageReference, splitImageReference } from '../model/image-reference.ts';

/** A pushed image in parts, as `run_images` has it. */
interface ImageRow {
  readonly repository: string;
  readonly host: string;
  readonly tag: string;
  readonly digest: string;
}

/** What `image` of a RunQuery asks for; any of the alternatives will do. An absent part may be anything. */
export type ImageFilter = readonly {
  readonly repository: string;
  readonly host?: string;
  readonly tag?: string;
  readonly digest?: string;
}[];

/** One row an image, each once. A reference that cannot be parsed is none. */
export function imageRowsOf(images: readonly PushedImage[]): readonly ImageRow[] {
  const rows = new Map<string, ImageRow>();
  for (const { reference, digest } of images) {
    const parsed = parseImageReference(reference);
    if (!parsed.ok) continue;
    const { host, repository, tag } = parsed.value;
    const row = { repository, host, tag: tag === '' && parsed.value.digest === '' ? 'latest' : tag, digest: digest || parsed.value.digest };
    rows.set(JSON.stringify(row), row);
  }
  return [...rows.values()];
}

/** Without a registry any will do; `node` then also means Docker Hub's `library/node`. Nothing matches what is no reference. */
export function imageFilterOf(image: string): ImageFilter {
  const written = splitImageReference(image);
  const parsed = parseImageReference(image);
  if (!written.ok || !parsed.ok) return [];
  const { host, repository, tag, digest } = parsed.value;
  const version = { ...(tag === '' ? {} : { tag }), ...(digest === '' ? {} : { digest }) };
  if (written.value.domain !== '') return [{ repository, host, ...version }];
  const { path } = written.value;
  return path === repository
    ? [{ repository, ...version }]
    : [
        { repository: path, ...version },
        { repository, host: DOCKER_HUB, ...version },
      ];
}
