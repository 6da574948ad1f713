//! Reads the taps of one file, row by row, and hands what became of them to the sink.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::BufRead;

use chrono_tz::Tz;
use rust_decimal::Decimal;

use super::super::json_rows::JsonRows;
use super::super::lines::{Fields, Lines};
use super::super::local_time::LocalTime;
use super::super::{Held, Options, Outcome, Place, Seen, refused};
use super::Layout;
use super::book::Book;
use super::names::Names;
use super::pairing::{Card, Kind, Tap, Window};
use super::row::{Row, columns, fare, required, text};
use crate::domain::behaviour::Quantity;
use crate::domain::problem::{Code, Problem};

/// Above this many cards the distinct count is left out rather than the memory bound.
const CARDS_MAX: usize = 2_000_000;

#[derive(Clone, Copy)]
enum What {
    Metro(Kind),
    Bus,
}

pub(super) struct Reader {
    zone: Tz,
    counts: [u64; 4],
    cards: HashSet<u64>,
    fare: u64,
    window: Window,
    book: Book,
}

impl Reader {
    pub(super) fn new(options: &Options) -> Reader {
        Reader {
            zone: options.zone.unwrap_or(chrono_tz::Asia::Shanghai),
            counts: [0; 4],
            cards: HashSet::new(),
            fare: 0,
            window: Window::new(),
            book: Book {
                layout: Layout::Lines,
                stations: Names::default(),
                lines: Names::default(),
                distances: options.distances.clone().unwrap_or_default(),
            },
        }
    }

    pub(super) fn read_json<R: BufRead>(
        &mut self,
        mut rows: JsonRows<R>,
        sink: &mut dyn FnMut(Outcome),
    ) -> Result<(), Problem> {
        loop {
            let parsed = match rows.next()? {
                None => return Ok(()),
                Some((place, text)) => {
                    let at = match place {
                        Place::Item(pointer, index) => {
                            self.book.layout = Layout::Array(pointer);
                            index
                        }
                        Place::Line(number) => number,
                        Place::Pointer(_) => 0,
                    };
                    match serde_json::from_str(text) {
                        Ok(row) => {
                            self.take(at, &row, sink);
                            None
                        }
                        Err(error) => Some((place, error)),
                    }
                }
            };
            let Some((place, error)) = parsed else {
                continue;
            };
            if rows.torn() && error.is_eof() {
                return Err(Problem::at(
                    Code::FileTruncated,
                    place.to_string(),
                    "a torn row",
                ));
            }
            self.counts[0] += 1;
            sink(refused(
                place,
                Problem {
                    code: Code::RowMalformed,
                    param: None,
                    detail: error.to_string(),
                },
            ));
        }
    }

    pub(super) fn read_csv<R: BufRead>(
        &mut self,
        mut lines: Lines<R>,
        sink: &mut dyn FnMut(Outcome),
    ) -> Result<(), Problem> {
        let mut fields = Fields::default();
        let (at, width) = columns(&mut lines, &mut fields)?;
        while let Some((number, line)) = lines.next()? {
            let split = fields.split(line);
            let whole = split.is_ok() && fields.len() == width;
            if whole {
                self.take(number, &Row::of_fields(&fields, &at), sink);
            } else if lines.torn() {
                return Err(Problem::at(
                    Code::FileTruncated,
                    format!("line {number}"),
                    "a torn row",
                ));
            } else {
                self.counts[0] += 1;
                let detail = format!("{width} columns are expected");
                sink(refused(
                    Place::Line(number),
                    Problem {
                        code: Code::RowMalformed,
                        param: None,
                        detail,
                    },
                ));
            }
        }
        Ok(())
    }

    fn take(&mut self, at: u64, row: &Row<'_>, sink: &mut dyn FnMut(Outcome)) {
        self.counts[0] += 1;
        match self.tap(at, row) {
            Err(problem) => sink(refused(self.book.layout.place(at), problem)),
            Ok(None) => {
                let place = self.book.layout.place(at);
                sink(Outcome::Held(Held {
                    place,
                    code: Code::BusWithoutAlighting,
                }));
            }
            Ok(Some(tap)) => {
                let book = &self.book;
                self.window
                    .add(tap, &mut |settled| sink(book.outcome(settled)));
            }
        }
    }

    /// A metro tap, or none for a bus tap. Type, fare and card are counted before anything else
    /// can refuse the row, because the totals are over all taps read.
    fn tap(&mut self, at: u64, row: &Row<'_>) -> Result<Option<Tap>, Problem> {
        let what = self.kind(required(&row.deal_type, "deal_type")?)?;
        let fare = fare(required(&row.deal_money, "deal_money")?)?;
        self.fare += u64::from(fare);
        let card = Card::new(required(&row.card_no, "card_no")?).ok_or_else(|| {
            Problem::at(Code::InvalidField, "card_no", "1 to 32 visible characters")
        })?;
        if self.cards.len() <= CARDS_MAX {
            self.cards.insert(card.hash());
        }
        if text(&row.station).is_empty() && text(&row.car_no).is_empty() {
            return Err(Problem::at(
                Code::MissingField,
                "station",
                "car_no is missing too",
            ));
        }
        let station = required(&row.station, "station")?;
        required(&row.car_no, "car_no")?;
        let time = self.instant(required(&row.deal_date, "deal_date")?)?;
        let What::Metro(kind) = what else {
            return Ok(None);
        };
        Ok(Some(Tap {
            card,
            at: time,
            kind,
            station: self.book.stations.number(station, "station")?,
            line: self
                .book
                .lines
                .number(text(&row.company_name), "company_name")?,
            fare,
            row: u32::try_from(at).unwrap_or(u32::MAX),
            settled: false,
        }))
    }

    fn kind(&mut self, deal_type: &str) -> Result<What, Problem> {
        let [_, entries, exits, bus] = &mut self.counts;
        let (what, count) = match deal_type {
            "地铁入站" => (What::Metro(Kind::Entry), entries),
            "地铁出站" => (What::Metro(Kind::Exit), exits),
            "巴士" => (What::Bus, bus),
            _ => {
                let detail = "地铁入站, 地铁出站 or 巴士 is expected";
                return Err(Problem::at(Code::InvalidField, "deal_type", detail));
            }
        };
        *count += 1;
        Ok(what)
    }

    fn instant(&self, text: &str) -> Result<u32, Problem> {
        LocalTime::parse(text)
            .and_then(|time| time.instants(self.zone).into_iter().flatten().next())
            .and_then(|instant| u32::try_from(instant.timestamp()).ok())
            .ok_or_else(|| {
                Problem::at(
                    Code::TimeInvalid,
                    "deal_date",
                    format!("no such time in {}", self.zone),
                )
            })
    }

    pub(super) fn finish(self, sink: &mut dyn FnMut(Outcome)) -> Seen {
        let book = &self.book;
        self.window
            .finish(&mut |settled| sink(book.outcome(settled)));
        let [rows, entries, exits, bus] = self.counts;
        let mut counts = vec![
            ("rows", rows),
            ("entries", entries),
            ("exits", exits),
            ("bus", bus),
        ];
        if self.cards.len() <= CARDS_MAX {
            counts.push(("cards", u64::try_from(self.cards.len()).unwrap_or(u64::MAX)));
        }
        let fare = Quantity {
            name: Cow::Borrowed("fare"),
            value: Decimal::from(self.fare),
            unit: Cow::Borrowed("fen"),
        };
        Seen {
            counts,
            totals: vec![fare],
        }
    }
}
