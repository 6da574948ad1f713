//! Periods, look-backs, calendars and the terms between gross and net, on documents made here.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::{Compiled, Library, Series};
use crate::domain::behaviour::{Quantity, Record};
use crate::domain::problem::Code;

pub(super) fn document(period: &str, body: &str) -> String {
    format!(
        "format = 1\nkind = 'methodology'\n\
         [identity]\ncode = 'm'\nversion = '1'\ntitle_zh = '测试'\ntitle_en = 'test'\n\
         [effect]\nfrom = '2020-01-01'\nzone = 'Asia/Shanghai'\n\
         [scope]\nregion = 'CN'\nscene = 's'\nsubject = 'household'\nquantity_kind = 'co2'\nperiod = '{period}'\n{body}"
    )
}

pub(super) fn compiled(period: &str, body: &str) -> Compiled {
    let text = document(period, body);
    let library =
        Library::load([("m.toml", text.as_str())]).unwrap_or_else(|defects| panic!("{defects:?}"));
    library.get("m", "1").expect("it is there").as_ref().clone()
}

pub(super) fn defect(period: &str, body: &str) -> String {
    let text = document(period, body);
    let defects = Library::load([("m.toml", text.as_str())]).expect_err("a defect");
    defects.iter().map(ToString::to_string).collect()
}

pub(super) const KWH: &str = "[inputs.kwh]\ntype = 'quantity'\nunit = 'kWh'\n";
const WEEK: &str = "[period]\n[formula]\nreduction = 'max(0 kWh, trailing_mean(kwh, days = 7, min_count = 2) - kwh) * 1 kgCO2/kWh'\nunit = 'kgCO2'\n";

pub(super) fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text)
        .expect("a time")
        .with_timezone(&Utc)
}

pub(super) fn reading(from: &str, to: &str, kwh: &str) -> Record {
    Record {
        source_id: from.to_owned(),
        subject: "h".to_owned(),
        from: at(from),
        to: at(to),
        quantities: vec![Quantity {
            name: "kwh".into(),
            value: kwh.parse().expect("a number"),
            unit: "kWh".into(),
        }],
        attributes: Vec::new(),
        revises: None,
    }
}

pub(super) fn day_reading(day: u32, kwh: Decimal) -> Record {
    let from = at("2026-03-01T00:00:00+08:00") + TimeDelta::days(i64::from(day));
    Record {
        source_id: day.to_string(),
        to: from + TimeDelta::days(1),
        quantities: vec![Quantity {
            name: "kwh".into(),
            value: kwh,
            unit: "kWh".into(),
        }],
        ..reading(
            "2026-03-01T00:00:00+08:00",
            "2026-03-02T00:00:00+08:00",
            "0",
        )
    }
    .starting(from)
}

impl Record {
    fn starting(self, from: DateTime<Utc>) -> Record {
        Record { from, ..self }
    }
}

pub(super) fn periods(compiled: &Compiled, records: &[Record]) -> Vec<Record> {
    let gathered = compiled.gather(records, &[]).into_iter();
    gathered
        .map(|(_, period)| period.expect("a period"))
        .collect()
}

#[test]
fn the_readings_of_a_day_add_up_and_the_week_before_is_the_baseline() {
    let methodology = compiled("day", &format!("{KWH}{WEEK}"));
    let records = [
        reading(
            "2026-03-01T00:00:00+08:00",
            "2026-03-01T12:00:00+08:00",
            "3",
        ),
        reading(
            "2026-03-01T12:00:00+08:00",
            "2026-03-02T00:00:00+08:00",
            "7",
        ),
        reading(
            "2026-03-02T00:00:00+08:00",
            "2026-03-03T00:00:00+08:00",
            "8",
        ),
        reading(
            "2026-03-04T00:00:00+08:00",
            "2026-03-05T00:00:00+08:00",
            "5.5",
        ),
    ];
    let days = periods(&methodology, &records);
    let kwh: Vec<String> = days
        .iter()
        .map(|day| day.quantities[0].value.to_string())
        .collect();
    assert_eq!(kwh, ["10", "8", "5.5"]);
    let mut series = Series::default();
    methodology.open_series(&days, &mut series);
    let first = methodology
        .quantify_in(&days, 0, &mut series)
        .expect_err("no history");
    assert_eq!(first.problem().code, Code::HistoryMissing);
    // (10 + 8) / 2 - 5.5 = 3.5; the missing third of March is not a zero.
    let third = methodology
        .quantify_in(&days, 2, &mut series)
        .expect("a result");
    assert_eq!(third.reduction_mg.0, 3_500_000);
}

