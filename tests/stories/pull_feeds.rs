//! Feeds that the platform fetches: from a real HTTP server, whatever that does.

mod credentials;
mod failures;
mod hours;
mod officers;
mod pages;
mod race;
pub(crate) mod source;

use chrono::{DateTime, Utc};
use tanpuhui::domain::context::Actor;
use tanpuhui::flow::FlowError;
use tanpuhui::flow::pull::declare;
use tanpuhui::gateway::partner_feed::FeedClient;
use tanpuhui::jobs::Ground;
use tanpuhui::jobs::pull_feeds::{Pulled, pull_due};
use tanpuhui::store::Pool;
use tanpuhui::store::pull::{PullFeedRow, PullRunRow, feed, runs};
use tanpuhui::store::verification::scene_id;
use tokio::sync::watch;
use uuid::Uuid;

use crate::partner::{Town, array, config};
use crate::world::ctx_of;

use source::Source;

/// A town that pulls only when a story says so.
fn town(pool: Pool, credentials: &[(&str, &str)]) -> Town {
    let mut config = config();
    config.pull.workers = 0;
    let secrets = credentials.iter();
    config.pull.credentials = secrets
        .map(|(k, v)| ((*k).to_owned(), (*v).into()))
        .collect();
    Town::open_with(pool, config)
}

fn ground(town: &Town) -> Ground {
    let state = &town.server.state;
    Ground {
        pool: state.pool.clone(),
        config: state.config.clone(),
        clock: town.clock.clone(),
        keys: state.keys.clone(),
        catalogue: state.catalogue.clone(),
    }
}

fn officer() -> Actor {
    Actor {
        role: "bureau",
        id: Uuid::from_u128(9),
    }
}

/// Declares the metro's feed; `path` is below the source.
#[track_caller]
fn declare_feed(town: &Town, source: &Source, path: &str, more: &str) {
    declare_feed_of(town, "metro", source, path, more);
}

#[track_caller]
fn declare_feed_of(town: &Town, scene: &str, source: &Source, path: &str, more: &str) {
    let text = format!(
        "url = '{}{path}'\nstart = '2026-11-20T00:00:00Z'\nevery_minutes = 60\n{more}",
        source.url
    );
    let ctx = ctx_of(officer(), town.clock.now());
    town.pool
        .write_now::<_, FlowError>(|tx| declare(tx, &ctx, scene, &text, "agreement 7"))
        .expect("it is declared");
}

/// Pulls what is due now.
fn pull(town: &Town) -> Pulled {
    pull_with(town, &FeedClient::new(true).expect("a client"))
}

fn pull_with(town: &Town, client: &FeedClient) -> Pulled {
    let (_alive, stop) = watch::channel(false);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime
        .block_on(pull_due(&ground(town), client, &stop))
        .expect("feeds are pulled")
}

fn stand(town: &Town) -> PullFeedRow {
    stand_of(town, "metro")
}

fn stand_of(town: &Town, scene: &str) -> PullFeedRow {
    town.pool
        .read_now::<_, FlowError>(|conn| {
            let id = scene_id(conn, scene)?.expect("the scene");
            Ok(feed(conn, id)?.expect("it is pulled"))
        })
        .expect("the feed is read")
}

/// The requests so far, the oldest first.
fn history(town: &Town) -> Vec<PullRunRow> {
    let scene = stand(town).scene_id;
    let mut rows = town
        .pool
        .read_now(|conn| runs(conn, scene, 1_000))
        .expect("the runs are read");
    rows.reverse();
    rows
}

fn outcomes(town: &Town) -> Vec<String> {
    let rows = history(town);
    rows.into_iter().map(|row| row.outcome).collect()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a moment")
}

/// A file of ten-kilometre trips of rider `a`, each in an hour of its own; 468 points each.
fn trips(numbers: &[i64]) -> String {
    let rows: Vec<String> = numbers
        .iter()
        .map(|n| crate::partner::trip(&format!("t{n}"), "a", n * 60, "10"))
        .collect();
    array(&rows)
}
