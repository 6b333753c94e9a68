import { type SqlBool, sql } from 'kysely';
import type { RunStatus } from '../../model/run-event.ts';
import { ACTIVE_STATUSES, TERMINAL_STATUSES } from '../../model/run-record.ts';
import type { RunRow } from '../run-rows.ts';
import type { Database } from './database.ts';
import { wholeRuns } from './whole-runs.ts';

const active = sql<SqlBool>`status in (${sql.raw(quoted(ACTIVE_STATUSES))})`;
const ended = sql<SqlBool>`status in (${sql.raw(quoted(TERMINAL_STATUSES))})`;
const unended = sql<SqlBool>`status not in (${sql.raw(quoted(TERMINAL_STATUSES))})`;

/** What `run_images` repeats of a run. */
const FILTERED = ['task', 'branch', 'status', 'run_type', 'archived', 'commit_sha', 'created'] as const;

interface Fence {
  readonly number: number;
  readonly attempt: number;
}

type NewRunRow = Pick<RunRow, 'task' | 'run_type' | 'branch' | 'commit_sha' | 'hold'> & { readonly now: string };

export type RunStatements = ReturnType<typeof createRunStatements>;

/** The changes of runs, compiled once. What an agent does is fenced here: by number, attempt and status. */
export function createRunStatements(database: Database) {
  return { ...claimStatements(database), ...endStatements(database), ...documentStatements(database) };
}

function claimStatements({ queries, prepared }: Database) {
  return {
    insert: prepared<NewRunRow>()((param) =>
      queries
        .insertInto('runs')
        .values({
          ...{ task: param('task'), run_type: param('run_type'), branch: param('branch'), commit_sha: param('commit_sha') },
          ...{ status: 'Queued', archived: 0, created: param('now'), updated: param('now') },
          ...{ attempt: 0, crashes: 0, last_event: 0, hold: param('hold') },
        })
        .returning('number'),
    ),
    one: prepared<{ number: number }>()((param) => wholeRuns(queries).where('r.number', '=', param('number'))),
    row: prepared<{ number: number }>()((param) => queries.selectFrom('runs').selectAll().where('number', '=', param('number'))),
    claim: prepared<{ number: number; from: number; agent: string; crashed: number; now: string }>()((param) =>
      queries
        .updateTable('runs')
        .set({
          status: sql<RunStatus>`case status when 'Queued' then 'Started' else status end`,
          attempt: sql<number>`attempt + 1`,
          crashes: sql<number>`crashes + ${param('crashed')}`,
          agent: param('agent'),
          started: sql<string>`coalesce(started, ${param('now')})`,
          updated: param('now'),
        })
        .where('number', '=', param('number'))
        .where('attempt', '=', param('from'))
        .where('hold', 'is', null)
        .where(unended),
    ),
    release: prepared<Fence & { readonly now: string }>()((param) =>
      queries
        .updateTable('runs')
        .set({ status: 'Queued', agent: null, started: null, updated: param('now') })
        .where('number', '=', param('number'))
        .where('attempt', '=', param('attempt'))
        .where(active),
    ),
    progress: prepared<Fence & { readonly status: 'Running' | null; readonly last_event: number; readonly now: string }>()((param) =>
      queries
        .updateTable('runs')
        .set({
          status: sql<RunStatus>`coalesce(${param('status')}, status)`,
          last_event: param('last_event'),
          updated: param('now'),
        })
        .where('number', '=', param('number'))
        .where('attempt', '=', param('attempt'))
        .where(active),
    ),
  };
}

function endStatements({ queries, prepared }: Database) {
  return {
    /** At this attempt, or at any when it is null: whatever state it waits or runs in. */
    finish: prepared<{ number: number; attempt: number | null; status: RunStatus; now: string }>()((param) =>
      queries
        .updateTable('runs')
        .set({ status: param('status'), finished: param('now'), updated: param('now'), hold: null })
        .where('number', '=', param('number'))
        .where(sql<SqlBool>`attempt = coalesce(${param('attempt')}, attempt)`)
        .where(unended),
    ),
    cancel: prepared<{ number: number; cancel: string; now: string }>()((param) =>
      queries
        .updateTable('runs')
        .set({
          status: sql<RunStatus>`case status when 'Queued' then 'Canceled' else status end`,
          finished: sql<string | null>`case status when 'Queued' then ${param('now')} end`,
          cancel: sql<string>`coalesce(cancel, ${param('cancel')})`,
          hold: null,
          updated: param('now'),
        })
        .where('number', '=', param('number'))
        .where(unended)
        .returning(['status', 'cancel']),
    ),
    setError: prepared<{ run: number; error: string }>()((param) =>
      queries
        .updateTable('run_states')
        .set({ error: param('error') })
        .where('run', '=', param('run')),
    ),
    archive: prepared<{ number: number; archived: number; now: string }>()((param) =>
      queries
        .updateTable('runs')
        .set({ archived: param('archived'), updated: param('now') })
        .where('number', '=', param('number')),
    ),
    remove: prepared<{ number: number }>()((param) => queries.deleteFrom('runs').where('number', '=', param('number')).where(ended)),
  };
}

