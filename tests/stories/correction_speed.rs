//! A file of corrections is a few batches and not one a correction. How long it takes beside the
//! file that it corrects is printed; for ten thousand rows of each:
//! `TANPUHUI_STORY_HOUSEHOLDS=1000 cargo test --test stories correction_speed -- --nocapture`.

use std::time::Instant;

use tanpuhui::domain::behaviour::Record;
use tanpuhui::store::{Pool, Target};

use crate::partner::stored;
use crate::periods::{
    PLAIN, WEEK, books_agree, cancelling, close, document, link, post, reading, revising, scene,
};
use crate::world::open_account;

const DAYS: u32 = 10;

fn households() -> u32 {
    let set = std::env::var("TANPUHUI_STORY_HOUSEHOLDS");
    set.ok().and_then(|set| set.parse().ok()).unwrap_or(20)
}

fn records(named: impl Fn(u32, u32) -> Record) -> Vec<Record> {
    let all = (0..households()).flat_map(|home| (0..DAYS).map(move |day| (home, day)));
    all.map(|(home, day)| Record {
        subject: format!("h{home}"),
        attributes: vec![("meter".into(), format!("M-{home}"))],
        ..named(home, day)
    })
    .collect()
}

fn measure(name: &str, pool: &Pool, id: i32, (period, body): (&str, &str)) {
    for home in (0..households()).filter(|_| id == 1) {
        link(pool, &format!("h{home}"), open_account(pool));
    }
    let scene = scene(id, &[document("1", "2020-01-01", period, body)]);
    let said = |what: &str, began: Instant| {
        println!(
            "{name} {period} {what}: {:.2} s",
            began.elapsed().as_secs_f64()
        );
    };
    let named = |home: u32, day: u32| format!("{period}-{home}-{day}");
    let first = records(|home, day| reading(&named(home, day), day, 10));
    let began = Instant::now();
    post(pool, &scene, first);
    said("records", began);
    close(pool, &scene, 50);
    let again = |home: u32, day: u32| format!("{}-b", named(home, day));
    let second = records(|home, day| {
        let new = reading(&again(home, day), day, 8);
        revising(&again(home, day), &named(home, day), new)
    });
    let batches = stored(pool).batches;
    let began = Instant::now();
    let receipt = post(pool, &scene, second);
    said("replacements", began);
    assert_eq!(receipt.refused, 0, "{receipt:?}");
    let third = records(|home, day| {
        let void = reading("void", day, 0);
        cancelling(&format!("{}-x", named(home, day)), &named(home, day), void)
    });
    let began = Instant::now();
    let receipt = post(pool, &scene, third);
    said("cancellations", began);
    assert_eq!(receipt.refused, 0, "{receipt:?}");
    assert!(stored(pool).batches <= batches + 4);
    books_agree(pool);
}

on_both! {
    fn a_file_of_corrections_is_a_few_batches(pool: Pool) {
        let (event, day) = (("event", PLAIN), ("day", WEEK));
        let name = match pool.target() {
            Target::Postgres(_) => "postgres",
            Target::Sqlite(_) => "sqlite",
        };
        measure(name, &pool, 1, event);
        measure(name, &pool, 2, day);
    }
}
