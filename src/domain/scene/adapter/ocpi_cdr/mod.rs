//! `ocpi-cdr`: charge detail records (充电详单) of electric vehicles as OCPI 2.1.1, 2.2.1 and
//! 2.3.0 write them: one object, an array, an answer `{"data":…,"status_code":…}` around either,
//! or one a line. The shape is told object by object. See `docs/adapters/ocpi-cdr.md`.

use std::io::BufRead;

use rust_decimal::Decimal;
use serde_json::value::RawValue;

use super::encoding::Decoded;
use super::json_rows::{DATA, JsonRows};
use super::settings::param;
use super::{Adapter, Options, Outcome, Seen, Settings, json_text, refused, torn};
use crate::domain::behaviour::Quantity;
use crate::domain::problem::{Code, Problem, detail};

mod cdr;
mod country;
mod energy;
mod field;
mod location;

use cdr::{Cdr, Understood, Version};

/// The entry in the list of adapters.
pub(super) const ADAPTER: Adapter = Adapter {
    name: "ocpi-cdr",
    // The standard's times are UTC whatever the scene says.
    default_zone: chrono_tz::UTC,
    derived: &[],
    check: |options| Declared::of(&options.settings).map(|_| ()),
    read,
};

/// What the scene declares for 2.1.1, whose CDRs do not say whose they are.
#[derive(Debug, Default)]
struct Declared {
    /// `CN*SZX`
    owner: Option<String>,
}

impl Declared {
    fn of(settings: &Settings) -> Result<Declared, Problem> {
        settings.only(&["country_code", "party_id"])?;
        let (country, party) = (settings.text("country_code")?, settings.text("party_id")?);
        let owner = match (country, party) {
            (None, None) => None,
            (Some(country), Some(party)) => Some(cdr::owner(country, party).map_err(|key| {
                let detail = detail!(
                    "国家代码应为两个字母，运营方代码应为至多三个字母和数字",
                    "two letters and up to three letters and digits are expected"
                );
                Problem::at(Code::InvalidField, param(key), detail)
            })?),
            (known, _) => {
                let absent = if known.is_some() {
                    "party_id"
                } else {
                    "country_code"
                };
                let detail = detail!(
                    "country_code 与 party_id 须同时声明",
                    "country_code and party_id go together"
                );
                return Err(Problem::at(Code::MissingField, param(absent), detail));
            }
        };
        Ok(Declared { owner })
    }
}

/// Rows by kind.
#[derive(Default)]
struct Counts {
    rows: u64,
    versions: [u64; 3],
    credits: u64,
    credited: Option<Quantity>,
    swapped: u64,
}

impl Counts {
    fn add(&mut self, understood: &Understood) {
        let [old, main, new] = &mut self.versions;
        *match understood.version {
            Version::V211 => old,
            Version::V221 => main,
            Version::V230 => new,
        } += 1;
        self.credits += u64::from(understood.credit);
        if let Some(more) = &understood.credited {
            let sum = self.credited.get_or_insert_with(|| Quantity {
                value: Decimal::ZERO,
                ..more.clone()
            });
            sum.value = sum.value.saturating_add(more.value);
        }
        self.swapped += u64::from(understood.swapped);
    }

    fn seen(self) -> Seen {
        let [old, main, new] = self.versions;
        Seen {
            counts: vec![
                ("rows", self.rows),
                ("ocpi_2_1_1", old),
                ("ocpi_2_2_1", main),
                ("ocpi_2_3_0", new),
                ("credits", self.credits),
                ("coordinates_swapped", self.swapped),
            ],
            totals: self.credited.into_iter().collect(),
        }
    }
}

pub(super) fn read(
    source: &mut dyn BufRead,
    options: &Options,
    sink: &mut dyn FnMut(Outcome),
) -> Result<Seen, Problem> {
    let declared = Declared::of(&options.settings)?;
    let mut rows = JsonRows::spread(Decoded::new(source), DATA)?;
    let mut counts = Counts::default();
    loop {
        let Some((place, text)) = rows.next()? else {
            return Ok(counts.seen());
        };
        counts.rows += 1;
        let parsed = parse(text, &declared);
        sink(match parsed {
            Err(problem) if problem.code == Code::FileTruncated => {
                if rows.torn() {
                    return Err(torn(&place));
                }
                let code = Code::RowMalformed;
                refused(place, Problem { code, ..problem })
            }
            Err(problem) => refused(place, problem),
            Ok(understood) => {
                counts.add(&understood);
                Outcome::Record(place, understood.record)
            }
        });
    }
}

fn parse(text: &str, declared: &Declared) -> Result<Understood, Problem> {
    let row: Cdr<'_> = json_text::row(text)?;
    if row.status_code.is_none() {
        return row.understood(declared);
    }
    match row.data.map(RawValue::get) {
        Some(inner) if inner.starts_with('{') => {
            let inner: Cdr<'_> = json_text::row(inner)?;
            inner.understood(declared).map_err(|problem| Problem {
                param: problem.param.map(|param| format!("/data{param}")),
                ..problem
            })
        }
        Some(_) => {
            let detail = detail!(
                "含多个 CDR 的应答应单独成文件，不能作为一行",
                "an answer with several CDRs is a file of its own, not a row"
            );
            Err(Problem::at(Code::FormatMismatch, "/data", detail))
        }
        None => Err(Problem::at(
            Code::MissingField,
            "/data",
            detail!("应答中没有 CDR", "an answer without a CDR"),
        )),
    }
}

#[cfg(test)]
mod tests;
