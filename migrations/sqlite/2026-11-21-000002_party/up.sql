-- Who takes part, what they may do, and by which documents. No personal data: an account is a
-- pseudonym, a subject is a hash of what the partner calls the person.

CREATE TABLE accounts (
    id BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('citizen', 'enterprise')),
    opened_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
    hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    role TEXT NOT NULL CHECK (role IN ('citizen', 'merchant', 'bureau', 'verifier', 'operator', 'auditor', 'holder')),
    party_id BLOB NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE partners (
    id BLOB NOT NULL PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    registered_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE partner_keys (
    key_id TEXT NOT NULL PRIMARY KEY,
    partner_id BLOB NOT NULL REFERENCES partners (id),
    algorithm TEXT NOT NULL CHECK (algorithm IN ('ed25519', 'hmac-sha256')),
    -- The public key, or the shared secret.
    material BLOB NOT NULL,
    valid_from INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE methodologies (
    id INTEGER NOT NULL PRIMARY KEY,
    code TEXT NOT NULL,
    version TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    document TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'live', 'suspended', 'withdrawn')),
    submitted_by BLOB NOT NULL,
    added_at INTEGER NOT NULL,
    live_at INTEGER,
    UNIQUE (code, version),
    CHECK (state = 'draft' OR live_at IS NOT NULL)
) STRICT, WITHOUT ROWID;

CREATE TABLE methodology_signoffs (
    methodology_id INTEGER NOT NULL REFERENCES methodologies (id),
    parameter TEXT NOT NULL,
    reviewer TEXT NOT NULL,
    basis TEXT NOT NULL,
    signed_at INTEGER NOT NULL,
    PRIMARY KEY (methodology_id, parameter, reviewer)
) STRICT, WITHOUT ROWID;

CREATE TABLE exchange_rules (
    id INTEGER NOT NULL PRIMARY KEY,
    code TEXT NOT NULL,
    version TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    document TEXT NOT NULL,
    effective_from INTEGER NOT NULL,
    UNIQUE (code, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE scenes (
    id INTEGER NOT NULL PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    partner_id BLOB NOT NULL REFERENCES partners (id),
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    adapter TEXT NOT NULL,
    methodology_code TEXT NOT NULL,
    exchange_rule_code TEXT NOT NULL,
    zone TEXT NOT NULL,
    -- What the adapter needs beside the feed: a station-to-station table.
    adapter_table TEXT,
    state TEXT NOT NULL CHECK (state IN ('live', 'suspended', 'closed')),
    opened_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE subject_links (
    -- SHA-256 over the partner's id and the partner's name for the person.
    subject BLOB NOT NULL PRIMARY KEY CHECK (length(subject) = 32),
    account_id BLOB NOT NULL REFERENCES accounts (id),
    linked_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX subject_links_account ON subject_links (account_id);
