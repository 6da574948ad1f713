//! `tanpuhui feed check`: what files hold, without storing anything.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use indicatif::ProgressBar;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::json;

use super::reasons::Reasons;
use super::row;
use super::source::{FileRefused, OptionArgs, Watched, adapter_names, adapter_of};
use crate::domain::behaviour::Quantity;
use crate::domain::problem::{Code, Problem, detail};
use crate::domain::scene::adapter::{Adapter, Envelope, Options, Outcome, Place, Refused, Seen};

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The feed's format
    #[arg(long, value_parser = adapter_names())]
    adapter: String,
    /// What the files are wrapped in
    #[arg(long, value_name = "NAME")]
    envelope: Option<EnvelopeName>,
    #[command(flatten)]
    options: OptionArgs,
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// Every refused and held row, one a line as it is read, and the table after them
    #[arg(long, conflicts_with = "json")]
    list: bool,
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// What `--envelope` names.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum EnvelopeName {
    /// CloudEvents 1.0 in JSON: one event, JSON lines, or an array
    Cloudevents,
}

pub(super) fn run(args: &Args) -> ExitCode {
    match check(args) {
        Ok(text) => {
            // A reader that has gone away (`| head`) is no fault of ours.
            let _ = io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(refused) => {
            refused.complain();
            ExitCode::FAILURE
        }
    }
}

fn check(args: &Args) -> Result<String, FileRefused> {
    let adapter = adapter_of(&args.adapter)?;
    let envelope = match args.envelope {
        Some(EnvelopeName::Cloudevents) => Envelope::Events,
        None => Envelope::None,
    };
    let options = args.options.open(adapter)?;
    let hidden = ProgressBar::hidden();
    let mut summary = Summary {
        list: args.list,
        ..Summary::default()
    };
    summary.read(envelope, adapter, &options, &args.files, &hidden)?;
    Ok(match args.json {
        true => format!("{}\n", summary.json(adapter)),
        false => summary.table(adapter),
    })
}

/// Reads files to their ends.
pub(super) fn read(
    adapter: Adapter,
    options: &Options,
    files: &[PathBuf],
    progress: &ProgressBar,
) -> Result<Summary, FileRefused> {
    let mut summary = Summary::default();
    summary.read(Envelope::None, adapter, options, files, progress)?;
    Ok(summary)
}

/// What the files came to.
#[derive(Default)]
pub(super) struct Summary {
    /// Whether each row that is no record is printed as it is read.
    list: bool,
    files: usize,
    records: u64,
    refused: Reasons,
    held: Reasons,
    totals: BTreeMap<(String, String), Decimal>,
    seen: Vec<(&'static str, u64)>,
}

impl Summary {
    fn read(
        &mut self,
        envelope: Envelope,
        adapter: Adapter,
        options: &Options,
        files: &[PathBuf],
        progress: &ProgressBar,
    ) -> Result<(), FileRefused> {
        self.files = files.len();
        for path in files {
            let mut place = |place: &Place| match files.len() {
                1 => place.to_string(),
                _ => format!("{}: {place}", path.display()),
            };
            let mut read = || {
                let mut file = Watched::open(path, progress.clone(), Arc::default())?;
                let mut overflow = None;
                let seen = envelope.read(&adapter, &mut file, options, &mut |outcome| {
                    overflow = self.take(outcome, &mut place).err().or(overflow.take());
                })?;
                overflow.map_or(Ok(()), Err)?;
                self.see(seen)
            };
            read().map_err(|problem| FileRefused {
                file: path.clone(),
                problem,
            })?;
        }
        Ok(())
    }

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
                let code = refused.problem.code.as_str();
                if self.list {
                    listed("refused", code, &shown(&refused, place));
                }
                self.refused.count(code, || shown(&refused, place));
            }
            Outcome::Held(held) => {
                let code = held.code.as_str();
                if self.list {
                    listed("held", code, &place(&held.place));
                }
                self.held.count(code, || place(&held.place));
            }
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
                detail!("合计过大", "the total is too large"),
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

    pub(super) fn json(&self, adapter: Adapter) -> serde_json::Value {
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
            "refused": self.refused.json(),
            "held": self.held.json(),
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

    pub(super) fn table(&self, adapter: Adapter) -> String {
        let mut lines = vec![
            row("adapter 适配器", adapter.name),
            row("records 记录", self.records),
            row("refused 拒绝", self.refused.total()),
        ];
        lines.extend(self.refused.lines());
        lines.push(row("held 挂起", self.held.total()));
        lines.extend(self.held.lines());
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

/// `line 12 quantities.distance (why)`
fn shown(refused: &Refused, place: &mut dyn FnMut(&Place) -> String) -> String {
    let Problem { param, detail, .. } = &refused.problem;
    let field = param
        .as_ref()
        .map(|field| format!(" {field}"))
        .unwrap_or_default();
    let detail = match detail.both() {
        said if said.is_empty() => String::new(),
        said => format!(" ({said})"),
    };
    format!("{}{field}{detail}", place(&refused.place))
}

fn listed(what: &str, code: &str, place: &str) {
    // A reader that has gone away (`| head`) is no fault of ours.
    let _ = writeln!(io::stdout(), "{what} {code} {place}");
}
