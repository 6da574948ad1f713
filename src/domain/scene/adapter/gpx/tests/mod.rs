//! Tracks of our own making, along a meridian of the city.

use super::super::pseudonym::pseudonym;
use super::super::tests::{read_with, refusals};
use super::super::{Place, Settings, by_name};
use super::*;
use crate::domain::behaviour::Record;
use crate::domain::problem::Code;

mod files;

const WALK: &str = "subject = 'user-17'\nmode = 'walk'";

/// One point: how many ten-thousandths of a degree north (each 11.1 m), and its time.
fn point(north: u32, time: &str) -> String {
    let time = match time {
        "" => String::new(),
        time => format!("<time>{time}</time>"),
    };
    format!(r#"<trkpt lat="22.{north:04}" lon="114.05"><ele>3</ele>{time}</trkpt>"#)
}

/// Seconds after eight on the first day of 2026.
fn clock(seconds: u32) -> String {
    let (hours, minutes) = (8 + seconds / 3600, seconds / 60 % 60);
    format!("2026-01-01T{hours:02}:{minutes:02}:{:02}Z", seconds % 60)
}

/// When the `i`th point is, one every ten seconds and as unevenly as people walk.
fn tick(i: u32) -> u32 {
    i * 10 + i % 3 * 2
}

/// So many points, each 11.1 m further.
fn walked(points: u32) -> String {
    (0..points)
        .map(|i| point(5_000 + i, &clock(tick(i))))
        .collect()
}

/// The same at 20 km/h.
fn ridden(points: u32) -> String {
    (0..points)
        .map(|i| point(5_000 + i, &clock(i * 2)))
        .collect()
}

fn gpx(tracks: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1">{tracks}</gpx>"#
    )
}

fn segment(points: &str) -> String {
    gpx(&format!("<trk><trkseg>{points}</trkseg></trk>"))
}

fn read(text: &str, settings: &str) -> Result<(Seen, Vec<Outcome>), Problem> {
    let options = Options {
        settings: Settings::parse(settings).expect("TOML"),
        ..Options::default()
    };
    (ADAPTER.check)(&options).expect("settings");
    read_with("gpx", text.as_bytes(), &options)
}

fn outcomes(text: &str, settings: &str) -> Vec<Outcome> {
    read(text, settings).expect("readable").1
}

fn track(text: &str, settings: &str) -> Record {
    match outcomes(text, settings).pop() {
        Some(Outcome::Record(_, record)) => record,
        other => panic!("{other:?}"),
    }
}

fn km(record: &Record) -> String {
    let distance = record.quantity("distance").expect("a distance");
    assert_eq!(distance.unit, "km");
    distance.value.to_string()
}

fn refusal(text: &str, settings: &str) -> (String, String) {
    let [(_, code, field)] = refusals(&outcomes(text, settings))
        .try_into()
        .expect("one refusal");
    (code, field)
}

fn expected(code: &str, field: &str) -> (String, String) {
    (code.to_owned(), field.to_owned())
}

#[test]
fn a_segment_becomes_a_record() {
    let file = gpx(&format!(
        "<metadata><author><name>nobody</name></author><time>1999-01-01T00:00:00Z</time></metadata>\
         <trk><name>Sunday</name><type>walking</type><trkseg>{}</trkseg></trk>",
        walked(3)
    ));
    let outcomes = outcomes(&file, WALK);
    let [Outcome::Record(place, record)] = outcomes.as_slice() else {
        panic!("{outcomes:?}");
    };
    assert_eq!(*place, Place::Pointer("/gpx/trk[1]/trkseg[1]".to_owned()));
    assert_eq!(
        record.source_id,
        pseudonym("track", "", &["user-17", "2026-01-01T08:00:00Z"])
    );
    assert_eq!(record.subject, "user-17");
    assert_eq!(record.to.to_rfc3339(), "2026-01-01T08:00:24+00:00");
    // Two steps of 11,119.508 mm, each to the whole millimetre.
    assert_eq!(km(record), "0.02224");
    for (name, value) in [
        ("mode", "walk"),
        ("evidence", "self_declared"),
        ("quality", "complete"),
        ("points", "3"),
        ("activity", "walking"),
    ] {
        assert_eq!(record.attribute(name), Some(value), "{name}");
    }
}

#[test]
fn each_segment_is_a_record_and_what_lies_between_is_not_counted() {
    let file = gpx(&format!(
        "<trk><trkseg>{}</trkseg><trkseg></trkseg><trkseg>{}</trkseg></trk><trk><trkseg>{}</trkseg></trk>",
        walked(2),
        point(7_000, &clock(60)) + &point(7_001, &clock(70)),
        point(8_000, &clock(90)) + &point(8_001, &clock(100)),
    ));
    let (seen, outcomes) = read(&file, WALK).expect("readable");
    let places: Vec<_> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Outcome::Record(place, record) => (place.to_string(), km(record)),
            other => panic!("{other:?}"),
        })
        .collect();
    let at = |place: &str| (place.to_owned(), "0.01112".to_owned());
    assert_eq!(
        places,
        [
            at("/gpx/trk[1]/trkseg[1]"),
            at("/gpx/trk[1]/trkseg[3]"),
            at("/gpx/trk[2]/trkseg[1]")
        ]
    );
    assert_eq!(
        seen.counts,
        [
            ("tracks", 2),
            ("points", 6),
            ("routes", 0),
            ("waypoints", 0)
        ]
    );
}

