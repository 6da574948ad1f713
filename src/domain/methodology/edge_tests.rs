//! Edges of periods and of what they look back at: zones, leap days, bounds, what is not said.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;

use super::look_back_tests::{KWH, at, compiled, day_reading, defect, document, periods, reading};
use super::{Compiled, Library, Series, start_of_day};
use crate::domain::behaviour::Record;
use crate::domain::problem::Code;

const PLAIN: &str = "[period]\n[formula]\nreduction = 'kwh * 1 kgCO2/kWh'\nunit = 'kgCO2'\n";

fn zoned(zone: Tz, period: &str, body: &str) -> Compiled {
    let text = document(period, body).replace("Asia/Shanghai", zone.name());
    let library = Library::load([("m.toml", text.as_str())]).expect("a document");
    library.get("m", "1").expect("it").as_ref().clone()
}

fn date(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn midnight(text: &str, zone: Tz) -> DateTime<Utc> {
    start_of_day(date(text), zone).expect("a day")
}

fn between(from: DateTime<Utc>, to: DateTime<Utc>, kwh: &str) -> Record {
    Record {
        source_id: from.to_string(),
        from,
        to,
        ..reading("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", kwh)
    }
}

#[test]
fn a_day_that_begins_at_one_or_has_two_midnights_is_a_day() {
    for (zone, days) in [
        (
            chrono_tz::Asia::Beirut,
            ["2026-03-28", "2026-03-29", "2026-03-30"],
        ),
        (
            chrono_tz::America::Havana,
            ["2026-10-31", "2026-11-01", "2026-11-02"],
        ),
        (
            chrono_tz::America::Havana,
            ["2026-03-07", "2026-03-08", "2026-03-09"],
        ),
        (
            chrono_tz::Australia::Sydney,
            ["2026-10-03", "2026-10-04", "2026-10-05"],
        ),
        (
            chrono_tz::Australia::Sydney,
            ["2026-04-04", "2026-04-05", "2026-04-06"],
        ),
    ] {
        let methodology = zoned(zone, "day", &format!("{KWH}{PLAIN}"));
        for pair in days.windows(2) {
            let record = between(midnight(pair[0], zone), midnight(pair[1], zone), "1");
            let span = methodology.days_of(&record);
            assert_eq!(
                (span.first, span.out),
                (date(pair[0]), date(pair[1])),
                "{zone}"
            );
            assert_eq!(methodology.accept(&record), Ok(()), "{zone} {}", pair[0]);
        }
    }
    // From the first midnight to the second is an hour of the day that they belong to.
    let zone = chrono_tz::America::Havana;
    let methodology = zoned(zone, "day", &format!("{KWH}{PLAIN}"));
    let first = midnight("2026-11-01", zone);
    let span = methodology.days_of(&between(first, first + TimeDelta::hours(1), "1"));
    assert_eq!(
        (span.first, span.out),
        (date("2026-11-01"), date("2026-11-02"))
    );
}

#[test]
fn days_of_23_and_of_25_hours_are_whole_when_every_half_hour_is_there() {
    let zone = chrono_tz::Australia::Sydney;
    let whole = PLAIN.replace("[period]", "[period]\ncomplete = 'whole'");
    let methodology = zoned(zone, "day", &format!("{KWH}{whole}"));
    for (day, next, halves) in [
        ("2026-10-04", "2026-10-05", 46),
        ("2026-04-05", "2026-04-06", 50),
    ] {
        let start = midnight(day, zone);
        assert_eq!(
            midnight(next, zone) - start,
            TimeDelta::minutes(30 * halves)
        );
        let half = |n: i64| {
            let from = start + TimeDelta::minutes(30 * n);
            between(from, from + TimeDelta::minutes(30), "1")
        };
        let records: Vec<Record> = (0..halves).map(half).collect();
        let days = methodology.gather(&records, &[]);
        assert_eq!(days.len(), 1);
        let sum = days[0].1.as_ref().expect("a day").quantities[0].value;
        assert_eq!(sum, Decimal::from(halves));
        for lacking in [0, halves - 1, 4, 5, 6, 7] {
            let mut records = records.clone();
            records.remove(lacking as usize);
            let problem = methodology.gather(&records, &[]).remove(0).1;
            assert_eq!(problem.expect_err("a gap").code, Code::PeriodIncomplete);
        }
    }
}

#[test]
fn a_bill_over_new_year_is_split_at_the_documents_midnight() {
    let spread = KWH.replace("unit = 'kWh'", "unit = 'kWh'\nspread = 'days'");
    for period in ["month", "year"] {
        let methodology = compiled(period, &format!("{spread}{PLAIN}"));
        let bill = reading("2025-12-22T16:00:00Z", "2026-01-12T16:00:00Z", "21");
        let parts = periods(&methodology, &[bill]);
        let values: Vec<Decimal> = parts.iter().map(|part| part.quantities[0].value).collect();
        assert_eq!(values, [Decimal::from(9), Decimal::from(12)], "{period}");
        assert_eq!(parts[1].from, at("2026-01-01T00:00:00+08:00"));
    }
}

#[test]
fn a_leap_february_is_compared_with_a_short_one_and_the_other_way_round() {
    let body = format!(
        "{KWH}[period]\n[formula]\nreduction = 'max(0 kWh, same_month_last_year(kwh) - kwh) * 1 kgCO2/kWh'\nunit = 'kgCO2'\n"
    );
    for period in ["month", "billing"] {
        let methodology = compiled(period, &body);
        let records = [
            reading(
                "2027-02-01T00:00:00+08:00",
                "2027-03-01T00:00:00+08:00",
                "30",
            ),
            reading(
                "2028-02-29T00:00:00+08:00",
                "2028-03-01T00:00:00+08:00",
                "20",
            ),
            reading(
                "2029-02-28T00:00:00+08:00",
                "2029-03-01T00:00:00+08:00",
                "5",
            ),
        ];
        let all = periods(&methodology, &records);
        let mut series = Series::default();
        methodology.open_series(&all, &mut series);
        let mut mg = |at| {
            methodology
                .quantify_in(&all, at, &mut series)
                .expect("a number")
                .reduction_mg
                .0
        };
        assert_eq!((mg(1), mg(2)), (10_000_000, 15_000_000), "{period}");
    }
}

#[test]
fn zeros_count_missing_days_do_not_and_the_count_is_met_exactly() {
    let of = |options: &str, days: &[(u32, i64)]| {
        let body = format!(
            "{KWH}[period]\n[formula]\nreduction = 'max(0 kWh, trailing_mean(kwh, {options}) - kwh) * 1 kgCO2/kWh'\nunit = 'kgCO2'\n"
        );
        let methodology = compiled("day", &body);
        let records: Vec<Record> = days
            .iter()
            .map(|(day, kwh)| day_reading(*day, Decimal::from(*kwh)))
            .collect();
        let all = periods(&methodology, &records);
        let mut series = Series::default();
        methodology.open_series(&all, &mut series);
        let last = methodology.quantify_in(&all, all.len() - 1, &mut series);
        last.map(|quantified| quantified.reduction_mg.0)
            .map_err(|refusal| refusal.problem().code)
    };
    let three = [(0, 9), (2, 0), (7, 1)];
    assert_eq!(of("days = 7, min_count = 2", &three), Ok(3_500_000));
    assert_eq!(
        of("days = 7, min_count = 3", &three),
        Err(Code::HistoryMissing)
    );
    assert_eq!(
        of("days = 6, min_count = 2", &three),
        Err(Code::HistoryMissing)
    );
    // With the current day the eighth before is out, and the day itself is in.
    assert_eq!(
        of("days = 8, exclude_current = false, min_count = 3", &three),
        Ok(2_333_333)
    );
    assert_eq!(
        of("days = 7, exclude_current = false, min_count = 2", &three),
        Ok(0)
    );
    for wrong in [
        "days = 7, min_count = 0",
        "days = 7, min_count = 8",
        "days = 0",
    ] {
        let body = format!(
            "{KWH}[period]\n[formula]\nreduction = 'trailing_mean(kwh, {wrong}) * 1 kgCO2/kWh'\nunit = 'kgCO2'\n"
        );
        assert!(!defect("day", &body).is_empty(), "{wrong}");
    }
}

#[test]
fn units_mix_in_a_period_and_extremes_are_exact_or_refused() {
    let methodology = compiled("day", &format!("{KWH}{PLAIN}"));
    let given = |value: &str, unit: &'static str| {
        let mut record = day_reading(0, value.parse().expect("a number"));
        record.source_id = format!("{value}{unit}");
        record.quantities[0].unit = unit.into();
        record
    };
    let sum = |records: &[Record]| {
        let day = methodology.gather(records, &[]).remove(0).1?;
        let mut series = Series::default();
        let days = [day];
        methodology.open_series(&days, &mut series);
        let quantified = methodology.quantify_in(&days, 0, &mut series);
        quantified
            .map(|quantified| quantified.reduction_mg.0)
            .map_err(|refusal| refusal.problem().clone())
    };
    assert_eq!(
        sum(&[
            given("1.5", "MWh"),
            given("0.25", "kWh"),
            given("3.6", "MJ")
        ]),
        Ok(1_501_250_000)
    );
    // Rounded once, toward zero, after everything is added up.
    assert_eq!(
        sum(&[given("0.0000006", "kWh"), given("0.0000006", "kWh")]),
        Ok(1)
    );
    assert_eq!(sum(&[given("0.0000009", "kWh")]), Ok(0));
    let huge = "70000000000000000000000000000";
    let codes = [
        sum(&[given(huge, "kWh")]).expect_err("too much").code,
        sum(&[given(huge, "kWh"), given(huge, "kWh ")][..1])
            .expect_err("too much")
            .code,
        sum(&[
            given(huge, "kWh"),
            given("69999999999999999999999999999", "kWh"),
        ])
        .expect_err("too much")
        .code,
    ];
    assert!(
        codes.iter().all(|code| *code != Code::Internal),
        "{codes:?}"
    );
}

