//! When a row's act happened: which columns say so, and in which formats.

use chrono::{DateTime, Days, Months, NaiveTime, Utc};

use super::super::local_time::can_be_stated;
use super::clock::{Clock, Repeated};
use super::columns::{Columns, Slot};
use super::length::Length;
use super::pattern::{Grain, Pattern, Stated, on_the_clock};
use super::row::{Cell, Cells, Fault, Row, sheet_number};
use super::section::Section;
use super::serial;
use crate::domain::problem::{Code, Detail, Problem, detail};

/// No format writes a time at greater length; a longer text is not searched for one.
const TIME_BYTES_MAX: usize = 256;

#[derive(Debug, Clone, Copy)]
enum Ends {
    At(Slot),
    Both(Slot, Slot),
    From(Slot, Length),
    To(Slot, Length),
    /// The row lasts until the next one begins.
    Next(Slot),
}

/// A row's stretch of time, as far as the row itself says.
#[derive(Debug, Clone, Copy)]
pub(super) enum Extent {
    Whole(DateTime<Utc>, DateTime<Utc>),
    /// Its end is the next row's beginning.
    Open(DateTime<Utc>),
}

#[derive(Debug, Clone)]
pub(super) struct Times {
    ends: Ends,
    patterns: Vec<Pattern>,
    /// A midnight is the end of the day beside it, not its beginning.
    midnight_ends_day: bool,
    /// The end names the last day, month or year that counts.
    last_included: bool,
    repeated: Repeated,
}

impl Times {
    /// # Errors
    /// `missing_field`, `invalid_field` or `unknown_field` at the key.
    pub(super) fn declared(
        columns_section: &Section,
        section: &Section,
        columns: &mut Columns,
    ) -> Result<Times, Problem> {
        section.only(&["format", "length", "until", "midnight", "last", "repeated"])?;
        let ends = ends(columns_section, section, columns)?;
        let times = Times {
            ends,
            patterns: patterns(section)?,
            midnight_ends_day: section
                .choice("midnight", &[("begins_day", false), ("ends_day", true)])?
                .unwrap_or(false),
            last_included: section
                .choice("last", &[("excluded", false), ("included", true)])?
                .unwrap_or(false),
            repeated: section
                .choice(
                    "repeated",
                    &[
                        ("refuse", Repeated::Refuse),
                        ("earlier", Repeated::Earlier),
                        ("later", Repeated::Later),
                        ("in_order", Repeated::InOrder),
                    ],
                )?
                .unwrap_or(Repeated::Refuse),
        };
        times.agree(section)?;
        Ok(times)
    }

    /// Whether any time is read in the feed's zone.
    pub(super) fn need_zone(&self) -> bool {
        self.patterns.iter().any(|pattern| !pattern.has_offset)
    }

    /// Rules between the keys.
    fn agree(&self, section: &Section) -> Result<(), Problem> {
        let coarse = self.grain() > Grain::Time;
        let has_end = matches!(self.ends, Ends::Both(..) | Ends::To(..));
        if self.midnight_ends_day && !has_end {
            return Err(section.refused(
                "midnight",
                detail!(
                    "只用于 `to` 列，而映射没有指定这一列",
                    "is about the column `to`, which is not named"
                ),
            ));
        }
        if matches!(self.ends, Ends::At(_)) && coarse {
            let detail = detail!(
                "只写到日、月或年：请指定 `from` 列和长度",
                "names a whole day or more: name the column `from` and a length"
            );
            return Err(section.refused("format", detail));
        }
        if has_end && coarse && section.value("last").is_none() {
            let detail = detail!(
                "请说明最后一日（月、年）算（included）还是不算（excluded）",
                "say whether the last day (month, year) is included or excluded"
            );
            return Err(section.missing("last", detail));
        }
        if section.value("last").is_some() && !(has_end && coarse) {
            return Err(section.refused(
                "last",
                detail!(
                    "只用于写到日、月或年的 `to` 列",
                    "is about a column `to` of whole days or more"
                ),
            ));
        }
        Ok(())
    }

    fn grain(&self) -> Grain {
        self.patterns
            .first()
            .map_or(Grain::Time, |pattern| pattern.grain)
    }

