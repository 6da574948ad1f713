//! Stories: what each capability does, on both databases.

#[macro_use]
mod world;

mod audit_chain;
mod ingest_commit;
mod market;
mod public_log;
mod redemption;
mod registry;
