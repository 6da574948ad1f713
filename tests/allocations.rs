//! Quantifying allocates nothing once its memory has grown to its size: a city's million records a
//! day do not become a million visits to the allocator.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

#[path = "../benches/measured/mod.rs"]
mod measured;

use allocation_counter::measure;
use rust_decimal::Decimal;
use tanpuhui::domain::behaviour::Record;
use tanpuhui::domain::methodology::{Scratch, Series};

#[test]
fn acts_with_two_look_ups() {
    let methodology = measured::two_look_ups();
    let trips: Vec<Record> = (1..=1_000)
        .map(|metres| match metres % 2 {
            0 => measured::trip(metres, "metro", "south"),
            _ => measured::trip(metres, "bus", "north"),
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
    let methodology = measured::own_week();
    let mut days = measured::days();
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
