-- A database as version 0002 of the schema left it, with rows of every table: written by that version, dumped by sqlite3.
PRAGMA application_id=1397510231;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE IF NOT EXISTS "schema_migrations" ("name" varchar(255) not null primary key, "timestamp" varchar(255) not null);
INSERT INTO schema_migrations VALUES('0001-state','2025-01-01T00:00:00.000Z');
INSERT INTO schema_migrations VALUES('0002-run-lists','2025-01-01T00:00:00.000Z');
CREATE TABLE IF NOT EXISTS "schema_migrations_lock" ("id" varchar(255) not null primary key, "is_locked" integer default 0 not null);
INSERT INTO schema_migrations_lock VALUES('migration_lock',0);
CREATE TABLE tasks (
      name TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, definition TEXT NOT NULL,
      created TEXT NOT NULL, updated TEXT NOT NULL, managed_by TEXT
    ) STRICT;
INSERT INTO tasks VALUES('app','f2008ec4-413d-476e-b04c-46c8060e0306',1,'{"name":"app","status":"Enabled","platform":{"os":"linux","architecture":"amd64"},"agentConfiguration":{"cpu":2},"timeout":3600,"agentPoolName":"default","priority":0,"step":{"type":"FileTask","taskFilePath":"acb.yaml","values":[]},"credentials":[],"policy":{"privileged":false,"hostMounts":false,"dockerSocket":false}}','2030-01-02T03:04:05.000Z','2030-01-02T03:04:05.000Z','tasks.d/app.yaml');
CREATE TABLE runs (
      number INTEGER PRIMARY KEY AUTOINCREMENT, task TEXT NOT NULL, status TEXT NOT NULL, run_type TEXT NOT NULL,
      archived INTEGER NOT NULL DEFAULT 0, branch TEXT NOT NULL, commit_sha TEXT NOT NULL, created TEXT NOT NULL,
      updated TEXT NOT NULL, started TEXT, finished TEXT, attempt INTEGER NOT NULL DEFAULT 0, agent TEXT,
      crashes INTEGER NOT NULL DEFAULT 0, cancel TEXT, last_event INTEGER NOT NULL DEFAULT 0
    ) STRICT;
