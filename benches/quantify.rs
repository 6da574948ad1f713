//! What a record costs to quantify: an event methodology with two look-ups, and a day methodology
//! whose households are compared with their own seven days before.
//!
//! `cargo bench --bench quantify`

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::hint::black_box;

use chrono::{DateTime, TimeDelta, Utc};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rust_decimal::Decimal;
use tanpuhui::domain::behaviour::{Quantity, Record};
use tanpuhui::domain::methodology::{Library, Scratch, Series};

const HEAD: &str = "format = 1\nkind = 'methodology'\n[identity]\ncode = 'm'\nversion = '1'\ntitle_zh = '基准'\ntitle_en = 'bench'\n\
    [effect]\nfrom = '2020-01-01'\nzone = 'Asia/Shanghai'\n[scope]\nregion = 'CN'\nscene = 's'\nsubject = 'person'\nquantity_kind = 'co2'\nperiod = 'PERIOD'\n";
const TWO_LOOK_UPS: &str = "[inputs.distance]\ntype = 'quantity'\nunit = 'km'\n[inputs.mode]\ntype = 'enum'\nvalues = ['metro', 'bus']\n[inputs.region]\ntype = 'key'\n\
    [tables.base]\nkeys = ['region']\nunit = 'gCO2/km'\nrows = [{ key = ['north'], value = '104' }, { key = ['south'], value = '98.5' }]\n\
    [tables.own]\nkeys = ['mode']\nunit = 'gCO2/km'\nrows = [{ key = ['metro'], value = '32' }, { key = ['bus'], value = '52' }]\n\
    [formula]\nreduction = 'distance * (base[region] - own[mode])'\nunit = 'gCO2'\n";
const WEEK: &str = "[inputs.kwh]\ntype = 'quantity'\nunit = 'kWh'\n[period]\n\
    [formula]\nreduction = 'max(0 kWh, trailing_mean(kwh, days = 7, min_count = 7) - kwh) * 0.4419 kgCO2/kWh'\nunit = 'kgCO2'\n";

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_294_400, 0).unwrap()
}

fn record(day: i64, name: &'static str, value: i64, unit: &'static str) -> Record {
    Record {
        source_id: String::new(),
        subject: String::new(),
        from: start() + TimeDelta::days(day),
        to: start() + TimeDelta::days(day + 1),
        quantities: vec![Quantity {
            name: name.into(),
            value: value.into(),
            unit: unit.into(),
        }],
        attributes: Vec::new(),
        revises: None,
    }
}

fn library(period: &str, body: &str) -> Library {
    let text = format!("{}{body}", HEAD.replace("PERIOD", period));
    Library::load([("m.toml", text.as_str())]).unwrap()
}

fn event(c: &mut Criterion) {
    let library = library("event", TWO_LOOK_UPS);
    let methodology = library.get("m", "1").unwrap();
    let mut trip = record(0, "distance", 12, "km");
    trip.attributes.push(("mode".into(), "metro".into()));
    trip.attributes.push(("region".into(), "south".into()));
    let mut scratch = Scratch::default();
    c.bench_function("an event with two look-ups", |b| {
        b.iter(|| {
            methodology
                .quantify(black_box(&trip), &mut scratch)
                .unwrap()
        });
    });
}

/// A week and a day of each household, in tenths of a kilowatt-hour: no two neighbours alike.
fn readings(households: u64) -> Vec<[u16; 8]> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut reading = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        40 + u16::try_from(state % 160).unwrap_or(0)
    };
    (0..households)
        .map(|_| std::array::from_fn(|_| reading()))
        .collect()
}

fn week(c: &mut Criterion) {
    let library = library("day", WEEK);
    let methodology = library.get("m", "1").unwrap();
    let mut days: Vec<Record> = (0..8).map(|day| record(day, "kwh", 0, "kWh")).collect();
    let mut group = c.benchmark_group("a day against its own week");
    group.sample_size(10);
    for households in [10_000_u64, 100_000, 1_000_000] {
        group.throughput(Throughput::Elements(households));
        group.bench_with_input(
            BenchmarkId::from_parameter(households),
            &readings(households),
            |b, readings| {
                let mut series = Series::default();
                b.iter(|| {
                    for own in readings {
                        for (record, tenths) in days.iter_mut().zip(own) {
                            record.quantities[0].value = Decimal::new(i64::from(*tenths), 1);
                        }
                        methodology.open_series(&days, &mut series);
                        black_box(methodology.quantify_in(&days, 7, &mut series).unwrap());
                    }
                });
            },
        );
    }
    group.finish();
}

criterion_group!(benches, event, week);
criterion_main!(benches);
