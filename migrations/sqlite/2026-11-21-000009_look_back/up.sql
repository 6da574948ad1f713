-- Periods that look back, and corrections: what was recorded for a period, what the period came to
-- each time it was computed, and the counter-entries that move the difference. Rows are only
-- added; `readings` and `period_queue` are indexes of work and say nothing that behaviours do not.

-- Where a subject's records of one scene stand, by the first day they cover. A record that other
-- periods read as of a day (the number of members) stands here a second time, as a statement.
CREATE TABLE readings (
    scene_id INTEGER NOT NULL,
    subject BLOB NOT NULL CHECK (length(subject) = 32),
    statement INTEGER NOT NULL CHECK (statement IN (0, 1)),
    -- Days since 1970-01-01 in the document's zone: the first, and the first that is out.
    day INTEGER NOT NULL,
    out_day INTEGER NOT NULL,
    batch_id BLOB NOT NULL,
    pos INTEGER NOT NULL,
    PRIMARY KEY (scene_id, subject, statement, day, batch_id, pos),
    CHECK (day < out_day)
) STRICT, WITHOUT ROWID;

-- Periods to be computed once they are due: that of `day`, and every one that was computed before
-- and begins by `until_day`.
CREATE TABLE period_queue (
    scene_id INTEGER NOT NULL,
    subject BLOB NOT NULL CHECK (length(subject) = 32),
    day INTEGER NOT NULL,
    until_day INTEGER NOT NULL,
    due_day INTEGER NOT NULL,
    PRIMARY KEY (scene_id, subject, day)
) STRICT, WITHOUT ROWID;

CREATE INDEX period_queue_due ON period_queue (scene_id, due_day, subject);

-- What one period of one subject came to, each time it was computed.
CREATE TABLE period_results (
    scene_id INTEGER NOT NULL,
    subject BLOB NOT NULL CHECK (length(subject) = 32),
    day INTEGER NOT NULL,
    seq INTEGER NOT NULL CHECK (seq > 0),
    out_day INTEGER NOT NULL,
    methodology_id INTEGER NOT NULL,
    -- The computed record among the behaviours; null where the period was refused.
    batch_id BLOB,
    pos INTEGER,
    mg INTEGER NOT NULL,
    refusal TEXT,
    -- SHA-256 of the computed record: tells a change from a repetition.
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    at INTEGER NOT NULL,
    PRIMARY KEY (scene_id, subject, day, seq),
    CHECK ((batch_id IS NULL) = (pos IS NULL)),
    CHECK (refusal IS NULL OR mg = 0)
) STRICT, WITHOUT ROWID;

-- The reductions of one result: one, or one for each who has a share.
CREATE TABLE period_credits (
    scene_id INTEGER NOT NULL,
    subject BLOB NOT NULL,
    day INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    batch_id BLOB NOT NULL,
    pos INTEGER NOT NULL,
    PRIMARY KEY (scene_id, subject, day, seq, batch_id, pos)
) STRICT, WITHOUT ROWID;

-- What a year's end said of a subject; the latest row counts.
CREATE TABLE year_verdicts (
    scene_id INTEGER NOT NULL,
    subject BLOB NOT NULL CHECK (length(subject) = 32),
    year INTEGER NOT NULL,
    seq INTEGER NOT NULL CHECK (seq > 0),
    excluded INTEGER NOT NULL CHECK (excluded IN (0, 1)),
    reason TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (scene_id, subject, year, seq)
) STRICT, WITHOUT ROWID;

-- Years whose end is still to be judged, or judged again.
CREATE TABLE year_queue (
    scene_id INTEGER NOT NULL,
    subject BLOB NOT NULL CHECK (length(subject) = 32),
    year INTEGER NOT NULL,
    PRIMARY KEY (scene_id, subject, year)
) STRICT, WITHOUT ROWID;

-- A record replaced or cancelled by a later one; each at most once, so revisions form a chain.
CREATE TABLE revisions (
    revised_batch BLOB NOT NULL,
    revised_pos INTEGER NOT NULL,
    batch_id BLOB NOT NULL,
    pos INTEGER NOT NULL,
    cancels INTEGER NOT NULL CHECK (cancels IN (0, 1)),
    PRIMARY KEY (revised_batch, revised_pos),
    UNIQUE (batch_id, pos)
) STRICT, WITHOUT ROWID;

-- A counter-entry, the reduction it takes back, and the one that stands in its place.
CREATE TABLE corrections (
    batch_id BLOB NOT NULL,
    pos INTEGER NOT NULL,
    reversed_batch BLOB NOT NULL,
    reversed_pos INTEGER NOT NULL,
    replaced_batch BLOB,
    replaced_pos INTEGER,
    -- Points that should have gone back and were spent already.
    owed INTEGER NOT NULL CHECK (owed >= 0),
    reason TEXT NOT NULL,
    PRIMARY KEY (batch_id, pos),
    UNIQUE (reversed_batch, reversed_pos),
    CHECK ((replaced_batch IS NULL) = (replaced_pos IS NULL))
) STRICT, WITHOUT ROWID;

-- Grams that a daily cap kept from becoming points; a counter-entry does not take them back.
CREATE TABLE cap_cuts (
    batch_id BLOB NOT NULL,
    pos INTEGER NOT NULL,
    mg INTEGER NOT NULL CHECK (mg > 0),
    PRIMARY KEY (batch_id, pos)
) STRICT, WITHOUT ROWID;

-- Points that accounts owe after corrections, and what was taken from later credits.
CREATE TABLE points_owed (
    account_id BLOB NOT NULL PRIMARY KEY,
    points INTEGER NOT NULL CHECK (points >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE point_recoveries (
    transfer_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    points INTEGER NOT NULL CHECK (points > 0),
    PRIMARY KEY (transfer_id, account_id)
) STRICT, WITHOUT ROWID;

-- Who has which share in what a household or a vehicle earns, from a day on; a share of nothing
-- ends it.
CREATE TABLE subject_shares (
    subject BLOB NOT NULL CHECK (length(subject) = 32),
    account_id BLOB NOT NULL,
    from_day INTEGER NOT NULL,
    weight INTEGER NOT NULL CHECK (weight BETWEEN 0 AND 1000000),
    PRIMARY KEY (subject, from_day, account_id)
) STRICT, WITHOUT ROWID;
