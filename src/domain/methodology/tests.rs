//! The engine, through documents.

use chrono::{DateTime, TimeZone, Utc};
use proptest::prelude::*;

use super::*;
use crate::domain::problem::Code;

/// A document with `extra` slots; scope, identity and effect are the same in all tests.
pub(super) fn document(extra: &str) -> String {
    format!(
        r#"format = 1
kind = "methodology"
[identity]
code = "test"
version = "1"
title_zh = "测试"
title_en = "Test"
text_grade = "D"
[effect]
from = "2020-01-01"
zone = "Asia/Shanghai"
[scope]
region = "CN"
scene = "test"
subject = "person"
quantity_kind = "co2"
period = "event"
{extra}
"#
    )
}

pub(super) fn load(text: &str) -> Result<Library, Vec<Defect>> {
    let embedded = EMBEDDED_DOCUMENTS.iter().copied();
    let tables = embedded.filter(|(file, _)| file.contains("grid-factor") || file.contains("gwp/"));
    Library::load(tables.chain([("test.toml", text)]))
}

pub(super) fn compiled(extra: &str) -> Compiled {
    let library = load(&document(extra)).unwrap_or_else(|defects| panic!("{}", defects[0]));
    Compiled::clone(library.get("test", "1").unwrap())
}

/// `a`, `b`, `c` are 3 km, 2 kWh and 0.5 kg; the formula is multiplied into kilograms of CO2.
pub(super) fn formula(expression: &str) -> String {
    format!(
        r#"[inputs.a]
type = "quantity"
unit = "km"
[inputs.b]
type = "quantity"
unit = "kWh"
[inputs.c]
type = "quantity"
unit = "kg"
[inputs.m]
type = "enum"
values = ["x", "y"]
[sets]
three = ["p", "q", "r"]
[tables.t]
keys = ["who"]
unit = "kgCO2"
grade = "D"
rows = [
    {{ key = ["p"], value = "1" }},
    {{ key = ["q"], value = "2" }},
    {{ key = ["r"], value = "4", to = "2025-01-01" }},
    {{ key = ["r"], value = "8", from = "2025-01-01" }},
]
[tables.years]
keys = ["year", "who"]
unit = "kgCO2"
grade = "D"
rows = [{{ key = ["2024", "x"], value = "24" }}, {{ key = ["2025", "x"], value = "25" }}]
[curves.bands]
form = "step"
closed = "lower"
ends = "refuse"
x_unit = "km"
y_unit = "kgCO2"
grade = "D"
points = [["0", "10"], ["3", "20"]]
[curves.line]
form = "linear"
ends = "refuse"
x_unit = "km"
y_unit = "kgCO2"
grade = "D"
points = [["0", "0"], ["10", "5"]]
[derived]
kilo = "1 kgCO2"
[formula]
reduction = '''{expression}'''
unit = "kgCO2"
"#
    )
}

pub(super) fn at(year: i32) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(year, 6, 1, 0, 0, 0).unwrap()
}

pub(super) const GIVEN: [(&str, &str); 4] =
    [("a", "3 km"), ("b", "2 kWh"), ("c", "500 g"), ("m", "x")];

fn value_in(expression: &str, year: i32) -> Result<String, Code> {
    let methodology = compiled(&formula(expression));
    let record = methodology.record(at(year), GIVEN).unwrap();
    let explained = methodology.explain(&record);
    let quick = methodology.quantify(&record, &mut Scratch::default());
    match (explained, quick) {
        (Ok(explained), Ok(quick)) => {
            assert_eq!(explained.reduction_mg, quick.reduction_mg.0);
            Ok(explained.result.value)
        }
        (Err(slow), Err(quick)) => {
            assert_eq!(slow, quick);
            Err(slow.problem().code)
        }
        (slow, quick) => panic!("{expression}: {slow:?} but {quick:?}"),
    }
}

fn value(expression: &str) -> Result<String, Code> {
    value_in(expression, 2024)
}

