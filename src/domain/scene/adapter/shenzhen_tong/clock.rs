//! When a tap was: the ways in which published taps write a time.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::super::local_time::{LocalTime, rfc3339};
use super::declared::Zulu;
use crate::domain::problem::{Code, Problem, detail};

#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    pub(super) zone: Tz,
    pub(super) zulu: Zulu,
}

impl Clock {
    /// Unix seconds of `2018-09-01 11:19:46`, `20180901111946` or `2018-09-01T11:19:46.000Z` (see
    /// [`Zulu`]); a time with a numeric offset is taken as it stands. Parts of a second are cut.
    ///
    /// # Errors
    /// `time_invalid` at `deal_date`.
    pub(super) fn seconds(self, text: &str) -> Result<u32, Problem> {
        self.instant(text)
            .and_then(|instant| u32::try_from(instant.timestamp()).ok())
            .ok_or_else(|| {
                let detail = detail!("时区 {} 没有这个时间", "no such time in {}", self.zone);
                Problem::at(Code::TimeInvalid, "deal_date", detail)
            })
    }

    fn instant(self, text: &str) -> Option<DateTime<Utc>> {
        let zulu = text.strip_suffix('Z');
        match LocalTime::parse(zulu.unwrap_or(text)) {
            Some(time) if zulu.is_some() && self.zulu == Zulu::Utc => Some(time.time.and_utc()),
            Some(time) => time.instants(self.zone).into_iter().flatten().next(),
            None => rfc3339(text).map(|time| time.to_utc()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ways_of_writing_a_time_are_one_time() {
        let of = |zulu| Clock {
            zone: chrono_tz::Asia::Shanghai,
            zulu,
        };
        let (local, utc) = (of(Zulu::Local), of(Zulu::Utc));
        for text in [
            "2018-09-01 11:19:46",
            "20180901111946",
            "2018/9/1 11:19:46",
            "2018-09-01T11:19:46.000Z",
            "2018-09-01T03:19:46+00:00",
            "2018-09-01T11:19:46.5+08:00",
        ] {
            assert_eq!(local.seconds(text), Ok(1_535_771_986), "{text}");
        }
        assert_eq!(utc.seconds("2018-09-01T03:19:46Z"), Ok(1_535_771_986));
        assert_eq!(utc.seconds("2018-09-01 11:19:46"), Ok(1_535_771_986));
        for text in [
            "",
            "Z",
            "20180901",
            "2018-09-31 00:00:00",
            "1969-01-01 00:00:00",
        ] {
            let problem = local.seconds(text).expect_err(text);
            assert_eq!(problem.code, Code::TimeInvalid);
        }
    }
}
