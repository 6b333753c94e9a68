import type { PlanVolume } from '../../model/plan.ts';
import type { Volume } from '../../model/task.ts';
import type { Problems } from '../schema/problems.ts';

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The volumes as an engine needs them: standard padded base64, without line breaks. */
export function planVolumes(volumes: readonly Volume[], problems: Problems): readonly PlanVolume[] {
  return volumes.map(({ name, files, fileRanges, range }) => {
    const clean = Object.entries(files).map(([file, value]): readonly [string, string] => {
      const bytes = value.replace(/[\r\n]/g, '');
      if (!BASE64.test(bytes)) {
        problems.error('volume-bad-base64', `The content of \`${file}\` in the volume \`${name}\` is no base64.`, {
          range: fileRanges.get(file) ?? range,
          expected: 'standard base64 with padding',
          help: 'Pass the text through `b64enc`.',
        });
      }
      return [file, bytes];
    });
    return { name, files: Object.fromEntries(clean) };
  });
}
