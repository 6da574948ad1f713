//! What turns settled taps into outcomes: a trip with its distance, or why it is none. A card's
//! number is the subject of a trip, and stands in no id.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};

use super::super::DistanceTable;
use super::super::pseudonym::pseudonym;
use super::super::{Held, Outcome, refused};
use super::Layout;
use super::names::Names;
use super::pairing::{Settled, Tap};
use crate::domain::behaviour::{Quantity, Record};
use crate::domain::problem::{Code, Problem, detail};

/// What turns settled taps into outcomes.
pub(super) struct Book {
    pub(super) layout: Layout,
    /// Whether the file has fares; an extract of the gates has none.
    pub(super) fares: bool,
    pub(super) stations: Names,
    pub(super) lines: Names,
    pub(super) distances: Arc<DistanceTable>,
}

impl Book {
    pub(super) fn outcome(&self, settled: Settled) -> Outcome {
        match settled {
            Settled::Trip(entry, exit) => self.trip(&entry, &exit),
            Settled::Unpaired(tap) => Outcome::Held(Held {
                place: tap.place(self.layout),
                code: Code::UnpairedTap,
            }),
            Settled::Repeated(tap) => {
                let problem = Problem::at(
                    Code::DuplicateReading,
                    "deal_date",
                    detail!("同一次刷卡重复出现", "the same tap again"),
                );
                refused(tap.place(self.layout), problem)
            }
        }
    }

    fn trip(&self, entry: &Tap, exit: &Tap) -> Outcome {
        let place = exit.place(self.layout);
        let (from, to) = (
            self.stations.name(entry.station),
            self.stations.name(exit.station),
        );
        let Some(km) = self.distances.between(from, to) else {
            return Outcome::Held(Held {
                place,
                code: Code::DistanceUnknown,
            });
        };
        let (start, stop) = (instant(entry.at), instant(exit.at));
        let card = entry.card.as_str();
        let stamp = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
        let record = Record {
            source_id: pseudonym("trip", "", &[card, &stamp(start), &stamp(stop)]),
            subject: card.to_owned(),
            from: start,
            to: stop,
            quantities: vec![Quantity::new("distance", km, "km")],
            attributes: self.attributes(entry, exit),
            revises: None,
        };
        Outcome::Record(place, record)
    }

    fn attributes(&self, entry: &Tap, exit: &Tap) -> Vec<(Cow<'static, str>, String)> {
        let named = |name: &'static str, value: String| (Cow::Borrowed(name), value);
        let mut attributes = vec![
            named("mode", "metro".to_owned()),
            named("from_station", self.stations.name(entry.station).to_owned()),
            named("to_station", self.stations.name(exit.station).to_owned()),
        ];
        let line = self.lines.name(entry.line);
        if !line.is_empty() {
            attributes.push(named("line", line.to_owned()));
        }
        if self.fares {
            attributes.push(named("fare_fen", exit.fare.to_string()));
        }
        attributes
    }
}

fn instant(seconds: u32) -> DateTime<Utc> {
    DateTime::from_timestamp(i64::from(seconds), 0).unwrap_or(DateTime::UNIX_EPOCH)
}
