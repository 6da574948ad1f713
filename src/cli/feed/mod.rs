//! `tanpuhui feed`: feed files on this machine. `check` reads them without storing anything,
//! `post` sends them to a platform, `keygen` makes the key that posts are signed with, `pulls` lists
//! the feeds that the platform fetches.

use std::process::ExitCode;

mod batches;
mod check;
mod key_file;
mod post;
mod pulls;
mod reasons;
mod resumption;
mod source;
mod tally;
mod whole_file;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Read files without storing them: records, refusals, held rows and exact totals
    Check(check::Args),
    /// Post files to a platform: signed, in batches, resumed where an earlier run ended
    Post(post::Args),
    /// Make a key to sign posts with
    Keygen(key_file::Args),
    /// List the feeds that are pulled, and where each stands
    Pulls(pulls::Args),
}

pub(super) fn run(args: Args) -> ExitCode {
    match args.command {
        Command::Check(args) => check::run(&args),
        Command::Post(args) => post::run(&args),
        Command::Keygen(args) => key_file::run(&args),
        Command::Pulls(args) => pulls::run(&args),
    }
}

/// A label and a value; a Chinese character is two columns wide.
fn row(label: &str, value: impl std::fmt::Display) -> String {
    let wide = label.chars().filter(|c| !c.is_ascii()).count();
    let width = 27usize.saturating_sub(wide);
    format!("{label:<width$} {value}")
}
