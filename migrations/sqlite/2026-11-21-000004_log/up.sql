-- The public log: leaf hashes commit with their batch, are given their place after the commit.

CREATE TABLE log_batches (
    batch_id BLOB NOT NULL PRIMARY KEY,
    -- 32 bytes a leaf, in the order of `pos` of the batch's reductions.
    leaves BLOB NOT NULL,
    leaf_count INTEGER NOT NULL CHECK (leaf_count > 0)
) STRICT;

-- Batches that have no place yet.
CREATE TABLE log_queue (
    batch_id BLOB NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE log_sequence (
    first_index INTEGER NOT NULL PRIMARY KEY CHECK (first_index >= 0),
    batch_id BLOB NOT NULL UNIQUE,
    leaf_count INTEGER NOT NULL CHECK (leaf_count > 0)
) STRICT, WITHOUT ROWID;

-- Node hashes, 256 a tile; a tile that is not full is replaced as it grows. Derived: the truth is
-- `log_batches` in the order of `log_sequence`.
CREATE TABLE log_tiles (
    level INTEGER NOT NULL,
    tile INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    PRIMARY KEY (level, tile)
) STRICT, WITHOUT ROWID;

CREATE TABLE log_checkpoints (
    size INTEGER NOT NULL PRIMARY KEY CHECK (size >= 0),
    root BLOB NOT NULL CHECK (length(root) = 32),
    note TEXT NOT NULL,
    signed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
