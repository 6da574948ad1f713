-- Governance: every officer's act, in a hash chain; work that waits for the network; answers kept
-- for clients that retry.

CREATE TABLE audit_events (
    seq bigint NOT NULL PRIMARY KEY CHECK (seq > 0),
    at timestamptz NOT NULL,
    actor_role text NOT NULL,
    actor_id uuid NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    -- The reason the officer gave, or the rule that the system applied.
    basis text NOT NULL,
    before_hash bytea,
    after_hash bytea,
    previous bytea NOT NULL CHECK (octet_length(previous) = 32),
    hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32)
);

CREATE TABLE outbox (
    id uuid NOT NULL PRIMARY KEY,
    topic text NOT NULL,
    payload text NOT NULL,
    created_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL,
    done_at timestamptz,
    last_error text
);

CREATE INDEX outbox_waiting ON outbox (next_at) WHERE done_at IS NULL;

CREATE TABLE idempotency_keys (
    caller text NOT NULL,
    key text NOT NULL,
    request_digest bytea NOT NULL CHECK (octet_length(request_digest) = 32),
    status integer NOT NULL,
    answer text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (caller, key)
);