const METERS: &str = "[inputs.meter]\ntype = 'text'\nrequired = false\n";
const WEEK: &str = "[period]\n[formula]\nreduction = 'max(0 kWh, trailing_mean(kwh, days = 7, min_count = 2) - kwh) * 1 kgCO2/kWh'\nunit = 'kgCO2'\n";

#[test]
fn a_years_threshold_does_not_lengthen_what_a_day_rests_on() {
    let year = "[claims]\nexclusivity_keys = [['meter', 'day']]\n[year_end]\nrequire = 'year_sum(kwh) <= 9000 kWh'\notherwise = 'reverse'\nreason = 'third_tier'\n";
    let methodology = compiled("day", &format!("{KWH}{METERS}{WEEK}{year}"));
    let of = |day: u32| {
        let meter = if day < 10 { "M-1" } else { "M-2" };
        let mut record = day_reading(day, Decimal::from(4));
        record.attributes.push(("meter".into(), meter.to_owned()));
        record
    };
    let days = periods(&methodology, &(0..30).map(of).collect::<Vec<_>>());
    // The meter was changed on the tenth day: seven days later that is past.
    assert_eq!(
        methodology.has_all(&days, 16).expect_err("M-1").code,
        Code::PeriodIncomplete
    );
    assert_eq!(methodology.has_all(&days, 17), Ok(()));
    let mut series = Series::default();
    methodology.open_series(&days, &mut series);
    let stored = methodology.remember(&days, 20, &series).expect("a record");
    let carried = stored
        .quantities
        .iter()
        .filter(|given| given.name.contains('@'));
    assert_eq!(carried.count(), 7);
    assert_eq!(methodology.reach_days(), 7);
}

