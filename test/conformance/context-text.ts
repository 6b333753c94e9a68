import type { BuildContextRef } from '../../src/model/plan.ts';

/** A build context as it would be written in a build. */
export function contextText(context: BuildContextRef): string {
  switch (context.kind) {
    case 'local':
      return context.path;
    case 'git':
      return `${context.url}#${context.ref}:${context.subdir}`.replace(/:$/, '').replace(/#$/, '');
    case 'archive':
      return context.url;
    case 'oci':
      return `oci://${context.reference}`;
    case 'stdin':
      return '-';
    case 'none':
      return '/dev/null';
  }
}
