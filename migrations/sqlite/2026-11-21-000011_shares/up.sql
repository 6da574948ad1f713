-- Households and vehicles of several people: links that end and are followed by others, who shares
-- a subject from which day on, and what each share of one record came to. Nothing here is edited:
-- a link's end is written once, a later statement of shares stands beside the earlier one.

CREATE TABLE new_subject_links (
    -- SHA-256 over the partner's id and the partner's name for the person.
    subject BLOB NOT NULL CHECK (length(subject) = 32),
    -- A subject's links one after the other.
    seq INTEGER NOT NULL CHECK (seq > 0),
    account_id BLOB NOT NULL REFERENCES accounts (id),
    linked_at INTEGER NOT NULL,
    -- Null for links that were made before this was kept.
    partner_id BLOB,
    -- Records of days from the first to before the second are this account's.
    from_day INTEGER NOT NULL,
    out_day INTEGER,
    ended_at INTEGER,
    -- Who ended it: the role, and the party's id.
    ended_role TEXT CHECK (ended_role IN ('citizen', 'partner', 'bureau')),
    ended_by BLOB,
    PRIMARY KEY (subject, seq),
    CHECK (out_day IS NULL OR out_day >= from_day),
    CHECK ((out_day IS NULL) = (ended_at IS NULL)),
    CHECK ((out_day IS NULL) = (ended_role IS NULL)),
    CHECK ((out_day IS NULL) = (ended_by IS NULL))
) STRICT, WITHOUT ROWID;

-- A link without an end covers every day from its first; -1000000 is before any record.
INSERT INTO new_subject_links (subject, seq, account_id, linked_at, partner_id, from_day)
SELECT l.subject, 1, l.account_id, l.linked_at,
    (SELECT s.partner_id FROM scenes s WHERE s.id = COALESCE(
        (SELECT r.scene_id FROM readings r WHERE r.subject = l.subject LIMIT 1),
        (SELECT b.scene_id FROM held_records h JOIN behaviours b
            ON b.batch_id = h.batch_id AND b.pos = h.pos WHERE h.subject = l.subject LIMIT 1))),
    -1000000
FROM subject_links l;

DROP TABLE subject_links;
ALTER TABLE new_subject_links RENAME TO subject_links;
CREATE INDEX subject_links_account ON subject_links (account_id);
-- At most one link of a subject has no end.
CREATE UNIQUE INDEX subject_links_open ON subject_links (subject) WHERE out_day IS NULL;

CREATE TRIGGER subject_links_end_once BEFORE UPDATE ON subject_links
WHEN OLD.out_day IS NOT NULL
    OR (NEW.subject, NEW.seq, NEW.account_id, NEW.linked_at, NEW.partner_id, NEW.from_day)
    IS NOT (OLD.subject, OLD.seq, OLD.account_id, OLD.linked_at, OLD.partner_id, OLD.from_day)
BEGIN
    SELECT RAISE(ABORT, 'constraint subject_links_end_once: only an end is written, and once');
END;
CREATE TRIGGER subject_links_follow BEFORE INSERT ON subject_links
WHEN EXISTS (SELECT 1 FROM subject_links l WHERE l.subject = NEW.subject AND l.seq < NEW.seq
    AND (l.out_day IS NULL OR l.out_day > NEW.from_day))
BEGIN
    SELECT RAISE(ABORT, 'constraint subject_links_follow: an earlier link covers these days');
END;
CREATE TRIGGER subject_links_kept BEFORE DELETE ON subject_links
BEGIN
    SELECT RAISE(ABORT, 'constraint subject_links_kept: a link is never deleted');
END;

-- No route ever wrote the shares of migration 9.
DROP TABLE subject_shares;

-- Who shares a subject from a day on, as one statement; of those that have begun the last counts.
CREATE TABLE share_statements (
    subject BLOB NOT NULL,
    seq INTEGER NOT NULL CHECK (seq > 0),
    -- The link under which it was made; it says nothing of another account's days.
    link_seq INTEGER NOT NULL,
    from_day INTEGER NOT NULL,
    -- The city's day on which it was stated: it never reaches back.
    stated_day INTEGER NOT NULL,
    stated_at INTEGER NOT NULL,
    stated_by BLOB NOT NULL,
    PRIMARY KEY (subject, seq),
    FOREIGN KEY (subject, link_seq) REFERENCES subject_links (subject, seq),
    CHECK (from_day > stated_day)
) STRICT, WITHOUT ROWID;

CREATE TABLE subject_shares (
    subject BLOB NOT NULL,
    seq INTEGER NOT NULL,
    account_id BLOB NOT NULL REFERENCES accounts (id),
    weight INTEGER NOT NULL CHECK (weight BETWEEN 1 AND 100),
    PRIMARY KEY (subject, seq, account_id),
    FOREIGN KEY (subject, seq) REFERENCES share_statements (subject, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX subject_shares_account ON subject_shares (account_id);

CREATE TRIGGER share_statements_kept BEFORE UPDATE ON share_statements
BEGIN
    SELECT RAISE(ABORT, 'constraint share_rows_kept: a statement of shares is only added');
END;
CREATE TRIGGER share_statements_stay BEFORE DELETE ON share_statements
BEGIN
    SELECT RAISE(ABORT, 'constraint share_rows_kept: a statement of shares is only added');
END;
CREATE TRIGGER subject_shares_kept BEFORE UPDATE ON subject_shares
BEGIN
    SELECT RAISE(ABORT, 'constraint share_rows_kept: a statement of shares is only added');
END;
CREATE TRIGGER subject_shares_stay BEFORE DELETE ON subject_shares
BEGIN
    SELECT RAISE(ABORT, 'constraint share_rows_kept: a statement of shares is only added');
END;

-- A reduction that is one share of what a record came to.
CREATE TABLE reduction_shares (
    batch_id BLOB NOT NULL,
    pos INTEGER NOT NULL,
    subject BLOB NOT NULL CHECK (length(subject) = 32),
    day INTEGER NOT NULL,
    -- The record: a partner's, or the computed one of a period.
    record_batch BLOB NOT NULL,
    record_pos INTEGER NOT NULL,
    -- What all shares of the record come to together.
    whole_mg INTEGER NOT NULL CHECK (whole_mg >= 0),
    weight INTEGER NOT NULL CHECK (weight > 0),
    weights INTEGER NOT NULL,
    PRIMARY KEY (batch_id, pos),
    CHECK (weight <= weights)
) STRICT, WITHOUT ROWID;

CREATE INDEX reduction_shares_record ON reduction_shares (record_batch, record_pos);
CREATE INDEX reduction_shares_subject ON reduction_shares (subject, day);
