import type { BuildContextRef } from './plan.ts';

/** A build context as one word, as it would be written in a build. */
export function contextText(context: BuildContextRef): string {
  switch (context.kind) {
    case 'local':
      return context.path;
    case 'git':
      return `${context.url}${fragment(context.ref, context.subdir)}`;
    case 'archive':
      return `${context.url}${fragment('', context.subdir)}`;
    case 'oci':
      return `oci://${context.reference}`;
    case 'stdin':
      return '-';
    case 'none':
      return '/dev/null';
  }
}

function fragment(ref: string, subdir: string): string {
  if (ref === '' && subdir === '') return '';
  return subdir === '' ? `#${ref}` : `#${ref}:${subdir}`;
}
