-- Feeds that are pulled: what is declared, where each stands, and every request that was made.

CREATE TABLE pull_feeds (
    scene_id integer NOT NULL PRIMARY KEY REFERENCES scenes (id),
    -- TOML, as `domain::scene::pull` reads it; it names its credential and does not hold it.
    declaration text NOT NULL,
    declared_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('idle', 'running', 'backing_off', 'stopped', 'suspended')),
    -- Everything before it was taken in once.
    watermark timestamptz NOT NULL,
    -- When it is due; while it runs, when its lease ends.
    next_at timestamptz NOT NULL,
    -- The turn that runs.
    lease uuid,
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    last_error text,
    succeeded_at timestamptz,
    CHECK ((state = 'running') = (lease IS NOT NULL))
);

CREATE TABLE pull_runs (
    scene_id integer NOT NULL REFERENCES pull_feeds (scene_id),
    seq bigint NOT NULL CHECK (seq > 0),
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    range_from timestamptz NOT NULL,
    range_to timestamptz NOT NULL,
    page integer NOT NULL,
    -- SHA-256 of the address.
    request bytea NOT NULL CHECK (octet_length(request) = 32),
    -- The answer's; absent where there was none.
    status integer,
    outcome text NOT NULL CHECK (outcome IN ('ingested', 'unchanged', 'empty', 'later', 'failed', 'denied')),
    code text,
    bytes bigint NOT NULL CHECK (bytes >= 0),
    digest bytea CHECK (octet_length(digest) = 32),
    etag text,
    last_modified text,
    accepted bigint NOT NULL,
    replayed bigint NOT NULL,
    refused bigint NOT NULL,
    held bigint NOT NULL,
    reduction_mg bigint NOT NULL,
    points bigint NOT NULL,
    PRIMARY KEY (scene_id, seq)
);

-- What a request is conditional upon.
CREATE INDEX pull_runs_ingested ON pull_runs (scene_id, request, seq) WHERE outcome = 'ingested';
