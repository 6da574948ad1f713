//! `tanpuhui methodology`: check documents, explain how a number comes about, and show what a new
//! version changes.

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use crate::domain::methodology::Defect;
use crate::domain::problem::Problem;

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

/// What is given as NAME=VALUE; each name once.
fn pairs(given: &[String]) -> Result<Vec<(&str, &str)>, String> {
    let mut pairs: Vec<(&str, &str)> = Vec::with_capacity(given.len());
    for text in given {
        let pair = text.split_once('=');
        let (name, value) = pair.ok_or_else(|| format!("`{text}` is not NAME=VALUE"))?;
        if pairs.iter().any(|(known, _)| *known == name) {
            return Err(format!("`{name}` is given twice"));
        }
        pairs.push((name, value));
    }
    Ok(pairs)
}

/// A refusal in both languages, a line each.
fn told(problem: &Problem) -> String {
    format!("{}\n{problem}", problem.zh())
}

/// A defect in both languages, a line each.
fn told_defect(defect: &Defect) -> String {
    let told = defect.told();
    format!("{}\n{}", told.zh(), told.en())
}

fn json(value: &impl Serialize) -> Result<String, String> {
    serde_json::to_string_pretty(value).map_err(|error| error.to_string())
}
