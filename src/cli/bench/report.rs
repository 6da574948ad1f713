//! What was measured, as a table or as one JSON object.

use std::time::Duration;

use serde_json::{Value, json};

/// One measurement.
pub(super) struct Line {
    what: String,
    value: Value,
}

impl Line {
    /// Batches: the bare statements beside the whole way through HTTP.
    pub(super) fn pair(
        batch: usize,
        writers: usize,
        records: usize,
        bare: Duration,
        http: Duration,
    ) -> Line {
        let (bare, http) = (rate(records, bare), rate(records, http));
        let ratio = (http * 100).checked_div(bare).unwrap_or(0);
        Line {
            what: format!(
                "batch {batch:>6}, {writers} writers: bare {bare:>8}/s, http {http:>8}/s, ratio {}.{:02}",
                ratio / 100,
                ratio % 100,
            ),
            value: json!({
                "what": "ingest", "batch": batch, "writers": writers, "records": records,
                "bare_per_s": bare, "http_per_s": http, "ratio_percent": ratio,
            }),
        }
    }

    /// Single requests on many connections.
    pub(super) fn requests(
        what: &str,
        connections: usize,
        requests: usize,
        took: Duration,
    ) -> Line {
        let per_second = rate(requests, took);
        Line {
            what: format!("{what}, {connections} connections: {per_second}/s"),
            value: json!({
                "what": what, "connections": connections, "requests": requests,
                "per_s": per_second,
            }),
        }
    }
}

fn rate(count: usize, took: Duration) -> u128 {
    count as u128 * 1_000_000 / took.as_micros().max(1)
}

/// Collects the lines; shows each as soon as it is known, unless JSON is wanted.
pub(super) struct Report {
    database: &'static str,
    json: bool,
    lines: Vec<Line>,
}

impl Report {
    pub(super) fn new(database: &'static str, json: bool) -> Report {
        Report {
            database,
            json,
            lines: Vec::new(),
        }
    }

    pub(super) fn note(&self, text: &str) {
        if !self.json {
            println!("{text}");
        }
    }

    pub(super) fn add(&mut self, line: Line) {
        self.note(&line.what);
        self.lines.push(line);
    }

    pub(super) fn finish(self) {
        if self.json {
            let lines: Vec<Value> = self.lines.into_iter().map(|line| line.value).collect();
            println!(
                "{}",
                json!({"database": self.database, "measurements": lines})
            );
        }
    }
}
