-- Times are milliseconds since 1970. state: 0 live (due or held: see due and holder), 1 dead, 2 done, 3 cancelled.
CREATE TABLE jobs (
    seq        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id         TEXT    NOT NULL UNIQUE,
    kind       TEXT    NOT NULL,
    tenant     TEXT,
    priority   BIGINT NOT NULL,
    payload    TEXT    NOT NULL,
    trace      TEXT,
    once       TEXT,
    state      BIGINT NOT NULL DEFAULT 0,
    attempts   BIGINT NOT NULL DEFAULT 0,
    created    BIGINT NOT NULL,
    not_before BIGINT NOT NULL,
    due        BIGINT NOT NULL,
    holder     TEXT,
    stopping   BIGINT NOT NULL DEFAULT 0,
    ended      BIGINT,
    reason     TEXT,
    progress   TEXT
);
CREATE INDEX jobs_due ON jobs (state, kind, priority, due, seq);
CREATE UNIQUE INDEX jobs_once ON jobs (once) WHERE once IS NOT NULL AND state = 0;
CREATE INDEX jobs_ended ON jobs (ended) WHERE state >= 2;
CREATE INDEX jobs_stopping ON jobs (due) WHERE stopping = 1 AND state = 0;
CREATE TABLE jobs_schedule (name TEXT PRIMARY KEY, due BIGINT NOT NULL);
