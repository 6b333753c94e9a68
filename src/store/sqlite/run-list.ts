import { type Compilable, type RawBuilder, sql } from 'kysely';
import type { RunQuery } from '../../model/ports/store.ts';
import type { RunSummary } from '../../model/run-record.ts';
import { imageFilterOf } from '../image-rows.ts';
import { type RunSummaryRow, runSummaryOf } from '../run-rows.ts';
import { storedTime } from '../stored-time.ts';
import type { Database } from './database.ts';

/** Up to so many tasks are walked one by one; with more, one walk over all runs looks each task up. */
const MOST_TASK_WALKS = 16;
/** Sorts behind every text that goes on from a prefix. */
const LAST_CHARACTER = '\u{10FFFF}';

type Condition = RawBuilder<unknown>;

/** One way through an index in descending order of numbers. */
interface Walk {
  readonly from: Condition;
  /** The column that holds the run's number. */
  readonly number: Condition;
  /** Set when it may meet a run several times. */
  readonly repeats?: boolean;
  readonly where: readonly Condition[];
}

type RunListRow = Pick<RunSummaryRow, 'number'>;

/**
 * Newest first. Every list is made of walks through one index each, which hold all that filters compare, and end at the limit; the rows and
 * documents are then read for what is shown only. Which index is fixed here by the filters, not by statistics that a database may lack.
 */
export function listRuns(database: Database, query: RunQuery): readonly RunSummary[] {
  const visible = visibleTasksOf(database, query);
  if (visible?.length === 0 || query.status?.length === 0) return [];
  const page = runPage(query, visible);
  if (page === undefined) return [];
  return database.all(shown(database, page)).map(runSummaryOf);
}

/** The query of a page, undefined when nothing can match. Exported for the test that looks at its plan. */
export function runPage(query: RunQuery, visible: readonly string[] | undefined): RawBuilder<RunListRow> | undefined {
  const walks = walksOf(query, visible);
  if (walks.length === 0) return undefined;
  const shared = [...sharedConditions(query), ...visibleCondition(visible)];
  const limited = walks.map((walk) => {
    const before = query.before === undefined ? [] : [sql`${walk.number} < ${query.before}`];
    const where = [...walk.where, ...shared, ...before];
    const conditions = where.length === 0 ? sql`` : sql`where ${sql.join(where, sql` and `)}`;
    return sql`select * from (select ${walk.repeats === true ? sql`distinct` : sql``} ${walk.number} as number from ${walk.from} ${conditions} order by 1 desc limit ${query.limit})`;
  });
  return sql<RunListRow>`select distinct number from (${sql.join(limited, sql` union all `)}) order by number desc limit ${query.limit}`;
}

function shown(database: Database, page: RawBuilder<RunListRow>): Compilable<RunSummaryRow> {
  return database.queries
    .selectFrom(sql<RunListRow>`(${page})`.as('page'))
    .innerJoin('runs', 'runs.number', 'page.number')
    .innerJoin('run_states', 'run_states.run', 'runs.number')
    .selectAll('runs')
    .select(['run_states.brief', 'run_states.images', 'run_states.error'])
    .orderBy('runs.number', 'desc');
}

/** The names that the asker may see, by asking for each name that runs have; undefined when that leaves none out. */
function visibleTasksOf(database: Database, query: RunQuery): readonly string[] | undefined {
  const { task, visibleTasks } = query;
  if (visibleTasks === undefined) return undefined;
  if (task !== undefined) return visibleTasks(task) ? undefined : [];
  const names = taskNames(database);
  const visible = names.filter(visibleTasks);
  return visible.length === names.length ? undefined : visible;
}

/** Jumps from name to name through the index instead of reading every run. */
function taskNames(database: Database): readonly string[] {
  const query = sql<{ readonly task: string }>`
    with recursive names (task) as (
      select min(task) from runs
      union all
      select (select min(task) from runs where runs.task > names.task) from names where names.task is not null
    ) select task from names where task is not null`;
  return database.all({ compile: () => query.compile(database.queries) }).map(({ task }) => task);
}

/** The narrowest index that the filters allow. */
function walksOf(query: RunQuery, visible: readonly string[] | undefined): readonly Walk[] {
  if (query.image !== undefined) return imageWalks(query.image);
  if (query.commit !== undefined) return [indexed('runs_by_commit', [sql`runs.commit_sha <> ''`])];
  if (query.task !== undefined) return [indexed('runs_by_task', [])];
  if (query.branch !== undefined) return [indexed('runs_by_branch', [])];
  if (query.archived === true) return [indexed('runs_archived', [])];
  if (visible !== undefined && visible.length <= MOST_TASK_WALKS) {
    return visible.map((task) => indexed('runs_by_task', [sql`runs.task = ${task}`]));
  }
  if (query.status !== undefined)
    return [...new Set(query.status)].map((status) => indexed('runs_by_status', [sql`runs.status = ${status}`]));
  return [indexed('runs_by_number', [])];
}

function indexed(index: string, where: readonly Condition[]): Walk {
  return { from: sql`runs indexed by ${sql.ref(index)}`, number: sql`runs.number`, where };
}

/** `run_images` repeats the columns of `runs` that are filtered, under the same names. */
function imageWalks(image: string): readonly Walk[] {
  return imageFilterOf(image).map(({ repository, host, tag, digest }) => ({
    from: sql`run_images as runs`,
    number: sql`runs.run`,
    repeats: true,
    where: [
      sql`runs.repository = ${repository}`,
      ...(host === undefined ? [] : [sql`runs.host = ${host}`]),
      ...(tag === undefined ? [] : [sql`runs.tag = ${tag}`]),
      ...(digest === undefined ? [] : [sql`runs.digest = ${digest}`]),
    ],
  }));
}

/** A value is compared again when the walk has fixed it: that costs nothing. */
function sharedConditions({ task, status, branch, commit, runType, archived, since, until }: RunQuery): readonly Condition[] {
  const prefix = commit?.toLowerCase();
  return [
    ...(task === undefined ? [] : [sql`runs.task = ${task}`]),
    ...(branch === undefined ? [] : [sql`runs.branch = ${branch}`]),
    ...(prefix === undefined ? [] : [sql`runs.commit_sha >= ${prefix} and runs.commit_sha < ${prefix + LAST_CHARACTER}`]),
    ...(status === undefined ? [] : [sql`runs.status in (${sql.join([...new Set(status)])})`]),
    ...(runType === undefined ? [] : [sql`runs.run_type = ${runType}`]),
    // The constant lets the partial index of archived runs be used.
    ...(archived === undefined ? [] : [archived ? sql`runs.archived = 1` : sql`runs.archived = 0`]),
    ...(since === undefined ? [] : [sql`runs.created >= ${storedTime(since)}`]),
    ...(until === undefined ? [] : [sql`runs.created < ${storedTime(until)}`]),
  ];
}

function visibleCondition(visible: readonly string[] | undefined): readonly Condition[] {
  return visible === undefined ? [] : [sql`runs.task in (select value from json_each(${JSON.stringify(visible)}))`];
}
