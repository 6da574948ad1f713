-- From reduction to tonne to title: monitoring periods, verification, the registry of serial
-- ranges, and the bridge to the exchange. A reduction is in at most one period, a serial in
-- exactly one live block: both are constraints.

-- Accounts of the registry. An organisation's name is public, a person's is masked where shown.
CREATE TABLE holders (
    id BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('project', 'enterprise', 'person', 'reserve')),
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    -- What the exchange calls this holder in its trade report.
    exchange_member TEXT UNIQUE,
    opened_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE monitoring_periods (
    id BLOB NOT NULL PRIMARY KEY,
    scene_id INTEGER NOT NULL,
    no INTEGER NOT NULL CHECK (no > 0),
    -- Days since 1970-01-01 in the scene's zone, both included.
    from_day INTEGER NOT NULL CHECK (from_day >= 0),
    to_day INTEGER NOT NULL,
    -- To whom the units will be issued.
    holder_id BLOB NOT NULL REFERENCES holders (id),
    state TEXT NOT NULL CHECK (state IN ('open', 'closed', 'findings', 'verified', 'issued', 'carried')),
    version INTEGER NOT NULL,
    carried_in_mg INTEGER,
    sum_mg INTEGER,
    members INTEGER,
    whole_t INTEGER CHECK (whole_t >= 0),
    -- RFC 9162 tree hash over the members' leaf hashes in the order of (batch_id, pos).
    root BLOB CHECK (length(root) = 32),
    accepted_t INTEGER,
    carried_out_mg INTEGER,
    opened_by BLOB NOT NULL,
    opened_at INTEGER NOT NULL,
    closed_by BLOB,
    closed_at INTEGER,
    verified_by BLOB,
    verified_at INTEGER,
    issued_by BLOB,
    issued_at INTEGER,
    UNIQUE (scene_id, no),
    CHECK (from_day <= to_day),
    CHECK ((state = 'open') = (closed_by IS NULL)),
    CHECK ((closed_by IS NULL) = (sum_mg IS NULL) AND (closed_by IS NULL) = (carried_in_mg IS NULL)),
    CHECK ((closed_by IS NULL) = (members IS NULL) AND (closed_by IS NULL) = (whole_t IS NULL)),
    CHECK ((closed_by IS NULL) = (root IS NULL) AND (closed_by IS NULL) = (carried_out_mg IS NULL)),
    CHECK ((state IN ('verified', 'issued', 'carried')) = (accepted_t IS NOT NULL)),
    CHECK ((accepted_t IS NULL) = (verified_by IS NULL)),
    CHECK ((state = 'issued') = (issued_by IS NOT NULL)),
    CHECK (accepted_t IS NULL OR accepted_t BETWEEN 0 AND whole_t),
    CHECK (state <> 'carried' OR accepted_t = 0),
    CHECK (state NOT IN ('verified', 'issued') OR accepted_t > 0),
    -- Nothing is lost between periods.
    CHECK (carried_out_mg IS NULL OR carried_in_mg + sum_mg = COALESCE(accepted_t, whole_t) * 1000000000 + carried_out_mg),
    -- Nobody checks what they submitted.
    CHECK (verified_by IS NULL OR verified_by <> closed_by),
    CHECK (issued_by IS NULL OR issued_by <> verified_by)
) STRICT, WITHOUT ROWID;

-- The right edge of the hot tables decides: each reduction is in at most one period, for ever.
CREATE TABLE period_members (
    batch_id BLOB NOT NULL,
    pos INTEGER NOT NULL,
    period_id BLOB NOT NULL,
    PRIMARY KEY (batch_id, pos)
) STRICT, WITHOUT ROWID;

-- Re-adding one period without reading the others.
CREATE INDEX period_members_period ON period_members (period_id, batch_id, pos);