#[test]
fn the_person_is_declared_or_named_by_the_file() {
    let two = walked(2);
    let of = |head: &str, name: &str| {
        gpx(&format!(
            "{head}<trk><name>{name}</name><trkseg>{two}</trkseg></trk>"
        ))
    };
    let author = "<metadata><author><name> A&amp;B&#33; </name></author></metadata>";
    let mode = "mode = 'walk'";
    assert_eq!(track(&of(author, ""), mode).subject, "A&B!");
    let old = of("<author>c</author>", "").replace("\"1.1\"", "\"1.0\"");
    assert_eq!(track(&old, mode).subject, "c");
    let by_name = "mode = 'walk'\nsubject_field = 'track_name'";
    assert_eq!(track(&of(author, "rider-3"), by_name).subject, "rider-3");
    assert_eq!(
        refusal(&of("", "x"), mode),
        expected("missing_field", "metadata.author.name")
    );
    assert_eq!(
        refusal(&of(author, ""), by_name),
        expected("missing_field", "trk.name")
    );
    let long = "n".repeat(300);
    assert_eq!(
        refusal(&of("", &long), by_name),
        expected("invalid_field", "trk.name")
    );
}

#[test]
fn the_mode_is_declared_or_is_the_tracks_type() {
    let of = |kind: &str| {
        let two = walked(2);
        gpx(&format!(
            "<trk><type>{kind}</type><trkseg>{two}</trkseg></trk>"
        ))
    };
    let subject = "subject = 's'";
    for (kind, mode) in [
        ("Hiking", "walk"),
        ("running", "run"),
        ("Cycling", "bike"),
        ("e-biking", "ebike"),
    ] {
        assert_eq!(
            track(&of(kind), subject).attribute("mode"),
            Some(mode),
            "{kind}"
        );
    }
    assert_eq!(
        refusal(&of("driving"), subject),
        expected("missing_field", "trk.type")
    );
    assert_eq!(
        refusal(&of(""), subject),
        expected("missing_field", "trk.type")
    );
}

#[test]
fn plans_places_and_drawn_tracks_earn_nothing() {
    let file = gpx(&format!(
        r#"<wpt lat="1" lon="1"><time>2026-01-01T08:00:00Z</time></wpt><rte><rtept lat="1" lon="1"/><rtept lat="1" lon="2"/></rte><rte/><trk><trkseg>{}{}</trkseg></trk>"#,
        point(1, ""),
        point(2, ""),
    ));
    let of = |place: &str, code: &str, field: &str| {
        (place.to_owned(), code.to_owned(), field.to_owned())
    };
    assert_eq!(
        refusals(&outcomes(&file, WALK)),
        [
            of("/gpx/wpt[1]", "ineligible", "wpt"),
            of("/gpx/rte[1]", "ineligible", "rtept"),
            of("/gpx/trk[1]/trkseg[1]", "missing_field", "trkpt.time"),
        ]
    );
}

#[test]
fn a_time_of_an_extension_is_not_a_points_time() {
    let point = r#"<trkpt lat="22.5" lon="114.05"><extensions><x:time>2026-01-01T08:00:00Z</x:time></extensions></trkpt>"#;
    assert_eq!(
        refusal(&segment(&point.repeat(2)), WALK),
        expected("missing_field", "trkpt.time")
    );
}

#[test]
fn a_few_bad_points_are_left_out_and_many_refuse_the_segment() {
    let good = walked(40);
    let whole = km(&track(&segment(&good), WALK));
    let later = clock(395);
    for (bad, code, field) in [
        (point(9_000, ""), "missing_field", "trkpt.time"),
        (point(9_000, "yesterday"), "invalid_field", "trkpt"),
        (
            point(9_000, &later).replace("22.9", "92.9"),
            "invalid_field",
            "trkpt",
        ),
        (
            point(9_000, &later).replace("lat=", "latitude="),
            "invalid_field",
            "trkpt",
        ),
        (point(5_000, &clock(5)), "time_invalid", "trkpt.time"),
    ] {
        let few = track(&segment(&format!("{good}{bad}")), WALK);
        assert_eq!(
            (km(&few), few.attribute("quality")),
            (whole.clone(), Some("points_left_out"))
        );
        let many = segment(&format!("{good}{}", bad.repeat(3)));
        assert_eq!(refusal(&many, WALK), expected(code, field), "{bad}");
    }
    // A point at the very time of another is no fault: recorders round times to the second.
    let twice = segment(
        &good
            .replace("</trkpt>", "</trkpt>#")
            .split('#')
            .map(|p| p.repeat(2))
            .collect::<String>(),
    );
    assert_eq!(km(&track(&twice, WALK)), whole);
    for few in [
        String::new(),
        point(5_000, &clock(0)),
        point(5_000, &clock(0)).repeat(2),
    ] {
        let outcomes = outcomes(&segment(&few), WALK);
        assert!(few.is_empty() == outcomes.is_empty(), "{outcomes:?}");
        if !few.is_empty() {
            assert_eq!(refusals(&outcomes)[0].2, "trkpt");
        }
    }
}