#[test]
fn the_language_computes() {
    for (expression, expected) in [
        ("kilo * (a / 1.5 km)", "2.0"),
        ("kilo * (a / 1500 m)", "2.0"),
        ("1 kgCO2 + 500 gCO2 - 0.25 kgCO2", "1.25"),
        ("-(-kilo)", "1.0"),
        (
            "if a < 3000.1 m and not (m == \"y\") then 2 kgCO2 else 1 tCO2",
            "2.0",
        ),
        ("if a >= 3 km or 1 / 0 > 1 then kilo else 0 kgCO2", "1.0"),
        (
            "case m when \"x\" then 3 kgCO2 when \"y\" then 4 gCO2",
            "3.0",
        ),
        ("case m when \"y\" then 3 kgCO2 else 4 gCO2", "0.004"),
        ("min(3 kgCO2, 1 tCO2, 2500 gCO2)", "2.5"),
        ("max(0 kgCO2, 1 kgCO2 - 2 kgCO2)", "0.0"),
        ("clamp(7 kgCO2, 1 kgCO2, 5 kgCO2)", "5.0"),
        ("clamp(0 kgCO2, 1 kgCO2, 5 kgCO2)", "1.0"),
        ("floor(2.9 kgCO2)", "2.0"),
        ("floor(2.96 kgCO2, 0.25 kgCO2)", "2.75"),
        ("floor(2960 gCO2, 1 kgCO2)", "2.0"),
        ("round(2.345 kgCO2, down, 0.01 kgCO2)", "2.34"),
        ("round(2.341 kgCO2, up, 10 gCO2)", "2.35"),
        ("round(2.345 kgCO2, half_up, 0.01 kgCO2)", "2.35"),
        ("round(2.345 kgCO2, half_down, 0.01 kgCO2)", "2.34"),
        ("round(2.345 kgCO2, half_even, 0.01 kgCO2)", "2.34"),
        ("round(2.36 kgCO2, half_even, 0.25 kgCO2)", "2.25"),
        ("kilo * 2 ^ 3 ^ 1", "8.0"),
        ("kilo * 0.99 ^ (event_year - 2022)", "0.9801"),
        ("kilo * 2 ^ -2", "0.25"),
        ("kilo * a ^ 2 / 9 km^2", "1.0"),
        ("kilo * 10 %", "0.1"),
        ("sum(i in three: t[i])", "7.0"),
        ("sum(i in three: t[i] * sum(j in three: 2))", "42.0"),
        ("t[\"q\"]", "2.0"),
        ("years[event_year, m]", "24.0"),
        ("bands(a)", "20.0"),
        ("bands(2999 m)", "10.0"),
        ("line(a)", "1.5"),
        ("c * 2 kgCO2/kg", "1.0"),
        ("c * 2 kgCO2/斤", "2.0"),
        ("0.1 kgCO2 + 0.2 kgCO2", "0.3"),
        ("kilo * event_month", "6.0"),
    ] {
        assert_eq!(value(expression).as_deref(), Ok(expected), "{expression}");
    }
}

#[test]
fn rows_are_chosen_by_the_time_of_the_event() {
    assert_eq!(value_in("t[\"r\"]", 2024).as_deref(), Ok("4.0"));
    assert_eq!(value_in("t[\"r\"]", 2026).as_deref(), Ok("8.0"));
    assert_eq!(
        value_in("years[event_year, m]", 2025).as_deref(),
        Ok("25.0")
    );
    assert_eq!(
        value_in("years[event_year, m]", 2026),
        Err(Code::FactorMissing)
    );
    assert_eq!(value_in("kilo", 2019), Err(Code::MethodologyNotInForce));
}

#[test]
fn what_has_no_value_is_refused_and_never_zero() {
    for (expression, code) in [
        ("kilo / (a - 3 km) * 1 km", Code::FormulaUndefined),
        ("kilo * (a / 1 km - 3) ^ -1", Code::FormulaUndefined),
        ("kilo * 2 ^ (a / 2 km)", Code::FormulaUndefined),
        ("kilo * 2 ^ (a / 1 m)", Code::FormulaUndefined),
        ("kilo * 10 ^ 30", Code::FormulaUndefined),
        ("kilo * 100000000000000", Code::FormulaUndefined),
        ("line(a * 4)", Code::FactorMissing),
        ("bands(a - 4 km)", Code::FactorMissing),
        ("kilo - 2 kgCO2", Code::NegativeReduction),
    ] {
        assert_eq!(value(expression), Err(code), "{expression}");
    }
}

