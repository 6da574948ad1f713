//! The command line: one file a subcommand, each with its arguments and a `run`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod audit;
mod bench;
mod database;
mod demo;
mod exchange_sandbox;
mod factors;
mod feed;
mod log;
mod methodology;
mod serve;

/// 碳普惠平台 · a carbon-inclusion platform
#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure how fast the platform is
    Bench(bench::Args),
    /// Seed a city, walk it through every stage, and serve it
    Demo(demo::Args),
    /// Read feed files, or post them to a platform
    Feed(feed::Args),
    /// Re-add every book: points, vouchers, registry, market, public log, officers' acts
    Audit(audit::Args),
    /// Check a platform's public log from outside
    Log(log::Args),
    /// Serve an exchange to rehearse with, as a process of its own
    ExchangeSandbox(exchange_sandbox::Args),
    /// Serve the platform
    Serve(serve::Args),
    /// Check and explain methodology documents
    Methodology(methodology::Args),
    /// Read other people's emission factors into a factor table
    Factors(factors::Args),
}

/// Parses the arguments and runs the subcommand.
pub fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Audit(args) => audit::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Demo(args) => demo::run(&args),
        Command::ExchangeSandbox(args) => exchange_sandbox::run(args),
        Command::Factors(args) => factors::run(args),
        Command::Feed(args) => feed::run(args),
        Command::Log(args) => log::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Methodology(args) => methodology::run(args),
    }
}

/// Tells on stderr what went wrong, with its causes.
fn complain(error: &dyn std::error::Error) {
    eprintln!("tanpuhui: {}", with_causes(error));
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        told.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    told
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn every_argument_is_declared_soundly() {
        super::Cli::command().debug_assert();
    }
}
