//! `tanpuhui feed`: feed files on this machine. `check` reads them without storing anything.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use chrono_tz::Tz;
use clap::builder::PossibleValuesParser;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::json;

use crate::domain::behaviour::Quantity;
use crate::domain::problem::{Code, Problem};
use crate::domain::scene::adapter::{self, Adapter, DistanceTable, Options, Outcome, Place, Seen};

/// Places shown for each reason.
const PLACES_SHOWN: usize = 3;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Read files without storing them: records, refusals, held rows and exact totals
    Check(CheckArgs),
}

#[derive(Debug, clap::Args)]
struct CheckArgs {
    /// The feed's format
    #[arg(long, value_parser = PossibleValuesParser::new(adapter::all().iter().map(|a| a.name)))]
    adapter: String,
    /// IANA zone of times without an offset; the adapter's own by default
    #[arg(long, value_name = "IANA")]
    zone: Option<Tz>,
    /// Station-to-station distances, CSV `from,to,km` (shenzhen-tong)
    #[arg(long, value_name = "FILE")]
    distances: Option<PathBuf>,
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(super) fn run(args: Args) -> ExitCode {
    match args.command {
        Command::Check(args) => check(&args),
    }
}

fn check(args: &CheckArgs) -> ExitCode {
    let said = read(args).map(|(adapter, summary)| {
        let text = match args.json {
            true => format!("{}\n", summary.json(adapter)),
            false => summary.table(adapter),
        };
        // A reader that has gone away (`| head`) is no fault of ours.
        let _ = io::stdout().write_all(text.as_bytes());
    });
    match said {
        Ok(()) => ExitCode::SUCCESS,
        Err(FileRefused { file, problem }) => {
            eprintln!("{}: {}", file.display(), problem.code.zh());
            eprintln!("{}: {problem}", file.display());
            ExitCode::FAILURE
        }
    }
}

/// A file as a whole cannot be read.
struct FileRefused {
    file: PathBuf,
    problem: Problem,
}

fn read(args: &CheckArgs) -> Result<(Adapter, Summary), FileRefused> {
    let adapter = adapter::by_name(&args.adapter).ok_or_else(|| FileRefused {
        file: PathBuf::from(&args.adapter),
        problem: Problem::new(Code::NotFound),
    })?;
    let distances = match &args.distances {
        Some(path) => Some(Arc::new(with_file(path, |file| DistanceTable::read(file))?)),
        None => None,
    };
    let options = Options {
        zone: args.zone,
        distances,
    };
    let mut summary = Summary::default();
    for path in &args.files {
        let several = args.files.len() > 1;
        let mut place = |place: &Place| match several {
            true => format!("{}: {place}", path.display()),
            false => place.to_string(),
        };
        with_file(path, |file| {
            let mut overflow = None;
            let seen = (adapter.read)(file, &options, &mut |outcome| {
                overflow = summary.take(outcome, &mut place).err().or(overflow.take());
            })?;
            overflow.map_or(Ok(()), Err)?;
            summary.see(seen)
        })?;
    }
    summary.files = args.files.len();
    Ok((adapter, summary))
}

fn with_file<T>(
    path: &Path,
    read: impl FnOnce(&mut BufReader<File>) -> Result<T, Problem>,
) -> Result<T, FileRefused> {
    let refused = |problem| FileRefused {
        file: path.to_owned(),
        problem,
    };
    let file = File::open(path)
        .map_err(|error| refused(Problem::at(Code::NotFound, "file", error.to_string())))?;
    read(&mut BufReader::with_capacity(256 * 1024, file)).map_err(refused)
}

/// What the files came to.
#[derive(Default)]
struct Summary {
    files: usize,
    records: u64,
    refused: BTreeMap<&'static str, Reason>,
    held: BTreeMap<&'static str, Reason>,
    totals: BTreeMap<(String, String), Decimal>,
    seen: Vec<(&'static str, u64)>,
}

struct Reason {
    code: Code,
    count: u64,
    first: Vec<String>,
}

impl Summary {
    fn take(
        &mut self,
        outcome: Outcome,
        place: &mut dyn FnMut(&Place) -> String,
    ) -> Result<(), Problem> {
        match outcome {
            Outcome::Record(_, record) => {
                self.records += 1;
                for quantity in &record.quantities {
                    self.add(quantity)?;
                }
            }
            Outcome::Refused(refused) => {
                let Problem {
                    code,
                    param,
                    detail,
                } = &refused.problem;
                count(&mut self.refused, *code, || {
                    let field = param
                        .as_ref()
                        .map(|field| format!(" {field}"))
                        .unwrap_or_default();
                    let detail = if detail.is_empty() {
                        String::new()
                    } else {
                        format!(" ({detail})")
                    };
                    format!("{}{field}{detail}", place(&refused.place))
                });
            }
            Outcome::Held(held) => count(&mut self.held, held.code, || place(&held.place)),
        }
        Ok(())
    }

