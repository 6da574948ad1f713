//! What a scene may declare, and files that are refused as a whole.

use std::fmt::Write as _;

use super::*;

#[test]
fn settings_are_checked() {
    for (wrong, param) in [
        ("mode = 'car'", "settings.mode"),
        ("subject = ' '", "settings.subject"),
        ("subject_field = 'email'", "settings.subject_field"),
        ("max_gap_s = 0", "settings.max_gap_s"),
        ("max_gap_s = '2.5'", "settings.max_gap_s"),
        ("max_speed_kmh = 'fast'", "settings.max_speed_kmh"),
        ("datum = 'wgs84'", "settings.datum"),
    ] {
        let options = Options {
            settings: Settings::parse(wrong).expect("TOML"),
            ..Options::default()
        };
        let problem = (ADAPTER.check)(&options).expect_err(wrong);
        assert_eq!(problem.param.as_deref(), Some(param));
    }
    let long = format!("subject = '{}'", "n".repeat(81));
    let options = Options {
        settings: Settings::parse(&long).expect("TOML"),
        ..Options::default()
    };
    assert!((ADAPTER.check)(&options).is_err());
}

#[test]
fn refusals_are_told_in_both_languages() {
    let version = gpx("").replace("version=\"1.1\"", "version=\"2.0\"");
    let detail = read(&version, WALK).expect_err("GPX 2.0").detail;
    assert_eq!(
        (detail.zh(), detail.en()),
        (
            "version 应为 1.1 或 1.0，而不是 \"2.0\"",
            "version 1.1 or 1.0 is expected, not \"2.0\""
        )
    );
    for (points, zh) in [
        (
            point(0, "").repeat(3),
            "所有点都没有时间：是画的，不是记录的",
        ),
        (
            format!("{}{}", walked(40), point(9_000, "").repeat(3)),
            "43 个点中有 3 个没有时间",
        ),
        (ridden(100), "有一分钟快于 16 km/h：不是 walk"),
    ] {
        match outcomes(&segment(&points), WALK).pop() {
            Some(Outcome::Refused(refused)) => assert_eq!(refused.problem.detail.zh(), zh),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn foreign_torn_and_crafted_files_are_refused_whole() {
    let code = |text: &str| read(text, WALK).expect_err(text).code;
    let good = segment(&walked(3));
    let deep = gpx(&format!("{}{}", "<a>".repeat(40), "</a>".repeat(40)));
    let mut bomb = String::from("<!DOCTYPE gpx [");
    let _ = write!(
        bomb,
        "<!ENTITY a \"ha\">]>{}",
        good.replace("?>", "?><!-- -->")
    );
    for (text, expected) in [
        ("", Code::FormatMismatch),
        ("{}", Code::FormatMismatch),
        ("<feed/>", Code::FormatMismatch),
        ("<gpx/>", Code::FormatMismatch),
        ("<gpx version=\"2.0\"/>", Code::FormatMismatch),
        (
            "<gpx version=\"1.1\"/><gpx version=\"1.1\"/>",
            Code::FormatMismatch,
        ),
        ("<gpx version=\"1.1\"></trk></gpx>", Code::FormatMismatch),
        ("<gpx version=\"1.1\"><trk><trkseg>", Code::FileTruncated),
        (&good[..good.len() - 3], Code::FileTruncated),
        (&good[..good.len() / 2], Code::FileTruncated),
        (deep.as_str(), Code::FormatMismatch),
        (bomb.as_str(), Code::EntityRefused),
        (&good.replace("<ele>3", "<ele>&mine;"), Code::EntityRefused),
        (
            &good.replace("lon=\"114.05\"", "lon=\"&mine;\""),
            Code::EntityRefused,
        ),
        (&good.replace("UTF-8", "EBCDIC"), Code::EncodingUnsupported),
        (
            &good.replace("<ele>3", &format!("<ele>{}", "3".repeat(70_000))),
            Code::LineTooLong,
        ),
    ] {
        assert_eq!(
            code(text),
            expected,
            "{}",
            text.get(..80.min(text.len())).unwrap_or("")
        );
    }
    assert!(outcomes("<gpx version=\"1.1\"/>", WALK).is_empty());
    assert!(by_name("gpx").is_some());
}