#[test]
fn a_record_without_evidence_does_not_borrow_it_from_another() {
    let evidence = |default: &str| {
        format!(
            "[evidence]\n{default}[evidence.levels.meter]\nvalue = '1'\nunit = '1'\ngrade = 'D'\nsource = 's'\n\
            [evidence.levels.self_declared]\nvalue = '0.5'\nunit = '1'\ngrade = 'D'\nsource = 's'\n"
        )
    };
    let read = |default: &str, said: [Option<&str>; 2]| {
        let methodology = compiled("day", &format!("{KWH}{PLAIN}{}", evidence(default)));
        let records = [0, 1].map(|n| {
            let mut record = day_reading(0, Decimal::from(5));
            record.source_id = n.to_string();
            record
                .attributes
                .extend(said[n].map(|said| ("evidence".into(), said.to_owned())));
            record
        });
        let day = methodology.gather(&records, &[]).remove(0).1;
        let days = [day.map_err(|problem| problem.code)?];
        let mut series = Series::default();
        methodology.open_series(&days, &mut series);
        let quantified = methodology.quantify_in(&days, 0, &mut series);
        quantified
            .map(|quantified| quantified.reduction_mg.0)
            .map_err(|refusal| refusal.problem().code)
    };
    let (meter, own) = (Some("meter"), Some("self_declared"));
    let usual = "default = 'self_declared'\n";
    assert_eq!(read(usual, [meter, meter]), Ok(10_000_000));
    assert_eq!(read(usual, [own, meter]), Ok(5_000_000));
    assert_eq!(read(usual, [meter, None]), Ok(5_000_000));
    assert_eq!(read(usual, [None, None]), Ok(5_000_000));
    assert_eq!(read("", [None, meter]), Err(Code::MissingField));
    assert_eq!(read("", [None, None]), Err(Code::MissingField));
}

