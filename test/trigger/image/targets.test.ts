import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ImageDependency } from '../../../src/model/ports/image-watch-store.ts';
import type { TaskRecord } from '../../../src/model/task-definition.ts';
import { type BaseImageTrigger, NO_TRIGGERS } from '../../../src/model/trigger-definition.ts';
import { TargetBook, type TargetOptions } from '../../../src/trigger/image/targets.ts';
import { taskDefinition } from '../../contract/store-values.ts';

const OPTIONS: TargetOptions = { poll: { least: 600, most: 3600 }, credentialOf: () => 'default' };

interface Asks {
  readonly tags: readonly string[];
  readonly platform: string;
  readonly least: number;
}

function recordOf(name: string, { least }: Asks): TaskRecord {
  const baseImageTrigger: BaseImageTrigger = {
    ...{ name: 'base', status: 'Enabled', baseImageTriggerType: 'Runtime', updateTriggerPayloadType: 'Default', trackIndex: false },
    ...{ tracks: [], poll: { least, most: 3600 } },
  };
  const definition = taskDefinition(name, { trigger: { ...NO_TRIGGERS, baseImageTrigger } });
  return { definition, id: `id-${name}`, version: 1, createdAt: '', updatedAt: '' };
}

function rowsOf(name: string, { tags, platform }: Asks): readonly ImageDependency[] {
  return tags.map((tag) => ({
    ...{ taskId: `id-${name}`, task: name, step: 'build', platform, written: `node:${tag}`, role: 'runtime', state: 'static' },
    ...{ image: { registry: 'docker.io', repository: 'library/node', tag }, indexDigest: '', platformDigest: '', resolvedAt: '' },
  }));
}

const asks = fc.record({
  tags: fc.uniqueArray(fc.constantFrom('18', '20', '22'), { maxLength: 3 }),
  platform: fc.constantFrom('linux/amd64', 'linux/arm64', 'linux/s390x'),
  least: fc.constantFrom(60, 120, 600),
});
const change = fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), asks: fc.option(asks) });

describe('the book of targets', () => {
  it('is what tasks ask for together, however they came to it, and tells what has changed', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
        const book = new TargetBook();
        const now = new Map<string, Asks>();
        for (const { name, asks: wanted } of changes) {
          const before = new Map(book.all().map((target) => [target.key, target]));
          const told = wanted === null ? book.delete(`id-${name}`) : book.set(recordOf(name, wanted), rowsOf(name, wanted), OPTIONS);
          if (wanted === null) now.delete(name);
          else now.set(name, wanted);
          const fresh = new TargetBook();
          for (const [task, asked] of now) fresh.set(recordOf(task, asked), rowsOf(task, asked), OPTIONS);
          const byKey = (all: ReturnType<TargetBook['all']>) => new Map(all.map((target) => [target.key, target]));
          expect(byKey(book.all())).toEqual(byKey(fresh.all()));
          const keys = new Set([...before.keys(), ...book.all().map(({ key }) => key)]);
          const differing = [...keys].filter((key) => JSON.stringify(before.get(key)) !== JSON.stringify(book.target(key)));
          expect([...told].sort()).toEqual(differing.sort());
        }
      }),
    );
  });
});