#[test]
fn a_period_that_is_stored_can_be_computed_from_itself() {
    let methodology = compiled("day", &format!("{KWH}{WEEK}"));
    let days: Vec<Record> = [10, 8, 6, 4]
        .iter()
        .enumerate()
        .map(|(day, kwh)| day_reading(day as u32, Decimal::from(*kwh)))
        .collect();
    let days = periods(&methodology, &days);
    let mut series = Series::default();
    methodology.open_series(&days, &mut series);
    let stored = methodology
        .remember(&days, 3, &series)
        .expect("it is there");
    assert_eq!(
        stored.quantity("kwh@2026-03-02").expect("carried").value,
        Decimal::from(8)
    );
    let explained = methodology.explain(&stored).expect("it explains itself");
    assert_eq!(explained.reduction_mg, 4_000_000);
    let [reading] = &explained.look_backs[..] else {
        panic!("{:?}", explained.look_backs)
    };
    assert_eq!(reading.text, "trailing_mean(kwh, days = 7, min_count = 2)");
    assert_eq!(reading.value.as_deref(), Some("8.0"));
    assert_eq!(
        reading
            .periods
            .iter()
            .map(|past| past.from.as_str())
            .collect::<Vec<_>>(),
        ["2026-03-01", "2026-03-02", "2026-03-03"]
    );
}

#[test]
fn a_bill_is_shared_between_its_months_by_days() {
    let body = "[inputs.kwh]\ntype = 'quantity'\nunit = 'kWh'\nspread = 'days'\n[period]\ncomplete = 'every_day'\n\
        [formula]\nreduction = 'kwh * 1 kgCO2/kWh'\nunit = 'kgCO2'\n";
    let methodology = compiled("month", body);
    let bills = [
        reading(
            "2026-03-12T00:00:00+08:00",
            "2026-04-11T00:00:00+08:00",
            "300",
        ),
        reading(
            "2026-04-11T00:00:00+08:00",
            "2026-05-11T00:00:00+08:00",
            "60",
        ),
    ];
    let gathered = methodology.gather(&bills, &[]);
    let months: Vec<String> = gathered
        .iter()
        .map(|(span, _)| span.first.to_string())
        .collect();
    assert_eq!(months, ["2026-03-01", "2026-04-01", "2026-05-01"]);
    // 20 of 30 days of the first bill fall in March: no record covers its first eleven days.
    assert_eq!(
        gathered[0].1.as_ref().expect_err("incomplete").code,
        Code::PeriodIncomplete
    );
    // 10 days at 10 kWh and 20 days at 2 kWh.
    let april = gathered[1].1.as_ref().expect("whole");
    assert_eq!(april.quantities[0].value, Decimal::from(140));
}

#[test]
fn a_reading_across_midnight_is_refused_unless_it_is_spread() {
    let methodology = compiled("day", &format!("{KWH}{WEEK}"));
    let across = reading(
        "2026-03-01T23:30:00+08:00",
        "2026-03-02T00:30:00+08:00",
        "1",
    );
    assert_eq!(
        methodology.accept(&across).expect_err("crosses").code,
        Code::PeriodCrossed
    );
}

#[test]
fn members_count_as_last_stated_by_the_start_of_the_day() {
    let body = "[inputs.kwh]\ntype = 'quantity'\nunit = 'kWh'\n[inputs.members]\ntype = 'quantity'\nunit = 'person'\nas_of = 'start'\n\
        [period]\n[formula]\nreduction = 'members * 1 kgCO2/person'\nunit = 'kgCO2'\n";
    let methodology = compiled("day", body);
    let stated = |from: &str, members: &str| {
        let mut record = reading(from, from, members);
        record.quantities[0].name = "members".into();
        record.quantities[0].unit = "person".into();
        record
    };
    let statements = [
        stated("2026-01-01T09:00:00+08:00", "2"),
        stated("2026-03-02T09:00:00+08:00", "3"),
    ];
    assert!(methodology.states(&statements[0]) && !methodology.acts(&statements[0]));
    let days = [
        day_reading(0, Decimal::ONE),
        day_reading(1, Decimal::ONE),
        day_reading(2, Decimal::ONE),
    ];
    let members: Vec<Decimal> = methodology
        .gather(&days, &statements)
        .into_iter()
        .map(|(_, day)| {
            day.expect("whole")
                .quantity("members")
                .expect("stated")
                .value
        })
        .collect();
    assert_eq!(members, [2.into(), 2.into(), 3.into()]);
}

