//! The rows of a file in their order: header, channels with their days, registers, end.

use std::io::BufRead;

use chrono::{DateTime, Utc};

use super::super::encoding::Decoded;
use super::super::lines::{Fields, Lines};
use super::super::{Outcome, Place, malformed, refused};
use super::amount::short;
use super::channel::Channel;
use super::clock::Clock;
use super::day::Day;
use super::register;
use super::statements::Statements;
use crate::domain::problem::{Code, Detail, Problem, detail};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Nem12,
    Nem13,
}

/// What a row may follow.
enum Above {
    /// Nothing yet, or a whole file: only a header may come.
    End,
    Header,
    Channel(Result<Channel, Problem>),
    /// A day, which 400 rows may still speak of; with the line of its 300 row.
    Day(Result<Channel, Problem>, u64, Result<Day, Problem>),
    Register,
}

pub(super) struct File<'a> {
    clock: Clock,
    sink: &'a mut dyn FnMut(Outcome),
    statements: Statements,
    version: Option<Version>,
    /// When the file was made.
    made: Option<DateTime<Utc>>,
    above: Above,
}

impl<'a> File<'a> {
    pub(super) fn new(clock: Clock, sink: &'a mut dyn FnMut(Outcome)) -> File<'a> {
        File {
            clock,
            sink,
            statements: Statements::default(),
            version: None,
            made: None,
            above: Above::End,
        }
    }

    /// # Errors
    /// The file as a whole: no header, another format, no end record, or a bound passed.
    pub(super) fn read(mut self, source: &mut dyn BufRead) -> Result<(), Problem> {
        let mut lines = Lines::new(Decoded::new(source));
        let mut fields = Fields::default();
        let mut last = 0;
        while let Some((number, line)) = lines.next()? {
            last = number;
            let row = fields.split(line).map(|()| &fields);
            self.row(number, row)?;
        }
        match (self.version, self.above) {
            (None, _) => Err(not_this(
                "line 1".to_owned(),
                detail!("文件为空", "the file is empty"),
            )),
            (Some(_), Above::End) => {
                self.statements.finish(self.sink);
                Ok(())
            }
            _ => Err(Problem::at(
                Code::FileTruncated,
                format!("line {last}"),
                detail!(
                    "文件结尾缺少 900 记录",
                    "the file ends without its 900 record"
                ),
            )),
        }
    }

    fn row(&mut self, number: u64, row: Result<&Fields, Problem>) -> Result<(), Problem> {
        let place = format!("line {number}");
        let row = match (row, &self.above) {
            (Ok(row), _) => row,
            (Err(_), Above::End) => {
                return Err(not_this(
                    place,
                    detail!("此处应为 100 记录", "a 100 record is expected"),
                ));
            }
            (Err(problem), _) => {
                self.close();
                self.refuse(number, problem);
                return Ok(());
            }
        };
        match (row.get(0), self.version) {
            ("100", _) => return self.header(place, row),
            _ if matches!(self.above, Above::End) => {
                return Err(not_this(
                    place,
                    detail!("此处应为 100 记录", "a 100 record is expected"),
                ));
            }
            ("200", Some(Version::Nem12)) => self.channel(number, row),
            ("300", Some(Version::Nem12)) => self.day(number, row),
            ("400", Some(Version::Nem12)) => self.event(number, row),
            // Which service order led to the reading: nothing that is counted.
            ("500", Some(Version::Nem12)) => self.follows(
                number,
                "500",
                matches!(self.above, Above::Channel(_) | Above::Day(..)),
            ),
            ("250", Some(Version::Nem13)) => self.register(number, row),
            ("550", Some(Version::Nem13)) => {
                self.follows(number, "550", matches!(self.above, Above::Register));
            }
            ("900", _) => {
                self.close();
                self.above = Above::End;
            }
            (other, _) => {
                let detail = detail!(
                    "此版本没有 {:?} 记录",
                    "{:?} is no record of this version",
                    short(other)
                );
                self.refuse(number, malformed(detail));
            }
        }
        Ok(())
    }

    fn header(&mut self, place: String, row: &Fields) -> Result<(), Problem> {
        if !matches!(self.above, Above::End) {
            return Err(not_this(
                place,
                detail!(
                    "上一个文件还没有结束，又出现 100 记录",
                    "a 100 record inside another file"
                ),
            ));
        }
        self.version = match row.get(1) {
            "NEM12" => Some(Version::Nem12),
            "NEM13" => Some(Version::Nem13),
            other => {
                let detail = detail!(
                    "{:?} 既不是 NEM12 也不是 NEM13",
                    "{:?} is neither NEM12 nor NEM13",
                    short(other)
                );
                return Err(not_this(place, detail));
            }
        };
        self.made = self.clock.instant("DateTime", row.get(2)).ok();
        self.above = Above::Header;
        Ok(())
    }

    fn channel(&mut self, number: u64, row: &Fields) {
        self.close();
        let channel = Channel::parse(row);
        if let Err(problem) = &channel
            && problem.code != Code::UnitUnsupported
        {
            // A stream that is not counted is no fault of its row: its days say so.
            self.refuse(number, problem.clone());
        }
        self.above = Above::Channel(channel);
    }

    fn day(&mut self, number: u64, row: &Fields) {
        self.close();
        match std::mem::replace(&mut self.above, Above::Header) {
            Above::Channel(channel) | Above::Day(channel, ..) => {
                let day = match &channel {
                    Ok(channel) => Day::parse(row, channel, self.clock),
                    Err(problem) => Err(problem.clone()),
                };
                self.above = Above::Day(channel, number, day);
            }
            _ => self.refuse(
                number,
                malformed(detail!(
                    "300 记录之前没有 200 记录",
                    "a 300 row without a 200 row"
                )),
            ),
        }
    }

    fn event(&mut self, number: u64, row: &Fields) {
        let Above::Day(channel, _, day) = &mut self.above else {
            self.refuse(
                number,
                malformed(detail!(
                    "400 记录之前没有 300 记录",
                    "a 400 row without a 300 row"
                )),
            );
            return;
        };
        if let (Ok(channel), Ok(known)) = (channel, &mut *day)
            && let Err(mut problem) = known.event(row, channel)
        {
            problem.detail = of_line(number, &problem.detail);
            *day = Err(problem);
        }
    }

    fn register(&mut self, number: u64, row: &Fields) {
        self.above = Above::Register;
        match register::record(row, self.clock, self.made) {
            Ok(record) => self
                .statements
                .register(Place::Line(number), record, self.sink),
            Err(problem) => self.refuse(number, problem),
        }
    }

    fn follows(&mut self, number: u64, name: &str, fits: bool) {
        if !fits {
            self.refuse(
                number,
                malformed(detail!(
                    "{name} 记录没有所属的记录",
                    "a {name} row that belongs to nothing"
                )),
            );
        }
    }

    /// Hands on the day above, to which nothing can be added any more.
    fn close(&mut self) {
        if !matches!(self.above, Above::Day(..)) {
            return;
        }
        let Above::Day(channel, number, day) = std::mem::replace(&mut self.above, Above::Header)
        else {
            return;
        };
        let record = match (&channel, day) {
            (Ok(channel), Ok(day)) => day.finish(channel, self.made),
            (_, Err(problem)) => Err(problem),
            (Err(problem), _) => Err(problem.clone()),
        };
        match record {
            Ok(record) => self
                .statements
                .record(Place::Line(number), record, self.sink),
            Err(problem) => self.refuse(number, problem),
        }
        self.above = Above::Channel(channel);
    }

    fn refuse(&mut self, number: u64, problem: Problem) {
        self.statements
            .push(refused(Place::Line(number), problem), self.sink);
    }
}

/// What a row below the day's own breaks.
fn of_line(number: u64, broken: &Detail) -> Detail {
    let (zh, en) = (broken.zh(), broken.en());
    match broken.is_empty() {
        true => detail!("第 {number} 行", "line {number}"),
        false => detail!("第 {number} 行：{zh}", "line {number}: {en}"),
    }
}

fn not_this(place: String, detail: Detail) -> Problem {
    Problem::at(Code::FormatMismatch, place, detail)
}
