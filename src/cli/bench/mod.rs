//! `tanpuhui bench ingest`: how fast records are taken in, beside what the database itself can do.

mod bare;
mod load;
mod report;
mod town;

use std::process::ExitCode;
use std::time::Instant;

use crate::store::{Pool, PoolSettings, Target};

use report::{Line, Report};
use town::Town;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What to measure.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Ingestion through HTTP beside the bare statements; single posts, balances, redemptions
    Ingest(IngestArgs),
}

#[derive(Debug, clap::Args)]
struct IngestArgs {
    /// The database: `postgres://…` (a database made for this), or a scratch SQLite file if absent
    #[arg(long)]
    database: Option<String>,
    /// Records in each measurement of batches
    #[arg(long, default_value_t = 100_000)]
    records: usize,
    /// Accounts among whom the records fall
    #[arg(long, default_value_t = 100_000)]
    accounts: usize,
    /// Records to store before the first measurement, to see whether the cost stays flat
    #[arg(long, default_value_t = 0)]
    stored: usize,
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// Batch sizes and writers, as the measurements are named.
const BATCHES: [usize; 2] = [1_000, 10_000];
const WRITERS: [usize; 3] = [1, 2, 4];
/// Connections of the single requests.
const CONNECTIONS: [usize; 3] = [8, 64, 256];

pub(super) fn run(args: Args) -> ExitCode {
    let What::Ingest(args) = args.what;
    match ingest(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            super::complain(&*error);
            ExitCode::FAILURE
        }
    }
}

fn ingest(args: &IngestArgs) -> Result<(), Failure> {
    let scratch = tempfile::tempdir()?;
    let target = match &args.database {
        Some(url) => Target::parse(url)?,
        None => Target::Sqlite(scratch.path().join("bench.db")),
    };
    let database = match &target {
        Target::Postgres(_) => "postgresql",
        Target::Sqlite(_) => "sqlite",
    };
    let pool = Pool::connect(
        target,
        PoolSettings {
            writers: 6,
            readers: 8,
        },
    )?;
    pool.migrate()?;
    let mut report = Report::new(database, args.json);
    let began = Instant::now();
    let mut town = Town::settle(&pool, args.accounts)?;
    report.note(&format!(
        "{} accounts settled in {:.1?}",
        args.accounts,
        began.elapsed()
    ));
    if args.stored > 0 {
        let began = Instant::now();
        town.store(&pool, args.stored)?;
        report.note(&format!(
            "{} records stored in {:.1?}",
            args.stored,
            began.elapsed()
        ));
    }
    measure(args, &pool, &mut town, &mut report)?;
    report.finish();
    Ok(())
}

fn measure(
    args: &IngestArgs,
    pool: &Pool,
    town: &mut Town,
    report: &mut Report,
) -> Result<(), Failure> {
    let server = town.serve(pool)?;
    for batch in BATCHES {
        for writers in WRITERS {
            let bare = bare::run(pool, town, args.records, batch, writers)?;
            let http = load::batches(&server, town, args.records, batch, writers)?;
            report.add(Line::pair(batch, writers, args.records, bare, http));
        }
    }
    for connections in CONNECTIONS {
        let took = load::single_posts(&server, town, args.records / 4, connections)?;
        report.add(Line::requests(
            "single posts",
            connections,
            args.records / 4,
            took,
        ));
    }
    for connections in CONNECTIONS {
        let took = load::balances(&server, town, args.records / 2, connections)?;
        report.add(Line::requests(
            "balance reads",
            connections,
            args.records / 2,
            took,
        ));
    }
    for connections in CONNECTIONS {
        let took = load::redemptions(&server, town, args.records / 8, connections)?;
        report.add(Line::requests(
            "redemptions",
            connections,
            args.records / 8,
            took,
        ));
    }
    server.stop()?;
    Ok(())
}