fn defect(expression: &str) -> Defect {
    let defects = load(&document(&formula(expression))).unwrap_err();
    assert_eq!(defects.len(), 1);
    defects.into_iter().next().unwrap()
}

#[test]
fn unlike_units_are_refused_with_the_place_and_both_units() {
    let text = document(&formula("kilo + b"));
    let line = 1 + text
        .lines()
        .position(|line| line.contains("kilo + b"))
        .unwrap();
    let found = defect("kilo + b");
    assert_eq!(
        (found.file.as_str(), found.line, found.column),
        ("test.toml", line, 23)
    );
    for part in ["kgCO2", "kWh", "added"] {
        assert!(found.message.contains(part), "{}", found.message);
    }
    let zh = "`kWh` 不能与 `kgCO2` 相加：`kWh` 不能换算为 `kgCO2`：量纲 ";
    assert!(found.message_zh.starts_with(zh), "{}", found.message_zh);
    let told = found.told();
    let place = format!("test.toml:{line}:23");
    assert!(
        told.zh().starts_with(&format!("{place}：{zh}")),
        "{}",
        told.zh()
    );
    assert!(
        told.en()
            .starts_with(&format!("{place}: `kWh` cannot be added")),
        "{told}"
    );
    for (expression, parts) in [
        ("kilo - 1 kgCO2e", ["kgCO2e", "kgCO2`"]),
        ("kilo + 1 kgCO2e_footprint", ["kgCO2e_footprint", "kgCO2`"]),
        (
            "if a < 1 person-km then kilo else kilo",
            ["km", "person-km"],
        ),
        ("if a < 1 km then kilo else a", ["kgCO2", "km"]),
        ("max(0, kilo)", ["`1`", "kgCO2"]),
        ("kilo * a", ["kgCO2-km", "kgCO2`"]),
        ("line(b)", ["km", "kWh"]),
        ("round(kilo, down, 1 km)", ["kgCO2", "km"]),
        ("kilo * 2 ^ a", ["km", "`1`"]),
        (
            "sum(i in three: if i == \"p\" then kilo else a)",
            ["kgCO2", "km"],
        ),
        ("kilo * (1 person-km / 1 vehicle-km)", ["person", "vehicle"]),
        ("kilo * (1 Nm3 / 1 m3)", ["Nm3", "m3"]),
        ("kilo * (1 kgce / 1 kWh)", ["kgce", "kWh"]),
    ] {
        let found = defect(expression);
        for part in parts {
            assert!(found.message.contains(part), "{expression}: {found}");
            assert!(
                found.message_zh.contains(part),
                "{expression}: {}",
                found.message_zh
            );
        }
    }
}

#[test]
fn names_and_forms_are_checked_when_the_document_is_loaded() {
    for (expression, part) in [
        ("nothing", "nothing"),
        ("kilo * t[\"z\"]", "\"z\""),
        ("t[\"p\", \"q\"]", "keys"),
        ("t[1]", "a text"),
        ("years[\"2024\", m]", "whole number"),
        ("if m == \"z\" then kilo else kilo", "never"),
        ("if m < \"x\" then kilo else kilo", "order"),
        ("case m when \"x\" then kilo", "\"y\""),
        ("kilo * m", "text"),
        ("if kilo then kilo else kilo", "comparison"),
        ("round(kilo, nearest, 1 gCO2)", "half_even"),
        ("round(kilo, down, kilo)", "place"),
        ("present(kilo)", "input"),
        ("clamp(kilo, kilo)", "arguments"),
        ("kilo * a ^ b", "exponent"),
        ("sum(i in four: kilo)", "four"),
        ("kilo + reduction", "itself"),
        ("a-b * kilo", "km"),
        ("kilo * (1 km/a)", "spaces"),
        ("3 parsec * kilo", "parsec"),
    ] {
        let found = defect(expression);
        assert!(found.message.contains(part), "{expression}: {found}");
    }
    // Nested sums are written out, within the bound on nodes.
    let mut nested = "kilo".to_owned();
    for level in 0..9 {
        nested = format!("sum(i{level} in three: {nested})");
    }
    assert!(defect(&nested).message.contains("nodes"));
}

