//! XML feeds.

use super::{Case, file, repeated};

const TRACK: &str = "<gpx version=\"1.1\"><trk><trkseg>";
const TRACK_END: &str = "</trkseg></trk></gpx>";
const FEED: &str = "<feed xmlns=\"http://www.w3.org/2005/Atom\">";
const POINT: &str = "<entry><link rel=\"self\" href=\"/r/UsagePoint/1\"/><content><UsagePoint><ServiceCategory><kind>0</kind></ServiceCategory></UsagePoint></content></entry>";
const METER: &str = "<entry><link rel=\"self\" href=\"/r/UsagePoint/1/MeterReading/1\"/><link rel=\"up\" href=\"/r/UsagePoint/1/MeterReading\"/><link rel=\"related\" href=\"/r/ReadingType/7\"/><content><MeterReading/></content></entry>";
const KIND: &str = "<entry><link rel=\"self\" href=\"/r/ReadingType/7\"/><content><ReadingType><powerOfTenMultiplier>0</powerOfTenMultiplier><uom>72</uom></ReadingType></content></entry>";
const BLOCK: &str = "<entry><link rel=\"self\" href=\"/r/UsagePoint/1/MeterReading/1/IntervalBlock/9\"/><content><IntervalBlock>";
const BLOCK_END: &str = "</IntervalBlock></content></entry>";

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = [
        ("gpx", "<gpx version=\"1.1\">", "</gpx>"),
        ("green-button", FEED, "</feed>"),
    ]
    .into_iter()
    .flat_map(of_any)
    .collect();
    cases.extend(tracks());
    cases.extend(meters());
    cases
}

