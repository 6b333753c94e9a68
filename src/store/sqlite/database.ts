import type { Database as Connection, Statement as SqliteStatement } from 'better-sqlite3';
import { type Compilable, type Kysely, type RawBuilder, sql } from 'kysely';
import { EngineError } from '../../model/engine-error.ts';
import type { StoreTables } from '../tables.ts';
import { endsTransaction, storeError } from './store-error.ts';

/** Most changes in one transaction: more would hold up the event loop. */
const LARGEST_GROUP = 256;
/** Statements kept for queries whose text varies with the filters. */
const KEPT_STATEMENTS = 200;

type Bindable = string | number | Uint8Array | null;
type Parameters<Names> = { readonly [Name in keyof Names]: Bindable };
/** Stands for a parameter in a query that is compiled once. */
type Parameter<Names> = <Name extends keyof Names & string>(name: Name) => RawBuilder<Names[Name]>;

/** A query compiled and prepared at its first use. */
export interface Statement<Names, Row> {
  get(parameters: Names): Row | undefined;
  all(parameters: Names): readonly Row[];
  /** Rows changed. */
  run(parameters: Names): number;
}

/**
 * One connection: synchronous, so every change runs whole between two turns of the event loop. Changes that are asked for within one turn
 * share one transaction and one sync of the disk (group commit); each still succeeds or fails alone, unless the transaction itself fails.
 */
export interface Database {
  readonly queries: Kysely<StoreTables>;
  /** Runs `work` in the next transaction; resolves with what it returned once that is durable. `work` must not wait. */
  write<Value>(work: () => Value): Promise<Value>;
  /** Sees what is committed. */
  read<Value>(work: () => Value): Promise<Value>;
  /** A query whose text varies; within `write` or `read`. */
  all<Row>(query: Compilable<Row>): readonly Row[];
  /** A query that is compiled once: `prepared<{ name: string }>()((param) => queries.selectFrom('tasks').where('name', '=', param('name')))`. */
  prepared<Names extends Parameters<Names>>(): <Row>(build: (param: Parameter<Names>) => Compilable<Row>) => Statement<Names, Row>;
  /** Changes when another connection has committed. */
  foreignVersion(): number;
  close(): Promise<void>;
}

interface Job {
  readonly work: () => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export function createDatabase(connection: Connection, queries: Kysely<StoreTables>, path: string): Database {
  const kept = new Map<string, SqliteStatement>();
  const version = connection.prepare('PRAGMA data_version').pluck();
  const commitGroup = createGroup(connection);
  let waiting: Job[] = [];
  let closed = false;

  function flush(): void {
    if (waiting.length === 0) return;
    const group = waiting.slice(0, LARGEST_GROUP);
    waiting = waiting.slice(LARGEST_GROUP);
    if (waiting.length > 0) setImmediate(flush);
    commitGroup(group, (error) => storeError(error, path));
  }

  function checkOpen(): void {
    if (closed) throw new EngineError('store-failed', `The database ${path} has been closed.`);
  }

  return {
    queries,
    async write<Value>(work: () => Value): Promise<Value> {
      checkOpen();
      let value: { readonly of: Value } | undefined;
      await new Promise<void>((resolve, reject) => {
        if (waiting.length === 0) setImmediate(flush);
        waiting.push({
          work: () => {
            value = { of: work() };
          },
          resolve,
          reject,
        });
      });
      if (value === undefined) throw new Error('bug: a change was committed without having run');
      return value.of;
    },
    async read(work) {
      checkOpen();
      try {
        return work();
      } catch (error) {
        throw storeError(error, path);
      }
    },
    all<Row>(query: Compilable<Row>): readonly Row[] {
      const { sql: text, parameters } = query.compile();
      const statement = kept.get(text) ?? connection.prepare(text);
      kept.delete(text);
      kept.set(text, statement);
      if (kept.size > KEPT_STATEMENTS) kept.delete(kept.keys().next().value ?? '');
      return statement.all(...parameters) as Row[];
    },
    prepared: () => (build) => preparedStatement(connection, build),
    foreignVersion: () => Number(version.get()),
    async close() {
      if (closed) return;
      closed = true;
      while (waiting.length > 0) flush();
      closeConnection(connection);
    },
  };
}

/** Leaves no log file behind; when that fails (a full disk), the log is kept and read at the next start. */
function closeConnection(connection: Connection): void {
  try {
    connection.pragma('wal_checkpoint(TRUNCATE)');
  } catch {
    // Nothing is lost: the log holds every commit.
  }
  connection.close();
}

/** Runs jobs in one transaction, each behind a savepoint of its own, and tells each how it went after the commit. */
function createGroup(connection: Connection): (group: readonly Job[], explain: (error: unknown) => unknown) => void {
  const begin = connection.prepare('BEGIN IMMEDIATE');
  const commit = connection.prepare('COMMIT');
  const rollback = connection.prepare('ROLLBACK');
  const save = connection.prepare('SAVEPOINT job');
  const undo = connection.prepare('ROLLBACK TO job');
  const release = connection.prepare('RELEASE job');

  /** Some errors have ended the transaction already. */
  function giveUp(): void {
    try {
      if (connection.inTransaction) rollback.run();
    } catch {
      // What led here is told; the next BEGIN fails when the transaction is still open.
    }
  }

  /** The error of a job that failed alone. */
  function runAlone(job: Job): { readonly error: unknown } | undefined {
    save.run();
    try {
      job.work();
      release.run();
      return undefined;
    } catch (error) {
      if (endsTransaction(error) || !connection.inTransaction) throw error;
      undo.run();
      release.run();
      return { error };
    }
  }

  return (group, explain) => {
    try {
      begin.run();
      const failures = group.map(runAlone);
      commit.run();
      for (const [index, job] of group.entries()) {
        const failure = failures[index];
        if (failure === undefined) job.resolve();
        else job.reject(explain(failure.error));
      }
    } catch (error) {
      giveUp();
      for (const job of group) job.reject(explain(error));
    }
  };
}

/** Parameters are bound by name; constants within the query stay as they are. */
function preparedStatement<Names, Row>(connection: Connection, build: (param: Parameter<Names>) => Compilable<Row>): Statement<Names, Row> {
  let ready: { readonly statement: SqliteStatement; readonly constants: readonly unknown[] } | undefined;
  const prepare = (): { readonly statement: SqliteStatement; readonly constants: readonly unknown[] } => {
    const { sql: text, parameters } = build((name) => sql.raw(`@${name}`)).compile();
    ready = { statement: connection.prepare(text), constants: parameters };
    return ready;
  };
  return {
    get(names) {
      const { statement, constants } = ready ?? prepare();
      return statement.get(...constants, names) as Row | undefined;
    },
    all(names) {
      const { statement, constants } = ready ?? prepare();
      return statement.all(...constants, names) as Row[];
    },
    run(names) {
      const { statement, constants } = ready ?? prepare();
      return statement.run(...constants, names).changes;
    },
  };
}