#[test]
fn a_jump_is_not_counted_and_many_refuse_the_segment() {
    // One point 300 m off and back again: 108 km/h each way.
    let mut points: Vec<String> = (0..42).map(|i| point(5_000 + i, &clock(tick(i)))).collect();
    points[20] = point(5_047, &clock(tick(20)));
    let record = track(&segment(&points.concat()), WALK);
    // 41 steps, less the two.
    assert_eq!(km(&record), "0.43368");
    assert_eq!(record.attribute("quality"), Some("points_left_out"));
    points[10] = point(5_047, &clock(tick(10)));
    assert_eq!(
        refusal(&segment(&points.concat()), WALK),
        expected("quantity_out_of_range", "trkpt")
    );
}

#[test]
fn a_gap_is_not_counted() {
    let file = |later: u32| {
        let after = point(6_000, &clock(later)) + &point(6_001, &clock(later + 10));
        segment(&(walked(2) + &after))
    };
    let record = track(&file(313), WALK);
    assert_eq!(
        (km(&record).as_str(), record.attribute("quality")),
        ("0.02224", Some("gaps"))
    );
    // At 300 s it is a step, and 11 km in that time are a jump for a walker.
    assert_eq!(refusal(&file(312), WALK).1, "trkpt");
    let longer = format!("{WALK}\nmax_gap_s = 301\nmax_speed_kmh = 200");
    assert_eq!(km(&track(&file(313), &longer)), "11.130629");
}

#[test]
fn a_ride_is_not_a_walk() {
    // 11.1 m in two seconds are 20 km/h.
    let ride = segment(&ridden(60));
    assert_eq!(
        refusal(&ride, WALK),
        expected("quantity_out_of_range", "trkseg")
    );
    let bike = "subject = 's'\nmode = 'bike'";
    assert_eq!(km(&track(&ride, bike)), "0.65608");
    // The same ride in the middle of a long walk: one fast minute is enough.
    let mut mixed = String::new();
    let mut seconds = 0;
    for i in 0..300 {
        mixed.push_str(&point(5_000 + i, &clock(seconds)));
        seconds += if (100..160).contains(&i) { 2 } else { 10 };
    }
    assert_eq!(
        refusal(&segment(&mixed), WALK),
        expected("quantity_out_of_range", "trkseg")
    );
    // And in the half minute that a recording or the time before a gap lasts.
    let short = ridden(15);
    assert_eq!(refusal(&segment(&short), WALK).1, "trkseg");
    let after = point(5_020, &clock(1_000)) + &point(5_021, &clock(1_100));
    assert_eq!(refusal(&segment(&(short + &after)), WALK).1, "trkseg");
    let slower = format!("{bike}\nmax_speed_kmh = 15");
    assert_eq!(refusal(&ride, &slower).1, "trkseg");
}

#[test]
fn computed_times_are_said_so() {
    // 35 steps of different lengths, all at 1.1 m/s.
    let mut planned = String::new();
    let (mut north, mut seconds) = (5_000, 0);
    for i in 0..36 {
        planned.push_str(&point(north, &clock(seconds)));
        north += 1 + i % 5;
        seconds += 10 * (1 + i % 5);
    }
    let record = track(&segment(&planned), WALK);
    assert_eq!(record.attribute("quality"), Some("computed_times"));
    let halted = planned + &point(north, &clock(seconds)) + &point(north, &clock(seconds + 30));
    assert_eq!(
        track(&segment(&halted), WALK).attribute("quality"),
        Some("complete")
    );
}

#[test]
fn times_have_an_offset_or_are_utc() {
    let of = |time: &str| {
        track(
            &segment(&(point(5_000, time) + &point(5_001, &clock(10)))),
            WALK,
        )
        .from
    };
    for time in [
        "2026-01-01T16:00:00+08:00",
        "2026-01-01T08:00:00",
        "2026-01-01T08:00:00.000Z",
        " 2026-01-01T08:00:00Z\n",
    ] {
        assert_eq!(of(time).to_rfc3339(), "2026-01-01T08:00:00+00:00", "{time}");
    }
}