function documentStatements({ queries, prepared }: Database) {
  return {
    insertRequest: prepared<{ run: number; request: string; sealed: Uint8Array | null; key: string | null }>()((param) =>
      queries
        .insertInto('run_requests')
        .values({ run: param('run'), request: param('request'), sealed: param('sealed'), creation_key: param('key') }),
    ),
    byKey: prepared<{ key: string }>()((param) => wholeRuns(queries).where('q.creation_key', '=', param('key'))),
    freeKey: prepared<{ key: string }>()((param) =>
      queries.updateTable('run_requests').set({ creation_key: null }).where('creation_key', '=', param('key')),
    ),
    insertState: prepared<{ run: number; brief: string }>()((param) =>
      queries.insertInto('run_states').values({ run: param('run'), brief: param('brief'), steps: '[]', images: '[]' }),
    ),
    setSteps: prepared<{ run: number; steps: string }>()((param) =>
      queries
        .updateTable('run_states')
        .set({ steps: param('steps') })
        .where('run', '=', param('run')),
    ),
    setSource: prepared<{ run: number; source: string }>()((param) =>
      queries
        .updateTable('run_states')
        .set({ source: param('source') })
        .where('run', '=', param('run')),
    ),
    setRevision: prepared<{ number: number; branch: string; commit_sha: string }>()((param) =>
      queries
        .updateTable('runs')
        .set({ branch: param('branch'), commit_sha: param('commit_sha') })
        .where('number', '=', param('number')),
    ),
    setImages: prepared<{ run: number; images: string }>()((param) =>
      queries
        .updateTable('run_states')
        .set({ images: param('images') })
        .where('run', '=', param('run')),
    ),
    setOutcome: prepared<{ run: number; steps: string; images: string; made: string; error: string | null }>()((param) =>
      queries
        .updateTable('run_states')
        .set({ steps: param('steps'), images: param('images'), made: param('made'), error: param('error') })
        .where('run', '=', param('run')),
    ),
    insertEvent: prepared<{ run: number; seq: number; json: string }>()((param) =>
      queries.insertInto('run_events').values({ run: param('run'), seq: param('seq'), json: param('json') }),
    ),
    dropImages: prepared<{ run: number }>()((param) => queries.deleteFrom('run_images').where('run', '=', param('run'))),
    insertImage: prepared<{ run: number; repository: string; host: string; tag: string; digest: string }>()((param) =>
      queries
        .insertInto('run_images')
        .columns(['repository', 'host', 'tag', 'digest', 'run', ...FILTERED])
        .expression((eb) =>
          eb
            .selectFrom('runs')
            .select([param('repository').as('repository'), param('host').as('host'), param('tag').as('tag'), param('digest').as('digest')])
            .select(['number', ...FILTERED])
            .where('number', '=', param('run')),
        ),
    ),
    setCheckpoint: prepared<Fence & { readonly plan: Uint8Array }>()((param) =>
      queries
        .insertInto('run_checkpoints')
        .columns(['run', 'plan'])
        .expression((eb) =>
          eb
            .selectFrom('runs')
            .select(['number', param('plan').as('plan')])
            .where('number', '=', param('number'))
            .where('attempt', '=', param('attempt'))
            .where(active),
        )
        .onConflict((conflict) => conflict.column('run').doUpdateSet({ plan: sql<Uint8Array>`excluded.plan` })),
    ),
    dropCheckpoint: prepared<{ run: number }>()((param) => queries.deleteFrom('run_checkpoints').where('run', '=', param('run'))),
  };
}

function quoted(statuses: readonly RunStatus[]): string {
  return statuses.map((status) => `'${status}'`).join(', ');
}