#[test]
fn what_lies_outside_a_band_is_no_value_of_the_band() {
    let hours = "[calendars.tou]\nform = 'hours'\nbands = [{ name = 'peak', from = '06:00', to = '22:00' }, { name = 'valley', from = '22:00', to = '06:00' }]\n";
    for (combine, expected) in [
        ("mean", 6),
        ("min", 4),
        ("max", 8),
        ("last", 8),
        ("sum", 12),
    ] {
        let body = format!(
            "{hours}[inputs.kwh]\ntype = 'quantity'\nunit = 'kWh'\nover = 'tou'\ncombine = '{combine}'\n[period]\n\
            [formula]\nreduction = 'kwh[\"valley\"] * 1 kgCO2/kWh + kwh[\"peak\"] * 0 kgCO2/kWh'\nunit = 'kgCO2'\n"
        );
        let methodology = compiled("day", &body);
        let hour = |from: &str, to: &str, kwh| {
            let stamp = |hour| format!("2026-03-01T{hour}:00:00+08:00");
            reading(&stamp(from), &stamp(to), kwh)
        };
        let day = periods(
            &methodology,
            &[
                hour("00", "01", "4"),
                hour("12", "13", "100"),
                hour("22", "23", "8"),
                hour("21", "22", "3"),
            ],
        );
        let valley = day[0].quantity("kwh.valley").expect("it").value;
        assert_eq!(valley, Decimal::from(expected), "{combine}");
    }
}

#[test]
fn a_campaign_takes_its_first_day_whole_and_nothing_of_the_day_that_is_out() {
    let campaign = PLAIN.replace(
        "[period]",
        "[period]\nfrom = '2026-03-02'\nto = '2026-03-04'",
    );
    let methodology = compiled("campaign", &format!("{KWH}{campaign}"));
    let told = |from: &str, to: &str| {
        let record = reading(
            &format!("2026-03-{from}+08:00"),
            &format!("2026-03-{to}+08:00"),
            "1",
        );
        methodology.accept(&record).map_err(|problem| problem.code)
    };
    assert_eq!(told("02T00:00:00", "02T00:00:01"), Ok(()));
    assert_eq!(told("04T23:00:00", "05T00:00:00"), Ok(()));
    assert_eq!(told("02T00:00:00", "05T00:00:00"), Ok(()));
    assert_eq!(told("01T23:59:59", "02T01:00:00"), Err(Code::Ineligible));
    assert_eq!(told("05T00:00:00", "05T00:00:01"), Err(Code::Ineligible));
    assert_eq!(told("04T23:00:00", "05T00:00:01"), Err(Code::PeriodCrossed));
}
