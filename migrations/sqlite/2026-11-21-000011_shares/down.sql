DROP TABLE reduction_shares;
DROP TABLE subject_shares;
DROP TABLE share_statements;

CREATE TABLE subject_shares (
    subject BLOB NOT NULL CHECK (length(subject) = 32),
    account_id BLOB NOT NULL,
    from_day INTEGER NOT NULL,
    weight INTEGER NOT NULL CHECK (weight BETWEEN 0 AND 1000000),
    PRIMARY KEY (subject, from_day, account_id)
) STRICT, WITHOUT ROWID;

-- The older form knows one link a subject: that which has no end.
CREATE TABLE old_subject_links (
    subject BLOB NOT NULL PRIMARY KEY CHECK (length(subject) = 32),
    account_id BLOB NOT NULL REFERENCES accounts (id),
    linked_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO old_subject_links SELECT subject, account_id, linked_at FROM subject_links
WHERE out_day IS NULL;
DROP TABLE subject_links;
ALTER TABLE old_subject_links RENAME TO subject_links;
CREATE INDEX subject_links_account ON subject_links (account_id);
