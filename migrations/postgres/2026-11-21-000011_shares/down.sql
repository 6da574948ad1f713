DROP TABLE reduction_shares;
DROP TABLE subject_shares;
DROP TABLE share_statements;
DROP FUNCTION share_rows_kept();
DROP TRIGGER subject_links_guard ON subject_links;
DROP FUNCTION subject_links_guard();

CREATE TABLE subject_shares (
    subject bytea NOT NULL CHECK (octet_length(subject) = 32),
    account_id uuid NOT NULL,
    from_day integer NOT NULL,
    weight integer NOT NULL CHECK (weight BETWEEN 0 AND 1000000),
    PRIMARY KEY (subject, from_day, account_id)
);

-- The older form knows one link a subject: that which has no end.
DELETE FROM subject_links WHERE out_day IS NOT NULL;
DROP INDEX subject_links_open;
ALTER TABLE subject_links
    DROP CONSTRAINT subject_links_pkey,
    DROP COLUMN seq,
    DROP COLUMN partner_id,
    DROP COLUMN from_day,
    DROP COLUMN out_day,
    DROP COLUMN ended_at,
    DROP COLUMN ended_role,
    DROP COLUMN ended_by,
    ADD PRIMARY KEY (subject);
