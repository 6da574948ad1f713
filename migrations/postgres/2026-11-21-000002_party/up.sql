-- Who takes part, what they may do, and by which documents. No personal data: an account is a
-- pseudonym, a subject is a hash of what the partner calls the person.

CREATE TABLE accounts (
    id uuid NOT NULL PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('citizen', 'enterprise')),
    opened_at timestamptz NOT NULL
);

CREATE TABLE tokens (
    hash bytea NOT NULL PRIMARY KEY CHECK (octet_length(hash) = 32),
    role text NOT NULL CHECK (role IN ('citizen', 'merchant', 'bureau', 'verifier', 'operator', 'auditor', 'holder')),
    party_id uuid NOT NULL,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE TABLE partners (
    id uuid NOT NULL PRIMARY KEY,
    code text NOT NULL UNIQUE,
    name_zh text NOT NULL,
    name_en text NOT NULL,
    registered_at timestamptz NOT NULL
);

CREATE TABLE partner_keys (
    key_id text NOT NULL PRIMARY KEY,
    partner_id uuid NOT NULL REFERENCES partners (id),
    algorithm text NOT NULL CHECK (algorithm IN ('ed25519', 'hmac-sha256')),
    -- The public key, or the shared secret.
    material bytea NOT NULL,
    valid_from timestamptz NOT NULL,
    revoked_at timestamptz
);

CREATE TABLE methodologies (
    id integer NOT NULL PRIMARY KEY,
    code text NOT NULL,
    version text NOT NULL,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    document text NOT NULL,
    state text NOT NULL CHECK (state IN ('draft', 'live', 'suspended', 'withdrawn')),
    submitted_by uuid NOT NULL,
    added_at timestamptz NOT NULL,
    live_at timestamptz,
    UNIQUE (code, version),
    CHECK (state = 'draft' OR live_at IS NOT NULL)
);

CREATE TABLE methodology_signoffs (
    methodology_id integer NOT NULL REFERENCES methodologies (id),
    parameter text NOT NULL,
    reviewer text NOT NULL,
    basis text NOT NULL,
    signed_at timestamptz NOT NULL,
    PRIMARY KEY (methodology_id, parameter, reviewer)
);

CREATE TABLE exchange_rules (
    id integer NOT NULL PRIMARY KEY,
    code text NOT NULL,
    version text NOT NULL,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    document text NOT NULL,
    effective_from timestamptz NOT NULL,
    UNIQUE (code, version)
);

CREATE TABLE scenes (
    id integer NOT NULL PRIMARY KEY,
    code text NOT NULL UNIQUE,
    partner_id uuid NOT NULL REFERENCES partners (id),
    name_zh text NOT NULL,
    name_en text NOT NULL,
    adapter text NOT NULL,
    methodology_code text NOT NULL,
    exchange_rule_code text NOT NULL,
    zone text NOT NULL,
    -- What the adapter needs beside the feed: a station-to-station table.
    adapter_table text,
    state text NOT NULL CHECK (state IN ('live', 'suspended', 'closed')),
    opened_at timestamptz NOT NULL
);

CREATE TABLE subject_links (
    -- SHA-256 over the partner's id and the partner's name for the person.
    subject bytea NOT NULL PRIMARY KEY CHECK (octet_length(subject) = 32),
    account_id uuid NOT NULL REFERENCES accounts (id),
    linked_at timestamptz NOT NULL
);

CREATE INDEX subject_links_account ON subject_links (account_id);
