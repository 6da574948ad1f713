-- Merchants, what they offer, and vouchers. What a merchant is owed is added up from vouchers that
-- were written off; no row holds a running balance.

CREATE TABLE merchants (
    id uuid NOT NULL PRIMARY KEY,
    code text NOT NULL UNIQUE CHECK (code <> ''),
    name_zh text NOT NULL CHECK (name_zh <> ''),
    name_en text NOT NULL CHECK (name_en <> ''),
    registered_at timestamptz NOT NULL
);

CREATE TABLE offers (
    id uuid NOT NULL PRIMARY KEY,
    merchant_id uuid NOT NULL REFERENCES merchants (id),
    title_zh text NOT NULL CHECK (title_zh <> ''),
    title_en text NOT NULL CHECK (title_en <> ''),
    points bigint NOT NULL CHECK (points > 0),
    -- What the merchant is paid for one voucher.
    settlement_fen bigint NOT NULL CHECK (settlement_fen >= 0),
    -- Ever put on offer, and what is left of it; the difference is in vouchers issued or used.
    stocked bigint NOT NULL,
    stock bigint NOT NULL CHECK (stock >= 0),
    validity_days integer NOT NULL CHECK (validity_days BETWEEN 1 AND 366),
    state text NOT NULL CHECK (state IN ('live', 'suspended', 'closed')),
    from_at timestamptz NOT NULL,
    to_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    CHECK (stock <= stocked),
    CHECK (from_at < to_at)
);

CREATE INDEX offers_merchant ON offers (merchant_id, id);

-- A hot table: no foreign keys. Keyed by account first, so that it can be distributed by account
-- and a citizen's list is one range.
CREATE TABLE vouchers (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    offer_id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    points bigint NOT NULL CHECK (points > 0),
    settlement_fen bigint NOT NULL CHECK (settlement_fen >= 0),
    -- SHA-256 of the code; the code itself is derived again from the id when it is shown.
    code_digest bytea NOT NULL CHECK (octet_length(code_digest) = 32),
    -- The caller's Idempotency-Key.
    client_key text,
    state text NOT NULL CHECK (state IN ('issued', 'used', 'cancelled', 'expired')),
    created_at timestamptz NOT NULL,
    cancel_until timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    -- The transfer that set the points aside, and the one that took them out or gave them back.
    hold_id uuid NOT NULL,
    closed_at timestamptz,
    closing_id uuid,
    -- Day of the write-off in the city's zone, in days since 1970-01-01.
    used_day integer,
    PRIMARY KEY (account_id, id),
    CHECK (created_at <= cancel_until AND created_at < expires_at),
    CHECK ((state = 'issued') = (closed_at IS NULL)),
    CHECK ((state = 'issued') = (closing_id IS NULL)),
    CHECK ((state = 'used') = (used_day IS NOT NULL)),
    CHECK (state <> 'used' OR closed_at < expires_at),
    CHECK (state <> 'cancelled' OR closed_at <= cancel_until),
    CHECK (state <> 'expired' OR closed_at >= expires_at)
);

CREATE UNIQUE INDEX vouchers_code ON vouchers (code_digest);

CREATE UNIQUE INDEX vouchers_client_key ON vouchers (account_id, client_key) WHERE client_key IS NOT NULL;

CREATE INDEX vouchers_due ON vouchers (expires_at) WHERE state = 'issued';

CREATE INDEX vouchers_owed ON vouchers (merchant_id, closed_at, id) WHERE state = 'used';

-- Which lots gave the points, so that they go back to the same.
CREATE TABLE voucher_lots (
    account_id uuid NOT NULL,
    voucher_id uuid NOT NULL,
    bucket integer NOT NULL,
    points bigint NOT NULL CHECK (points > 0),
    PRIMARY KEY (account_id, voucher_id, bucket)
);

-- Lots that reached their last day. Holds no column that a credit changes, so credits stay cheap.
CREATE INDEX lots_bucket ON lots (bucket, account_id);
