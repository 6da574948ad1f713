-- Governance: every officer's act, in a hash chain; work that waits for the network; answers kept
-- for clients that retry.

CREATE TABLE audit_events (
    seq INTEGER NOT NULL PRIMARY KEY CHECK (seq > 0),
    at INTEGER NOT NULL,
    actor_role TEXT NOT NULL,
    actor_id BLOB NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    -- The reason the officer gave, or the rule that the system applied.
    basis TEXT NOT NULL,
    before_hash BLOB,
    after_hash BLOB,
    previous BLOB NOT NULL CHECK (length(previous) = 32),
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    id BLOB NOT NULL PRIMARY KEY,
    topic TEXT NOT NULL,
    payload TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL,
    done_at INTEGER,
    last_error TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX outbox_waiting ON outbox (next_at) WHERE done_at IS NULL;

CREATE TABLE idempotency_keys (
    caller TEXT NOT NULL,
    key TEXT NOT NULL,
    request_digest BLOB NOT NULL CHECK (length(request_digest) = 32),
    status INTEGER NOT NULL,
    answer TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (caller, key)
) STRICT, WITHOUT ROWID;
