//! `sz-bike-order`: orders of Shenzhen's shared bicycles (共享单车企业每日订单表, 29200_00403627) as the
//! city's open-data platform answers: a page `{"total":…,"data":[…]}`, an array, or JSON lines.
//!
//! A row has no order id, no distance and no datum. The key is made of stated columns, the
//! distance is the great circle between start and end, and the datum must be declared by the
//! scene: the platform's label and what has been measured contradict each other. See
//! `docs/adapters/sz-bike-order.md`.

use std::borrow::Cow;
use std::io::BufRead;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde::Deserialize;

use super::encoding::Decoded;
use super::great_circle::{self, CITY_TRIP_MAX_MM, Datum, Point};
use super::json_records::{self, Fault};
use super::json_rows::{DATA, JsonRows};
use super::json_text::{Text, object, required};
use super::local_time::LocalTime;
use super::pseudonym::pseudonym;
use super::speed::{self, SpeedLimit};
use super::{Adapter, Options, Outcome, Seen};
use crate::domain::behaviour::{Quantity, Record};
use crate::domain::problem::{Code, Detail, Problem, detail};

/// Bytes of a user's or operator's id.
const ID_MAX: usize = 48;
/// Characters of a user's id that must not be masked: 16 hexadecimal digits tell 2^32 users apart.
const UNMASKED_MIN: usize = 16;

/// The entry in the list of adapters.
pub(super) const ADAPTER: Adapter = Adapter {
    name: "sz-bike-order",
    default_zone: chrono_tz::Asia::Shanghai,
    derived: &[("distance", 3)],
    check: |options| Rules::of(options).map(drop),
    read,
};

fn read(
    source: &mut dyn BufRead,
    options: &Options,
    sink: &mut dyn FnMut(Outcome),
) -> Result<Seen, Problem> {
    let rows = JsonRows::new(Decoded::new(source), DATA)?;
    let rules = Rules::of(options)?;
    json_records::read(rows, |text| rules.order(text), sink)?;
    Ok(Seen::default())
}

/// What the scene declares.
struct Rules {
    zone: Tz,
    datum: Datum,
    limit: SpeedLimit,
}

impl Rules {
    fn of(options: &Options) -> Result<Rules, Problem> {
        let settings = &options.settings;
        settings.only(&[Datum::KEY, speed::KEY])?;
        Ok(Rules {
            zone: options.zone.unwrap_or(chrono_tz::Asia::Shanghai),
            datum: Datum::declared(settings)?.ok_or_else(Datum::missing)?,
            limit: SpeedLimit::declared(settings)?
                .unwrap_or_else(|| SpeedLimit::of_mode("shared_bike")),
        })
    }

    fn order(&self, text: &str) -> Result<Record, Fault> {
        let row: Row<'_> = object(text)?;
        let user = identifier(&row.user, "USER_ID")?;
        if user.bytes().filter(|byte| *byte != b'*').count() < UNMASKED_MIN {
            let detail = detail!(
                "未脱敏的字符不足 {UNMASKED_MIN} 个",
                "fewer than {UNMASKED_MIN} characters are not masked"
            );
            return Err(Problem::at(Code::InvalidField, "USER_ID", detail).into());
        }
        let operator = identifier(&row.operator, "COM_ID")?;
        let from = self.instant(&row.start, "START_TIME")?;
        let to = self.instant(&row.end, "END_TIME")?;
        if to < from {
            let detail = detail!("早于 START_TIME", "before START_TIME");
            return Err(Problem::at(Code::InvalidField, "END_TIME", detail).into());
        }
        let stamp = from.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        Ok(Record {
            source_id: pseudonym("bike order", "", &[operator, user, &stamp]),
            subject: user.to_owned(),
            from,
            to,
            quantities: vec![self.distance(&row, (to - from).num_milliseconds())?],
            attributes: vec![
                (Cow::Borrowed("mode"), "shared_bike".to_owned()),
                (Cow::Borrowed("operator"), operator.to_owned()),
                (Cow::Borrowed("evidence"), "platform".to_owned()),
            ],
            revises: None,
        })
    }

    fn instant(&self, field: &Option<Text<'_>>, name: &str) -> Result<DateTime<Utc>, Problem> {
        let text = required(field, name)?;
        let time = LocalTime::parse(text);
        time.and_then(|time| time.instants(self.zone).into_iter().flatten().next())
            .ok_or_else(|| {
                let detail = detail!("时区 {} 没有这个时间", "no such time in {}", self.zone);
                Problem::at(Code::TimeInvalid, name, detail)
            })
    }