#[test]
fn peak_and_valley_are_told_apart_by_the_hour() {
    let body = "[calendars.tou]\nform = 'hours'\nbands = [{ name = 'peak', from = '06:00', to = '22:00' }, { name = 'valley', from = '22:00', to = '06:00' }]\n\
        [inputs.kwh]\ntype = 'quantity'\nunit = 'kWh'\nover = 'tou'\n[period]\n\
        [formula]\nreduction = 'kwh[\"valley\"] * 1 kgCO2/kWh + kwh[\"peak\"] * 0.5 kgCO2/kWh'\nunit = 'kgCO2'\n";
    let methodology = compiled("day", body);
    let records = [
        reading(
            "2026-03-01T05:00:00+08:00",
            "2026-03-01T06:00:00+08:00",
            "1",
        ),
        reading(
            "2026-03-01T06:00:00+08:00",
            "2026-03-01T07:00:00+08:00",
            "2",
        ),
        reading(
            "2026-03-01T21:00:00+08:00",
            "2026-03-01T22:00:00+08:00",
            "4",
        ),
        reading(
            "2026-03-01T22:00:00+08:00",
            "2026-03-01T23:00:00+08:00",
            "8",
        ),
    ];
    let day = &periods(&methodology, &records)[0];
    assert_eq!(
        day.quantity("kwh.peak").expect("peak").value,
        Decimal::from(6)
    );
    assert_eq!(
        day.quantity("kwh.valley").expect("valley").value,
        Decimal::from(9)
    );
    let across = reading(
        "2026-03-01T05:30:00+08:00",
        "2026-03-01T06:30:00+08:00",
        "1",
    );
    let refused = methodology
        .gather(&[across], &[])
        .remove(0)
        .1
        .expect_err("across");
    assert_eq!(refused.code, Code::PeriodCrossed);
}

#[test]
fn the_month_is_compared_with_the_same_month_of_last_year() {
    let body = format!(
        "{KWH}[period]\n[formula]\nreduction = '(same_month_last_year(kwh) - kwh) * 1 kgCO2/kWh'\nunit = 'kgCO2'\n"
    );
    let methodology = compiled("month", &body);
    let records = [
        reading(
            "2025-03-01T00:00:00+08:00",
            "2025-04-01T00:00:00+08:00",
            "100",
        ),
        reading(
            "2025-04-01T00:00:00+08:00",
            "2025-05-01T00:00:00+08:00",
            "70",
        ),
        reading(
            "2026-03-01T00:00:00+08:00",
            "2026-04-01T00:00:00+08:00",
            "90",
        ),
    ];
    let months = periods(&methodology, &records);
    let mut series = Series::default();
    methodology.open_series(&months, &mut series);
    assert_eq!(
        methodology
            .quantify_in(&months, 2, &mut series)
            .expect("known")
            .reduction_mg
            .0,
        10_000_000
    );
    assert_eq!(
        methodology
            .quantify_in(&months, 1, &mut series)
            .expect_err("no year before")
            .problem()
            .code,
        Code::HistoryMissing
    );
}

#[test]
fn a_history_is_an_unbroken_run_of_months() {
    let body = format!(
        "{KWH}[period]\n[formula]\nreduction = '(history_mean(kwh, min_months = 3, max_months = 12) - kwh) * 1 kgCO2/kWh'\nunit = 'kgCO2'\n"
    );
    let methodology = compiled("month", &body);
    let month = |month: u32, kwh: i64| {
        let from = NaiveDate::from_ymd_opt(2026, month, 1).expect("a day");
        let from = at(&format!("{from}T00:00:00+08:00"));
        Record {
            to: from + TimeDelta::days(27),
            ..day_reading(0, kwh.into()).starting(from)
        }
    };
    // March is missing: for July only April, May and June count.
    let months = periods(
        &methodology,
        &[
            month(1, 1000),
            month(2, 1000),
            month(4, 30),
            month(5, 60),
            month(6, 90),
            month(7, 50),
        ],
    );
    let mut series = Series::default();
    methodology.open_series(&months, &mut series);
    assert_eq!(
        methodology
            .quantify_in(&months, 5, &mut series)
            .expect("three months")
            .reduction_mg
            .0,
        10_000_000
    );
    assert_eq!(
        methodology
            .quantify_in(&months, 4, &mut series)
            .expect_err("two months")
            .problem()
            .code,
        Code::HistoryMissing
    );
}