#[test]
fn a_document_is_read_strictly() {
    let good = document(&formula("kilo"));
    for (from, to, part) in [
        ("format = 1", "format = 2", "format 1"),
        ("kind = \"methodology\"", "kind = \"poem\"", "poem"),
        ("value = \"1\"", "value = 1.5", "string"),
        ("value = \"1\"", "value = \"1e3\"", "1e3"),
        ("unit = \"kWh\"", "unit = \"kwh\"", "kwh"),
        ("title_zh", "titel_zh", "titel_zh"),
        ("Asia/Shanghai", "Asia/Shenzhen", "Asia/Shenzhen"),
        (
            "from = \"2020-01-01\"",
            "from = \"2020-13-01\"",
            "2020-13-01",
        ),
        (
            "quantity_kind = \"co2\"",
            "quantity_kind = \"co2e\"",
            "co2e",
        ),
        ("to = \"2025-01-01\"", "to = \"2026-01-01\"", "two values"),
        ("kilo = ", "t = ", "two things"),
        ("[inputs.a]", "[inputs.event_year]", "two things"),
    ] {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good, "{from}");
        let defects = load(&text).unwrap_err();
        let found = defects[0].to_string();
        assert!(found.contains(part), "{from} → {to}: {found}");
        assert!(found.starts_with("test.toml:"), "{found}");
    }
}

#[test]
fn identity_is_of_the_content_and_not_of_its_layout() {
    let text = document(&formula("kilo"));
    let hash = |text: &str| {
        load(text)
            .unwrap()
            .get("test", "1")
            .unwrap()
            .sha256()
            .to_owned()
    };
    let commented = format!(
        "# a remark\n{}",
        text.replace("unit = \"kWh\"", "unit    =   'kWh' # same")
    );
    assert_eq!(hash(&text), hash(&commented));
    assert_ne!(
        hash(&text),
        hash(&text.replace("value = \"8\"", "value = \"8.0\""))
    );
    let twice = Library::load([("a.toml", text.as_str()), ("b.toml", text.as_str())]);
    assert!(twice.unwrap_err()[0].message.contains("already"));
}

#[test]
fn records_are_bound_strictly() {
    let methodology = compiled(&formula("kilo * a / 1 km"));
    let mut scratch = Scratch::default();
    let mut refused = |change: &dyn Fn(&mut crate::domain::behaviour::Record)| {
        let mut record = methodology.record(at(2024), GIVEN).unwrap();
        change(&mut record);
        let refusal = methodology.quantify(&record, &mut scratch).unwrap_err();
        let problem = refusal.into_problem();
        (problem.code, problem.param.unwrap_or_default())
    };
    let distance = "quantities.a".to_owned();
    assert_eq!(
        refused(&|record| record.quantities[0].unit = "kWh".into()),
        (Code::UnitMismatch, distance.clone())
    );
    assert_eq!(
        refused(&|record| record.quantities[0].unit = "leagues".into()),
        (Code::UnitMismatch, distance.clone())
    );
    assert_eq!(
        refused(&|record| record.quantities[0].unit = "vehicle-km".into()),
        (Code::UnitMismatch, distance.clone())
    );
    assert_eq!(
        refused(&|record| record.quantities[0].value = (-1).into()),
        (Code::QuantityOutOfRange, distance.clone())
    );
    assert_eq!(
        refused(&|record| record.quantities[0].value = rust_decimal::Decimal::MAX),
        (Code::QuantityOutOfRange, distance.clone())
    );
    assert_eq!(
        refused(&|record| {
            record.quantities.remove(0);
        }),
        (Code::MissingField, distance)
    );
    assert_eq!(
        refused(&|record| record.attributes[0].1 = "z".to_owned()),
        (Code::InvalidField, "attributes.m".to_owned())
    );
    assert_eq!(
        refused(&|record| record.attributes.clear()),
        (Code::MissingField, "attributes.m".to_owned())
    );
    let mut record = methodology.record(at(2024), GIVEN).unwrap();
    record.quantities[0].value = 2500.into();
    record.quantities[0].unit = "米".into();
    let quantified = methodology.quantify(&record, &mut scratch).unwrap();
    assert_eq!(quantified.reduction_mg.0, 2_500_000);
    let mut told = |value: i64, unit: &'static str| {
        let mut record = methodology.record(at(2024), GIVEN).unwrap();
        record.quantities[0].value = value.into();
        record.quantities[0].unit = unit.into();
        let refusal = methodology.quantify(&record, &mut scratch).unwrap_err();
        refusal.into_problem().detail
    };
    assert_eq!(told(-1, "km").zh(), "-1 小于 0 km");
    assert_eq!(told(1, "leagues").zh(), "单位 `leagues` 无法识别");
    let unlike = told(1, "kWh");
    assert!(
        unlike.zh().starts_with("`kWh` 不能换算为 `km`：量纲 "),
        "{}",
        unlike.zh()
    );
}

