//! Which records and which periods count: bands, shares, statements, conditions.

use rust_decimal::Decimal;

use super::Series;
use super::look_back_tests::{KWH, compiled, day_reading, defect, periods, reading};
use crate::domain::behaviour::{Quantity, Record};
use crate::domain::problem::Code;

/// A meter with a register for each band says so by name; its stretch need not lie in the band.
#[test]
fn registers_of_peak_and_valley_are_taken_by_name() {
    let body = "[calendars.tou]\nform = 'hours'\nbands = [{ name = 'peak', from = '06:00', to = '22:00' }, { name = 'valley', from = '22:00', to = '06:00' }]\n\
        [inputs.kwh]\ntype = 'quantity'\nunit = 'kWh'\nover = 'tou'\n[period]\n\
        [formula]\nreduction = 'kwh[\"valley\"] * 1 kgCO2/kWh + kwh[\"peak\"] * 0 kgCO2/kWh'\nunit = 'kgCO2'\n";
    let methodology = compiled("month", body);
    let mut day = day_reading(0, Decimal::from(7));
    day.quantities[0].name = "kwh.peak".into();
    day.quantities.push(Quantity {
        name: "kwh.valley".into(),
        value: Decimal::from(3),
        unit: "kWh".into(),
    });
    assert_eq!(methodology.accept(&day), Ok(()));
    let month = &periods(&methodology, &[day])[0];
    let of = |name: &str| month.quantity(name).map(|given| given.value);
    assert_eq!(of("kwh.peak"), Some(Decimal::from(7)));
    assert_eq!(of("kwh.valley"), Some(Decimal::from(3)));
}

#[test]
fn only_the_latest_ordinary_days_are_a_baseline() {
    let body = format!(
        "{KWH}[inputs.called]\ntype = 'enum'\nvalues = ['no', 'yes']\ndefault = 'no'\n\
        [period]\n[formula]\nreduction = 'max(0 kWh, trailing_mean(kwh, days = 30, min_count = 2, max_count = 3, only = called == \"no\" and kwh > 0 kWh) - kwh) * 1 kgCO2/kWh'\nunit = 'kgCO2'\n"
    );
    let methodology = compiled("day", &body);
    let days: Vec<Record> = [100, 9, 0, 50, 6, 3, 1]
        .iter()
        .enumerate()
        .map(|(day, kwh)| {
            let mut record = day_reading(day as u32, Decimal::from(*kwh));
            if *kwh == 50 || *kwh == 1 {
                record.attributes.push(("called".into(), "yes".into()));
            }
            record
        })
        .collect();
    let days = periods(&methodology, &days);
    let mut series = Series::default();
    methodology.open_series(&days, &mut series);
    // 3, 6 and 9: not the called day of 50, not the day of nothing, and not the fourth of 100.
    let last = methodology.quantify_in(&days, 6, &mut series);
    assert_eq!(last.expect("three days").reduction_mg.0, 5_000_000);
    let stored = methodology.remember(&days, 6, &series).expect("in range");
    assert!(stored.quantity("kwh@2026-03-02").is_some());
    assert!(stored.quantity("kwh@2026-03-04").is_none());
    assert!(stored.quantity("kwh@2026-03-01").is_none());
    let alone = methodology.explain(&stored).expect("it explains itself");
    assert_eq!(alone.reduction_mg, 5_000_000);
    assert_eq!(alone.look_backs[0].periods.len(), 3);
    // Of the first two days only one is ordinary and known.
    let second = methodology.quantify_in(&days, 1, &mut series);
    let code = second.expect_err("one day").problem().code;
    assert_eq!(code, Code::HistoryMissing);
    for (reduction, says) in [
        ("trailing_mean(kwh, days = 7, max_count = 3)", "max_count"),
        ("trailing_mean(kwh, days = 7, only = kwh)", "comparison"),
        (
            "trailing_mean(kwh, days = 7, only = trailing_mean(kwh, days = 7) > kwh)",
            "within another",
        ),
    ] {
        let body = format!(
            "{KWH}[period]\n[formula]\nreduction = '{reduction} * 1 kgCO2/kWh'\nunit = 'kgCO2'\n"
        );
        let said = defect("day", &body);
        assert!(said.contains(says), "{reduction}: {said}");
    }
}

/// A monthly bill of gas is shared over its days; one of electricity, which is not, is refused
/// rather than counted whole on each of them.
#[test]
fn a_long_record_is_taken_only_if_all_it_measures_is_shared() {
    let body = "[inputs.kwh]\ntype = 'quantity'\nunit = 'kWh'\nrequired = false\n[inputs.gas]\ntype = 'quantity'\nunit = 'm3'\nspread = 'days'\n\
        [period]\n[formula]\nreduction = 'gas * 1 kgCO2/m3'\nunit = 'kgCO2'\n";
    let methodology = compiled("day", body);
    let mut bill = reading(
        "2026-03-01T00:00:00+08:00",
        "2026-04-01T00:00:00+08:00",
        "31",
    );
    let refused = methodology.accept(&bill).expect_err("kWh are not shared");
    assert_eq!(refused.code, Code::PeriodCrossed);
    bill.quantities[0].name = "gas".into();
    bill.quantities[0].unit = "m3".into();
    assert_eq!(methodology.accept(&bill), Ok(()));
    let days = periods(&methodology, &[bill]);
    assert_eq!(days.len(), 31);
    assert_eq!(days[30].quantities[0].value, Decimal::ONE);
}