#[test]
fn the_years_end_excludes_whoever_used_too_much() {
    let body = format!(
        "{KWH}[period]\n[formula]\nreduction = 'kwh * 1 kgCO2/kWh'\nunit = 'kgCO2'\n\
        [year_end]\nrequire = 'year_sum(kwh) <= 100 kWh'\notherwise = 'reverse'\nreason = 'third_tier'\n"
    );
    let methodology = compiled("month", &body);
    let of = |february: &str| {
        periods(
            &methodology,
            &[
                reading(
                    "2026-01-01T00:00:00+08:00",
                    "2026-02-01T00:00:00+08:00",
                    "60",
                ),
                reading(
                    "2026-02-01T00:00:00+08:00",
                    "2026-03-01T00:00:00+08:00",
                    february,
                ),
            ],
        )
    };
    let mut series = Series::default();
    assert_eq!(methodology.year_verdict(&of("40"), &mut series), Ok(()));
    let excluded = methodology
        .year_verdict(&of("40.001"), &mut series)
        .expect_err("too much");
    assert_eq!(
        (excluded.problem().code, excluded.problem().param.as_deref()),
        (Code::Ineligible, Some("third_tier"))
    );
    assert!(defect("month", &format!("{KWH}[period]\n[formula]\nreduction = 'year_sum(kwh) * 1 kgCO2/kWh'\nunit = 'kgCO2'\n")).contains("[year_end]"));
}

#[test]
fn deductions_evidence_and_the_discount_are_terms_of_their_own() {
    let body = "[inputs.kwh]\ntype = 'quantity'\nunit = 'kWh'\n\
        [formula]\nreduction = 'kwh * 1 kgCO2/kWh'\nunit = 'kgCO2'\n\
        [deductions.platform]\ntake = '0.1 kgCO2/kWh * kwh'\n[deductions.leakage]\ntake = '0.05'\n\
        [evidence]\ndefault = 'platform'\n[evidence.levels.platform]\nvalue = '1'\nunit = '1'\n[evidence.levels.self_declared]\nvalue = '0.5'\nunit = '1'\n\
        [conservativeness]\nvalue = '10'\nunit = '%'\n";
    let methodology = compiled("event", body);
    let mut record = reading(
        "2026-03-01T00:00:00+08:00",
        "2026-03-01T01:00:00+08:00",
        "10",
    );
    // (10 - 1 - 0.5) * 1 * 0.9
    let full = methodology.explain(&record).expect("a result");
    assert_eq!(full.reduction_mg, 7_650_000);
    let steps: Vec<(&str, &str)> = full
        .steps
        .iter()
        .map(|step| (step.name.as_str(), step.value.as_str()))
        .collect();
    assert!(steps.contains(&("deductions.platform", "1.0")), "{steps:?}");
    assert!(steps.contains(&("deductions.leakage", "0.5")), "{steps:?}");
    assert!(full.formulas.iter().any(|formula| formula.name == "net" && formula.text == "(reduction - deductions.leakage - deductions.platform) * evidence_level * (1 - conservativeness)"));
    assert!(
        full.parameters
            .iter()
            .any(|parameter| parameter.name == "evidence.platform")
    );
    record
        .attributes
        .push(("evidence".into(), "self_declared".into()));
    assert_eq!(
        methodology.explain(&record).expect("a result").reduction_mg,
        3_825_000
    );
    record.attributes[0].1 = "hearsay".into();
    assert_eq!(
        methodology
            .explain(&record)
            .expect_err("unknown")
            .problem()
            .code,
        Code::InvalidField
    );
    // Ungraded shares keep the document from going live.
    let items: Vec<String> = methodology
        .blockers(&Default::default())
        .into_iter()
        .map(|blocker| blocker.item)
        .collect();
    assert!(
        items.contains(&"m@1#parameters.conservativeness".to_owned()),
        "{items:?}"
    );
}

