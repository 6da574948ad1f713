use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::*;

const PLAIN: &str = "start = '2026-11-20T00:00:00Z'\nevery_minutes = 60\n";

fn declared(url: &str, more: &str) -> Result<Declaration, Problem> {
    parse(&format!("url = '{url}'\n{PLAIN}{more}"))
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn hours(plan: &Plan, feed: &Declaration) -> Vec<String> {
    let fill = |window| feed.url.fill(window, 1);
    plan.windows.iter().map(fill).collect()
}

#[test]
fn each_key_is_checked_and_named() {
    for (text, param) in [
        ("", "pull"),
        ("url = 1", "pull"),
        ("oops = 1", "pull"),
        ("url = 'ftp://a'", "pull.url"),
        ("url = 'https:///x'", "pull.url"),
        ("url = 'https://u:p@a/'", "pull.url"),
        ("url = 'https://{from}.a/?b={to}'", "pull.url"),
        ("url = 'https://a:99999/'", "pull.url"),
        ("url = 'https://a:0/'", "pull.url"),
        ("url = 'https://a:x/'", "pull.url"),
        ("url = 'https://[::1/'", "pull.url"),
        ("url = 'https://[ops]:80/'", "pull.url"),
        ("url = 'https://:80/'", "pull.url"),
        ("url = 'https://a/{from'", "pull.url"),
        ("url = 'https://a/}{since}'", "pull.url"),
        ("url = 'https://a/{until}'", "pull.url"),
        ("url = 'https://a/{from:epoch}'", "pull.url"),
        ("url = 'https://a/{page:hour}'", "pull.url"),
        ("url = 'https://a/{from}'", "pull.url"),
        ("url = 'https://a/{from}/{since}'", "pull.url"),
        ("url = 'https://a/{from:hour}/{to}'", "pull.url"),
        ("url = 'https://a/地铁'", "pull.url"),
        ("url = 'https://a/{page}'", "pull.page"),
        (
            "url = 'https://a/'\npage = { kind = 'number' }",
            "pull.page",
        ),
        (
            "url = 'https://a/'\npage = { kind = 'next_url', pointer = 'x' }",
            "pull.page.pointer",
        ),
        (
            "url = 'https://a/'\npage = { kind = 'cursor', pointer = '/x', parameter = '' }",
            "pull.page.parameter",
        ),
        (
            "url = 'https://a/'\noverlap_minutes = 20000",
            "pull.overlap_minutes",
        ),
        ("url = 'https://a/'\nmax_mib = 0", "pull.max_mib"),
        (
            "url = 'https://a/'\ntimeout_seconds = 0",
            "pull.timeout_seconds",
        ),
        ("url = 'https://a/'\nspan_minutes = 1", "pull.span_minutes"),
        (
            "url = 'https://a/'\nauth = { kind = 'bearer', credential = 'a-b' }",
            "pull.auth.credential",
        ),
        (
            "url = 'https://a/'\nauth = { kind = 'bearer', credential = 'a_file' }",
            "pull.auth.credential",
        ),
        (
            "url = 'https://a/'\nauth = { kind = 'header', name = 'Host', credential = 'a' }",
            "pull.auth.name",
        ),
        (
            "url = 'https://a/'\nauth = { kind = 'bearer', secret = 'a' }",
            "pull",
        ),
    ] {
        let refused = parse(&format!("{PLAIN}{text}")).unwrap_err();
        assert_eq!(refused.param.as_deref(), Some(param), "{text}: {refused}");
    }
    let wrong = parse("url = 'https://a/'\nevery_minutes = 60\nstart = 'today'").unwrap_err();
    assert_eq!(wrong.param.as_deref(), Some("pull.start"));
    let wrong = declared("https://a/{until}", "").unwrap_err();
    assert_eq!(
        wrong.detail.zh(),
        "未知占位符 {until}，可用：from、to、since、page"
    );
}

#[test]
fn moments_are_written_as_the_source_wants_them() {
    let window = Window {
        from: at("2026-11-20T08:00:00Z"),
        to: at("2026-11-20T09:30:00Z"),
    };
    for (url, filled) in [
        (
            "https://a/?f={from}&t={to}",
            "https://a/?f=2026-11-20T08:00:00Z&t=2026-11-20T09:30:00Z",
        ),
        (
            "https://a/{from:unix}/{to:unix_ms}",
            "https://a/1795161600/1795167000000",
        ),
        (
            "https://a/?end_time={to:hour}",
            "https://a/?end_time=2026-11-20T08",
        ),
        ("https://a/?s={since:unix}", "https://a/?s=1795161600"),
        ("https://a/all.csv", "https://a/all.csv"),
    ] {
        let feed = declared(url, "").unwrap();
        assert_eq!(feed.url.fill(&window, 1), filled);
    }
    let paged = declared(
        "https://a/?p={page}",
        "page = { kind = 'number', first = 0 }",
    )
    .unwrap();
    assert_eq!(paged.page.first(), 0);
    assert_eq!(paged.url.fill(&window, 7), "https://a/?p=7");
    assert_eq!(
        with_parameter("https://a/", "c", "a&b=/"),
        "https://a/?c=a%26b%3D%2F"
    );
    assert_eq!(with_parameter("https://a/?x", "c", "1"), "https://a/?x&c=1");
}

#[test]
fn an_hour_is_due_when_it_is_over_and_again_within_the_overlap() {
    let feed = declared("https://a/{to:hour}", "overlap_minutes = 120").unwrap();
    let start = feed.start;
    assert!(feed.plan(start, start).windows.is_empty());
    assert!(
        feed.plan(start, start + TimeDelta::minutes(59))
            .windows
            .is_empty()
    );
    let plan = feed.plan(start, at("2026-11-20T02:10:00Z"));
    assert_eq!(
        hours(&plan, &feed),
        ["https://a/2026-11-20T00", "https://a/2026-11-20T01"]
    );
    // Two hours back from the watermark, and not before the start.
    let plan = feed.plan(at("2026-11-20T01:00:00Z"), at("2026-11-20T01:59:00Z"));
    assert_eq!(hours(&plan, &feed), ["https://a/2026-11-20T00"]);
    let plan = feed.plan(at("2026-11-20T09:00:00Z"), at("2026-11-20T10:00:00Z"));
    let again = ["07", "08", "09"].map(|hour| format!("https://a/2026-11-20T{hour}"));
    assert_eq!(hours(&plan, &feed), again);
}

#[test]
fn a_delay_keeps_the_youngest_moments_out() {
    let feed = declared("https://a/{from:hour}", "delay_minutes = 15").unwrap();
    assert!(
        feed.plan(feed.start, at("2026-11-20T01:14:59Z"))
            .windows
            .is_empty()
    );
    assert_eq!(
        feed.plan(feed.start, at("2026-11-20T01:15:00Z"))
            .windows
            .len(),
        1
    );
    let feed = declared("https://a/{from}{to}", "delay_minutes = 15").unwrap();
    let plan = feed.plan(feed.start, at("2026-11-20T01:00:00.7Z"));
    assert_eq!(plan.windows[0].to, at("2026-11-20T00:45:00Z"));
}

#[test]
fn a_long_absence_is_caught_up_in_turns_that_each_get_on() {
    for (url, more) in [
        ("https://a/{to:hour}", "overlap_minutes = 10080"),
        (
            "https://a/{from}{to}",
            "overlap_minutes = 10080\nspan_minutes = 5",
        ),
    ] {
        let feed = declared(url, more).unwrap();
        let now = feed.start + TimeDelta::days(30);
        let (mut watermark, mut turns) = (feed.start, 0);
        loop {
            let plan = feed.plan(watermark, now);
            let last = plan.windows.last().unwrap().to;
            assert!(last > watermark);
            watermark = last;
            turns += 1;
            if !plan.more {
                break;
            }
        }
        assert_eq!(watermark, now);
        assert!(turns > 10);
    }
}

#[test]
fn a_whole_file_is_asked_for_each_time() {
    let feed = declared("https://a/all.csv", "").unwrap();
    let now = at("2026-11-20T08:00:00Z");
    assert_eq!(feed.plan(feed.start, now).windows.len(), 1);
    assert_eq!(feed.plan(now, now).windows.len(), 1);
    let feed = declared("https://a/?since={since}", "overlap_minutes = 60").unwrap();
    let plan = feed.plan(now, now + TimeDelta::hours(1));
    assert_eq!(plan.windows[0].from, at("2026-11-20T07:00:00Z"));
}

#[test]
fn only_a_whole_file_of_one_page_is_all_there_is() {
    let all = |url: &str, more: &str| declared(url, more).unwrap().brings_all();
    assert!(all("https://a.example/all.csv", ""));
    for (url, more) in [
        ("https://a.example/all.csv?since={since}", ""),
        ("https://a.example/{to:hour}", ""),
        ("https://a.example/?a={from}&b={to}", ""),
        ("https://a.example/all.csv", "page = { kind = 'link' }"),
        ("https://a.example/{page}", "page = { kind = 'number' }"),
    ] {
        assert!(!all(url, more), "{url} {more}");
    }
}

#[test]
fn statuses_mean_what_the_documentation_says() {
    let window = Window {
        from: at("2026-11-20T08:00:00Z"),
        to: at("2026-11-20T09:00:00Z"),
    };
    let soon = at("2026-11-20T09:01:00Z");
    let feed = declared("https://a/{to:hour}", "").unwrap();
    for (status, means) in [
        (200, Meaning::Body),
        (202, Meaning::Later),
        (204, Meaning::Nothing),
        (206, Meaning::Failed),
        (304, Meaning::Unchanged),
        (400, Meaning::Failed),
        (401, Meaning::Denied),
        (403, Meaning::Denied),
        (404, Meaning::Later),
        (410, Meaning::Failed),
        (429, Meaning::Failed),
        (500, Meaning::Failed),
        (503, Meaning::Failed),
    ] {
        assert_eq!(
            feed.meaning(status, &window, false, soon),
            means,
            "{status}"
        );
    }
    assert_eq!(feed.meaning(404, &window, true, soon), Meaning::Nothing);
    let late = at("2026-11-21T09:00:00Z");
    assert_eq!(feed.meaning(404, &window, false, late), Meaning::Failed);
    // The address of a file that is not there is wrong at once.
    let whole = declared("https://a/all.csv", "").unwrap();
    assert_eq!(whole.meaning(404, &window, false, soon), Meaning::Failed);
}

#[test]
fn waits_double_are_spread_and_never_shorter_than_asked() {
    let now = at("2026-11-20T08:00:00Z");
    let every = TimeDelta::minutes(60);
    let wait = |failures, asked: Option<i64>, jitter| {
        let retry_after = asked.map(TimeDelta::seconds);
        let next = End::Failed { retry_after }.then(failures, every, now, jitter);
        assert_eq!(next.state, State::BackingOff);
        (next.at - now).num_seconds()
    };
    let plain: Vec<_> = [0, 1, 2, 6, 7, 8, i32::MAX]
        .map(|n| wait(n, None, 0))
        .into();
    assert_eq!(plain, [30, 60, 120, 1920, 3600, 3600, 3600]);
    assert_eq!(wait(0, None, u16::MAX), 44);
    assert_eq!(wait(0, Some(600), 0), 600);
    assert_eq!(wait(0, Some(-5), 0), 30);
    assert_eq!(wait(0, Some(i64::from(u32::MAX)), 0), 86_400);
    let denied = End::Denied.then(3, every, now, 0);
    assert_eq!((denied.state, denied.failures), (State::Stopped, 4));
    let done = End::Done { more: false }.then(3, every, now, 9);
    assert_eq!(
        (done.state, done.failures, done.at),
        (State::Idle, 0, now + every)
    );
    assert_eq!(End::Done { more: true }.then(0, every, now, 9).at, now);
    let stopped = End::Interrupted.then(3, every, now, 9);
    assert_eq!(
        (stopped.state, stopped.failures, stopped.at),
        (State::Idle, 3, now)
    );
}

#[test]
fn the_next_link_is_found_among_others() {
    for (field, next) in [
        (r#"<https://a/2>; rel="next""#, Some("https://a/2")),
        (
            r#"<https://a/1>; rel=prev, </x?a=1,2>; rel=next"#,
            Some("/x?a=1,2"),
        ),
        (
            r#"<a>; title="<b>; rel=next"; rel="last", <c>; REL="first NEXT""#,
            Some("c"),
        ),
        (r#"<a>; rel="nextish""#, None),
        ("<a", None),
        ("", None),
    ] {
        assert_eq!(next_link([field].into_iter()), next, "{field}");
    }
}

#[test]
fn a_cursor_is_found_or_told_why_not() {
    let json =
        r#"{"data":[{"a/b":"x"},2],"links":{"next":"n","more":null,"no":""},"n":7,"t":true}"#;
    for (pointer, found) in [
        ("/links/next", Some("n")),
        ("/data/0/a~1b", Some("x")),
        ("/data/1", Some("2")),
        ("/n", Some("7")),
        ("/links/more", None),
        ("/links/no", None),
        ("/nowhere/at/all", None),
        ("/data/9", None),
        ("/n/deeper", None),
    ] {
        let value = at_pointer(json.as_bytes(), pointer).unwrap();
        assert_eq!(value.as_deref(), found, "{pointer}");
    }
    for (json, pointer) in [
        (json, "/links"),
        (json, "/data"),
        (json, "/t"),
        ("{\"a\":1", "/a"),
        ("{} {}", "/a"),
    ] {
        let refused = at_pointer(json.as_bytes(), pointer).unwrap_err();
        assert_eq!(refused.param.as_deref(), Some(pointer));
    }
    let marked = format!("\u{feff}{json}");
    let value = at_pointer(marked.as_bytes(), "/n").unwrap();
    assert_eq!(value.as_deref(), Some("7"));
    let long = format!("{{\"c\":\"{}\"}}", "x".repeat(5_000));
    assert!(at_pointer(long.as_bytes(), "/c").is_err());
}

proptest! {
    #[test]
    fn no_text_brings_a_reader_down(text in ".{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&text);
        let _ = Template::parse(&format!("https://a/{text}"));
        let _ = next_link([text.as_str()].into_iter());
        let _ = at_pointer(bytes.as_slice(), "/a/b");
    }

    #[test]
    fn windows_are_whole_ascending_and_never_beyond_now(back in 0i64..200_000, ahead in 0i64..4_000_000) {
        for (url, more) in [
            ("https://a/{to:hour}", "overlap_minutes = 90"),
            ("https://a/{from}{to}", "overlap_minutes = 90\nspan_minutes = 7"),
            ("https://a/{since}", ""),
            ("https://a/", ""),
        ] {
            let feed = declared(url, more).unwrap();
            let now = feed.start + TimeDelta::seconds(ahead);
            let watermark = (now - TimeDelta::seconds(back)).max(feed.start);
            let plan = feed.plan(watermark, now);
            for window in &plan.windows {
                prop_assert!(window.from < window.to && window.to <= now);
            }
            for pair in plan.windows.windows(2) {
                prop_assert_eq!(pair[0].to, pair[1].from);
            }
        }
    }
}