#[test]
fn the_ledger_rounds_toward_zero_and_the_gate_asks_for_grades() {
    let extra = formula("kilo / 3");
    let methodology = compiled(&extra);
    let record = methodology.record(at(2024), GIVEN).unwrap();
    assert_eq!(methodology.explain(&record).unwrap().reduction_mg, 333_333);
    assert_eq!(methodology.standing(), Standing::LiveAble);
    let down = format!("{extra}round = {{ mode = \"down\", place = \"1 gCO2\" }}\n");
    let explained = compiled(&down).explain(&record).unwrap();
    assert_eq!(explained.result.value, "0.333");
    assert_eq!(explained.roundings[0].place, "0.001 kgCO2");

    let graded = |grade: &str| {
        compiled(&extra.replacen("grade = \"D\"", &format!("grade = \"{grade}\""), 1))
    };
    for grade in ["S", "C", "M", "X", "D-part"] {
        let methodology = graded(grade);
        assert_eq!(methodology.standing(), Standing::Draft, "{grade}");
        let mut signed = SignOffs::new();
        for blocker in methodology.blockers(&SignOffs::new()) {
            signed.sign(blocker.item, "Reviewer Li");
        }
        assert!(
            !methodology.blockers(&signed).is_empty(),
            "{grade} went live"
        );
    }
    let ungraded = compiled(&extra.replacen("grade = \"D\"\n", "", 1));
    assert_eq!(ungraded.standing(), Standing::Draft);

    let reported = graded("S2");
    assert_eq!(reported.standing(), Standing::NeedsSignOff);
    let mut signed = SignOffs::new();
    for blocker in reported.blockers(&SignOffs::new()) {
        assert!(!reported.blockers(&signed).is_empty());
        signed.sign(blocker.item.clone(), "  ");
        signed.sign(blocker.item, "Reviewer Li");
    }
    assert_eq!(reported.blockers(&signed), []);
}

#[test]
fn the_text_of_a_methodology_is_gated_too() {
    let text = document(&formula("kilo"));
    for (grade, standing) in [
        ("D", Standing::LiveAble),
        ("D-part", Standing::NeedsSignOff),
        ("S2", Standing::NeedsSignOff),
        ("S", Standing::NeedsSignOff),
        ("C", Standing::Draft),
        ("M", Standing::Draft),
        ("X", Standing::Draft),
    ] {
        let text = text.replace("text_grade = \"D\"", &format!("text_grade = \"{grade}\""));
        let library = load(&text).unwrap();
        assert_eq!(
            library.get("test", "1").unwrap().standing(),
            standing,
            "{grade}"
        );
    }
    let silent = load(&text.replace("text_grade = \"D\"\n", "")).unwrap();
    assert_eq!(silent.get("test", "1").unwrap().standing(), Standing::Draft);
}

