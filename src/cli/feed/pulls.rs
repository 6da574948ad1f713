//! `tanpuhui feed pulls`: the feeds that are pulled, where each stands, and what it failed with.
//! Reads the database only.

use std::collections::HashMap;
use std::io::{self, Write};
use std::process::ExitCode;

use serde_json::json;

use crate::cli::complain;
use crate::cli::database::{Database, OpenError};
use crate::config::ConfigError;
use crate::store::StoreError;
use crate::store::pull::{PullFeedRow, feeds};
use crate::store::scene::scene_rows;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    database: Database,
    /// One JSON object a feed, instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Debug, thiserror::Error)]
enum ListError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the database cannot be read")]
    Store(#[from] StoreError),
}

/// Exit code 1 where the list cannot be read, and where a feed has stopped by itself.
pub(super) fn run(args: &Args) -> ExitCode {
    match listed(args) {
        Ok(feeds) => {
            let text: String = feeds.iter().map(|feed| line(feed, args.json)).collect();
            let _ = io::stdout().write_all(text.as_bytes());
            match feeds.iter().any(|(_, feed)| feed.state == "stopped") {
                true => ExitCode::FAILURE,
                false => ExitCode::SUCCESS,
            }
        }
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn listed(args: &Args) -> Result<Vec<(String, PullFeedRow)>, ListError> {
    let pool = args.database.open(&args.database.config()?)?;
    let (scenes, feeds) =
        pool.read_snapshot::<_, StoreError>(|conn| Ok((scene_rows(conn)?, feeds(conn)?)))?;
    let codes: HashMap<i32, String> = scenes.into_iter().map(|row| (row.id, row.code)).collect();
    let named = |feed: PullFeedRow| {
        let code = codes.get(&feed.scene_id).cloned().unwrap_or_default();
        (code, feed)
    };
    Ok(feeds.into_iter().map(named).collect())
}

fn line((scene, feed): &(String, PullFeedRow), json: bool) -> String {
    if json {
        let object = json!({
            "scene": scene,
            "state": feed.state,
            "watermark": feed.watermark.0,
            "next_at": feed.next_at.0,
            "failures": feed.failures,
            "last_error": feed.last_error,
            "succeeded_at": feed.succeeded_at.map(|at| at.0),
        });
        return format!("{object}\n");
    }
    let seconds = |at: crate::store::Ts| at.0.format("%Y-%m-%dT%H:%M:%SZ");
    let mut text = super::row(
        scene,
        format!(
            "{:<12} watermark {}  next {}",
            feed.state,
            seconds(feed.watermark),
            seconds(feed.next_at)
        ),
    );
    text.push('\n');
    if let Some(error) = &feed.last_error {
        text.push_str(&format!(
            "    {} failures in a row: {error}\n",
            feed.failures
        ));
    }
    text
}