#[test]
fn documents_that_look_back_wrongly_are_refused_with_the_place() {
    let with = |reduction: &str| {
        format!(
            "{KWH}[period]\n[formula]\nreduction = '{reduction} * 1 kgCO2/kWh'\nunit = 'kgCO2'\n"
        )
    };
    for (period, reduction, says) in [
        ("day", "trailing_mean(kwh, months = 3)", "months or bills"),
        ("month", "trailing_mean(kwh, days = 3)", "months = n"),
        (
            "day",
            "trailing_mean(kwh, days = 7, min_count = 8)",
            "at most 7",
        ),
        (
            "day",
            "trailing_mean(trailing_mean(kwh, days = 7), days = 7)",
            "within another",
        ),
        ("day", "trailing_mean(kwh, week = 7)", "exclude_current"),
        ("day", "trailing_mean(kwh, days = 0)", "whole number"),
        ("day", "same_month_last_year(kwh)", "months or bills"),
        ("day", "max(kwh, days = 7 kWh)", "no argument"),
    ] {
        let said = defect(period, &with(reduction));
        assert!(said.contains(says), "{reduction}: {said}");
    }
    let nested = format!(
        "{KWH}[period]\n[derived]\nm = 'trailing_mean(kwh, days = 7)'\n[formula]\nreduction = '(m + trailing_mean(m, days = 7)) * 1 kgCO2/kWh'\nunit = 'kgCO2'\n"
    );
    assert!(defect("day", &nested).contains("within another"));
    let ungathered = format!(
        "{KWH}[formula]\nreduction = 'trailing_mean(kwh, days = 7) * 1 kgCO2/kWh'\nunit = 'kgCO2'\n"
    );
    assert!(defect("day", &ungathered).contains("[period]"));
    let gap = format!(
        "{KWH}[calendars.season]\nform = 'season'\nbands = [{{ name = 'summer', from = '05-01', to = '10-31' }}]\n[formula]\nreduction = 'kwh * 1 kgCO2/kWh'\nunit = 'kgCO2'\n"
    );
    assert!(defect("event", &gap).contains("in no season"));
}

proptest! {
    /// The bulk path, the stored record and the explanation agree, and the mean is what a plain
    /// loop over the days makes of it.
    #[test]
    fn three_ways_to_the_same_mean(days in prop::collection::btree_map(0_u32..20, 0_u32..30_000, 1..12)) {
        let methodology = compiled("day", &format!("{KWH}{WEEK}"));
        let records: Vec<Record> = days.iter().map(|(day, kwh)| day_reading(*day, Decimal::new(i64::from(*kwh), 3))).collect();
        let periods = periods(&methodology, &records);
        let mut series = Series::default();
        methodology.open_series(&periods, &mut series);
        for (place, (day, kwh)) in days.iter().enumerate() {
            let before: Vec<i64> = days.range(day.saturating_sub(7)..*day).map(|(_, kwh)| i64::from(*kwh)).collect();
            let quick = methodology.quantify_in(&periods, place, &mut series);
            let stored = methodology.remember(&periods, place, &series).expect("in range");
            let alone = methodology.quantify(&stored, &mut Default::default());
            prop_assert_eq!(&quick, &alone);
            match quick {
                Err(refusal) => {
                    prop_assert!(before.len() < 2);
                    prop_assert_eq!(refusal.problem().code, Code::HistoryMissing);
                }
                Ok(quick) => {
                    // Watt-hours times a kilogram a kilowatt-hour are grams.
                    let total = before.iter().sum::<i64>() * 1_000 - i64::from(*kwh) * 1_000 * before.len() as i64;
                    let wanted = (total / before.len() as i64).max(0);
                    prop_assert!((quick.reduction_mg.0 - wanted).abs() <= 1, "{} {}", quick.reduction_mg.0, wanted);
                }
            }
        }
    }

    /// However a stretch of days is cut into bills, each month gets the same in the end.
    #[test]
    fn nothing_is_lost_between_months(cut in 1_i64..60, kwh in 1_u32..1_000_000) {
        let body = "[inputs.kwh]\ntype = 'quantity'\nunit = 'kWh'\nspread = 'days'\n[period]\n[formula]\nreduction = 'kwh * 1 kgCO2/kWh'\nunit = 'kgCO2'\n";
        let methodology = compiled("month", body);
        let from = at("2026-03-10T00:00:00+08:00");
        let bill = Record { to: from + TimeDelta::days(cut), ..day_reading(0, kwh.into()).starting(from) };
        let sum: Decimal = periods(&methodology, &[bill]).iter().map(|month| month.quantities[0].value).sum();
        prop_assert!((sum - Decimal::from(kwh)).abs() < Decimal::new(1, 18));
    }
}

