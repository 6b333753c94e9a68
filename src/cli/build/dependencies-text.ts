import type { ImageDependencies, ImageDescription } from '../../model/image.ts';
import type { Paint } from '../terminal/paint.ts';
import { printable } from '../terminal/terminal-filter.ts';

/** The dependency document for a person: each image and what it stands on. */
export function renderDependencies(dependencies: readonly ImageDependencies[], paint: Paint): string {
  const blocks = dependencies.map((entry) => {
    const lines = [paint('bold', entry.image === null ? 'image without a tag' : printable(entry.image.reference))];
    lines.push(`  runtime    ${imageText(entry['runtime-dependency'])}`);
    for (const image of entry['buildtime-dependency'] ?? []) lines.push(`  buildtime  ${imageText(image)}`);
    const commit = entry.git['git-head-revision'];
    if (commit !== '') lines.push(`  commit     ${printable(commit)}`);
    return lines.join('\n');
  });
  return `${blocks.join('\n\n')}\n`;
}

function imageText({ reference, digest }: ImageDescription): string {
  return printable(digest === '' || reference.includes(digest) ? reference : `${reference}  ${digest}`);
}
