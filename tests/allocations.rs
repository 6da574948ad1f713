//! Quantifying allocates nothing once its memory has grown to its size: a city's million records a
//! day do not become a million visits to the allocator.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use allocation_counter::measure;
use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use tanpuhui::domain::behaviour::{Quantity, Record};
use tanpuhui::domain::methodology::{Compiled, Library, Scratch, Series};

const HEAD: &str = "format = 1\nkind = 'methodology'\n[identity]\ncode = 'm'\nversion = '1'\ntitle_zh = '内存'\ntitle_en = 'memory'\n\
    [effect]\nfrom = '2020-01-01'\nzone = 'Asia/Shanghai'\n[scope]\nregion = 'CN'\nscene = 's'\nsubject = 'person'\nquantity_kind = 'co2'\nperiod = 'PERIOD'\n";
const TWO_LOOK_UPS: &str = "[inputs.distance]\ntype = 'quantity'\nunit = 'km'\n[inputs.mode]\ntype = 'enum'\nvalues = ['metro', 'bus']\n[inputs.region]\ntype = 'key'\n\
    [tables.base]\nkeys = ['region']\nunit = 'gCO2/km'\nrows = [{ key = ['north'], value = '104' }, { key = ['south'], value = '98.5' }]\n\
    [tables.own]\nkeys = ['mode']\nunit = 'gCO2/km'\nrows = [{ key = ['metro'], value = '32' }, { key = ['bus'], value = '52' }]\n\
    [formula]\nreduction = 'distance * (base[region] - own[mode])'\nunit = 'gCO2'\n";
const WEEK: &str = "[inputs.kwh]\ntype = 'quantity'\nunit = 'kWh'\n[period]\n\
    [formula]\nreduction = 'max(0 kWh, trailing_mean(kwh, days = 7, min_count = 7) - kwh) * 0.4419 kgCO2/kWh'\nunit = 'kgCO2'\n";

fn compiled(period: &str, body: &str) -> Compiled {
    let text = format!("{}{body}", HEAD.replace("PERIOD", period));
    let library = Library::load([("m.toml", text.as_str())]).unwrap();
    library.get("m", "1").unwrap().as_ref().clone()
}

fn record(day: i64, name: &'static str, value: Decimal, unit: &'static str) -> Record {
    let start: DateTime<Utc> = DateTime::from_timestamp(1_772_294_400, 0).unwrap();
    Record {
        source_id: String::new(),
        subject: String::new(),
        from: start + TimeDelta::days(day),
        to: start + TimeDelta::days(day + 1),
        quantities: vec![Quantity {
            name: name.into(),
            value,
            unit: unit.into(),
        }],
        attributes: Vec::new(),
        revises: None,
    }
}

#[test]
fn acts_with_two_look_ups() {
    let methodology = compiled("event", TWO_LOOK_UPS);
    let trips: Vec<Record> = (1..=1_000)
        .map(|metres| {
            let mut trip = record(0, "distance", Decimal::new(metres, 3), "km");
            let (mode, region) = match metres % 2 {
                0 => ("metro", "south"),
                _ => ("bus", "north"),
            };
            trip.attributes.push(("mode".into(), mode.into()));
            trip.attributes.push(("region".into(), region.into()));
            trip
        })
        .collect();
    let mut scratch = Scratch::default();
    let mut sum = 0;
    let mut all = || {
        for trip in &trips {
            let quantified = methodology.quantify(trip, &mut scratch).unwrap();
            sum += quantified.reduction_mg.0;
        }
    };
    let first = measure(&mut all).count_total;
    let again = measure(&mut all).count_total;
    assert!(first > 0, "the counter counts");
    assert_eq!(again, 0, "for a thousand acts");
    // Even metres by metro in the south save 66.5 mg each, odd ones by bus in the north 52 mg;
    // the metres of either add up to 250,500 and 250,000.
    assert_eq!(sum, 2 * (250_500 * 665 / 10 + 250_000 * 52));
}

#[test]
fn days_against_their_own_week() {
    let methodology = compiled("day", WEEK);
    let mut days: Vec<Record> = (0..8)
        .map(|day| record(day, "kwh", Decimal::ZERO, "kWh"))
        .collect();
    let mut series = Series::default();
    let mut sum = 0;
    let mut all = || {
        for household in 0..1_000_i64 {
            for (day, record) in days.iter_mut().enumerate() {
                let lower = if day == 7 { 7 } else { 0 };
                record.quantities[0].value = Decimal::new(100 + household - lower, 1);
            }
            methodology.open_series(&days, &mut series);
            let quantified = methodology.quantify_in(&days, 7, &mut series).unwrap();
            sum += quantified.reduction_mg.0;
        }
    };
    let first = measure(&mut all).count_total;
    let again = measure(&mut all).count_total;
    assert!(first > 0, "the counter counts");
    assert_eq!(again, 0, "for a thousand households");
    // Each is 0.7 kWh below its own week: 309.33 g, twice a thousand times.
    assert_eq!(sum, 2 * 1_000 * 309_330);
}
