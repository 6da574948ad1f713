-- A cancellation that came before the record it cancels. It holds that record's claim, so that the
-- record, when it comes, finds it and earns nothing. Rows are only added.
CREATE TABLE awaited_records (
    -- The claim of the record that is not here.
    key BLOB NOT NULL PRIMARY KEY CHECK (length(key) = 32) REFERENCES claims (key),
    scene_id INTEGER NOT NULL,
    subject BLOB NOT NULL CHECK (length(subject) = 32),
    -- The cancellation.
    batch_id BLOB NOT NULL,
    pos INTEGER NOT NULL,
    UNIQUE (batch_id, pos)
) STRICT, WITHOUT ROWID;