INSERT INTO runs VALUES(1,'app','Succeeded','QuickRun',0,'main','abcdef12','2030-01-02T03:04:05.000Z','2030-01-02T03:04:06.000Z','2030-01-02T03:04:05.000Z','2030-01-02T03:04:06.000Z',1,'one',0,NULL,2);
INSERT INTO runs VALUES(2,'app','Started','QuickRun',0,'','','2030-01-02T03:04:06.000Z','2030-01-02T03:04:06.000Z','2030-01-02T03:04:06.000Z',NULL,1,'one',0,NULL,0);
INSERT INTO runs VALUES(3,'','Queued','QuickRun',0,'','','2030-01-02T03:04:06.000Z','2030-01-02T03:04:06.000Z',NULL,NULL,0,NULL,0,NULL,0);
CREATE TABLE run_counts (status TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO run_counts VALUES('Queued',1);
INSERT INTO run_counts VALUES('Running',0);
INSERT INTO run_counts VALUES('Started',1);
INSERT INTO run_counts VALUES('Succeeded',1);
CREATE TABLE run_requests (
      run INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE, request TEXT NOT NULL, sealed BLOB, creation_key TEXT UNIQUE
    ) STRICT;
INSERT INTO run_requests VALUES(1,'{"runType":"QuickRun","step":{"type":"FileTask","taskFilePath":"acb.yaml","contextPath":"https://git.example/app.git","values":[]},"platform":{"os":"linux","architecture":"amd64"},"cpu":2,"timeout":3600,"registry":"registry.example","credentials":[],"policy":{"privileged":false,"hostMounts":false,"dockerSocket":false},"trust":"trusted","agentPoolName":"default","priority":0,"variables":{},"extended":false,"noPush":false,"keepGoing":false,"env":[],"causes":[{"kind":"manual","principal":"token ci","from":"192.0.2.1"}],"task":"app"}',X'7365616c6564','ann 1');
INSERT INTO run_requests VALUES(2,'{"runType":"QuickRun","step":{"type":"FileTask","taskFilePath":"acb.yaml","contextPath":"https://git.example/app.git","values":[]},"platform":{"os":"linux","architecture":"amd64"},"cpu":2,"timeout":3600,"registry":"registry.example","credentials":[],"policy":{"privileged":false,"hostMounts":false,"dockerSocket":false},"trust":"trusted","agentPoolName":"default","priority":0,"variables":{},"extended":false,"noPush":false,"keepGoing":false,"env":[],"causes":[{"kind":"manual","principal":"token ci","from":"192.0.2.1"}],"task":"app"}',NULL,NULL);
INSERT INTO run_requests VALUES(3,'{"runType":"QuickRun","step":{"type":"FileTask","taskFilePath":"acb.yaml","contextPath":"https://git.example/app.git","values":[]},"platform":{"os":"linux","architecture":"amd64"},"cpu":2,"timeout":3600,"registry":"registry.example","credentials":[],"policy":{"privileged":false,"hostMounts":false,"dockerSocket":false},"trust":"trusted","agentPoolName":"default","priority":0,"variables":{},"extended":false,"noPush":false,"keepGoing":false,"env":[],"causes":[{"kind":"manual","principal":"token ci","from":"192.0.2.1"}]}',NULL,NULL);
CREATE TABLE run_states (
      run INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE, brief TEXT NOT NULL, steps TEXT NOT NULL, images TEXT NOT NULL,
      source TEXT, error TEXT, made TEXT
    ) STRICT;
INSERT INTO run_states VALUES(1,'{"platform":{"os":"linux","architecture":"amd64"},"agentPoolName":"default","trust":"trusted","causes":[{"kind":"manual","principal":"token ci","from":"192.0.2.1"}],"priority":0}','[{"id":"build","kind":"cmd","needs":[],"status":"succeeded","attempts":1}]','[{"step":"push","reference":"registry.example/app:1","digest":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]','{"branch":"main","commit":"abcdef12"}',NULL,'{"built":[],"baseImages":[],"dependencies":[]}');
INSERT INTO run_states VALUES(2,'{"platform":{"os":"linux","architecture":"amd64"},"agentPoolName":"default","trust":"trusted","causes":[{"kind":"manual","principal":"token ci","from":"192.0.2.1"}],"priority":0}','[]','[]',NULL,NULL,NULL);
INSERT INTO run_states VALUES(3,'{"platform":{"os":"linux","architecture":"amd64"},"agentPoolName":"default","trust":"trusted","causes":[{"kind":"manual","principal":"token ci","from":"192.0.2.1"}],"priority":0}','[]','[]',NULL,NULL,NULL);
CREATE TABLE run_events (
      run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, seq INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY (run, seq)
    ) STRICT, WITHOUT ROWID;
INSERT INTO run_events VALUES(1,1,'{"version":1,"seq":1,"at":"2030-01-02T03:04:05.000Z","run":"ra001","type":"note","level":"info","message":"note 1"}');
INSERT INTO run_events VALUES(1,2,'{"version":1,"seq":2,"at":"2030-01-02T03:04:05.000Z","run":"ra001","type":"note","level":"info","message":"note 2"}');
CREATE TABLE run_images (
      run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, repository TEXT NOT NULL, host TEXT NOT NULL, tag TEXT NOT NULL,
      digest TEXT NOT NULL, task TEXT NOT NULL, branch TEXT NOT NULL, status TEXT NOT NULL, run_type TEXT NOT NULL,
      archived INTEGER NOT NULL, commit_sha TEXT NOT NULL, created TEXT NOT NULL, PRIMARY KEY (repository, run, host, tag, digest)
    ) STRICT, WITHOUT ROWID;
INSERT INTO run_images VALUES(1,'app','registry.example','1','sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','app','main','Succeeded','QuickRun',0,'abcdef12','2030-01-02T03:04:05.000Z');
CREATE TABLE run_checkpoints (run INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE, plan BLOB NOT NULL) STRICT;
INSERT INTO run_checkpoints VALUES(2,X'706c616e');
CREATE TABLE tokens (
      id TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, created TEXT NOT NULL, record TEXT NOT NULL, last_used TEXT, revoked TEXT
    ) STRICT;
INSERT INTO tokens VALUES('a',X'6161616161616161616161616161616161616161616161616161616161616161','2030-01-02T03:04:05.000Z','{"id":"a","name":"ci","role":"runner","createdAt":"2030-01-02T03:04:05.000Z","createdBy":"ann"}',NULL,NULL);
CREATE TABLE secrets (
      name TEXT PRIMARY KEY, sealed BLOB NOT NULL, description TEXT NOT NULL, tasks TEXT NOT NULL, created TEXT NOT NULL,
      updated TEXT NOT NULL, updated_by TEXT NOT NULL
    ) STRICT;
INSERT INTO secrets VALUES('key',X'7365616c6564','','[]','2030-01-02T03:04:05.000Z','2030-01-02T03:04:05.000Z','ann');
CREATE TABLE audit (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, action TEXT NOT NULL, principal TEXT NOT NULL, source TEXT NOT NULL,
      target TEXT NOT NULL, outcome TEXT NOT NULL, details TEXT NOT NULL
    ) STRICT;
INSERT INTO audit VALUES(1,'2030-01-02T03:04:06.000Z','task.create','ann','unix','app','done','{}');
CREATE TABLE settings (key TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO settings VALUES('queue','{"paused":true}');
CREATE TABLE idempotency (
      principal TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, taken TEXT NOT NULL, status INTEGER, body TEXT, headers TEXT,
      PRIMARY KEY (principal, key)
    ) STRICT;
INSERT INTO idempotency VALUES('ann','1','f','2030-01-02T03:04:06.000Z',NULL,NULL,NULL);
CREATE TABLE pings (id INTEGER PRIMARY KEY, at TEXT NOT NULL) STRICT;
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('runs',3);
INSERT INTO sqlite_sequence VALUES('audit',1);
CREATE INDEX runs_live ON runs (number) WHERE status IN ('Queued', 'Started', 'Running');
CREATE TRIGGER run_counted AFTER INSERT ON runs BEGIN INSERT INTO run_counts VALUES (NEW.status, +1) ON CONFLICT DO UPDATE SET count = count + 1; END;
CREATE TRIGGER run_uncounted AFTER DELETE ON runs BEGIN INSERT INTO run_counts VALUES (OLD.status, -1) ON CONFLICT DO UPDATE SET count = count - 1; END;
CREATE TRIGGER run_recounted AFTER UPDATE OF status ON runs WHEN OLD.status <> NEW.status
      BEGIN INSERT INTO run_counts VALUES (OLD.status, -1) ON CONFLICT DO UPDATE SET count = count - 1; INSERT INTO run_counts VALUES (NEW.status, +1) ON CONFLICT DO UPDATE SET count = count + 1; END;
CREATE TRIGGER run_images_follow AFTER UPDATE OF status, archived, branch, commit_sha ON runs
      BEGIN UPDATE run_images SET status = NEW.status, archived = NEW.archived, branch = NEW.branch, commit_sha = NEW.commit_sha
      WHERE run = NEW.number; END;
CREATE INDEX run_images_run ON run_images (run);
CREATE INDEX audit_action ON audit (action);
CREATE INDEX audit_principal ON audit (principal);
CREATE INDEX audit_target ON audit (target);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq)
      BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE INDEX idempotency_taken ON idempotency (taken);
CREATE INDEX runs_by_number ON runs (number, task, branch, status, run_type, archived, commit_sha, created);
CREATE INDEX runs_by_task ON runs (task, number, branch, status, run_type, archived, commit_sha, created);
CREATE INDEX runs_by_branch ON runs (branch, number, task, status, run_type, archived, commit_sha, created);
CREATE INDEX runs_by_status ON runs (status, number, task, branch, run_type, archived, commit_sha, created);
CREATE INDEX runs_by_commit ON runs (commit_sha, number, task, branch, status, run_type, archived, created) WHERE commit_sha <> '';
CREATE INDEX runs_archived ON runs (number, task, branch, status, run_type, commit_sha, created) WHERE archived = 1;
CREATE INDEX runs_expiring ON runs (finished) WHERE archived = 0 AND finished IS NOT NULL;
COMMIT;
