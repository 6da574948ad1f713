-- Periods that look back, and corrections: what was recorded for a period, what the period came to
-- each time it was computed, and the counter-entries that move the difference. Rows are only
-- added; `readings` and `period_queue` are indexes of work and say nothing that behaviours do not.

-- Where a subject's records of one scene stand, by the first day they cover. A record that other
-- periods read as of a day (the number of members) stands here a second time, as a statement.
CREATE TABLE readings (
    scene_id integer NOT NULL,
    subject bytea NOT NULL CHECK (octet_length(subject) = 32),
    statement integer NOT NULL CHECK (statement IN (0, 1)),
    -- Days since 1970-01-01 in the document's zone: the first, and the first that is out.
    day integer NOT NULL,
    out_day integer NOT NULL,
    batch_id uuid NOT NULL,
    pos integer NOT NULL,
    PRIMARY KEY (scene_id, subject, statement, day, batch_id, pos),
    CHECK (day < out_day)
);

-- Periods to be computed once they are due: that of `day`, and every one that was computed before
-- and begins by `until_day`.
CREATE TABLE period_queue (
    scene_id integer NOT NULL,
    subject bytea NOT NULL CHECK (octet_length(subject) = 32),
    day integer NOT NULL,
    until_day integer NOT NULL,
    due_day integer NOT NULL,
    PRIMARY KEY (scene_id, subject, day)
);

CREATE INDEX period_queue_due ON period_queue (scene_id, due_day, subject);

-- What one period of one subject came to, each time it was computed.
CREATE TABLE period_results (
    scene_id integer NOT NULL,
    subject bytea NOT NULL CHECK (octet_length(subject) = 32),
    day integer NOT NULL,
    seq integer NOT NULL CHECK (seq > 0),
    out_day integer NOT NULL,
    methodology_id integer NOT NULL,
    -- The computed record among the behaviours; null where the period was refused.
    batch_id uuid,
    pos integer,
    mg bigint NOT NULL,
    refusal text,
    -- SHA-256 of the computed record: tells a change from a repetition.
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    at timestamptz NOT NULL,
    PRIMARY KEY (scene_id, subject, day, seq),
    CHECK ((batch_id IS NULL) = (pos IS NULL)),
    CHECK (refusal IS NULL OR mg = 0)
);

-- The reductions of one result: one, or one for each who has a share.
CREATE TABLE period_credits (
    scene_id integer NOT NULL,
    subject bytea NOT NULL,
    day integer NOT NULL,
    seq integer NOT NULL,
    batch_id uuid NOT NULL,
    pos integer NOT NULL,
    PRIMARY KEY (scene_id, subject, day, seq, batch_id, pos)
);

-- What a year's end said of a subject; the latest row counts.
CREATE TABLE year_verdicts (
    scene_id integer NOT NULL,
    subject bytea NOT NULL CHECK (octet_length(subject) = 32),
    year integer NOT NULL,
    seq integer NOT NULL CHECK (seq > 0),
    excluded integer NOT NULL CHECK (excluded IN (0, 1)),
    reason text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (scene_id, subject, year, seq)
);

-- Years whose end is still to be judged, or judged again.
CREATE TABLE year_queue (
    scene_id integer NOT NULL,
    subject bytea NOT NULL CHECK (octet_length(subject) = 32),
    year integer NOT NULL,
    PRIMARY KEY (scene_id, subject, year)
);

-- A record replaced or cancelled by a later one; each at most once, so revisions form a chain.
CREATE TABLE revisions (
    revised_batch uuid NOT NULL,
    revised_pos integer NOT NULL,
    batch_id uuid NOT NULL,
    pos integer NOT NULL,
    cancels integer NOT NULL CHECK (cancels IN (0, 1)),
    PRIMARY KEY (revised_batch, revised_pos),
    UNIQUE (batch_id, pos)
);

-- A counter-entry, the reduction it takes back, and the one that stands in its place.
CREATE TABLE corrections (
    batch_id uuid NOT NULL,
    pos integer NOT NULL,
    reversed_batch uuid NOT NULL,
    reversed_pos integer NOT NULL,
    replaced_batch uuid,
    replaced_pos integer,
    -- Points that should have gone back and were spent already.
    owed bigint NOT NULL CHECK (owed >= 0),
    reason text NOT NULL,
    PRIMARY KEY (batch_id, pos),
    UNIQUE (reversed_batch, reversed_pos),
    CHECK ((replaced_batch IS NULL) = (replaced_pos IS NULL))
);

-- Grams that a daily cap kept from becoming points; a counter-entry does not take them back.
CREATE TABLE cap_cuts (
    batch_id uuid NOT NULL,
    pos integer NOT NULL,
    mg bigint NOT NULL CHECK (mg > 0),
    PRIMARY KEY (batch_id, pos)
);

-- Points that accounts owe after corrections, and what was taken from later credits.
CREATE TABLE points_owed (
    account_id uuid NOT NULL PRIMARY KEY,
    points bigint NOT NULL CHECK (points >= 0)
);

CREATE TABLE point_recoveries (
    transfer_id uuid NOT NULL,
    account_id uuid NOT NULL,
    points bigint NOT NULL CHECK (points > 0),
    PRIMARY KEY (transfer_id, account_id)
);

-- Who has which share in what a household or a vehicle earns, from a day on; a share of nothing
-- ends it.
CREATE TABLE subject_shares (
    subject bytea NOT NULL CHECK (octet_length(subject) = 32),
    account_id uuid NOT NULL,
    from_day integer NOT NULL,
    weight integer NOT NULL CHECK (weight BETWEEN 0 AND 1000000),
    PRIMARY KEY (subject, from_day, account_id)
);
