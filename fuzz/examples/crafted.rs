//! Files made to be slow or large, at 1, 2 and 4 MB: processor time must grow with the bytes and
//! memory must not grow out of proportion. Ends with 1 if one does.
//!
//!     cargo run --release --example crafted [PART OF A NAME]

use tanpuhui_fuzz::bounds::{Cost, measured};
use tanpuhui_fuzz::crafted::{Case, cases};

/// From 1 MB to 4 MB; linear is 4.
const GROWTH_MAX: f64 = 7.0;
/// What 4 MB may take however it grows: a crafted upload must not occupy a worker.
const SECONDS_MAX: f64 = 4.0;
/// Below this the growth says more of caches than of the code.
const SECONDS_NOISE: f64 = 0.5;
/// A workbook may unpack to 256 MiB, and its longest text is kept while it is read; the tree of a
/// TOML document takes a hundred times its bytes.
const MIB_MAX: usize = 450;

fn main() {
    let part = std::env::args().nth(1).unwrap_or_default();
    let mut found = 0;
    println!(
        "{:<66}{:>9}{:>9}{:>9}{:>7}{:>9}",
        "case", "1 MB s", "2 MB s", "4 MB s", "grows", "MiB"
    );
    for case in cases().iter().filter(|case| case.name.contains(&part)) {
        found += usize::from(!bounded(case));
    }
    println!("{found} out of bounds");
    std::process::exit(i32::from(found > 0));
}

fn bounded(case: &Case) -> bool {
    let costs = [1, 2, 4].map(|mb| cost(case, mb * 1_000_000));
    let [one, _, four] = costs.map(|cost| cost.time.as_secs_f64());
    let grows = four / one.max(1e-6);
    let mib = costs
        .map(|cost| cost.memory >> 20)
        .into_iter()
        .max()
        .unwrap_or(0);
    let linear = four < SECONDS_NOISE || grows <= GROWTH_MAX;
    let sound = linear && four <= SECONDS_MAX && mib <= MIB_MAX;
    let [a, b, c] = costs.map(|cost| cost.time.as_secs_f64());
    let mark = if sound { "" } else { "  <-- out of bounds" };
    println!(
        "{:<66}{a:>9.3}{b:>9.3}{c:>9.3}{grows:>7.1}{mib:>9}{mark}",
        case.name
    );
    sound
}

fn cost(case: &Case, size: usize) -> Cost {
    let bytes = (case.make)(size);
    let (_, cost) = measured(|| (case.run)(&bytes));
    cost
}
