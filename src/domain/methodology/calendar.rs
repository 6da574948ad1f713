//! Calendars (日历): which season, which hours, which kind of day an instant falls in. A formula
//! reads a calendar as it reads a choice: `b[season]`, `if alert == "red" then …`.
//!
//! Every instant has exactly one word: bands that leave a gap or overlap are a defect.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};
use toml::Spanned;

use super::defect::Source;
use super::dictionary::{Dictionary, Word};
use super::document::CalendarEntry;
use super::grade::Grade;
use super::slots::Loaded;
use super::table::Note;
use crate::domain::problem::detail;

/// Minutes of a day.
const DAY: u32 = 24 * 60;

#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    pub name: String,
    pub words: Vec<(String, Word)>,
    /// How well the bands are known, where the document says so of them alone.
    pub grade: Option<Grade>,
    pub note: Note,
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    /// By day of a leap year, 0 to 365.
    Season(Box<[Word]>),
    /// Bands of minutes of the day: first minute, first minute that is out, word.
    Hours(Vec<(u32, u32, Word)>),
    Dates(BTreeMap<NaiveDate, Word>, Word),
}

impl Calendar {
    /// The word of a local time.
    pub fn at(&self, local: NaiveDateTime) -> Option<Word> {
        match &self.form {
            Form::Season(days) => day_of_leap_year(local.month(), local.day())
                .and_then(|day| days.get(day))
                .copied(),
            Form::Hours(bands) => band(bands, minute(local)).map(|(_, _, word)| *word),
            Form::Dates(days, otherwise) => {
                Some(days.get(&local.date()).copied().unwrap_or(*otherwise))
            }
        }
    }

    /// The one band that holds the whole stretch; `None` if it lies across two. A stretch that
    /// ends when its band ends lies within it.
    pub fn over(&self, from: NaiveDateTime, to: NaiveDateTime) -> Option<Word> {
        let Form::Hours(bands) = &self.form else {
            let last = if to > from {
                to - chrono::TimeDelta::nanoseconds(1)
            } else {
                to
            };
            let word = self.at(from)?;
            return (self.at(last)? == word).then_some(word);
        };
        let (first, out, word) = *band(bands, minute(from))?;
        if to <= from {
            return Some(word);
        }
        // Seconds from the band's start to the stretch's end.
        let into = (minute(from) + DAY - first) % DAY;
        let left =
            i64::from((out + DAY - first - 1) % DAY + 1 - into) * 60 - i64::from(from.second());
        ((to - from).num_seconds() <= left).then_some(word)
    }
}

fn minute(local: NaiveDateTime) -> u32 {
    local.hour() * 60 + local.minute()
}

fn band(bands: &[(u32, u32, Word)], minute: u32) -> Option<&(u32, u32, Word)> {
    bands.iter().find(|(from, to, _)| match from < to {
        true => (*from..*to).contains(&minute),
        false => minute >= *from || minute < *to,
    })
}

fn day_of_leap_year(month: u32, day: u32) -> Option<usize> {
    let date = NaiveDate::from_ymd_opt(2024, month, day)?;
    usize::try_from(date.ordinal0()).ok()
}

/// Compiles a document's calendars.
pub(super) fn calendars<'e>(
    source: Source<'_>,
    entries: impl Iterator<Item = (&'e String, &'e Spanned<CalendarEntry>)>,
    dictionary: &Dictionary,
) -> Loaded<Vec<Calendar>> {
    entries
        .map(|(name, entry)| calendar(source, name, entry, dictionary))
        .collect()
}

fn calendar(
    source: Source<'_>,
    name: &str,
    entry: &Spanned<CalendarEntry>,
    dictionary: &Dictionary,
) -> Loaded<Calendar> {
    let at = entry.span().start;
    let declared = entry.get_ref();
    let form = match declared.form.get_ref().as_str() {
        "season" => season(source, at, declared, dictionary)?,
        "hours" => hours(source, at, declared, dictionary)?,
        "dates" => dates(source, at, declared, dictionary)?,
        other => {
            let message = detail!(
                "`{other}` 不是日历形式；须为 season、hours 或 dates",
                "`{other}` is no form of calendar; it is season, hours or dates"
            );
            return Err(source.defect(declared.form.span().start, message));
        }
    };
    let mut words: Vec<(String, Word)> = declared
        .texts()
        .map(|text| (text.to_owned(), dictionary.find(text)))
        .collect();
    words.sort();
    words.dedup();
    Ok(Calendar {
        name: name.to_owned(),
        words,
        grade: declared.grade,
        note: Note::of(&declared.note_zh, &declared.note),
        form,
    })
}

