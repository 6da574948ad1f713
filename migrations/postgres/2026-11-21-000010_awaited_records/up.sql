-- A cancellation that came before the record it cancels. It holds that record's claim, so that the
-- record, when it comes, finds it and earns nothing. Rows are only added.
CREATE TABLE awaited_records (
    -- The claim of the record that is not here.
    key bytea NOT NULL PRIMARY KEY CHECK (octet_length(key) = 32) REFERENCES claims (key),
    scene_id integer NOT NULL,
    subject bytea NOT NULL CHECK (octet_length(subject) = 32),
    -- The cancellation.
    batch_id uuid NOT NULL,
    pos integer NOT NULL,
    UNIQUE (batch_id, pos)
);
