-- The public log: leaf hashes commit with their batch, are given their place after the commit.

CREATE TABLE log_batches (
    batch_id uuid NOT NULL PRIMARY KEY,
    -- 32 bytes a leaf, in the order of `pos` of the batch's reductions.
    leaves bytea NOT NULL,
    leaf_count integer NOT NULL CHECK (leaf_count > 0)
);

ALTER TABLE log_batches ALTER COLUMN leaves SET STORAGE EXTERNAL;

-- Batches that have no place yet.
CREATE TABLE log_queue (
    batch_id uuid NOT NULL PRIMARY KEY
);

CREATE TABLE log_sequence (
    first_index bigint NOT NULL PRIMARY KEY CHECK (first_index >= 0),
    batch_id uuid NOT NULL UNIQUE,
    leaf_count integer NOT NULL CHECK (leaf_count > 0)
);

-- Node hashes, 256 a tile; a tile that is not full is replaced as it grows. Derived: the truth is
-- `log_batches` in the order of `log_sequence`.
CREATE TABLE log_tiles (
    level integer NOT NULL,
    tile bigint NOT NULL,
    hashes bytea NOT NULL,
    PRIMARY KEY (level, tile)
);

CREATE TABLE log_checkpoints (
    size bigint NOT NULL PRIMARY KEY CHECK (size >= 0),
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    note text NOT NULL,
    signed_at timestamptz NOT NULL
);
