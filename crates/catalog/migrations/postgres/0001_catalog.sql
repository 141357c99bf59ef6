-- Moments are microseconds since 1970 in UTC; names sort byte by byte; `doc` is JSON of schema 1.

CREATE TABLE assets (
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    path TEXT COLLATE "C" NOT NULL,
    state TEXT NOT NULL,
    until BIGINT,
    owner TEXT,
    visibility TEXT NOT NULL,
    tags TEXT NOT NULL, -- between commas: ',a,b,'
    changed BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (tenant, id)
);
-- Only live assets hold their path.
CREATE UNIQUE INDEX live_paths ON assets (tenant, path) WHERE state = 'live';
CREATE INDEX due_assets ON assets (until) WHERE state = 'deleted';

CREATE TABLE versions (
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    hash TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (tenant, id, version)
);

CREATE TABLE contents (
    tenant TEXT COLLATE "C" NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    bytes BIGINT NOT NULL,
    refs BIGINT NOT NULL CHECK (refs >= 0), -- versions with this content
    since BIGINT NOT NULL, -- when the last reference went
    held BIGINT NOT NULL, -- until when it is held
    condemned BIGINT, -- when its removal began
    PRIMARY KEY (tenant, hash)
);
CREATE INDEX unreferenced_contents ON contents (since) WHERE refs = 0;

CREATE TABLE usages (
    tenant TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    assets BIGINT NOT NULL CHECK (assets >= 0),
    versions BIGINT NOT NULL CHECK (versions >= 0),
    bytes BIGINT NOT NULL CHECK (bytes >= 0)
);

-- One number for all: events of one asset get theirs while its record is locked.
CREATE TABLE outbox (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    doc TEXT NOT NULL
);

CREATE TABLE idempotency_keys (
    tenant TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT NOT NULL,
    expires BIGINT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (tenant, name)
);
CREATE INDEX expiring_keys ON idempotency_keys (expires);

CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    until BIGINT NOT NULL
);