#[test]
fn versions_are_chosen_by_the_time_of_the_event() {
    let first = document(&formula("kilo"));
    let second = first
        .replace("version = \"1\"", "version = \"2\"")
        .replace("from = \"2020-01-01\"", "from = \"2024-01-01\"");
    let library = Library::load([("1.toml", first.as_str()), ("2.toml", second.as_str())]).unwrap();
    let version = |at: &str| {
        let at = parse_time(at, chrono_tz::Asia::Shanghai).unwrap();
        library
            .effective("test", at)
            .map(|known| known.version().to_owned())
    };
    assert_eq!(version("2019-12-31T23:59:59+08:00"), None);
    assert_eq!(version("2020-01-01").as_deref(), Some("1"));
    assert_eq!(version("2023-12-31T15:59:59Z").as_deref(), Some("1"));
    assert_eq!(version("2023-12-31T16:00:00Z").as_deref(), Some("2"));
    let live = library.effective_where("test", at(2025), |known| known.version() == "1");
    assert_eq!(live.map(|known| known.version()), Some("1"));
}

/// What one methodology counts by the day, another cannot count by the month or the year.
#[test]
fn a_month_and_a_year_are_claimed_as_their_days() {
    let claimed_until = |part: &str, day: &str, to: &str| {
        let text = format!(
            "format = 1\nkind = 'methodology'\n[identity]\ncode = 'm'\nversion = '1'\ntitle_zh = '测试'\ntitle_en = 'test'\n\
             [effect]\nfrom = '2020-01-01'\nzone = 'Asia/Shanghai'\n[scope]\nregion = 'CN'\nscene = 's'\nsubject = 'vehicle'\nquantity_kind = 'co2'\nperiod = 'event'\n\
             [inputs.vehicle]\ntype = 'text'\n[formula]\nreduction = '1 kgCO2'\nunit = 'kgCO2'\n[claims]\nexclusivity_keys = [['vehicle', '{part}']]\n"
        );
        let library = Library::load([("m.toml", text.as_str())]).unwrap();
        let methodology = library.get("m", "1").unwrap();
        let zone = methodology.window().zone;
        let at = parse_time(day, zone).unwrap();
        let mut record = methodology.record(at, [("vehicle", "V-1")]).unwrap();
        record.to = parse_time(to, zone).unwrap();
        methodology.claim_texts(&record)
    };
    let claimed = |part: &str, day: &str| claimed_until(part, day, day).unwrap();
    for (part, day, count) in [
        ("day", "2024-02-29", 1),
        ("month", "2024-02-10", 29),
        ("month", "2023-02-28", 28),
        ("year", "2024-12-31", 366),
        ("year", "2023-01-01", 365),
    ] {
        let texts = claimed(part, day);
        let distinct: std::collections::BTreeSet<&String> = texts.iter().collect();
        assert_eq!(
            (texts.len(), distinct.len()),
            (count, count),
            "{part} {day}"
        );
        assert!(texts.contains(&claimed("day", day)[0]), "{part} {day}");
    }
    let (february, march) = (
        claimed("month", "2024-02-10"),
        claimed("month", "2024-03-01"),
    );
    assert!(february.iter().all(|text| !march.contains(text)));
    let year = claimed("year", "2024-06-01");
    assert!(february.iter().all(|text| year.contains(text)));
    // A reading of a quarter claims its three months, one of three years these years; a day that
    // ends at midnight does not touch the next.
    for (part, from, to, count) in [
        ("month", "2024-02-01", "2024-03-01", 29),
        ("month", "2024-01-31", "2024-03-01T00:00:01+08:00", 91),
        ("year", "2022-06-01", "2024-06-01", 365 + 365 + 366),
        ("day", "2024-02-01", "2024-02-04", 1),
    ] {
        let texts = claimed_until(part, from, to).unwrap();
        assert_eq!(texts.len(), count, "{part} {from} {to}");
    }
    let quarter = claimed_until("month", "2024-01-01", "2024-04-01").unwrap();
    assert!(february.iter().all(|text| quarter.contains(text)));
    let ages = claimed_until("month", "2014-01-01", "2024-02-01").unwrap_err();
    assert_eq!(ages.code, Code::ActTooLong);
}

