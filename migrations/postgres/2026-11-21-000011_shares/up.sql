-- Households and vehicles of several people: links that end and are followed by others, who shares
-- a subject from which day on, and what each share of one record came to. Nothing here is edited:
-- a link's end is written once, a later statement of shares stands beside the earlier one.

ALTER TABLE subject_links
    -- A subject's links one after the other.
    ADD COLUMN seq integer NOT NULL DEFAULT 1 CHECK (seq > 0),
    -- Null for links that were made before this was kept.
    ADD COLUMN partner_id uuid,
    -- Records of days from the first to before the second are this account's. A link without an
    -- end covers every day from its first; -1000000 is before any record.
    ADD COLUMN from_day integer NOT NULL DEFAULT -1000000,
    ADD COLUMN out_day integer,
    ADD COLUMN ended_at timestamptz,
    -- Who ended it: the role, and the party's id.
    ADD COLUMN ended_role text CHECK (ended_role IN ('citizen', 'partner', 'bureau')),
    ADD COLUMN ended_by uuid,
    ADD CHECK (out_day IS NULL OR out_day >= from_day),
    ADD CHECK ((out_day IS NULL) = (ended_at IS NULL)),
    ADD CHECK ((out_day IS NULL) = (ended_role IS NULL)),
    ADD CHECK ((out_day IS NULL) = (ended_by IS NULL)),
    DROP CONSTRAINT subject_links_pkey,
    ADD PRIMARY KEY (subject, seq);
ALTER TABLE subject_links
    ALTER COLUMN seq DROP DEFAULT,
    ALTER COLUMN from_day DROP DEFAULT;

UPDATE subject_links l SET partner_id = (SELECT s.partner_id FROM scenes s WHERE s.id = COALESCE(
    (SELECT r.scene_id FROM readings r WHERE r.subject = l.subject LIMIT 1),
    (SELECT b.scene_id FROM held_records h JOIN behaviours b
        ON b.batch_id = h.batch_id AND b.pos = h.pos WHERE h.subject = l.subject LIMIT 1)));

-- At most one link of a subject has no end.
CREATE UNIQUE INDEX subject_links_open ON subject_links (subject) WHERE out_day IS NULL;

CREATE FUNCTION subject_links_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'constraint subject_links_kept: a link is never deleted';
    END IF;
    IF TG_OP = 'UPDATE' AND (OLD.out_day IS NOT NULL
        OR (NEW.subject, NEW.seq, NEW.account_id, NEW.linked_at, NEW.partner_id, NEW.from_day)
        IS DISTINCT FROM
        (OLD.subject, OLD.seq, OLD.account_id, OLD.linked_at, OLD.partner_id, OLD.from_day)) THEN
        RAISE EXCEPTION 'constraint subject_links_end_once: only an end is written, and once';
    END IF;
    IF TG_OP = 'INSERT' AND EXISTS (SELECT 1 FROM subject_links l WHERE l.subject = NEW.subject
        AND l.seq < NEW.seq AND (l.out_day IS NULL OR l.out_day > NEW.from_day)) THEN
        RAISE EXCEPTION 'constraint subject_links_follow: an earlier link covers these days';
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER subject_links_guard BEFORE INSERT OR UPDATE OR DELETE ON subject_links
    FOR EACH ROW EXECUTE FUNCTION subject_links_guard();

-- No route ever wrote the shares of migration 9.
DROP TABLE subject_shares;

-- Who shares a subject from a day on, as one statement; of those that have begun the last counts.
CREATE TABLE share_statements (
    subject bytea NOT NULL,
    seq integer NOT NULL CHECK (seq > 0),
    -- The link under which it was made; it says nothing of another account's days.
    link_seq integer NOT NULL,
    from_day integer NOT NULL,
    -- The city's day on which it was stated: it never reaches back.
    stated_day integer NOT NULL,
    stated_at timestamptz NOT NULL,
    stated_by uuid NOT NULL,
    PRIMARY KEY (subject, seq),
    FOREIGN KEY (subject, link_seq) REFERENCES subject_links (subject, seq),
    CHECK (from_day > stated_day)
);

CREATE TABLE subject_shares (
    subject bytea NOT NULL,
    seq integer NOT NULL,
    account_id uuid NOT NULL REFERENCES accounts (id),
    weight integer NOT NULL CHECK (weight BETWEEN 1 AND 100),
    PRIMARY KEY (subject, seq, account_id),
    FOREIGN KEY (subject, seq) REFERENCES share_statements (subject, seq)
);

CREATE INDEX subject_shares_account ON subject_shares (account_id);

CREATE FUNCTION share_rows_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'constraint share_rows_kept: a statement of shares is only added';
END $$;
CREATE TRIGGER share_statements_kept BEFORE UPDATE OR DELETE ON share_statements
    FOR EACH ROW EXECUTE FUNCTION share_rows_kept();
CREATE TRIGGER subject_shares_kept BEFORE UPDATE OR DELETE ON subject_shares
    FOR EACH ROW EXECUTE FUNCTION share_rows_kept();

-- A reduction that is one share of what a record came to.
CREATE TABLE reduction_shares (
    batch_id uuid NOT NULL,
    pos integer NOT NULL,
    subject bytea NOT NULL CHECK (octet_length(subject) = 32),
    day integer NOT NULL,
    -- The record: a partner's, or the computed one of a period.
    record_batch uuid NOT NULL,
    record_pos integer NOT NULL,
    -- What all shares of the record come to together.
    whole_mg bigint NOT NULL CHECK (whole_mg >= 0),
    weight integer NOT NULL CHECK (weight > 0),
    weights integer NOT NULL,
    PRIMARY KEY (batch_id, pos),
    CHECK (weight <= weights)
);

CREATE INDEX reduction_shares_record ON reduction_shares (record_batch, record_pos);
CREATE INDEX reduction_shares_subject ON reduction_shares (subject, day);
