/**
 * Tables of triggers, as `0003-triggers` made them: never changed again. Documents are JSON; times are ISO 8601 texts in UTC.
 * Indexes hold what lists filter and what is due, so that neither reads a document that it does not show.
 */
export function triggerSchema(count: (table: string, row: 'NEW' | 'OLD', sign: '+' | '-') => string): string {
  return `
    CREATE TABLE trigger_events (
      number INTEGER PRIMARY KEY AUTOINCREMENT, dedup_key TEXT NOT NULL UNIQUE, origin TEXT NOT NULL, kind TEXT NOT NULL,
      happening TEXT NOT NULL, received TEXT NOT NULL, status TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, retry TEXT, error TEXT,
      settled TEXT, replay_of TEXT
    ) STRICT;
    CREATE INDEX trigger_events_by_number ON trigger_events (number, origin, kind, status, received);
    CREATE INDEX trigger_events_pending ON trigger_events (number, retry) WHERE status = 'pending';
    CREATE INDEX trigger_events_expiring ON trigger_events (received) WHERE status <> 'pending';
    CREATE TABLE trigger_event_counts (status TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TRIGGER trigger_event_counted AFTER INSERT ON trigger_events BEGIN ${count('trigger_event_counts', 'NEW', '+')}; END;
    CREATE TRIGGER trigger_event_uncounted AFTER DELETE ON trigger_events BEGIN ${count('trigger_event_counts', 'OLD', '-')}; END;
    CREATE TRIGGER trigger_event_recounted AFTER UPDATE OF status ON trigger_events WHEN OLD.status <> NEW.status
      BEGIN ${count('trigger_event_counts', 'OLD', '-')}; ${count('trigger_event_counts', 'NEW', '+')}; END;
    CREATE TABLE trigger_decisions (
      number INTEGER PRIMARY KEY AUTOINCREMENT, event INTEGER NOT NULL REFERENCES trigger_events ON DELETE CASCADE, at TEXT NOT NULL,
      task TEXT, trigger_name TEXT, outcome TEXT NOT NULL, code TEXT NOT NULL, because TEXT NOT NULL, run TEXT
    ) STRICT;
    CREATE INDEX trigger_decisions_event ON trigger_decisions (event);
    CREATE INDEX trigger_decisions_task ON trigger_decisions (task) WHERE task IS NOT NULL;
    CREATE INDEX trigger_decisions_task_event ON trigger_decisions (task, event) WHERE task IS NOT NULL;
    CREATE INDEX trigger_decisions_run ON trigger_decisions (run) WHERE run IS NOT NULL;
    CREATE TABLE firings (
      task_id TEXT NOT NULL, trigger_name TEXT NOT NULL, key TEXT NOT NULL, run INTEGER NOT NULL, event TEXT NOT NULL, at TEXT NOT NULL,
      PRIMARY KEY (task_id, trigger_name, key)
    ) STRICT, WITHOUT ROWID;
    ALTER TABLE runs ADD COLUMN hold TEXT;
    ALTER TABLE runs ADD COLUMN approval TEXT;
    CREATE INDEX runs_held ON runs (number) WHERE hold IS NOT NULL;
    CREATE INDEX run_images_digest ON run_images (digest, repository, host, tag);
    CREATE TABLE hooks (
      id TEXT PRIMARY KEY, source TEXT NOT NULL, secret BLOB NOT NULL, previous_secret BLOB, previous_until TEXT, created TEXT NOT NULL,
      created_by TEXT NOT NULL, delivered TEXT, result TEXT, remote_id TEXT
    ) STRICT;
    CREATE TABLE watched_repositories (
      key TEXT PRIMARY KEY, url TEXT NOT NULL, checked TEXT, next_check TEXT NOT NULL, leased TEXT, hurried INTEGER NOT NULL DEFAULT 0,
      default_branch TEXT, failures INTEGER NOT NULL DEFAULT 0, error TEXT
    ) STRICT;
    CREATE INDEX watched_repositories_due ON watched_repositories (next_check, leased);
    CREATE TABLE watched_refs (
      repository TEXT NOT NULL REFERENCES watched_repositories ON DELETE CASCADE, ref TEXT NOT NULL, id TEXT, ids TEXT NOT NULL,
      changed TEXT NOT NULL, PRIMARY KEY (repository, ref)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX watched_refs_gone ON watched_refs (repository, changed) WHERE id IS NULL;
    CREATE TABLE image_dependencies (
      task_id TEXT NOT NULL, task TEXT NOT NULL, step TEXT NOT NULL, platform TEXT NOT NULL, written TEXT NOT NULL, state TEXT NOT NULL,
      registry TEXT NOT NULL, repository TEXT NOT NULL, tag TEXT NOT NULL, role TEXT NOT NULL, index_digest TEXT NOT NULL,
      platform_digest TEXT NOT NULL, resolved TEXT NOT NULL, run TEXT, PRIMARY KEY (task_id, step, written, platform, state)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX image_dependencies_image ON image_dependencies (repository, registry, tag);
    CREATE TABLE image_outputs (
      task_id TEXT NOT NULL, task TEXT NOT NULL, registry TEXT NOT NULL, repository TEXT NOT NULL, tag TEXT NOT NULL, state TEXT NOT NULL,
      run TEXT, PRIMARY KEY (task_id, registry, repository, tag, state)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX image_outputs_image ON image_outputs (repository, registry, tag);
    CREATE TABLE image_analyses (task_id TEXT PRIMARY KEY, version INTEGER NOT NULL, at TEXT NOT NULL, error TEXT) STRICT, WITHOUT ROWID;
    CREATE TABLE image_targets (
      key TEXT PRIMARY KEY, registry TEXT NOT NULL, repository TEXT NOT NULL, tag TEXT NOT NULL, credential TEXT NOT NULL,
      pattern TEXT NOT NULL, least REAL NOT NULL, most REAL NOT NULL, platforms TEXT NOT NULL, index_digest TEXT NOT NULL,
      digests TEXT NOT NULL, newest_tag TEXT NOT NULL, checked TEXT, next_check TEXT NOT NULL, leased TEXT, status TEXT NOT NULL,
      error TEXT, failures INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX image_targets_due ON image_targets (next_check, leased);
    CREATE INDEX image_targets_image ON image_targets (repository, registry, tag);
    CREATE TABLE timers (
      task_id TEXT NOT NULL, task TEXT NOT NULL, name TEXT NOT NULL, schedule TEXT NOT NULL, next TEXT, due TEXT, last TEXT,
      PRIMARY KEY (task_id, name)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX timers_due ON timers (due) WHERE due IS NOT NULL;
    CREATE TABLE commit_statuses (
      key TEXT PRIMARY KEY, run TEXT NOT NULL, state TEXT NOT NULL, status TEXT NOT NULL, version INTEGER NOT NULL,
      delivered INTEGER NOT NULL DEFAULT 0, given_up INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,
      next_attempt TEXT NOT NULL, leased TEXT, error TEXT, changed TEXT NOT NULL
    ) STRICT;
    CREATE INDEX commit_statuses_due ON commit_statuses (next_attempt, leased) WHERE delivered < version AND given_up < version;
    CREATE INDEX commit_statuses_run ON commit_statuses (run);
    CREATE INDEX commit_statuses_old ON commit_statuses (changed) WHERE delivered >= version OR given_up >= version;
  `;
}