    fn see(&mut self, seen: Seen) -> Result<(), Problem> {
        for (name, count) in seen.counts {
            match self.seen.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sum)) => *sum += count,
                None => self.seen.push((name, count)),
            }
        }
        seen.totals
            .iter()
            .try_for_each(|quantity| self.add(quantity))
    }

    fn add(&mut self, quantity: &Quantity) -> Result<(), Problem> {
        let key = (quantity.name.to_string(), quantity.unit.to_string());
        let sum = self.totals.entry(key).or_default();
        *sum = sum.checked_add(quantity.value).ok_or_else(|| {
            Problem::at(
                Code::QuantityOutOfRange,
                quantity.name.to_string(),
                "the total is too large",
            )
        })?;
        Ok(())
    }

    /// The total to print: exact, but for a derived quantity rounded half-even to what it means.
    fn printed(adapter: Adapter, name: &str, exact: Decimal) -> Decimal {
        let places = adapter.derived.iter().find(|(derived, _)| *derived == name);
        let printed = places.map_or(exact, |(_, places)| {
            exact.round_dp_with_strategy(*places, RoundingStrategy::MidpointNearestEven)
        });
        printed.normalize()
    }

    fn json(&self, adapter: Adapter) -> serde_json::Value {
        let counts = |reasons: &BTreeMap<&'static str, Reason>| -> serde_json::Value {
            reasons
                .iter()
                .map(|(code, reason)| (*code, reason.count))
                .collect()
        };
        let totals: Vec<_> = self
            .totals
            .iter()
            .map(|((quantity, unit), exact)| {
                let value = Summary::printed(adapter, quantity, *exact).to_string();
                json!({"quantity": quantity, "unit": unit, "value": value})
            })
            .collect();
        let mut object = json!({
            "adapter": adapter.name,
            "records": self.records,
            "refused": counts(&self.refused),
            "held": counts(&self.held),
            "totals": totals,
        });
        if !self.seen.is_empty() {
            object["seen"] = self.shown().map(|(name, count)| (*name, *count)).collect();
        }
        object
    }

    /// Cards of several files may be the same cards: no sum of them is a count.
    fn shown(&self) -> impl Iterator<Item = &(&'static str, u64)> {
        self.seen
            .iter()
            .filter(|(name, _)| self.files == 1 || *name != "cards")
    }

    fn table(&self, adapter: Adapter) -> String {
        let total =
            |reasons: &BTreeMap<_, Reason>| -> u64 { reasons.values().map(|r| r.count).sum() };
        let mut lines = vec![
            row("adapter 适配器", adapter.name),
            row("records 记录", self.records),
            row("refused 拒绝", total(&self.refused)),
        ];
        lines.extend(self.refused.values().flat_map(Reason::lines));
        lines.push(row("held 挂起", total(&self.held)));
        lines.extend(self.held.values().flat_map(Reason::lines));
        lines.extend(
            self.shown()
                .map(|(name, count)| row(&format!("seen 读到 {name}"), count)),
        );
        for ((name, unit), exact) in &self.totals {
            let printed = Summary::printed(adapter, name, *exact);
            let sum = match printed == *exact {
                true => String::new(),
                false => format!(" (sum of the records {})", exact.normalize()),
            };
            let value = format!("{printed} {unit}{sum}");
            lines.push(row(&format!("total 合计 {name}"), value));
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

/// A label and a value; a Chinese character is two columns wide.
fn row(label: &str, value: impl std::fmt::Display) -> String {
    let wide = label.chars().filter(|c| !c.is_ascii()).count();
    let width = 28usize.saturating_sub(wide);
    format!("{label:<width$}{value}")
}

fn count(reasons: &mut BTreeMap<&'static str, Reason>, code: Code, place: impl FnOnce() -> String) {
    let empty = || Reason {
        code,
        count: 0,
        first: Vec::new(),
    };
    let reason = reasons.entry(code.as_str()).or_insert_with(empty);
    reason.count += 1;
    if reason.first.len() < PLACES_SHOWN {
        reason.first.push(place());
    }
}

impl Reason {
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "  {:<26}{:<8}{} {}",
            self.code.as_str(),
            self.count,
            self.code.zh(),
            self.code.en()
        )];
        lines.extend(self.first.iter().map(|place| format!("      {place}")));
        if self.count > u64::try_from(self.first.len()).unwrap_or(0) {
            lines.push("      …".to_owned());
        }
        lines
    }
}
