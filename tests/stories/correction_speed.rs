//! How long a file of ten thousand corrections takes beside the file that it corrects. Run by
//! hand: `cargo test --test stories correction_speed -- --ignored --nocapture`.

use std::time::Instant;

use tanpuhui::domain::behaviour::Record;
use tanpuhui::store::Pool;

use crate::periods::{
    PLAIN, WEEK, books_agree, cancelling, close, document, link, post, reading, revising, scene,
};
use crate::world::{Postgres, open_account, sqlite};

const HOUSEHOLDS: u32 = 1_000;
const DAYS: u32 = 10;

fn records(named: impl Fn(u32, u32) -> Record) -> Vec<Record> {
    let all = (0..HOUSEHOLDS).flat_map(|home| (0..DAYS).map(move |day| (home, day)));
    all.map(|(home, day)| Record {
        subject: format!("h{home}"),
        attributes: vec![("meter".into(), format!("M-{home}"))],
        ..named(home, day)
    })
    .collect()
}

fn measure(name: &str, pool: &Pool, period: &str, body: &str) {
    for home in 0..HOUSEHOLDS {
        link(pool, &format!("h{home}"), open_account(pool));
    }
    let scene = scene(1, &[document("1", "2020-01-01", period, body)]);
    let said = |what: &str, began: Instant| {
        println!(
            "{name} {period} {what}: {:.2} s",
            began.elapsed().as_secs_f64()
        );
    };
    let id = |home: u32, day: u32| format!("r{home}-{day}");
    let first = records(|home, day| reading(&id(home, day), day, 10));
    let began = Instant::now();
    post(pool, &scene, first);
    said("10,000 records", began);
    close(pool, &scene, 50);
    let again = |home: u32, day: u32| format!("{}-b", id(home, day));
    let second = records(|home, day| {
        let new = reading(&again(home, day), day, 8);
        revising(&again(home, day), &id(home, day), new)
    });
    let began = Instant::now();
    post(pool, &scene, second);
    said("10,000 replacements", began);
    let third = records(|home, day| {
        let void = reading("void", day, 0);
        cancelling(&format!("{}-x", id(home, day)), &id(home, day), void)
    });
    let began = Instant::now();
    post(pool, &scene, third);
    said("10,000 cancellations", began);
    books_agree(pool);
}

#[test]
#[ignore = "a measurement"]
fn ten_thousand_corrections() {
    for (period, body) in [("event", PLAIN), ("day", WEEK)] {
        let dir = tempfile::tempdir().unwrap();
        measure("sqlite", &sqlite(dir.path()), period, body);
        if let Some(database) = Postgres::fresh() {
            measure("postgres", &database.pool(), period, body);
        }
    }
}
