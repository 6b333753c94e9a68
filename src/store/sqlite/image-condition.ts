import { type RawBuilder, sql } from 'kysely';
import type { ImageTag } from '../../model/trigger-event.ts';

/** Compares the columns `registry`, `repository` and `tag`; what is not given may be anything. */
export function imageConditions(image: Partial<ImageTag> | undefined): readonly RawBuilder<unknown>[] {
  const { registry, repository, tag } = image ?? {};
  return [
    ...(repository === undefined ? [] : [sql`repository = ${repository}`]),
    ...(registry === undefined ? [] : [sql`registry = ${registry}`]),
    ...(tag === undefined ? [] : [sql`tag = ${tag}`]),
  ];
}

export function whereAll(conditions: readonly RawBuilder<unknown>[]): RawBuilder<unknown> {
  return conditions.length === 0 ? sql`` : sql`where ${sql.join(conditions, sql` and `)}`;
}