#[test]
fn claims_are_told_in_the_documents_zone() {
    let library = Library::embedded().unwrap();
    let pv = library.get("distributed-pv", "2025.1").unwrap();
    // 16:30 UTC on 30 June is July in Shenzhen.
    let at = Utc.with_ymd_and_hms(2024, 6, 30, 16, 30, 0).unwrap();
    let record = pv.record(at, [("meter", "M-\"1")]).unwrap();
    let texts = pv.claim_texts(&record).unwrap();
    assert_eq!(
        (texts.len(), texts[0].as_str(), texts[30].as_str()),
        (
            31,
            r#"["meter","M-\"1","day","2024-07-01"]"#,
            r#"["meter","M-\"1","day","2024-07-31"]"#
        )
    );
    let record = pv.record(at, []).unwrap();
    assert_eq!(
        pv.claim_texts(&record).unwrap_err().code,
        Code::MissingField
    );
    let trips = library.get("sz-public-transport", "2021.1").unwrap();
    assert_eq!(trips.overlap(), Some(Overlap::PersonTime));
}

#[test]
fn built_in_documents_pass_their_examples_and_are_all_listed() {
    let library = Library::embedded().unwrap_or_else(|defects| panic!("{}", defects[0]));
    for methodology in library.methodologies() {
        let results = methodology.run_examples();
        assert!(!results.is_empty(), "{} has no example", methodology.name());
        for result in results {
            assert!(
                result.passed,
                "{}: {}: {}",
                methodology.name(),
                result.name,
                result.detail
            );
        }
    }
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/methodologies");
    let mut files = Vec::new();
    for folder in std::fs::read_dir(root).unwrap().flatten() {
        for file in std::fs::read_dir(folder.path())
            .into_iter()
            .flatten()
            .flatten()
        {
            let path = file.path();
            let tail = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
            files.push(tail.to_string_lossy().into_owned());
        }
    }
    files.sort();
    let listed: Vec<&str> = EMBEDDED_DOCUMENTS.iter().map(|(file, _)| *file).collect();
    assert_eq!(files, listed);
    for (file, _) in EMBEDDED_DOCUMENTS {
        let name = |known: &str| format!("methodologies/{}.toml", known.replace('@', "/"));
        let named = library
            .methodologies()
            .any(|known| name(&known.name()) == *file)
            || library
                .tables()
                .iter()
                .any(|known| name(&known.name()) == *file);
        assert!(
            named,
            "{file} is not at the place that its code and version say"
        );
    }
}

#[test]
fn the_built_in_documents_stand_where_their_sources_put_them() {
    let library = Library::embedded().unwrap();
    // Every other document is a draft: values blank, or known from one source only.
    let needs_sign_off = ["distributed-pv", "metro-trip", "sz-public-transport"];
    for methodology in library.methodologies() {
        let expected = match needs_sign_off.contains(&methodology.code()) {
            true => Standing::NeedsSignOff,
            false => Standing::Draft,
        };
        assert_eq!(methodology.standing(), expected, "{}", methodology.name());
    }
    let household = library.get("sz-household-electricity", "2022.1").unwrap();
    let blockers = household.blockers(&SignOffs::new());
    assert!(
        blockers
            .iter()
            .any(|blocker| blocker.item.ends_with("#parameters.b_summer")
                && !blocker.reviewer_needed)
    );
}

#[test]
fn grid_tables_hold_thirty_eight_rows_and_two_national_variants() {
    let library = Library::embedded().unwrap();
    for version in ["2021.1", "2022.1", "2023.1"] {
        assert_eq!(
            library.table("grid-factor", version).unwrap().row_count(),
            40
        );
    }
    let newest = library.table("grid-factor", "2023.1").unwrap();
    assert_eq!(newest.value(&["CN-GD"]), Some("0.4419"));
    assert_eq!(
        newest.value(&["CN:excluding-traded-non-fossil"]),
        Some("0.6096")
    );
}