-- Which versions the members were computed with, and how much each gave.
CREATE TABLE period_methodologies (
    period_id BLOB NOT NULL REFERENCES monitoring_periods (id),
    methodology_id INTEGER NOT NULL,
    members INTEGER NOT NULL,
    sum_mg INTEGER NOT NULL,
    PRIMARY KEY (period_id, methodology_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE period_findings (
    period_id BLOB NOT NULL REFERENCES monitoring_periods (id),
    round INTEGER NOT NULL CHECK (round BETWEEN 1 AND 3),
    finding TEXT NOT NULL,
    raised_by BLOB NOT NULL,
    raised_at INTEGER NOT NULL,
    answer TEXT,
    answered_by BLOB,
    answered_at INTEGER,
    PRIMARY KEY (period_id, round),
    CHECK ((answer IS NULL) = (answered_by IS NULL)),
    CHECK (answered_by IS NULL OR answered_by <> raised_by)
) STRICT, WITHOUT ROWID;

CREATE TABLE verification_statements (
    period_id BLOB NOT NULL PRIMARY KEY REFERENCES monitoring_periods (id),
    verifier_id BLOB NOT NULL,
    -- What the verifier's own re-adding of the members gave.
    recounted_mg INTEGER NOT NULL,
    accepted_t INTEGER NOT NULL CHECK (accepted_t >= 0),
    statement TEXT NOT NULL,
    statement_hash BLOB NOT NULL CHECK (length(statement_hash) = 32),
    stated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Numbers that are given out once: serials, certificates. A number given back by a rollback was
-- never seen.
CREATE TABLE registry_counters (
    name TEXT NOT NULL PRIMARY KEY,
    last INTEGER NOT NULL CHECK (last >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE cer_issuances (
    id BLOB NOT NULL PRIMARY KEY,
    period_id BLOB NOT NULL UNIQUE REFERENCES monitoring_periods (id),
    -- The serial up to its numbers: registry, methodology, scene, vintage from and to, batch.
    series TEXT NOT NULL UNIQUE,
    first_serial INTEGER NOT NULL UNIQUE CHECK (first_serial > 0),
    last_serial INTEGER NOT NULL,
    root BLOB NOT NULL CHECK (length(root) = 32),
    leaf_count INTEGER NOT NULL CHECK (leaf_count >= 0),
    holder_id BLOB NOT NULL REFERENCES holders (id),
    issued_by BLOB NOT NULL,
    issued_at INTEGER NOT NULL,
    CHECK (first_serial <= last_serial)
) STRICT, WITHOUT ROWID;

-- A range of serials in one account and one state. A split leaves its parent behind as `split` and
-- puts children in its place; ranges are never edited.
CREATE TABLE cer_blocks (
    id BLOB NOT NULL PRIMARY KEY,
    issuance_id BLOB NOT NULL REFERENCES cer_issuances (id),
    first_serial INTEGER NOT NULL CHECK (first_serial > 0),
    last_serial INTEGER NOT NULL,
    holder_id BLOB NOT NULL REFERENCES holders (id),
    state TEXT NOT NULL CHECK (state IN ('held', 'listed', 'retired', 'cancelled', 'split')),
    listing_id BLOB,
    parent_id BLOB REFERENCES cer_blocks (id),
    version INTEGER NOT NULL CHECK (version > 0),
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    CHECK (first_serial <= last_serial),
    CHECK ((state = 'listed') = (listing_id IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX cer_blocks_live ON cer_blocks (first_serial) WHERE state <> 'split';
CREATE INDEX cer_blocks_holder ON cer_blocks (holder_id, first_serial) WHERE state <> 'split';
CREATE UNIQUE INDEX cer_blocks_listing ON cer_blocks (listing_id) WHERE state = 'listed';
CREATE INDEX cer_blocks_parent ON cer_blocks (parent_id);

-- Everything that ever happened to a range, in order; rows are only added.
CREATE TABLE registry_acts (
    id BLOB NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('issue', 'split', 'transfer', 'list', 'unlist', 'sell', 'retire', 'cancel')),
    issuance_id BLOB NOT NULL REFERENCES cer_issuances (id),
    block_id BLOB NOT NULL REFERENCES cer_blocks (id),
    first_serial INTEGER NOT NULL,
    last_serial INTEGER NOT NULL,
    from_holder BLOB,
    to_holder BLOB,
    -- One title move a trade, one trade a title move.
    trade_id TEXT UNIQUE,
    actor_role TEXT NOT NULL,
    actor_id BLOB NOT NULL,
    basis TEXT NOT NULL,
    CHECK ((kind = 'sell') = (trade_id IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX registry_acts_issuance ON registry_acts (issuance_id, id);

-- Used for a claim; final.
CREATE TABLE retirements (
    id BLOB NOT NULL PRIMARY KEY,
    block_id BLOB NOT NULL UNIQUE REFERENCES cer_blocks (id),
    certificate_no TEXT NOT NULL UNIQUE,
    holder_id BLOB NOT NULL REFERENCES holders (id),
    purpose TEXT NOT NULL CHECK (purpose IN ('compliance', 'event', 'organisation', 'personal', 'charity', 'compensation')),
    beneficiary TEXT NOT NULL,
    claim TEXT NOT NULL,
    first_serial INTEGER NOT NULL,
    last_serial INTEGER NOT NULL,
    retired_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Taken out of the books without a claim; final.
CREATE TABLE cancellations (
    id BLOB NOT NULL PRIMARY KEY,
    block_id BLOB NOT NULL UNIQUE REFERENCES cer_blocks (id),
    reason TEXT NOT NULL CHECK (reason IN ('error', 'fraud', 'make_up')),
    basis TEXT NOT NULL,
    first_serial INTEGER NOT NULL,
    last_serial INTEGER NOT NULL,
    cancelled_by BLOB NOT NULL,
    cancelled_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE listings (
    -- Also the idempotency key under which the exchange knows the order.
    id BLOB NOT NULL PRIMARY KEY,
    seller_id BLOB NOT NULL REFERENCES holders (id),
    issuance_id BLOB NOT NULL REFERENCES cer_issuances (id),
    quantity_t INTEGER NOT NULL CHECK (quantity_t > 0),
    -- Fen per tonne.
    price_fen INTEGER NOT NULL CHECK (price_fen > 0),
    filled_t INTEGER NOT NULL CHECK (filled_t >= 0),
    returned_t INTEGER NOT NULL CHECK (returned_t >= 0),
    proceeds_fen INTEGER NOT NULL CHECK (proceeds_fen >= 0),
    state TEXT NOT NULL CHECK (state IN ('pending', 'open', 'closing', 'refused', 'filled', 'closed', 'incident')),
    version INTEGER NOT NULL CHECK (version > 0),
    order_id TEXT UNIQUE,
    refusal TEXT,
    listed_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    CHECK (filled_t + returned_t <= quantity_t),
    CHECK (state NOT IN ('filled', 'closed', 'refused') OR filled_t + returned_t = quantity_t),
    CHECK (state NOT IN ('pending', 'open') OR filled_t + returned_t < quantity_t),
    CHECK (state NOT IN ('open', 'filled') OR order_id IS NOT NULL)
) STRICT, WITHOUT ROWID;

CREATE INDEX listings_seller ON listings (seller_id, id);

-- The exchange's trade report, each line once.
CREATE TABLE trades (
    id TEXT NOT NULL PRIMARY KEY,
    -- The place in the exchange's report; the highest one is where reading goes on.
    report_seq INTEGER NOT NULL UNIQUE,
    order_id TEXT NOT NULL,
    -- Null when the report names a listing that is not ours.
    listing_id BLOB REFERENCES listings (id),
    buyer_member TEXT NOT NULL,
    buyer_id BLOB REFERENCES holders (id),
    quantity_t INTEGER NOT NULL,
    price_fen INTEGER NOT NULL,
    amount_fen INTEGER NOT NULL,
    traded_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('settled', 'incident')),
    -- Why nothing moved.
    incident TEXT,
    settled_at INTEGER,
    CHECK ((state = 'settled') = (settled_at IS NOT NULL)),
    CHECK (state = 'incident' OR (listing_id IS NOT NULL AND buyer_id IS NOT NULL AND quantity_t > 0)),
    CHECK (state = 'incident' OR amount_fen = quantity_t * price_fen),
    CHECK ((state = 'incident') = (incident IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX trades_listing ON trades (listing_id);

-- Periods of a scene and live blocks do not overlap; PostgreSQL has exclusion constraints for this.
CREATE TRIGGER monitoring_periods_no_overlap BEFORE INSERT ON monitoring_periods
WHEN EXISTS (
    SELECT 1 FROM monitoring_periods p
    WHERE p.scene_id = NEW.scene_id AND p.from_day <= NEW.to_day AND p.to_day >= NEW.from_day
)
BEGIN
    SELECT RAISE(ABORT, 'constraint monitoring_periods_no_overlap');
END;

CREATE TRIGGER monitoring_periods_window BEFORE UPDATE OF scene_id, from_day, to_day ON monitoring_periods
WHEN NEW.scene_id <> OLD.scene_id OR NEW.from_day <> OLD.from_day OR NEW.to_day <> OLD.to_day
BEGIN
    SELECT RAISE(ABORT, 'constraint monitoring_periods_no_overlap');
END;

CREATE TRIGGER cer_issuances_no_overlap BEFORE INSERT ON cer_issuances
WHEN EXISTS (
    SELECT 1 FROM cer_issuances i
    WHERE i.first_serial <= NEW.last_serial AND i.last_serial >= NEW.first_serial
)
BEGIN
    SELECT RAISE(ABORT, 'constraint cer_issuances_no_overlap');
END;

CREATE TRIGGER cer_blocks_no_overlap BEFORE INSERT ON cer_blocks
WHEN NEW.state <> 'split' AND EXISTS (
    SELECT 1 FROM cer_blocks b
    WHERE b.state <> 'split' AND b.first_serial <= NEW.last_serial AND b.last_serial >= NEW.first_serial
)
BEGIN
    SELECT RAISE(ABORT, 'constraint cer_blocks_no_overlap');
END;

CREATE TRIGGER cer_blocks_inside BEFORE INSERT ON cer_blocks
WHEN NOT EXISTS (
    SELECT 1 FROM cer_issuances i
    WHERE i.id = NEW.issuance_id AND i.first_serial <= NEW.first_serial AND i.last_serial >= NEW.last_serial
)
BEGIN
    SELECT RAISE(ABORT, 'constraint cer_blocks_inside: the range lies outside its issuance');
END;

CREATE TRIGGER cer_blocks_final BEFORE UPDATE ON cer_blocks
WHEN OLD.state IN ('retired', 'cancelled', 'split')
BEGIN
    SELECT RAISE(ABORT, 'constraint cer_blocks_final: the block is in a final state');
END;

CREATE TRIGGER cer_blocks_range BEFORE UPDATE ON cer_blocks
WHEN (NEW.id, NEW.issuance_id, NEW.first_serial, NEW.last_serial, NEW.parent_id)
    IS NOT (OLD.id, OLD.issuance_id, OLD.first_serial, OLD.last_serial, OLD.parent_id)
BEGIN
    SELECT RAISE(ABORT, 'constraint cer_blocks_range: a range is never edited');
END;

CREATE TRIGGER cer_blocks_kept BEFORE DELETE ON cer_blocks
BEGIN
    SELECT RAISE(ABORT, 'constraint cer_blocks_kept: a block is never deleted');
END;

CREATE TRIGGER registry_acts_kept_update BEFORE UPDATE ON registry_acts
BEGIN
    SELECT RAISE(ABORT, 'constraint registry_rows_kept: rows of registry_acts are only added');
END;

CREATE TRIGGER registry_acts_kept_delete BEFORE DELETE ON registry_acts
BEGIN
    SELECT RAISE(ABORT, 'constraint registry_rows_kept: rows of registry_acts are only added');
END;

CREATE TRIGGER retirements_kept_update BEFORE UPDATE ON retirements
BEGIN
    SELECT RAISE(ABORT, 'constraint registry_rows_kept: rows of retirements are only added');
END;

CREATE TRIGGER retirements_kept_delete BEFORE DELETE ON retirements
BEGIN
    SELECT RAISE(ABORT, 'constraint registry_rows_kept: rows of retirements are only added');
END;

CREATE TRIGGER cancellations_kept_update BEFORE UPDATE ON cancellations
BEGIN
    SELECT RAISE(ABORT, 'constraint registry_rows_kept: rows of cancellations are only added');
END;

CREATE TRIGGER cancellations_kept_delete BEFORE DELETE ON cancellations
BEGIN
    SELECT RAISE(ABORT, 'constraint registry_rows_kept: rows of cancellations are only added');
END;

CREATE TRIGGER period_members_kept_update BEFORE UPDATE ON period_members
BEGIN
    SELECT RAISE(ABORT, 'constraint registry_rows_kept: rows of period_members are only added');
END;

CREATE TRIGGER period_members_kept_delete BEFORE DELETE ON period_members
BEGIN
    SELECT RAISE(ABORT, 'constraint registry_rows_kept: rows of period_members are only added');
END;
