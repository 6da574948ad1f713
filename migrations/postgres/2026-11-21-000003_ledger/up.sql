-- The hot tables. No foreign keys between them (measured: 44 % slower), few indexes, each named
-- after what it is for. `behaviours` and `reductions` are keyed by batch and position, so they
-- grow at their right edge; only `claims`, `entries` and `lots` are touched at random places.

CREATE TABLE batches (
    id uuid NOT NULL PRIMARY KEY,
    scene_id integer NOT NULL,
    received_at timestamptz NOT NULL,
    -- SHA-256 of the bytes as they arrived.
    body_digest bytea NOT NULL CHECK (octet_length(body_digest) = 32),
    accepted integer NOT NULL CHECK (accepted >= 0),
    replayed integer NOT NULL CHECK (replayed >= 0),
    refused integer NOT NULL CHECK (refused >= 0),
    held integer NOT NULL CHECK (held >= 0),
    reduction_mg bigint NOT NULL,
    points bigint NOT NULL
);

CREATE INDEX batches_scene ON batches (scene_id, id);
CREATE INDEX batches_digest ON batches (body_digest);

-- Every act is counted once, for ever: the key goes in with the effect and never expires.
CREATE TABLE claims (
    key bytea NOT NULL PRIMARY KEY CHECK (octet_length(key) = 32),
    batch_id uuid NOT NULL,
    pos integer NOT NULL
);

CREATE TABLE behaviours (
    batch_id uuid NOT NULL,
    pos integer NOT NULL,
    scene_id integer NOT NULL,
    -- Null while the record is held: nobody has linked the subject yet.
    account_id uuid,
    source_id text NOT NULL,
    from_at timestamptz NOT NULL,
    to_at timestamptz NOT NULL,
    -- Quantities and attributes in canonical JSON; what a stranger recomputes from.
    content text NOT NULL,
    -- SHA-256 of the whole record in canonical JSON; tells a replay from a conflict.
    digest bytea NOT NULL,
    PRIMARY KEY (batch_id, pos),
    CHECK (from_at <= to_at)
);

CREATE TABLE reductions (
    batch_id uuid NOT NULL,
    pos integer NOT NULL,
    account_id uuid NOT NULL,
    scene_id integer NOT NULL,
    methodology_id integer NOT NULL,
    -- Days since 1970-01-01 in the scene's zone, of the start of the act.
    day integer NOT NULL,
    mg bigint NOT NULL,
    points bigint NOT NULL,
    exchange_rule_id integer NOT NULL,
    -- The behaviour, where it is not the row of the same key: released from hold, or corrected.
    origin_batch uuid,
    origin_pos integer,
    PRIMARY KEY (batch_id, pos),
    CHECK (mg >= 0 OR origin_batch IS NOT NULL)
);

CREATE TABLE refusals (
    batch_id uuid NOT NULL,
    pos integer NOT NULL,
    source_id text NOT NULL,
    code text NOT NULL,
    param text,
    detail text NOT NULL,
    PRIMARY KEY (batch_id, pos)
);

CREATE TABLE held_records (
    batch_id uuid NOT NULL,
    pos integer NOT NULL,
    subject bytea NOT NULL CHECK (octet_length(subject) = 32),
    reason text NOT NULL,
    PRIMARY KEY (batch_id, pos)
);

CREATE INDEX held_records_subject ON held_records (subject);

CREATE TABLE held_releases (
    batch_id uuid NOT NULL,
    pos integer NOT NULL,
    released_batch uuid NOT NULL,
    released_pos integer NOT NULL,
    PRIMARY KEY (batch_id, pos)
);

-- Points of one account that expire on one day. A credit is one update; a balance is their sum.
CREATE TABLE lots (
    account_id uuid NOT NULL,
    -- The day after which the points lapse, in days since 1970-01-01.
    bucket integer NOT NULL,
    available bigint NOT NULL CHECK (available >= 0),
    held bigint NOT NULL CHECK (held >= 0),
    -- Reductions not yet turned into a whole point; kept on the account's newest lot.
    remainder_mg bigint NOT NULL CHECK (remainder_mg >= 0),
    PRIMARY KEY (account_id, bucket)
);

ALTER TABLE lots SET (fillfactor = 70);

-- One balanced movement of points; the sides are declared equal here and re-added by the audit.
CREATE TABLE transfers (
    id uuid NOT NULL PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('credit', 'hold', 'write_off', 'release', 'expire', 'reverse')),
    at timestamptz NOT NULL,
    debits bigint NOT NULL,
    credits bigint NOT NULL,
    CHECK (debits = credits AND debits >= 0)
);

CREATE TABLE entries (
    account_id uuid NOT NULL,
    -- Day of the act, in days since 1970-01-01.
    day integer NOT NULL,
    transfer_id uuid NOT NULL,
    bucket integer NOT NULL,
    available bigint NOT NULL,
    held bigint NOT NULL,
    -- For a credit: the reductions behind it, in mg, and where they stand in the batch.
    reduction_mg bigint NOT NULL,
    first_pos integer NOT NULL,
    records integer NOT NULL,
    -- For a credit: from the first act's start to the last act's end.
    from_at timestamptz,
    to_at timestamptz,
    PRIMARY KEY (account_id, day, transfer_id, bucket)
);
