//! Reads the taps of one file, row by row, and hands what became of them to the sink.

use std::collections::HashSet;
use std::io::BufRead;

use rust_decimal::Decimal;

use super::super::json_records;
use super::super::json_rows::JsonRows;
use super::super::json_text::{object, required, text};
use super::super::lines::{Fields, Lines};
use super::super::{Held, Options, Outcome, Place, Seen, refused, torn};
use super::Layout;
use super::book::Book;
use super::clock::Clock;
use super::columns::{Columns, Field, absent};
use super::declared::Declared;
use super::names::Names;
use super::pairing::{Card, Kind, Tap, Window};
use super::row::{Row, What, fare, kind};
use crate::domain::behaviour::Quantity;
use crate::domain::problem::{Code, Problem, detail};

/// Above this many cards the distinct count is left out rather than the memory bound.
const CARDS_MAX: usize = 2_000_000;

pub(super) struct Reader {
    declared: Declared,
    clock: Clock,
    /// Whether the file names gates and vehicles.
    cars: bool,
    counts: [u64; 4],
    cards: HashSet<u64>,
    fare: u64,
    window: Window,
    book: Book,
}

impl Reader {
    /// # Errors
    /// A setting that is not understood.
    pub(super) fn new(options: &Options) -> Result<Reader, Problem> {
        let declared = Declared::read(&options.settings)?;
        Ok(Reader {
            clock: Clock {
                zone: options.zone.unwrap_or(chrono_tz::Asia::Shanghai),
                zulu: declared.zulu,
            },
            declared,
            cars: true,
            counts: [0; 4],
            cards: HashSet::new(),
            fare: 0,
            window: Window::new(),
            book: Book {
                layout: Layout::Lines,
                fares: true,
                stations: Names::default(),
                lines: Names::default(),
                distances: options.distances.clone().unwrap_or_default(),
            },
        })
    }

    pub(super) fn read_json<R: BufRead>(
        &mut self,
        rows: JsonRows<R>,
        sink: &mut dyn FnMut(Outcome),
    ) -> Result<(), Problem> {
        let row = |place: &Place, text: &str, sink: &mut dyn FnMut(Outcome)| {
            let at = match place {
                Place::Item(pointer, index) => {
                    self.book.layout = Layout::Array(pointer);
                    *index
                }
                Place::Line(number) => *number,
                Place::Pointer(_) => 0,
            };
            self.counts[0] += 1;
            self.take(at, &object(text)?, sink);
            Ok(())
        };
        json_records::each(rows, row, sink)
    }

    pub(super) fn read_csv<R: BufRead>(
        &mut self,
        mut lines: Lines<R>,
        sink: &mut dyn FnMut(Outcome),
    ) -> Result<(), Problem> {
        let mut fields = Fields::default();
        let Some((number, first)) = lines.next()? else {
            return Err(absent(detail!("文件为空", "the file is empty")));
        };
        fields
            .split(first)
            .map_err(|_| absent(detail!("没有表头", "no header")))?;
        let columns = Columns::of(&fields, &self.declared)?;
        self.book.fares = columns.has(Field::Money);
        self.cars = columns.has(Field::Car);
        if !columns.header {
            self.line(number, &fields, &columns, lines.torn(), sink)?;
        }
        while let Some((number, line)) = lines.next()? {
            match fields.split(line) {
                Ok(()) => self.line(number, &fields, &columns, lines.torn(), sink)?,
                Err(_) if lines.torn() => return Err(torn(&Place::Line(number))),
                Err(problem) => self.malformed(number, problem, sink),
            }
        }
        Ok(())
    }

    fn line(
        &mut self,
        number: u64,
        fields: &Fields,
        columns: &Columns,
        last: bool,
        sink: &mut dyn FnMut(Outcome),
    ) -> Result<(), Problem> {
        match columns.fit(fields) {
            Ok(()) => {
                self.counts[0] += 1;
                self.take(number, &Row::of_fields(fields, columns), sink);
            }
            Err(_) if last => return Err(torn(&Place::Line(number))),
            Err(problem) => self.malformed(number, problem, sink),
        }
        Ok(())
    }

    fn malformed(&mut self, line: u64, problem: Problem, sink: &mut dyn FnMut(Outcome)) {
        self.counts[0] += 1;
        sink(refused(Place::Line(line), problem));
    }

    fn take(&mut self, at: u64, row: &Row<'_>, sink: &mut dyn FnMut(Outcome)) {
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
        let fare = match self.book.fares {
            true => fare(
                required(&row.deal_money, "deal_money")?,
                self.declared.money,
            )?,
            false => 0,
        };
        self.fare = self.fare.saturating_add(u64::from(fare));
        unmasked(required(&row.card_no, "card_no")?)?;
        let card = Card::new(required(&row.card_no, "card_no")?).ok_or_else(|| {
            Problem::at(
                Code::InvalidField,
                "card_no",
                detail!("应为 1 至 32 个可见字符", "1 to 32 visible characters"),
            )
        })?;
        if self.cards.len() <= CARDS_MAX {
            self.cards.insert(card.hash());
        }
        if self.cars && text(&row.station).is_empty() && text(&row.car_no).is_empty() {
            return Err(Problem::at(
                Code::MissingField,
                "station",
                detail!("car_no 也缺失", "car_no is missing too"),
            ));
        }
        let station = required(&row.station, "station")?;
        if self.cars {
            required(&row.car_no, "car_no")?;
        }
        let time = self.clock.seconds(required(&row.deal_date, "deal_date")?)?;
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
        let what = kind(deal_type)?;
        *match what {
            What::Metro(Kind::Entry) => entries,
            What::Metro(Kind::Exit) => exits,
            What::Bus => bus,
        } += 1;
        Ok(what)
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
        let fare = Quantity::new("fare", Decimal::from(self.fare), "fen");
        Seen {
            counts,
            totals: book.fares.then_some(fare).into_iter().collect(),
        }
    }
}

/// # Errors
/// `invalid_field` at `card_no`: some of its characters are covered by `*`.
fn unmasked(number: &str) -> Result<(), Problem> {
    if !number.contains('*') {
        return Ok(());
    }
    let said = detail!(
        "卡号被打码：几个人会被当成一个人，进出站也会错配",
        "masked: it would make one person of several, and pair the taps of two"
    );
    Err(Problem::at(Code::InvalidField, "card_no", said))
}
