-- The hot tables. No foreign keys between them (measured: 44 % slower), few indexes, each named
-- after what it is for. `behaviours` and `reductions` are keyed by batch and position, so they
-- grow at their right edge; only `claims`, `entries` and `lots` are touched at random places.

CREATE TABLE batches (
    id BLOB NOT NULL PRIMARY KEY,
    scene_id INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    -- SHA-256 of the bytes as they arrived.
    body_digest BLOB NOT NULL CHECK (length(body_digest) = 32),
    accepted INTEGER NOT NULL CHECK (accepted >= 0),
    replayed INTEGER NOT NULL CHECK (replayed >= 0),
    refused INTEGER NOT NULL CHECK (refused >= 0),
    held INTEGER NOT NULL CHECK (held >= 0),
    reduction_mg INTEGER NOT NULL,
    points INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX batches_scene ON batches (scene_id, id);
CREATE INDEX batches_digest ON batches (body_digest);

-- Every act is counted once, for ever: the key goes in with the effect and never expires.
CREATE TABLE claims (
    key BLOB NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    batch_id BLOB NOT NULL,
    pos INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE behaviours (
    batch_id BLOB NOT NULL,
    pos INTEGER NOT NULL,
    scene_id INTEGER NOT NULL,
    -- Null while the record is held: nobody has linked the subject yet.
    account_id BLOB,
    source_id TEXT NOT NULL,
    from_at INTEGER NOT NULL,
    to_at INTEGER NOT NULL,
    -- Quantities and attributes in canonical JSON; what a stranger recomputes from.
    content TEXT NOT NULL,
    -- SHA-256 of the whole record in canonical JSON; tells a replay from a conflict.
    digest BLOB NOT NULL,
    PRIMARY KEY (batch_id, pos),
    CHECK (from_at <= to_at)
) STRICT, WITHOUT ROWID;

CREATE TABLE reductions (
    batch_id BLOB NOT NULL,
    pos INTEGER NOT NULL,
    account_id BLOB NOT NULL,
    scene_id INTEGER NOT NULL,
    methodology_id INTEGER NOT NULL,
    -- Days since 1970-01-01 in the scene's zone, of the start of the act.
    day INTEGER NOT NULL,
    mg INTEGER NOT NULL,
    points INTEGER NOT NULL,
    exchange_rule_id INTEGER NOT NULL,
    -- The behaviour, where it is not the row of the same key: released from hold, or corrected.
    origin_batch BLOB,
    origin_pos INTEGER,
    PRIMARY KEY (batch_id, pos),
    CHECK (mg >= 0 OR origin_batch IS NOT NULL)
) STRICT, WITHOUT ROWID;

CREATE TABLE refusals (
    batch_id BLOB NOT NULL,
    pos INTEGER NOT NULL,
    source_id TEXT NOT NULL,
    code TEXT NOT NULL,
    param TEXT,
    detail TEXT NOT NULL,
    PRIMARY KEY (batch_id, pos)
) STRICT, WITHOUT ROWID;

CREATE TABLE held_records (
    batch_id BLOB NOT NULL,
    pos INTEGER NOT NULL,
    subject BLOB NOT NULL CHECK (length(subject) = 32),
    reason TEXT NOT NULL,
    PRIMARY KEY (batch_id, pos)
) STRICT, WITHOUT ROWID;

CREATE INDEX held_records_subject ON held_records (subject);

CREATE TABLE held_releases (
    batch_id BLOB NOT NULL,
    pos INTEGER NOT NULL,
    released_batch BLOB NOT NULL,
    released_pos INTEGER NOT NULL,
    PRIMARY KEY (batch_id, pos)
) STRICT, WITHOUT ROWID;

-- Points of one account that expire on one day. A credit is one update; a balance is their sum.
CREATE TABLE lots (
    account_id BLOB NOT NULL,
    -- The day after which the points lapse, in days since 1970-01-01.
    bucket INTEGER NOT NULL,
    available INTEGER NOT NULL CHECK (available >= 0),
    held INTEGER NOT NULL CHECK (held >= 0),
    -- Reductions not yet turned into a whole point; kept on the account's newest lot.
    remainder_mg INTEGER NOT NULL CHECK (remainder_mg >= 0),
    PRIMARY KEY (account_id, bucket)
) STRICT, WITHOUT ROWID;


-- One balanced movement of points; the sides are declared equal here and re-added by the audit.
CREATE TABLE transfers (
    id BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('credit', 'hold', 'write_off', 'release', 'expire', 'reverse')),
    at INTEGER NOT NULL,
    debits INTEGER NOT NULL,
    credits INTEGER NOT NULL,
    CHECK (debits = credits AND debits >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE entries (
    account_id BLOB NOT NULL,
    -- Day of the act, in days since 1970-01-01.
    day INTEGER NOT NULL,
    transfer_id BLOB NOT NULL,
    bucket INTEGER NOT NULL,
    available INTEGER NOT NULL,
    held INTEGER NOT NULL,
    -- For a credit: the reductions behind it, in mg, and where they stand in the batch.
    reduction_mg INTEGER NOT NULL,
    first_pos INTEGER NOT NULL,
    records INTEGER NOT NULL,
    -- For a credit: from the first act's start to the last act's end.
    from_at INTEGER,
    to_at INTEGER,
    PRIMARY KEY (account_id, day, transfer_id, bucket)
) STRICT, WITHOUT ROWID;