const METERS: &str =
    "[inputs.kwh]\ntype = 'quantity'\nunit = 'kWh'\n[inputs.meter]\ntype = 'text'\n";

fn of_meter(meter: &str, record: Record) -> Record {
    Record {
        source_id: format!("{meter}-{}", record.source_id),
        attributes: vec![("meter".into(), meter.to_owned())],
        ..record
    }
}

fn metered(combine: &str) -> Compiled {
    let keys = "[claims]\nexclusivity_keys = [['meter', 'day']]\n";
    compiled("day", &format!("{METERS}{combine}{WEEK}{keys}"))
}

#[test]
fn two_meters_of_a_day_add_up_and_each_is_claimed() {
    let document = metered("");
    let reading = |day, meter| of_meter(meter, day_reading(day, Decimal::from(4)));
    let records: Vec<Record> = (0..3)
        .flat_map(|day| [reading(day, "M-2"), reading(day, "M-1")])
        .collect();
    let periods = document.gather(&records, &[]);
    let days: Vec<Record> = periods
        .into_iter()
        .map(|(_, day)| day.expect("a day"))
        .collect();
    assert_eq!(days[2].attribute("meter"), Some("M-1, M-2"));
    assert_eq!(days[2].quantity("kwh").expect("it").value, Decimal::from(8));
    let claims = document.claim_texts(&days[2]).expect("keys");
    let expected = ["M-1", "M-2"].map(|meter| format!(r#"["meter","{meter}","day","2026-03-03"]"#));
    assert_eq!(claims, expected);
    assert_eq!(document.has_all(&days, 2), Ok(()));
    // A day without the second meter is no saving; one with a third is a day.
    let mut short = days.clone();
    short[2].attributes = vec![("meter".into(), "M-1".to_owned())];
    let problem = document.has_all(&short, 2).expect_err("a meter is missing");
    assert_eq!(
        (problem.code, problem.detail.en()),
        (Code::PeriodIncomplete, "no record of M-2")
    );
    assert_eq!(problem.detail.zh(), "缺少 M-2 的记录");
    short[2].attributes = vec![("meter".into(), "M-1, M-2, M-3".to_owned())];
    assert_eq!(document.has_all(&short, 2), Ok(()));
}

#[test]
fn a_document_may_want_one_meter_and_does_where_values_do_not_add_up() {
    let several = [("M-1", 1), ("M-2", 2)];
    let records: Vec<Record> = several
        .map(|(meter, kwh)| of_meter(meter, day_reading(0, Decimal::from(kwh))))
        .to_vec();
    let last = METERS.replace("[inputs.meter]", "combine = 'last'\n[inputs.meter]");
    let keys = "[claims]\nexclusivity_keys = [['meter', 'day']]\n";
    let documents = [
        metered("combine = 'same'\n"),
        compiled("day", &format!("{METERS}{WEEK}")),
        compiled("day", &format!("{last}{WEEK}{keys}")),
    ];
    for document in documents {
        let gathered = document.gather(&records, &[]);
        let problem = gathered[0].1.as_ref().expect_err("two meters");
        assert_eq!(problem.code, Code::PeriodMixed);
    }
}

#[test]
fn a_register_is_not_read_twice_over_the_same_time() {
    let document = compiled(
        "month",
        &format!(
            "{}spread = 'days'\n[period]\n[formula]\nreduction = 'kwh * 1 kgCO2/kWh'\nunit = 'kgCO2'\n",
            KWH
        ),
    );
    let register = |from: &str, to: &str| Record {
        attributes: vec![
            ("reading".into(), "register".to_owned()),
            ("meter".into(), "M".to_owned()),
        ],
        ..reading(
            &format!("2026-03-{from}T00:00:00+08:00"),
            &format!("2026-03-{to}T00:00:00+08:00"),
            "3",
        )
    };
    let gathered = |records: &[Record]| document.gather(records, &[]).remove(0).1;
    assert!(gathered(&[register("01", "11"), register("11", "21")]).is_ok());
    let twice = gathered(&[register("01", "11"), register("08", "21")]);
    assert_eq!(twice.expect_err("three days twice").code, Code::PeriodMixed);
    let mut other = register("08", "21");
    other.attributes[1].1 = "N".to_owned();
    assert!(gathered(&[register("01", "11"), other]).is_ok());
}
