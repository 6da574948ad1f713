//! How a written time becomes an instant, in the feed's zone and across the changes of its clocks.

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;

use super::super::local_time::can_be_stated;
use super::pattern::Stated;
use crate::domain::problem::{Detail, detail};

/// What to make of a local time that the clocks show twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeated {
    Refuse,
    Earlier,
    Later,
    /// Rows stand in order of time: the first instant after the row before.
    InOrder,
}

/// What a file's times are read against.
#[derive(Debug, Clone, Default)]
pub(super) struct Clock {
    pub(super) zone: Option<Tz>,
    last: Option<DateTime<Utc>>,
}

impl Clock {
    pub(super) fn new(zone: Option<Tz>) -> Clock {
        Clock { zone, last: None }
    }

    /// The instant of a written time, which the next one may have to follow.
    ///
    /// # Errors
    /// Why it names no single instant.
    pub(super) fn instant(
        &mut self,
        stated: Stated,
        repeated: Repeated,
    ) -> Result<DateTime<Utc>, Detail> {
        let found = match candidates(stated, self.zone) {
            [Some(early), Some(late)] => match repeated {
                Repeated::Refuse => Err(twice()),
                Repeated::Earlier => Ok(early),
                Repeated::Later => Ok(late),
                Repeated::InOrder if self.last.is_none_or(|last| early > last) => Ok(early),
                Repeated::InOrder if self.last.is_some_and(|last| late > last) => Ok(late),
                Repeated::InOrder => Err(detail!(
                    "时钟回拨，这个时间出现两次，而各行没有按时间排列",
                    "the clocks show it twice, and the rows are not in order"
                )),
            },
            [Some(only), None] => Ok(only),
            [None, _] => Err(skipped()),
        };
        let found = found.and_then(within_years)?;
        self.last = Some(found);
        Ok(found)
    }

    /// The end of a row whose beginning is known, which often tells the two instants apart.
    ///
    /// # Errors
    /// Why it names no single instant after the beginning.
    pub(super) fn end_after(
        &self,
        stated: Stated,
        from: DateTime<Utc>,
        repeated: Repeated,
    ) -> Result<DateTime<Utc>, Detail> {
        let all = candidates(stated, self.zone);
        let found = match all.map(|end| end.filter(|end| *end >= from)) {
            [None, None] if all[0].is_some() => {
                Err(detail!("早于本行的起始时间", "before the row begins"))
            }
            [None, None] => Err(skipped()),
            [Some(only), None] | [None, Some(only)] => Ok(only),
            [Some(early), Some(late)] => match repeated {
                Repeated::Refuse => Err(twice()),
                Repeated::Earlier | Repeated::InOrder => Ok(early),
                Repeated::Later => Ok(late),
            },
        };
        found.and_then(within_years)
    }

    /// The other end of a stretch of the calendar; at a clock change the earlier instant, and
    /// none where the clocks skipped it.
    pub(super) fn end(
        &self,
        stated: Stated,
        other: Option<NaiveDateTime>,
    ) -> Option<DateTime<Utc>> {
        let other = Stated {
            clock: other?,
            offset: stated.offset,
        };
        let [early, _] = candidates(other, self.zone);
        early
    }
}

/// The instants a written time can mean; the earlier first.
fn candidates(stated: Stated, zone: Option<Tz>) -> [Option<DateTime<Utc>>; 2] {
    let found = match (stated.offset, zone) {
        (Some(offset), _) => offset
            .from_local_datetime(&stated.clock)
            .map(|at| at.to_utc()),
        (None, Some(zone)) => zone
            .from_local_datetime(&stated.clock)
            .map(|at| at.to_utc()),
        (None, None) => MappedLocalTime::None,
    };
    match found {
        MappedLocalTime::None => [None, None],
        MappedLocalTime::Single(only) => [Some(only), None],
        MappedLocalTime::Ambiguous(early, late) => [Some(early), Some(late)],
    }
}

fn twice() -> Detail {
    detail!(
        "时钟回拨，这个时间出现两次，映射没有说明取哪一个",
        "the clocks show it twice, and the mapping says not which is meant"
    )
}

fn skipped() -> Detail {
    detail!(
        "时区里没有这个时间：时钟拨快时跳过了",
        "no such time in the zone: the clocks skipped it"
    )
}

/// # Errors
/// Before the year 0 or after 9999: a count of seconds may say that, and no record can.
fn within_years(at: DateTime<Utc>) -> Result<DateTime<Utc>, Detail> {
    match can_be_stated(&at) {
        true => Ok(at),
        false => Err(detail!(
            "不在 0 至 9999 年之内",
            "not within the years 0 to 9999"
        )),
    }
}
