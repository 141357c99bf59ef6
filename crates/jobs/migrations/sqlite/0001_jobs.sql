-- Times are milliseconds since 1970. state: 0 live (due or held: see due and holder), 1 dead, 2 done, 3 cancelled.
CREATE TABLE jobs (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT    NOT NULL UNIQUE,
    kind       TEXT    NOT NULL,
    tenant     TEXT,
    priority   INTEGER NOT NULL,
    payload    TEXT    NOT NULL,
    trace      TEXT,
    once       TEXT,
    state      INTEGER NOT NULL DEFAULT 0,
    attempts   INTEGER NOT NULL DEFAULT 0,
    created    INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    due        INTEGER NOT NULL,
    holder     TEXT,
    stopping   INTEGER NOT NULL DEFAULT 0,
    ended      INTEGER,
    reason     TEXT,
    progress   TEXT
) STRICT;
CREATE INDEX jobs_due ON jobs (state, kind, priority, due, seq);
CREATE UNIQUE INDEX jobs_once ON jobs (once) WHERE once IS NOT NULL AND state = 0;
CREATE INDEX jobs_ended ON jobs (ended) WHERE state >= 2;
CREATE INDEX jobs_stopping ON jobs (due) WHERE stopping = 1 AND state = 0;
CREATE TABLE jobs_schedule (name TEXT PRIMARY KEY, due INTEGER NOT NULL) STRICT;
