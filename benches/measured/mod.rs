//! What is measured: trips by an event methodology with two look-ups, and days that are compared with
//! their household's own seven days before. The benchmark times them, a test counts what they allocate.

use chrono::{DateTime, TimeDelta};
use rust_decimal::Decimal;
use tanpuhui::domain::behaviour::{Quantity, Record};
use tanpuhui::domain::methodology::{Compiled, Library};

const HEAD: &str = "format = 1\nkind = 'methodology'\n[identity]\ncode = 'm'\nversion = '1'\ntitle_zh = '测量'\ntitle_en = 'measured'\n\
    [effect]\nfrom = '2020-01-01'\nzone = 'Asia/Shanghai'\n[scope]\nregion = 'CN'\nscene = 's'\nsubject = 'person'\nquantity_kind = 'co2'\nperiod = 'PERIOD'\n";
const TWO_LOOK_UPS: &str = "[inputs.distance]\ntype = 'quantity'\nunit = 'km'\n[inputs.mode]\ntype = 'enum'\nvalues = ['metro', 'bus']\n[inputs.region]\ntype = 'key'\n\
    [tables.base]\nkeys = ['region']\nunit = 'gCO2/km'\nrows = [{ key = ['north'], value = '104' }, { key = ['south'], value = '98.5' }]\n\
    [tables.own]\nkeys = ['mode']\nunit = 'gCO2/km'\nrows = [{ key = ['metro'], value = '32' }, { key = ['bus'], value = '52' }]\n\
    [formula]\nreduction = 'distance * (base[region] - own[mode])'\nunit = 'gCO2'\n";
const WEEK: &str = "[inputs.kwh]\ntype = 'quantity'\nunit = 'kWh'\n[period]\n\
    [formula]\nreduction = 'max(0 kWh, trailing_mean(kwh, days = 7, min_count = 7) - kwh) * 0.4419 kgCO2/kWh'\nunit = 'kgCO2'\n";

/// An event methodology with two look-ups.
pub fn two_look_ups() -> Compiled {
    compiled("event", TWO_LOOK_UPS)
}

/// A day methodology that looks back at seven days.
pub fn own_week() -> Compiled {
    compiled("day", WEEK)
}

fn compiled(period: &str, body: &str) -> Compiled {
    let text = format!("{}{body}", HEAD.replace("PERIOD", period));
    let library = Library::load([("m.toml", text.as_str())]).unwrap();
    library.get("m", "1").unwrap().as_ref().clone()
}

/// A trip of so many metres: by metro in the south or by bus in the north.
pub fn trip(metres: i64, mode: &'static str, region: &'static str) -> Record {
    let mut trip = record(0, "distance", Decimal::new(metres, 3), "km");
    trip.attributes.push(("mode".into(), mode.into()));
    trip.attributes.push(("region".into(), region.into()));
    trip
}

/// A household's eight days, without a reading yet.
pub fn days() -> Vec<Record> {
    (0..8)
        .map(|day| record(day, "kwh", Decimal::ZERO, "kWh"))
        .collect()
}

fn record(day: i64, name: &'static str, value: Decimal, unit: &'static str) -> Record {
    let start = DateTime::from_timestamp(1_772_294_400, 0).unwrap();
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