fn of_any((name, head, tail): (&'static str, &'static str, &'static str)) -> Vec<Case> {
    let of = move |what: &str, part: &str| {
        let part = part.to_owned();
        file(name, 0, what, move |size| {
            repeated(size, head, |_| part.clone(), tail)
        })
    };
    let attributes: String = (0..7_000).map(|n| format!(" a{n}=''")).collect();
    let tag = if name == "gpx" {
        "trk><trkseg><trkpt"
    } else {
        "entry><link"
    };
    let end = if name == "gpx" {
        "</trkpt></trkseg></trk>"
    } else {
        "</link></entry>"
    };
    vec![
        of("empty elements", "<a/>"),
        of(
            "elements within each other",
            &format!("{}{}", "<a>".repeat(30), "</a>".repeat(30)),
        ),
        file(name, 0, "endless depth", move |size| {
            repeated(size, head, |_| "<a>".to_owned(), "")
        }),
        of(
            "tags of many attributes",
            &format!("<{tag}{attributes}>{end}"),
        ),
        of(
            "tags of one attribute again",
            &format!("<{tag}{}>{end}", " a=''".repeat(12_000)),
        ),
        of(
            "long attributes",
            &format!("<{tag} lat='{}' href='x'>{end}", "&amp;".repeat(12_000)),
        ),
        of("entities", "<name>&amp;&lt;&#65;&#x4e2d;</name>"),
        of("comments", "<!-- -->"),
        of("long comments", &format!("<!--{}-->", "- ".repeat(31_000))),
        of("character data", "<name><![CDATA[x]]></name>"),
        of("instructions", "<?x y?>"),
        of("text", &"x ".repeat(30_000)),
        file(name, 0, "names of many letters", move |size| {
            repeated(
                size,
                head,
                |n| format!("<{0}{n}></{0}{n}>", "n".repeat(30_000)),
                tail,
            )
        }),
        file(name, 0, "a billion laughs", |size| {
            let entities: String = (1..20)
                .map(|n| format!("<!ENTITY l{n} \"&l{};&l{};\">", n - 1, n - 1))
                .collect();
            let head = format!("<!DOCTYPE gpx [<!ENTITY l0 \"ha\">{entities}]><gpx>");
            repeated(size, &head, |_| "&l19;".to_owned(), "</gpx>")
        }),
        file(name, 0, "brackets of a DTD", |size| {
            repeated(
                size,
                "<!DOCTYPE a [",
                |_| "<!ENTITY a \"b\">".to_owned(),
                "]><gpx/>",
            )
        }),
    ]
}

fn tracks() -> Vec<Case> {
    let point = |n: usize| {
        let (hours, minutes, seconds) = (n / 3_600 % 24, n / 60 % 60, n % 60);
        format!(
            "<trkpt lat=\"22.5\" lon=\"114.{:03}\"><time>2026-{:02}-{:02}T{hours:02}:{minutes:02}:{seconds:02}Z</time></trkpt>",
            n % 1_000,
            n / 2_419_200 % 12 + 1,
            n / 86_400 % 28 + 1
        )
    };
    vec![
        file("gpx", 0, "points", move |size| {
            repeated(size, TRACK, point, TRACK_END)
        }),
        file("gpx", 0, "points of one time", |size| {
            repeated(
                size,
                TRACK,
                |_| {
                    "<trkpt lat=\"22.5\" lon=\"114\"><time>2026-01-01T00:00:00Z</time></trkpt>"
                        .to_owned()
                },
                TRACK_END,
            )
        }),
        file("gpx", 0, "points without time", |size| {
            repeated(
                size,
                TRACK,
                |_| "<trkpt lat='1' lon='2'/>".to_owned(),
                TRACK_END,
            )
        }),
        file("gpx", 0, "segments", move |size| {
            repeated(
                size,
                "<gpx version=\"1.1\"><trk>",
                |n| format!("<trkseg>{}{}</trkseg>", point(n), point(n + 9)),
                "</trk></gpx>",
            )
        }),
        file("gpx", 1, "tracks", |size| {
            repeated(
                size,
                "<gpx version=\"1.1\">",
                |n| format!("<trk><name>n{n}</name><trkseg/></trk>"),
                "</gpx>",
            )
        }),
        file("gpx", 0, "coordinates of many digits", |size| {
            let digits = "1".repeat(30_000);
            repeated(
                size,
                TRACK,
                |_| format!("<trkpt lat=\"1.{digits}\" lon=\"2.{digits}\"/>"),
                TRACK_END,
            )
        }),
    ]
}

fn reading(start: usize, value: &str) -> String {
    format!(
        "<IntervalReading><timePeriod><duration>900</duration><start>{start}</start></timePeriod><value>{value}</value></IntervalReading>"
    )
}

fn meters() -> Vec<Case> {
    let head = format!("{FEED}{POINT}{METER}{KIND}");
    let block = format!("{head}{BLOCK}");
    let of = |what: &str, head: &str, part: fn(usize) -> String, tail: &str| {
        let (head, tail) = (head.to_owned(), format!("{tail}</feed>"));
        file("green-button", 1, what, move |size| {
            repeated(size, &head, part, &tail)
        })
    };
    vec![
        of(
            "readings",
            &block,
            |n| reading(1_300_000_000 + n * 900, "1"),
            BLOCK_END,
        ),
        of(
            "readings with gaps",
            &block,
            |n| reading(1_300_000_000 + n * 1_800, "1"),
            BLOCK_END,
        ),
        of(
            "readings backwards",
            &block,
            |n| reading(2_000_000_000 - n * 1_800, "1"),
            BLOCK_END,
        ),
        of(
            "one reading again and again",
            &block,
            |_| reading(1_300_000_000, "1"),
            BLOCK_END,
        ),
        of(
            "readings that overlap",
            &block,
            |n| reading(1_300_000_000 + n, "1"),
            BLOCK_END,
        ),
        of(
            "numbers out of range",
            &block,
            |_| reading(9, &"9".repeat(2_000)),
            BLOCK_END,
        ),
        of(
            "blocks",
            &head,
            |n| {
                format!(
                    "{BLOCK}{}{BLOCK_END}",
                    reading(1_300_000_000 + n * 1_800, "1")
                )
            },
            "",
        ),
        of(
            "blocks of nobody",
            FEED,
            |n| {
                format!(
                    "<entry><link rel=\"self\" href=\"/r/{n}/IntervalBlock/1\"/><content><IntervalBlock>{}</IntervalBlock></content></entry>",
                    reading(n, "1")
                )
            },
            "",
        ),
        of(
            "meters",
            FEED,
            |n| POINT.replace("/1", &format!("/{n}")) + &METER.replace("/1", &format!("/{n}")),
            "",
        ),
        of("kinds", FEED, |n| KIND.replace("/7", &format!("/{n}")), ""),
        of(
            "links",
            FEED,
            |n| {
                format!(
                    "<entry>{}<content><MeterReading/></content></entry>",
                    format!("<link rel=\"related\" href=\"/{n}/IntervalBlock\"/>").repeat(60)
                )
            },
            "",
        ),
        of(
            "bills",
            &head,
            |n| {
                format!(
                    "<entry><link rel=\"up\" href=\"/r/UsagePoint/1/UsageSummary\"/><content><UsageSummary><billingPeriod><duration>900</duration><start>{}</start></billingPeriod><overallConsumptionLastPeriod><uom>72</uom><value>1</value></overallConsumptionLastPeriod></UsageSummary></content></entry>",
                    1_300_000_000 + n * 1_800
                )
            },
            "",
        ),
        of(
            "local times",
            FEED,
            |n| {
                format!(
                    "<entry><link rel=\"self\" href=\"/r/LocalTimeParameters/{n}\"/><content><LocalTimeParameters><dstStartRule>360E2000</dstStartRule></LocalTimeParameters></content></entry>"
                )
            },
            "",
        ),
    ]
}
