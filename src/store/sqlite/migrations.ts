import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { laneOf } from '../../model/event-lane.ts';
import { hostOfRepository } from '../../util/repository-url.ts';
import { triggerSchema } from './trigger-schema.ts';

/** In the header of every database of this program: `SLPW`. */
export const APPLICATION_ID = 0x534c5057;

/**
 * Every version of the schema, in order. A migration that was released is never changed: a new one follows it. Names sort in the order
 * of their numbers.
 */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-state': migration(`
    PRAGMA application_id = ${APPLICATION_ID};
    CREATE TABLE tasks (
      name TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, definition TEXT NOT NULL,
      created TEXT NOT NULL, updated TEXT NOT NULL, managed_by TEXT
    ) STRICT;
    CREATE TABLE runs (
      number INTEGER PRIMARY KEY AUTOINCREMENT, task TEXT NOT NULL, status TEXT NOT NULL, run_type TEXT NOT NULL,
      archived INTEGER NOT NULL DEFAULT 0, branch TEXT NOT NULL, commit_sha TEXT NOT NULL, created TEXT NOT NULL,
      updated TEXT NOT NULL, started TEXT, finished TEXT, attempt INTEGER NOT NULL DEFAULT 0, agent TEXT,
      crashes INTEGER NOT NULL DEFAULT 0, cancel TEXT, last_event INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX runs_live ON runs (number) WHERE status IN ('Queued', 'Started', 'Running');
    CREATE TABLE run_counts (status TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TRIGGER run_counted AFTER INSERT ON runs BEGIN ${count('run_counts', 'NEW', '+')}; END;
    CREATE TRIGGER run_uncounted AFTER DELETE ON runs BEGIN ${count('run_counts', 'OLD', '-')}; END;
    CREATE TRIGGER run_recounted AFTER UPDATE OF status ON runs WHEN OLD.status <> NEW.status
      BEGIN ${count('run_counts', 'OLD', '-')}; ${count('run_counts', 'NEW', '+')}; END;
    CREATE TABLE run_requests (
      run INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE, request TEXT NOT NULL, sealed BLOB, creation_key TEXT UNIQUE
    ) STRICT;
    CREATE TABLE run_states (
      run INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE, brief TEXT NOT NULL, steps TEXT NOT NULL, images TEXT NOT NULL,
      source TEXT, error TEXT, made TEXT
    ) STRICT;
    CREATE TABLE run_events (
      run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, seq INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY (run, seq)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE run_images (
      run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, repository TEXT NOT NULL, host TEXT NOT NULL, tag TEXT NOT NULL,
      digest TEXT NOT NULL, task TEXT NOT NULL, branch TEXT NOT NULL, status TEXT NOT NULL, run_type TEXT NOT NULL,
      archived INTEGER NOT NULL, commit_sha TEXT NOT NULL, created TEXT NOT NULL, PRIMARY KEY (repository, run, host, tag, digest)
    ) STRICT, WITHOUT ROWID;
    CREATE TRIGGER run_images_follow AFTER UPDATE OF status, archived, branch, commit_sha ON runs
      BEGIN UPDATE run_images SET status = NEW.status, archived = NEW.archived, branch = NEW.branch, commit_sha = NEW.commit_sha
      WHERE run = NEW.number; END;
    CREATE INDEX run_images_run ON run_images (run);
    CREATE TABLE run_checkpoints (run INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE, plan BLOB NOT NULL) STRICT;
    CREATE TABLE tokens (
      id TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, created TEXT NOT NULL, record TEXT NOT NULL, last_used TEXT, revoked TEXT
    ) STRICT;
    CREATE TABLE secrets (
      name TEXT PRIMARY KEY, sealed BLOB NOT NULL, description TEXT NOT NULL, tasks TEXT NOT NULL, created TEXT NOT NULL,
      updated TEXT NOT NULL, updated_by TEXT NOT NULL
    ) STRICT;
    CREATE TABLE audit (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, action TEXT NOT NULL, principal TEXT NOT NULL, source TEXT NOT NULL,
      target TEXT NOT NULL, outcome TEXT NOT NULL, details TEXT NOT NULL
    ) STRICT;
    CREATE INDEX audit_action ON audit (action);
    CREATE INDEX audit_principal ON audit (principal);
    CREATE INDEX audit_target ON audit (target);
    CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
    CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
    CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq)
      BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
    CREATE TABLE settings (key TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE idempotency (
      principal TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, taken TEXT NOT NULL, status INTEGER, body TEXT, headers TEXT,
      PRIMARY KEY (principal, key)
    ) STRICT;
    CREATE INDEX idempotency_taken ON idempotency (taken);
    CREATE TABLE pings (id INTEGER PRIMARY KEY, at TEXT NOT NULL) STRICT;
  `),
  // Lists of runs walk one index in the order of numbers and find every other filter in it, so that no row is touched that is not shown.
  '0002-run-lists': migration(`
    CREATE INDEX runs_by_number ON runs (number, task, branch, status, run_type, archived, commit_sha, created);
    CREATE INDEX runs_by_task ON runs (task, number, branch, status, run_type, archived, commit_sha, created);
    CREATE INDEX runs_by_branch ON runs (branch, number, task, status, run_type, archived, commit_sha, created);
    CREATE INDEX runs_by_status ON runs (status, number, task, branch, run_type, archived, commit_sha, created);
    CREATE INDEX runs_by_commit ON runs (commit_sha, number, task, branch, status, run_type, archived, created) WHERE commit_sha <> '';
    CREATE INDEX runs_archived ON runs (number, task, branch, status, run_type, commit_sha, created) WHERE archived = 1;
    CREATE INDEX runs_expiring ON runs (finished) WHERE archived = 0 AND finished IS NOT NULL;
  `),
  '0003-triggers': migration(triggerSchema(count)),
  // Few events fail, of however many: who asks for them reads no other.
  '0004-failed-events': migration(`
    CREATE INDEX trigger_events_failed ON trigger_events (number, origin, kind, received) WHERE status = 'failed';
  `),
  // What waits is found without a look at what waits before it: by its lane, by its kind, by the time of its next attempt, by its host.
  '0005-lanes': migration(
    `
    ALTER TABLE trigger_events ADD COLUMN lane TEXT;
    CREATE INDEX trigger_events_lane ON trigger_events (lane, number) WHERE status = 'pending';
    CREATE INDEX trigger_events_near ON trigger_events (kind, number)
      WHERE status = 'pending' AND kind IN ('timer', 'manual', 'run-ended');
    CREATE INDEX trigger_events_retry ON trigger_events (retry, lane, kind, number) WHERE status = 'pending' AND retry IS NOT NULL;
    CREATE INDEX trigger_events_replays ON trigger_events (number) WHERE replay_of IS NOT NULL;
    ALTER TABLE commit_statuses ADD COLUMN host TEXT;
    DROP INDEX commit_statuses_due;
    CREATE INDEX commit_statuses_due ON commit_statuses (next_attempt, leased, host) WHERE delivered < version AND given_up < version;
  `,
    fillLanes,
  ),
};

/** Of what an older version has left to be done. */
async function fillLanes(db: Kysely<unknown>): Promise<void> {
  const events = await sql<{
    number: number;
    happening: string;
  }>`SELECT number, happening FROM trigger_events WHERE status = 'pending'`.execute(db);
  for (const { number, happening } of events.rows) {
    const lane = laneOf({ happening: JSON.parse(happening) });
    await sql`UPDATE trigger_events SET lane = ${lane} WHERE number = ${number}`.execute(db);
  }
  const statuses = await sql<{ key: string; url: string }>`
    SELECT key, json_extract(status, '$.repositoryUrl') AS url FROM commit_statuses WHERE delivered < version AND given_up < version`.execute(
    db,
  );
  for (const { key, url } of statuses.rows) {
    await sql`UPDATE commit_statuses SET host = ${hostOfRepository(url)} WHERE key = ${key}`.execute(db);
  }
}

/** Keeps a table of counts by status: counting 100,000 rows at each look at the metrics would cost more. */
function count(table: string, row: 'NEW' | 'OLD', sign: '+' | '-'): string {
  return `INSERT INTO ${table} VALUES (${row}.status, ${sign}1) ON CONFLICT DO UPDATE SET count = count ${sign} 1`;
}

function migration(script: string, fill?: (db: Kysely<unknown>) => Promise<void>): Migration {
  return {
    up: async (db: Kysely<unknown>): Promise<void> => {
      for (const statement of statementsOf(script)) await sql.raw(statement).execute(db);
      await fill?.(db);
    },
  };
}

/** A statement ends with a semicolon at the end of a line; the body of a trigger has one within a line. */
function statementsOf(script: string): readonly string[] {
  return script
    .split(/;\s*\n/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}