    fn distance(&self, row: &Row<'_>, milliseconds: i64) -> Result<Quantity, Problem> {
        let from = self.point((&row.start_lat, "START_LAT"), (&row.start_lng, "START_LNG"))?;
        let to = self.point((&row.end_lat, "END_LAT"), (&row.end_lng, "END_LNG"))?;
        let millimetres = great_circle::millimetres(from, to);
        let too_far = |detail: Detail| Problem::at(Code::QuantityOutOfRange, "END_LAT", detail);
        if millimetres > CITY_TRIP_MAX_MM {
            return Err(too_far(detail!(
                "距起点超过 200 km",
                "more than 200 km from the start"
            )));
        }
        if self.limit.exceeded(millimetres, milliseconds) {
            let limit = self.limit.text();
            return Err(too_far(detail!(
                "按直线距离算，速度超过 {limit}",
                "faster than {limit} in a straight line"
            )));
        }
        Ok(great_circle::distance(millimetres))
    }

    fn point(&self, latitude: Column<'_>, longitude: Column<'_>) -> Result<Point, Problem> {
        let north = required(latitude.0, latitude.1)?;
        let east = required(longitude.0, longitude.1)?;
        Point::parse(north, east, self.datum).ok_or_else(|| {
            Problem::at(
                Code::InvalidField,
                latitude.1,
                detail!("不是以度表示的点", "not a point in degrees"),
            )
        })
    }
}

type Column<'a> = (&'a Option<Text<'a>>, &'static str);

/// One order as the platform writes it: every value is a string; absent and blank are the same.
#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow, default, rename = "USER_ID")]
    user: Option<Text<'a>>,
    #[serde(borrow, default, rename = "COM_ID")]
    operator: Option<Text<'a>>,
    #[serde(borrow, default, rename = "START_TIME")]
    start: Option<Text<'a>>,
    #[serde(borrow, default, rename = "END_TIME")]
    end: Option<Text<'a>>,
    #[serde(borrow, default, rename = "START_LAT")]
    start_lat: Option<Text<'a>>,
    #[serde(borrow, default, rename = "START_LNG")]
    start_lng: Option<Text<'a>>,
    #[serde(borrow, default, rename = "END_LAT")]
    end_lat: Option<Text<'a>>,
    #[serde(borrow, default, rename = "END_LNG")]
    end_lng: Option<Text<'a>>,
}

