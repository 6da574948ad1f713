-- From reduction to tonne to title: monitoring periods, verification, the registry of serial
-- ranges, and the bridge to the exchange. A reduction is in at most one period, a serial in
-- exactly one live block: both are constraints.

-- Accounts of the registry. An organisation's name is public, a person's is masked where shown.
CREATE TABLE holders (
    id uuid NOT NULL PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('project', 'enterprise', 'person', 'reserve')),
    code text NOT NULL UNIQUE,
    name text NOT NULL,
    -- What the exchange calls this holder in its trade report.
    exchange_member text UNIQUE,
    opened_at timestamptz NOT NULL
);

CREATE TABLE monitoring_periods (
    id uuid NOT NULL PRIMARY KEY,
    scene_id integer NOT NULL,
    no integer NOT NULL CHECK (no > 0),
    -- Days since 1970-01-01 in the scene's zone, both included.
    from_day integer NOT NULL CHECK (from_day >= 0),
    to_day integer NOT NULL,
    -- To whom the units will be issued.
    holder_id uuid NOT NULL REFERENCES holders (id),
    state text NOT NULL CHECK (state IN ('open', 'closed', 'findings', 'verified', 'issued', 'carried')),
    version integer NOT NULL,
    carried_in_mg bigint,
    sum_mg bigint,
    members bigint,
    whole_t bigint CHECK (whole_t >= 0),
    -- RFC 9162 tree hash over the members' leaf hashes in the order of (batch_id, pos).
    root bytea CHECK (octet_length(root) = 32),
    accepted_t bigint,
    carried_out_mg bigint,
    opened_by uuid NOT NULL,
    opened_at timestamptz NOT NULL,
    closed_by uuid,
    closed_at timestamptz,
    verified_by uuid,
    verified_at timestamptz,
    issued_by uuid,
    issued_at timestamptz,
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
);

-- The right edge of the hot tables decides: each reduction is in at most one period, for ever.
CREATE TABLE period_members (
    batch_id uuid NOT NULL,
    pos integer NOT NULL,
    period_id uuid NOT NULL,
    PRIMARY KEY (batch_id, pos)
);

-- Re-adding one period without reading the others.
CREATE INDEX period_members_period ON period_members (period_id, batch_id, pos);

-- Which versions the members were computed with, and how much each gave.
CREATE TABLE period_methodologies (
    period_id uuid NOT NULL REFERENCES monitoring_periods (id),
    methodology_id integer NOT NULL,
    members bigint NOT NULL,
    sum_mg bigint NOT NULL,
    PRIMARY KEY (period_id, methodology_id)
);

CREATE TABLE period_findings (
    period_id uuid NOT NULL REFERENCES monitoring_periods (id),
    round integer NOT NULL CHECK (round BETWEEN 1 AND 3),
    finding text NOT NULL,
    raised_by uuid NOT NULL,
    raised_at timestamptz NOT NULL,
    answer text,
    answered_by uuid,
    answered_at timestamptz,
    PRIMARY KEY (period_id, round),
    CHECK ((answer IS NULL) = (answered_by IS NULL)),
    CHECK (answered_by IS NULL OR answered_by <> raised_by)
);

CREATE TABLE verification_statements (
    period_id uuid NOT NULL PRIMARY KEY REFERENCES monitoring_periods (id),
    verifier_id uuid NOT NULL,
    -- What the verifier's own re-adding of the members gave.
    recounted_mg bigint NOT NULL,
    accepted_t bigint NOT NULL CHECK (accepted_t >= 0),
    statement text NOT NULL,
    statement_hash bytea NOT NULL CHECK (octet_length(statement_hash) = 32),
    stated_at timestamptz NOT NULL
);

-- Numbers that are given out once: serials, certificates. A number given back by a rollback was
-- never seen.
CREATE TABLE registry_counters (
    name text NOT NULL PRIMARY KEY,
    last bigint NOT NULL CHECK (last >= 0)
);

CREATE TABLE cer_issuances (
    id uuid NOT NULL PRIMARY KEY,
    period_id uuid NOT NULL UNIQUE REFERENCES monitoring_periods (id),
    -- The serial up to its numbers: registry, methodology, scene, vintage from and to, batch.
    series text NOT NULL UNIQUE,
    first_serial bigint NOT NULL UNIQUE CHECK (first_serial > 0),
    last_serial bigint NOT NULL,
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    leaf_count bigint NOT NULL CHECK (leaf_count >= 0),
    holder_id uuid NOT NULL REFERENCES holders (id),
    issued_by uuid NOT NULL,
    issued_at timestamptz NOT NULL,
    CHECK (first_serial <= last_serial)
);