    /// # Errors
    /// `missing_field` for a blank cell, `time_invalid` for one that cannot be read or names no
    /// instant, at its column.
    pub(super) fn read<C: Cells>(
        &self,
        row: &Row<'_, C>,
        clock: &mut Clock,
    ) -> Result<Extent, Fault> {
        match self.ends {
            Ends::At(slot) => {
                let at = self.instant(row, slot, self.stated(row, slot)?, clock)?;
                Ok(Extent::Whole(at, at))
            }
            Ends::Next(slot) => {
                let from = self.instant(row, slot, self.stated(row, slot)?, clock)?;
                Ok(Extent::Open(from))
            }
            Ends::From(slot, length) => {
                let stated = self.stated(row, slot)?;
                let from = self.instant(row, slot, stated, clock)?;
                let to = match length.seconds() {
                    Some(seconds) => from.checked_add_signed(seconds),
                    None => clock.end(stated, length.after(stated.clock)),
                };
                let to = to.filter(can_be_stated);
                let to = to.ok_or_else(|| row.fault(slot, Code::TimeInvalid, no_other_end()))?;
                Ok(Extent::Whole(from, to))
            }
            Ends::To(slot, length) => {
                let stated = self.closing(self.stated(row, slot)?);
                let to = self.instant(row, slot, stated, clock)?;
                let from = match length.seconds() {
                    Some(seconds) => to.checked_sub_signed(seconds),
                    None => clock.end(stated, length.before(stated.clock)),
                };
                let from = from.filter(can_be_stated);
                let from =
                    from.ok_or_else(|| row.fault(slot, Code::TimeInvalid, no_other_end()))?;
                Ok(Extent::Whole(from, to))
            }
            Ends::Both(from_slot, to_slot) => {
                let from = self.instant(row, from_slot, self.stated(row, from_slot)?, clock)?;
                let stated = self.closing(self.stated(row, to_slot)?);
                let to = clock.end_after(stated, from, self.repeated);
                let to = to.map_err(|detail| row.fault(to_slot, Code::TimeInvalid, detail))?;
                Ok(Extent::Whole(from, to))
            }
        }
    }

    /// A single instant in another column (`stated_at`), in the same ways.
    ///
    /// # Errors
    /// As [`Times::read`].
    pub(super) fn single<C: Cells>(
        &self,
        row: &Row<'_, C>,
        slot: Slot,
        clock: &Clock,
    ) -> Result<DateTime<Utc>, Fault> {
        let mut apart = Clock::new(clock.zone);
        self.instant(row, slot, self.stated(row, slot)?, &mut apart)
    }

    /// Whether two of the formats read the text as different times: 5/6 by the day and the month,
    /// and by the month and the day.
    fn is_ambiguous<C: Cells>(&self, row: &Row<'_, C>, slot: Slot) -> Result<bool, Fault> {
        if self.patterns.len() < 2 {
            return Ok(false);
        }
        let cell = row.cell(slot)?;
        let (Cell::Text(text) | Cell::Number(text, _)) = cell else {
            return Ok(false);
        };
        if text.len() > TIME_BYTES_MAX {
            return Ok(false);
        }
        let mut found = self.patterns.iter().filter_map(|way| way.read(text));
        let first = found.next();
        Ok(first.is_some_and(|first| {
            found.any(|other| (other.clock, other.offset) != (first.clock, first.offset))
        }))
    }

    fn stated<C: Cells>(&self, row: &Row<'_, C>, slot: Slot) -> Result<Stated, Fault> {
        if self.is_ambiguous(row, slot)? {
            let said = detail!(
                "声明的两种格式把它读成不同的时间",
                "two of the declared formats read it as different times"
            );
            return Err(row.fault(slot, Code::TimeInvalid, said));
        }
        let unread = || {
            row.fault(
                slot,
                Code::TimeInvalid,
                detail!(
                    "不符合任何一种声明的格式",
                    "in none of the declared formats"
                ),
            )
        };
        let read = |text: &str| match text.len() <= TIME_BYTES_MAX {
            true => self.patterns.iter().find_map(|pattern| pattern.read(text)),
            false => None,
        };
        match row.cell(slot)? {
            Cell::Blank => Err(row.fault(slot, Code::MissingField, Detail::default())),
            Cell::Broken(what) => Err(row.fault(slot, Code::InvalidField, what.clone())),
            Cell::Text(text) => read(text).ok_or_else(unread),
            Cell::Number(text, epoch) if self.patterns.iter().any(Pattern::takes_serials) => {
                date(text, epoch).map_err(|detail| row.fault(slot, Code::TimeInvalid, detail))
            }
            Cell::Number(text, _) => read(text).ok_or_else(unread),
            Cell::Date(text, epoch) => {
                date(text, epoch).map_err(|detail| row.fault(slot, Code::TimeInvalid, detail))
            }
        }
    }

