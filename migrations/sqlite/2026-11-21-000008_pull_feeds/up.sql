-- Feeds that are pulled: what is declared, where each stands, and every request that was made.

CREATE TABLE pull_feeds (
    scene_id INTEGER NOT NULL PRIMARY KEY REFERENCES scenes (id),
    -- TOML, as `domain::scene::pull` reads it; it names its credential and does not hold it.
    declaration TEXT NOT NULL,
    declared_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('idle', 'running', 'backing_off', 'stopped', 'suspended')),
    -- Everything before it was taken in once.
    watermark INTEGER NOT NULL,
    -- When it is due; while it runs, when its lease ends.
    next_at INTEGER NOT NULL,
    -- The turn that runs.
    lease BLOB CHECK (length(lease) = 16),
    failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
    last_error TEXT,
    succeeded_at INTEGER,
    CHECK ((state = 'running') = (lease IS NOT NULL))
) STRICT;

CREATE TABLE pull_runs (
    scene_id INTEGER NOT NULL REFERENCES pull_feeds (scene_id),
    seq INTEGER NOT NULL CHECK (seq > 0),
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    range_from INTEGER NOT NULL,
    range_to INTEGER NOT NULL,
    page INTEGER NOT NULL,
    -- SHA-256 of the address.
    request BLOB NOT NULL CHECK (length(request) = 32),
    -- The answer's; absent where there was none.
    status INTEGER,
    outcome TEXT NOT NULL CHECK (outcome IN ('ingested', 'unchanged', 'empty', 'later', 'failed', 'denied')),
    code TEXT,
    bytes INTEGER NOT NULL CHECK (bytes >= 0),
    digest BLOB CHECK (length(digest) = 32),
    etag TEXT,
    last_modified TEXT,
    accepted INTEGER NOT NULL,
    replayed INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    held INTEGER NOT NULL,
    reduction_mg INTEGER NOT NULL,
    points INTEGER NOT NULL,
    PRIMARY KEY (scene_id, seq)
) STRICT, WITHOUT ROWID;

-- What a request is conditional upon.
CREATE INDEX pull_runs_ingested ON pull_runs (scene_id, request, seq) WHERE outcome = 'ingested';
