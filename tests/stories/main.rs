//! Stories: what each capability does, on both databases.

#![allow(
    unreachable_pub,
    reason = "modules of one test binary share what they need"
)]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are wiring, and fail by panicking"
)]

#[macro_use]
mod world;

mod api_auth;
mod api_idempotency;
mod api_server;
mod audit_chain;
mod correction_races;
mod correction_speed;
mod corrections;
mod feeds_day;
mod ingest_commit;
mod ingest_http;
mod market;
mod monitoring;
mod opening;
mod pages;
mod partner;
mod partner_feed;
mod periods;
mod periods_hard;
mod public_log;
mod pull_feeds;
mod redemption;
mod redemption_http;
mod registry;
mod registry_api;
mod sharing;
mod short_lived;
mod wire;
