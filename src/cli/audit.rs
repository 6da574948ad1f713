//! `tanpuhui audit`: re-adds every book of the platform. Reads only.

use std::io::{self, Write};
use std::process::ExitCode;

use indicatif::ProgressBar;
use serde_json::json;

use super::database::{Database, OpenError};
use crate::config::ConfigError;
use crate::domain::problem::Problem;
use crate::flow::FlowError;
use crate::flow::audit_books::{Check, Difference, LogGround, audit, audit_without_log};
use crate::flow::catalogue::Catalogue;
use crate::flow::log_keys::LogKeys;
use crate::store::StoreError;

/// The log's seed is in the settings, or in `TANPUHUI_LOG_SEED`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    database: Database,
    /// Leave the public log aside: its leaves cannot be recomputed without the seed
    #[arg(long)]
    without_log: bool,
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// Why the books could not be re-added.
#[derive(Debug, thiserror::Error)]
enum AuditError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the database cannot be read")]
    Store(#[from] StoreError),
    #[error("a book cannot be read")]
    Flow(#[from] FlowError),
    #[error("the log's origin cannot be used")]
    Keys(#[from] Problem),
    #[error(
        "TANPUHUI_LOG_SEED is not set: without it the log's leaves cannot be recomputed; set it, or say --without-log"
    )]
    NoSeed,
}

pub(super) fn run(args: Args) -> ExitCode {
    match checks(&args) {
        Ok(checks) => {
            let text = match args.json {
                true => format!("{}\n", as_json(&checks)),
                false => table(&checks),
            };
            let _ = io::stdout().write_all(text.as_bytes());
            match checks.iter().all(|check| check.difference.is_none()) {
                true => ExitCode::SUCCESS,
                false => ExitCode::FAILURE,
            }
        }
        Err(error) => {
            super::complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn checks(args: &Args) -> Result<Vec<Check>, AuditError> {
    let config = args.database.config()?;
    let keys = match (&config.log.seed, args.without_log) {
        (_, true) => None,
        (None, false) => return Err(AuditError::NoSeed),
        (Some(seed), false) => {
            let origin = config.log.origin.as_deref().unwrap_or("localhost/tanpuhui");
            Some(LogKeys::from_seed(origin, seed.bytes())?)
        }
    };
    let pool = args.database.open(&config)?;
    let bar = ProgressBar::new_spinner();
    let told = |name: &'static str| {
        bar.set_message(name);
        bar.tick();
    };
    let checks = pool.read_snapshot(|conn| {
        let Some(keys) = &keys else {
            return Ok(audit_without_log(conn, told)?);
        };
        let catalogue = Catalogue::load(conn)?;
        let ground = LogGround {
            salt: &keys.settings.salt,
            scenes: &catalogue.scene_codes(),
            methodologies: &catalogue.methodology_names(),
        };
        Ok::<_, AuditError>(audit(conn, &ground, told)?)
    });
    bar.finish_and_clear();
    checks
}

fn as_json(checks: &[Check]) -> serde_json::Value {
    let differences = checks.iter().filter(|check| check.difference.is_some());
    let differences = differences.count();
    let checks: Vec<_> = checks
        .iter()
        .map(|check| {
            let difference = check.difference.as_ref().map(|difference| {
                let Difference {
                    place,
                    expected,
                    found,
                    ..
                } = difference;
                json!({"place": place, "expected": expected, "found": found})
            });
            json!({
                "check": check.book,
                "looked_at": check.looked_at,
                "ok": check.difference.is_none(),
                "difference": difference,
            })
        })
        .collect();
    json!({"agree": differences == 0, "differences": differences, "checks": checks})
}

fn table(checks: &[Check]) -> String {
    let mut text = String::new();
    for check in checks {
        let verdict = match check.difference {
            None => "ok 一致",
            Some(_) => "DIFFERS 不符",
        };
        text.push_str(&format!(
            "{:<46}{:>12}  {verdict}\n",
            check.book, check.looked_at
        ));
        if let Some(Difference {
            place,
            expected,
            found,
            ..
        }) = &check.difference
        {
            text.push_str(&format!(
                "    {place}\n    expected 应为 {expected}\n    found    实为 {found}\n"
            ));
        }
    }
    let bad = checks.iter().filter(|check| check.difference.is_some());
    text.push_str(&match bad.count() {
        0 => format!("{} checks agree 全部相符\n", checks.len()),
        bad => format!("{bad} of {} checks differ 有不符\n", checks.len()),
    });
    text
}
