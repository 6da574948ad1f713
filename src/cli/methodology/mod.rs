//! `tanpuhui methodology`: check documents, explain how a number comes about, and show what a new
//! version changes.

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

mod check;
mod diff;
mod documents;
mod explain;
mod impact;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Parse documents, check units, run their worked examples, and say what blocks going live
    Check(check::Args),
    /// Compute one reduction and print every look-up, intermediate value and rounding
    Explain(explain::Args),
    /// Show what differs between two documents and, on stored behaviour, who would get more or less
    Diff(diff::Args),
}

pub(super) fn run(args: Args) -> ExitCode {
    let done = match args.command {
        Command::Check(args) => check::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Diff(args) => diff::run(&args),
    };
    done.unwrap_or_else(|message| {
        eprintln!("{message}");
        ExitCode::FAILURE
    })
}

fn pairs(given: &[String]) -> Result<Vec<(&str, &str)>, String> {
    let given = given.iter();
    given
        .map(|text| {
            text.split_once('=')
                .ok_or_else(|| format!("`{text}` is not NAME=VALUE"))
        })
        .collect()
}

fn json(value: &impl Serialize) -> Result<String, String> {
    serde_json::to_string_pretty(value).map_err(|error| error.to_string())
}