    /// A stated end, as the first moment that no longer counts.
    fn closing(&self, stated: Stated) -> Stated {
        let midnight = stated.clock.time() == NaiveTime::MIN;
        let clock = match self.grain() {
            Grain::Day if self.last_included => stated.clock.checked_add_days(Days::new(1)),
            Grain::Month if self.last_included => stated.clock.checked_add_months(Months::new(1)),
            Grain::Year if self.last_included => stated.clock.checked_add_months(Months::new(12)),
            Grain::Time if self.midnight_ends_day && midnight => {
                stated.clock.checked_add_days(Days::new(1))
            }
            _ => None,
        };
        Stated {
            clock: clock.unwrap_or(stated.clock),
            offset: stated.offset,
        }
    }

    fn instant<C: Cells>(
        &self,
        row: &Row<'_, C>,
        slot: Slot,
        stated: Stated,
        clock: &mut Clock,
    ) -> Result<DateTime<Utc>, Fault> {
        let found = clock.instant(stated, self.repeated);
        found.map_err(|detail| row.fault(slot, Code::TimeInvalid, detail))
    }
}

fn no_other_end() -> Detail {
    detail!(
        "按声明的长度推算，另一端的时间不存在",
        "the declared length from here ends at no time that exists"
    )
}

fn date(text: &str, epoch: serial::Epoch) -> Result<Stated, Detail> {
    let serial = text.parse().ok().or_else(|| sheet_number(text));
    let serial = serial.ok_or_else(|| detail!("不是电子表格日期", "not a spreadsheet date"))?;
    let clock = serial::local(serial, epoch)?;
    Ok(on_the_clock(clock))
}

fn ends(named: &Section, section: &Section, columns: &mut Columns) -> Result<Ends, Problem> {
    let at = columns.one(named, "at")?;
    let (from, to) = (columns.one(named, "from")?, columns.one(named, "to")?);
    let length = match section.text("length")? {
        None => None,
        Some(text) => Some(Length::parse(text).ok_or_else(|| {
            section.refused(
                "length",
                detail!(
                    "应为只有一部分的 ISO 8601 时长：PT15M、P1D、P1M",
                    "must be one part of an ISO 8601 duration: PT15M, P1D, P1M"
                ),
            )
        })?),
    };
    let next = section.choice("until", &[("next_row", ())])?.is_some();
    let ends = match (at, from, to, length, next) {
        (Some(at), None, None, None, false) => Ends::At(at),
        (None, Some(from), Some(to), None, false) => Ends::Both(from, to),
        (None, Some(from), None, Some(length), false) => Ends::From(from, length),
        (None, None, Some(to), Some(length), false) => Ends::To(to, length),
        (None, Some(from), None, None, true) => Ends::Next(from),
        (None, None, None, _, _) => {
            return Err(named.missing(
                "from",
                detail!(
                    "请指定 `at`，或 `from` 和 `to`，或二者之一",
                    "name `at`, or `from` and `to`, or one of the two"
                ),
            ));
        }
        (None, Some(_), None, None, false) | (None, None, Some(_), None, false) => {
            let detail = detail!(
                "只指定了一端：请说明一行持续多久，或写 until = \"next_row\"",
                "one end is named: say how long a row lasts, or until = \"next_row\""
            );
            return Err(section.missing("length", detail));
        }
        _ => {
            let detail = detail!(
                "与含义相同的设置并存：只能用 at，或 from 和 to，或 from、to 之一加长度，或 from 到下一行",
                "stands beside what says the same: one of at, from and to, from or to with a length, from until the next row"
            );
            return Err(named.refused(if at.is_some() { "at" } else { "from" }, detail));
        }
    };
    Ok(ends)
}

fn patterns(section: &Section) -> Result<Vec<Pattern>, Problem> {
    let texts = section.texts("format")?;
    if texts.is_empty() {
        return Err(section.missing(
            "format",
            detail!(
                "请说明文件怎样书写时间",
                "say how the file writes its times"
            ),
        ));
    }
    let patterns: Vec<Pattern> = texts
        .into_iter()
        .map(|text| Pattern::new(text).map_err(|detail| section.refused("format", detail)))
        .collect::<Result<_, _>>()?;
    let grain = patterns.first().map(|pattern| pattern.grain);
    if patterns.iter().any(|pattern| Some(pattern.grain) != grain) {
        return Err(section.refused(
            "format",
            detail!(
                "有的写到时刻，有的只写到日、月或年",
                "some name a time, others a whole day or more"
            ),
        ));
    }
    Ok(patterns)
}