-- A range of serials in one account and one state. A split leaves its parent behind as `split` and
-- puts children in its place; ranges are never edited.
CREATE TABLE cer_blocks (
    id uuid NOT NULL PRIMARY KEY,
    issuance_id uuid NOT NULL REFERENCES cer_issuances (id),
    first_serial bigint NOT NULL CHECK (first_serial > 0),
    last_serial bigint NOT NULL,
    holder_id uuid NOT NULL REFERENCES holders (id),
    state text NOT NULL CHECK (state IN ('held', 'listed', 'retired', 'cancelled', 'split')),
    listing_id uuid,
    parent_id uuid REFERENCES cer_blocks (id),
    version integer NOT NULL CHECK (version > 0),
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    CHECK (first_serial <= last_serial),
    CHECK ((state = 'listed') = (listing_id IS NOT NULL))
);

CREATE UNIQUE INDEX cer_blocks_live ON cer_blocks (first_serial) WHERE state <> 'split';
CREATE INDEX cer_blocks_holder ON cer_blocks (holder_id, first_serial) WHERE state <> 'split';
CREATE UNIQUE INDEX cer_blocks_listing ON cer_blocks (listing_id) WHERE state = 'listed';
CREATE INDEX cer_blocks_parent ON cer_blocks (parent_id);

-- Everything that ever happened to a range, in order; rows are only added.
CREATE TABLE registry_acts (
    id uuid NOT NULL PRIMARY KEY,
    at timestamptz NOT NULL,
    kind text NOT NULL CHECK (kind IN ('issue', 'split', 'transfer', 'list', 'unlist', 'sell', 'retire', 'cancel')),
    issuance_id uuid NOT NULL REFERENCES cer_issuances (id),
    block_id uuid NOT NULL REFERENCES cer_blocks (id),
    first_serial bigint NOT NULL,
    last_serial bigint NOT NULL,
    from_holder uuid,
    to_holder uuid,
    -- One title move a trade, one trade a title move.
    trade_id text UNIQUE,
    actor_role text NOT NULL,
    actor_id uuid NOT NULL,
    basis text NOT NULL,
    CHECK ((kind = 'sell') = (trade_id IS NOT NULL))
);

CREATE INDEX registry_acts_issuance ON registry_acts (issuance_id, id);

-- Used for a claim; final.
CREATE TABLE retirements (
    id uuid NOT NULL PRIMARY KEY,
    block_id uuid NOT NULL UNIQUE REFERENCES cer_blocks (id),
    certificate_no text NOT NULL UNIQUE,
    holder_id uuid NOT NULL REFERENCES holders (id),
    purpose text NOT NULL CHECK (purpose IN ('compliance', 'event', 'organisation', 'personal', 'charity', 'compensation')),
    beneficiary text NOT NULL,
    claim text NOT NULL,
    first_serial bigint NOT NULL,
    last_serial bigint NOT NULL,
    retired_at timestamptz NOT NULL
);

-- Taken out of the books without a claim; final.
CREATE TABLE cancellations (
    id uuid NOT NULL PRIMARY KEY,
    block_id uuid NOT NULL UNIQUE REFERENCES cer_blocks (id),
    reason text NOT NULL CHECK (reason IN ('error', 'fraud', 'make_up')),
    basis text NOT NULL,
    first_serial bigint NOT NULL,
    last_serial bigint NOT NULL,
    cancelled_by uuid NOT NULL,
    cancelled_at timestamptz NOT NULL
);

CREATE TABLE listings (
    -- Also the idempotency key under which the exchange knows the order.
    id uuid NOT NULL PRIMARY KEY,
    seller_id uuid NOT NULL REFERENCES holders (id),
    issuance_id uuid NOT NULL REFERENCES cer_issuances (id),
    quantity_t bigint NOT NULL CHECK (quantity_t > 0),
    -- Fen per tonne.
    price_fen bigint NOT NULL CHECK (price_fen > 0),
    filled_t bigint NOT NULL CHECK (filled_t >= 0),
    returned_t bigint NOT NULL CHECK (returned_t >= 0),
    proceeds_fen bigint NOT NULL CHECK (proceeds_fen >= 0),
    state text NOT NULL CHECK (state IN ('pending', 'open', 'closing', 'refused', 'filled', 'closed', 'incident')),
    version integer NOT NULL CHECK (version > 0),
    order_id text UNIQUE,
    refusal text,
    listed_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    CHECK (filled_t + returned_t <= quantity_t),
    CHECK (state NOT IN ('filled', 'closed', 'refused') OR filled_t + returned_t = quantity_t),
    CHECK (state NOT IN ('pending', 'open') OR filled_t + returned_t < quantity_t),
    CHECK (state NOT IN ('open', 'filled') OR order_id IS NOT NULL)
);