fn identifier<'a>(field: &'a Option<Text<'_>>, name: &str) -> Result<&'a str, Problem> {
    let text = required(field, name)?;
    if text.len() > ID_MAX || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        let detail = detail!(
            "应为 1 至 {ID_MAX} 个可见 ASCII 字符",
            "1 to {ID_MAX} visible ASCII characters"
        );
        return Err(Problem::at(Code::InvalidField, name, detail));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::super::tests::{read_with, refusals};
    use super::*;
    use crate::domain::scene::adapter::Settings;

    /// Two points of the city, 1 km apart in the north.
    const GOOD: &str = r#"{"START_TIME":"2021-03-01 08:00:00","START_LAT":"22.5400000000","END_TIME":"2021-03-01 08:05:00","END_LNG":"114.0500000000","USER_ID":"00112233445566778899aabbccddeeff","START_LNG":"114.0500000000","END_LAT":"22.5489932000","COM_ID":"0755A"}"#;

    fn declared(datum: &str) -> Options {
        Options {
            settings: Settings::parse(&format!("datum = '{datum}'")).expect("TOML"),
            ..Options::default()
        }
    }

    fn outcomes(text: &str, datum: &str) -> Vec<Outcome> {
        read_with("sz-bike-order", text.as_bytes(), &declared(datum))
            .expect("readable")
            .1
    }

    fn order(text: &str, datum: &str) -> Record {
        match outcomes(text, datum).pop() {
            Some(Outcome::Record(_, record)) => record,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_order_becomes_a_trip() {
        let record = order(&format!(r#"{{"total":1,"data":[{GOOD}]}}"#), "wgs84");
        let user = "00112233445566778899aabbccddeeff";
        assert_eq!(
            record.source_id,
            pseudonym("bike order", "", &["0755A", user, "2021-03-01T00:00:00Z"])
        );
        assert_eq!(record.subject, "00112233445566778899aabbccddeeff");
        assert_eq!(record.to.to_rfc3339(), "2021-03-01T00:05:00+00:00");
        let distance = record.quantity("distance").expect("a distance");
        assert_eq!(
            (distance.value.to_string().as_str(), &*distance.unit),
            ("1", "km")
        );
        assert_eq!(record.attribute("mode"), Some("shared_bike"));
        assert_eq!(order(GOOD, "wgs84"), record);
        assert_eq!(order(&format!("[{GOOD}]"), "wgs84"), record);
    }

    #[test]
    fn the_datum_must_be_declared_and_moves_the_distance() {
        let check = |options: &Options| (ADAPTER.check)(options);
        let problem = check(&Options::default()).expect_err("no datum");
        assert_eq!(
            (problem.code, problem.param.as_deref()),
            (Code::MissingField, Some("settings.datum"))
        );
        let problem = check(&declared("mercator")).expect_err("no such datum");
        assert_eq!(problem.code, Code::InvalidField);
        let unread = read_with("sz-bike-order", GOOD.as_bytes(), &Options::default());
        assert_eq!(unread.expect_err("no datum").code, Code::MissingField);
        let distance = |datum| {
            check(&declared(datum)).expect("a datum");
            order(GOOD, datum).quantity("distance").map(|q| q.value)
        };
        let [wgs84, gcj02, bd09] = ["wgs84", "gcj02", "bd09"].map(distance);
        assert!(wgs84 != gcj02 && gcj02 != bd09 && bd09 != wgs84);
        // The shifts stretch the city by less than a hundredth.
        for value in [gcj02, bd09] {
            let off = (value.expect("a distance") - Decimal::ONE).abs();
            assert!(off < Decimal::new(1, 2), "{off}");
        }
    }

    #[test]
    fn bad_rows_are_refused_one_by_one_with_field() {
        let bad = [
            (
                GOOD.replace("2021-03-01 08:05:00", ""),
                "missing_field",
                "END_TIME",
            ),
            (
                GOOD.replace("08:05:00", "07:59:59"),
                "invalid_field",
                "END_TIME",
            ),
            (
                GOOD.replace("08:00:00", "08:00:xx"),
                "time_invalid",
                "START_TIME",
            ),
            (
                GOOD.replace("22.5400000000", "92.54"),
                "invalid_field",
                "START_LAT",
            ),
            (
                GOOD.replace("22.5489932000", "0")
                    .replace(r#"END_LNG":"114.0500000000"#, r#"END_LNG":"0"#),
                "invalid_field",
                "END_LAT",
            ),
            (
                GOOD.replace("22.5489932000", "32.54"),
                "quantity_out_of_range",
                "END_LAT",
            ),
            (
                GOOD.replace("08:05:00", "08:00:30"),
                "quantity_out_of_range",
                "END_LAT",
            ),
            (
                GOOD.replace("00112233445566778899aabbccddeeff", "138****1234"),
                "invalid_field",
                "USER_ID",
            ),
            (
                GOOD.replace("00112233445566778899aabbccddeeff", " "),
                "missing_field",
                "USER_ID",
            ),
            (GOOD.replace("0755A", "a b"), "invalid_field", "COM_ID"),
            (GOOD.replace(r#""0755A""#, "755"), "row_malformed", ""),
            (
                GOOD.replacen(r#""USER_ID""#, r#""COM_ID":"1","USER_ID""#, 1),
                "row_malformed",
                "",
            ),
        ];
        let rows: Vec<&str> = bad.iter().map(|(row, _, _)| row.as_str()).collect();
        let text = format!("[{},{GOOD}]", rows.join(","));
        let outcomes = outcomes(&text, "wgs84");
        let expected: Vec<_> = bad
            .iter()
            .enumerate()
            .map(|(at, (_, code, field))| {
                (format!("/{at}"), (*code).to_owned(), (*field).to_owned())
            })
            .collect();
        assert_eq!(refusals(&outcomes), expected);
        assert!(matches!(outcomes.last(), Some(Outcome::Record(..))));
    }

    #[test]
    fn torn_and_foreign_files_are_refused_whole() {
        let code = |text: &str| {
            read_with("sz-bike-order", text.as_bytes(), &declared("wgs84"))
                .expect_err(text)
                .code
        };
        assert_eq!(code(""), Code::FormatMismatch);
        assert_eq!(code("USER_ID,COM_ID\n"), Code::FormatMismatch);
        assert_eq!(code(&format!("[{GOOD}")), Code::FileTruncated);
        assert_eq!(
            code(&format!("{GOOD}\n{{\"USER_ID\":")),
            Code::FileTruncated
        );
    }
}
