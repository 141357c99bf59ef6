-- Users, sessions, keys, grants, locks and the audit log. Read by SQLite and PostgreSQL alike: texts, whole numbers and
-- bytes only; times are milliseconds since 1970, truths are 0 and 1.

CREATE TABLE tenants (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    locked BIGINT NOT NULL,
    created BIGINT NOT NULL
);

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password TEXT NOT NULL,
    locked BIGINT NOT NULL,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL
);

-- tenant '*': roles of the whole installation.
CREATE TABLE members (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    tenant TEXT NOT NULL,
    role TEXT NOT NULL,
    PRIMARY KEY (user_id, tenant, role)
);
CREATE INDEX members_of_tenant ON members (tenant, user_id);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    tenant TEXT NOT NULL,
    network TEXT NOT NULL,
    agent TEXT NOT NULL,
    created BIGINT NOT NULL,
    seen BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    ended BIGINT,
    why TEXT
);
CREATE INDEX sessions_of_user ON sessions (user_id, created);
CREATE INDEX sessions_by_end ON sessions (expires);

-- Refresh tokens by their hash. One session is one family.
CREATE TABLE refreshes (
    hash TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    created BIGINT NOT NULL,
    used BIGINT
);
CREATE INDEX refreshes_of_session ON refreshes (session_id);

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    hash TEXT NOT NULL,
    roles TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT,
    revoked BIGINT,
    used BIGINT
);
CREATE INDEX api_keys_of_tenant ON api_keys (tenant, created);

CREATE TABLE grants (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    subject TEXT NOT NULL,
    actions TEXT NOT NULL,
    below TEXT NOT NULL,
    granted_by TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    revoked BIGINT
);
CREATE INDEX grants_of_subject ON grants (subject, expires);
CREATE INDEX grants_of_tenant ON grants (tenant, created);

-- Keys that sign tokens, sealed with the installation's secret. The newest that has begun signs; all that have not ended verify.
CREATE TABLE signing_keys (
    kid TEXT PRIMARY KEY,
    sealed TEXT NOT NULL,
    created BIGINT NOT NULL,
    begins BIGINT NOT NULL,
    ends BIGINT
);

-- Failures to sign in, by account and network.
CREATE TABLE failures (
    subject TEXT PRIMARY KEY,
    count BIGINT NOT NULL,
    since BIGINT NOT NULL
);

CREATE TABLE audit (
    seq BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    tenant TEXT NOT NULL,
    actor TEXT NOT NULL,
    act TEXT NOT NULL,
    target TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    network TEXT NOT NULL,
    request TEXT NOT NULL,
    hash TEXT NOT NULL
);
CREATE INDEX audit_of_tenant ON audit (tenant, seq);

-- The end of the chain: one row, which is locked while a link is added.
CREATE TABLE audit_head (
    id BIGINT PRIMARY KEY,
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL
);
INSERT INTO audit_head (id, seq, hash) VALUES (0, 0, '');