#[test]
fn explanations_record_fallbacks_and_sources() {
    let library = Library::embedded().unwrap();
    let pv = library.get("distributed-pv", "2025.1").unwrap();
    let given = [
        ("generation", "10 kWh"),
        ("capacity", "5 kW"),
        ("region", "CN-440300"),
        ("meter", "M"),
        ("certificate", "none"),
    ];
    let record = pv.record(at(2026), given).unwrap();
    let explained = pv.explain(&record).unwrap();
    let look_up = &explained.lookups[0];
    assert_eq!(look_up.fallback[0].from, "CN-440300");
    assert_eq!(look_up.fallback[0].to, "CN-GD");
    assert_eq!(look_up.provenance.grade, Some(Grade::D));
    assert_eq!(look_up.provenance.year, Some(2023));
    let table = library.table("grid-factor", "2023.1").unwrap();
    let named = look_up.provenance.table_document.as_ref().unwrap();
    assert_eq!(named.sha256, table.sha256());
}

#[test]
fn the_hot_path_keeps_its_scratch() {
    let library = Library::embedded().unwrap();
    let pv = library.get("distributed-pv", "2025.1").unwrap();
    let given = [
        ("generation", "10 kWh"),
        ("capacity", "5 kW"),
        ("region", "CN-440300"),
        ("meter", "M"),
        ("certificate", "none"),
    ];
    let record = pv.record(at(2026), given).unwrap();
    let mut scratch = Scratch::default();
    let first = pv.quantify(&record, &mut scratch).unwrap();
    let room = |scratch: &Scratch| {
        (
            scratch.numbers.as_ptr(),
            scratch.words.as_ptr(),
            scratch.derived.as_ptr(),
        )
    };
    let before = room(&scratch);
    let start = std::time::Instant::now();
    let rounds = 100_000;
    for _ in 0..rounds {
        assert_eq!(pv.quantify(&record, &mut scratch).unwrap(), first);
    }
    eprintln!(
        "quantify: {} ns a record",
        start.elapsed().as_nanos() / rounds
    );
    assert_eq!(room(&scratch), before);
}

fn any_formula() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("kilo".to_owned()),
        Just("t[\"q\"]".to_owned()),
        Just("bands(a)".to_owned()),
        Just("(c * 2 kgCO2/kg)".to_owned()),
        (0u32..5_000).prop_map(|number| format!("{number} gCO2")),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} + {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} - {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("(kilo * ({a} / {b}))")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("max({a}, {b})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("(if {a} < {b} then {c} else {a})")),
            inner
                .clone()
                .prop_map(|a| format!("round({a}, half_even, 0.5 kgCO2)")),
            inner.prop_map(|a| format!("sum(i in three: {a})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn evaluation_is_deterministic_and_the_printed_formula_gives_the_same(expression in any_formula()) {
        let methodology = compiled(&formula(&expression));
        let record = methodology.record(at(2024), GIVEN).unwrap();
        let mut scratch = Scratch::default();
        let first = methodology.quantify(&record, &mut scratch);
        prop_assert_eq!(&methodology.quantify(&record, &mut scratch), &first);
        prop_assert_eq!(methodology.explain(&record).map(|told| told.reduction_mg), first.clone().map(|told| told.reduction_mg.0));
        let printed = formula::parse(&expression).unwrap().to_string();
        let again = compiled(&formula(&printed));
        let told = again.quantify(&record, &mut scratch);
        prop_assert_eq!(told.is_ok(), first.is_ok());
        if let (Ok(told), Ok(first)) = (told, first) {
            prop_assert_eq!(told, first);
        }
    }

    #[test]
    fn no_document_text_makes_the_loader_panic(from in 0usize..2_000, length in 0usize..40, with in "\\PC{0,12}") {
        let text = document(&formula("kilo * a / 1 km"));
        let mut cut = text.chars().take(from).collect::<String>();
        cut.push_str(&with);
        cut.extend(text.chars().skip(from + length));
        let _ = load(&cut);
    }
}