fn season(
    source: Source<'_>,
    at: usize,
    entry: &CalendarEntry,
    dictionary: &Dictionary,
) -> Loaded<Form> {
    let mut days: Vec<Option<Word>> = vec![None; 366];
    for band in &entry.bands {
        let from = month_day(&band.from);
        let to = month_day(&band.to);
        let (Some(from), Some(to)) = (from, to) else {
            let message = detail!(
                "季节须写明 `from` 和 `to`，如 05-01 和 10-31，首尾两日均包含在内",
                "a season runs `from` and `to` days such as 05-01 and 10-31, both in"
            );
            return Err(source.defect(at, message));
        };
        let mut day = from;
        loop {
            let cell = days.get_mut(day);
            let word = dictionary.find(&band.name);
            if cell.and_then(|cell| cell.replace(word)).is_some() {
                return Err(source.defect(
                    at,
                    detail!("两个季节有重叠的日子", "two seasons share a day"),
                ));
            }
            if day == to {
                break;
            }
            day = (day + 1) % 366;
        }
    }
    let days: Option<Box<[Word]>> = days.into_iter().collect();
    days.map(Form::Season).ok_or_else(|| {
        source.defect(
            at,
            detail!(
                "一年中有日子不属于任何季节",
                "a day of the year is in no season"
            ),
        )
    })
}

fn month_day(text: &str) -> Option<usize> {
    let (month, day) = text.split_once('-')?;
    day_of_leap_year(month.parse().ok()?, day.parse().ok()?)
}

fn hours(
    source: Source<'_>,
    at: usize,
    entry: &CalendarEntry,
    dictionary: &Dictionary,
) -> Loaded<Form> {
    let mut bands = Vec::with_capacity(entry.bands.len());
    let mut covered = 0;
    for stated in &entry.bands {
        let (Some(from), Some(to)) = (clock(&stated.from), clock(&stated.to)) else {
            let message = detail!(
                "时段须写明 `from` 和 `to`，如 22:00 和 06:00",
                "hours run `from` and `to` times such as 22:00 and 06:00"
            );
            return Err(source.defect(at, message));
        };
        let (from, to) = (from % DAY, to % DAY);
        covered += (to + DAY - from - 1) % DAY + 1;
        if band(&bands, from).is_some()
            || bands
                .iter()
                .any(|(start, _, _)| band(&[(from, to, 0)], *start).is_some())
        {
            return Err(source.defect(at, detail!("两个时段重叠", "two bands of hours overlap")));
        }
        bands.push((from, to, dictionary.find(&stated.name)));
    }
    if covered != DAY {
        return Err(source.defect(
            at,
            detail!("各时段合起来不是一整天", "the hours do not make up a day"),
        ));
    }
    Ok(Form::Hours(bands))
}

fn clock(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    (minute < 60 && hour * 60 + minute <= DAY).then_some(hour * 60 + minute)
}

fn dates(
    source: Source<'_>,
    at: usize,
    entry: &CalendarEntry,
    dictionary: &Dictionary,
) -> Loaded<Form> {
    let Some(otherwise) = &entry.otherwise else {
        return Err(source.defect(
            at,
            detail!(
                "须用 `otherwise` 写明其余日子是什么",
                "`otherwise` says what all other days are"
            ),
        ));
    };
    let mut days = BTreeMap::new();
    for band in &entry.bands {
        for date in &band.dates {
            let day: NaiveDate = date.parse().map_err(|_| {
                source.defect(at, detail!("`{date}` 不是日期", "`{date}` is not a date"))
            })?;
            if days.insert(day, dictionary.find(&band.name)).is_some() {
                return Err(
                    source.defect(at, detail!("{date} 列出了两次", "{date} is listed twice"))
                );
            }
        }
    }
    Ok(Form::Dates(days, dictionary.find(otherwise)))
}