CREATE INDEX listings_seller ON listings (seller_id, id);

-- The exchange's trade report, each line once.
CREATE TABLE trades (
    id text NOT NULL PRIMARY KEY,
    -- The place in the exchange's report; the highest one is where reading goes on.
    report_seq bigint NOT NULL UNIQUE,
    order_id text NOT NULL,
    -- Null when the report names a listing that is not ours.
    listing_id uuid REFERENCES listings (id),
    buyer_member text NOT NULL,
    buyer_id uuid REFERENCES holders (id),
    quantity_t bigint NOT NULL,
    price_fen bigint NOT NULL,
    amount_fen bigint NOT NULL,
    traded_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('settled', 'incident')),
    -- Why nothing moved.
    incident text,
    settled_at timestamptz,
    CHECK ((state = 'settled') = (settled_at IS NOT NULL)),
    CHECK (state = 'incident' OR (listing_id IS NOT NULL AND buyer_id IS NOT NULL AND quantity_t > 0)),
    CHECK (state = 'incident' OR amount_fen = quantity_t * price_fen),
    CHECK ((state = 'incident') = (incident IS NOT NULL))
);

CREATE INDEX trades_listing ON trades (listing_id);

-- Periods of a scene and live blocks do not overlap. The scene leads in the high half of the range,
-- so that no extension is needed.
ALTER TABLE monitoring_periods ADD CONSTRAINT monitoring_periods_no_overlap
    EXCLUDE USING gist (int8range(scene_id::bigint * 4294967296 + from_day, scene_id::bigint * 4294967296 + to_day, '[]') WITH &&);

ALTER TABLE cer_issuances ADD CONSTRAINT cer_issuances_no_overlap
    EXCLUDE USING gist (int8range(first_serial, last_serial, '[]') WITH &&);

ALTER TABLE cer_blocks ADD CONSTRAINT cer_blocks_no_overlap
    EXCLUDE USING gist (int8range(first_serial, last_serial, '[]') WITH &&) WHERE (state <> 'split');

CREATE FUNCTION cer_blocks_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'constraint cer_blocks_kept: a block is never deleted';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF OLD.state IN ('retired', 'cancelled', 'split') THEN
            RAISE EXCEPTION 'constraint cer_blocks_final: the block is in a final state';
        END IF;
        IF (NEW.id, NEW.issuance_id, NEW.first_serial, NEW.last_serial, NEW.parent_id)
            IS DISTINCT FROM (OLD.id, OLD.issuance_id, OLD.first_serial, OLD.last_serial, OLD.parent_id) THEN
            RAISE EXCEPTION 'constraint cer_blocks_range: a range is never edited';
        END IF;
        RETURN NEW;
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM cer_issuances i
        WHERE i.id = NEW.issuance_id AND i.first_serial <= NEW.first_serial AND i.last_serial >= NEW.last_serial
    ) THEN
        RAISE EXCEPTION 'constraint cer_blocks_inside: the range lies outside its issuance';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER cer_blocks_guard BEFORE INSERT OR UPDATE OR DELETE ON cer_blocks
    FOR EACH ROW EXECUTE FUNCTION cer_blocks_guard();

CREATE FUNCTION registry_rows_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'constraint registry_rows_kept: rows of % are only added', TG_TABLE_NAME;
END $$;

CREATE TRIGGER registry_acts_kept BEFORE UPDATE OR DELETE ON registry_acts
    FOR EACH ROW EXECUTE FUNCTION registry_rows_kept();
CREATE TRIGGER retirements_kept BEFORE UPDATE OR DELETE ON retirements
    FOR EACH ROW EXECUTE FUNCTION registry_rows_kept();
CREATE TRIGGER cancellations_kept BEFORE UPDATE OR DELETE ON cancellations
    FOR EACH ROW EXECUTE FUNCTION registry_rows_kept();
CREATE TRIGGER period_members_kept BEFORE UPDATE OR DELETE ON period_members
    FOR EACH ROW EXECUTE FUNCTION registry_rows_kept();
