//! What a record costs to quantify: an event methodology with two look-ups, and a day methodology
//! whose households are compared with their own seven days before.
//!
//! `cargo bench --bench quantify`

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

mod measured;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rust_decimal::Decimal;
use tanpuhui::domain::methodology::{Scratch, Series};

fn event(c: &mut Criterion) {
    let methodology = measured::two_look_ups();
    let trip = measured::trip(12_000, "metro", "south");
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
    let methodology = measured::own_week();
    let mut days = measured::days();
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