#[test]
fn a_statement_may_be_words_alone() {
    let body = format!(
        "{KWH}[inputs.own_pv]\ntype = 'enum'\nvalues = ['none', 'yes']\nas_of = 'end'\n[period]\n\
        [formula]\nreduction = 'if own_pv == \"none\" then kwh * 1 kgCO2/kWh else 0 kgCO2'\nunit = 'kgCO2'\n"
    );
    let methodology = compiled("month", &body);
    let mut said = reading(
        "2026-03-05T09:00:00+08:00",
        "2026-03-05T09:00:00+08:00",
        "0",
    );
    said.quantities.clear();
    assert_eq!(
        methodology.accept(&said).expect_err("says nothing").code,
        Code::MissingField
    );
    said.attributes.push(("own_pv".into(), "none".into()));
    assert_eq!(methodology.accept(&said), Ok(()));
    let months = methodology.gather(&[day_reading(0, Decimal::ONE)], &[said]);
    let month = months[0].1.as_ref().expect("whole");
    assert_eq!(month.attribute("own_pv"), Some("none"));
}

/// Bands that the issued text does not give keep the document from going live by themselves.
#[test]
fn a_calendar_with_a_grade_is_gated() {
    let of = |grade: &str| {
        let body = format!(
            "{KWH}[calendars.season]\nform = 'season'\n{grade}note = 'ask'\nbands = [{{ name = 'all', from = '01-01', to = '12-31' }}]\n[formula]\nreduction = 'kwh * 1 kgCO2/kWh'\nunit = 'kgCO2'\n"
        );
        let blockers = compiled("event", &body).blockers(&Default::default());
        let mut own = blockers
            .into_iter()
            .filter(|blocker| blocker.item == "m@1#calendars.season");
        own.next()
            .map(|blocker| (blocker.reviewer_needed, blocker.told()))
    };
    assert_eq!(of(""), None);
    assert_eq!(of("grade = 'D'\n"), None);
    let item = "m@1#calendars.season";
    let told = |grade: &str| {
        let (reviewer_needed, told) = of(grade).expect("a blocker");
        (reviewer_needed, told.zh().to_owned(), told.en().to_owned())
    };
    let sign = (
        true,
        format!("{item}：等级 S2：须由 1 名具名审核人签字"),
        format!("{item}: grade S2: 1 named reviewer(s) must sign"),
    );
    assert_eq!(told("grade = 'S2'\n"), sign);
    let obtain = |zh: &str| {
        let en = format!("{item}: grade C never goes live; obtain: ask");
        let zh = format!("{item}：等级 C 不得上线；需取得：{zh}");
        (false, zh, en)
    };
    assert_eq!(told("grade = 'C'\n"), obtain("ask"));
    assert_eq!(told("grade = 'C'\nnote_zh = '询问'\n"), obtain("询问"));
}

/// Half a day's intervals would look like a thrifty day, and so would a month of gas with a
/// fortnight of electricity.
#[test]
fn a_period_is_covered_by_each_quantity_for_itself() {
    let of = |period: &str, complete: &str| {
        compiled(
            period,
            &format!(
                "[inputs.kwh]\ntype = 'quantity'\nunit = 'kWh'\n\
                 [inputs.gas]\ntype = 'quantity'\nunit = 'm3'\nspread = 'days'\n[period]\ncomplete = '{complete}'\n\
                 [formula]\nreduction = 'kwh * 1 kgCO2/kWh + gas * 0 kgCO2/m3'\nunit = 'kgCO2'\n"
            ),
        )
    };
    let mut gas = reading(
        "2026-03-01T00:00:00+08:00",
        "2026-04-01T00:00:00+08:00",
        "31",
    );
    gas.quantities[0].name = "gas".into();
    gas.quantities[0].unit = "m3".into();
    let morning = reading(
        "2026-03-01T00:00:00+08:00",
        "2026-03-01T12:00:00+08:00",
        "2",
    );
    let evening = reading(
        "2026-03-01T12:00:00+08:00",
        "2026-03-02T00:00:00+08:00",
        "3",
    );
    let first = |compiled: &super::Compiled, records: &[Record]| {
        let gathered = compiled.gather(records, &[]).into_iter().next();
        let day = gathered.expect("a period").1;
        day.map(drop)
            .map_err(|problem| (problem.code, problem.detail))
    };
    let half = [gas.clone(), morning.clone()];
    let full = [gas.clone(), morning, evening];
    assert_eq!(first(&of("day", "any"), &half), Ok(()));
    assert_eq!(first(&of("day", "every_day"), &half), Ok(()));
    let (code, detail) = first(&of("day", "whole"), &half).expect_err("half a day");
    assert_eq!(code, Code::PeriodIncomplete);
    assert!(
        detail.en().contains("`kwh`") && detail.en().contains("12:00"),
        "{detail}"
    );
    assert_eq!(first(&of("day", "whole"), &full), Ok(()));
    // Of the month only one day has electricity.
    let (code, detail) = first(&of("month", "every_day"), &full).expect_err("a day of 31");
    assert_eq!(code, Code::PeriodIncomplete);
    assert!(detail.en().contains("2026-03-02"), "{detail}");
    // What nobody stated at all is missed by its name later.
    assert_eq!(first(&of("month", "every_day"), &[gas]), Ok(()));
}
