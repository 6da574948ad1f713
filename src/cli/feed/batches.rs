//! Cutting a file's records into the bodies of requests. The same file, adapter, options and
//! batch size give the same batches, which is what a resumed post relies on.

use bytes::Bytes;

use crate::domain::behaviour::Record;
use crate::domain::scene::adapter::native::write;
use crate::domain::scene::adapter::{Outcome, Place};

/// A batch is cut before it would grow beyond this; the platform's own bound is 16 MiB.
const BYTES_MAX: usize = 4 << 20;

/// The records of one request.
#[derive(Debug)]
pub(super) struct Batch {
    /// Counted from 0.
    pub(super) number: u64,
    /// Where each record stands in the file.
    pub(super) places: Vec<Place>,
    /// One record a line, in the platform's own form.
    pub(super) lines: Bytes,
}

/// Collects records and hands on each batch when it is full.
pub(super) struct Cutter<F> {
    records_max: usize,
    number: u64,
    places: Vec<Place>,
    lines: Vec<u8>,
    send: F,
}

impl<F: FnMut(Batch)> Cutter<F> {
    pub(super) fn new(records_max: usize, send: F) -> Cutter<F> {
        Cutter {
            records_max,
            number: 0,
            places: Vec::new(),
            lines: Vec::new(),
            send,
        }
    }

    /// The sink of an adapter: rows that are refused or held here have no place in a batch.
    pub(super) fn take(&mut self, outcome: Outcome) {
        if let Outcome::Record(place, record) = outcome {
            self.record(place, &record);
        }
    }

    fn record(&mut self, place: Place, record: &Record) {
        let line = write(record);
        if !self.places.is_empty() && self.lines.len() + line.len() >= BYTES_MAX {
            self.cut();
        }
        self.lines.extend_from_slice(line.as_bytes());
        self.lines.push(b'\n');
        self.places.push(place);
        if self.places.len() == self.records_max {
            self.cut();
        }
    }

    /// Hands on what is left.
    pub(super) fn finish(mut self) {
        if !self.places.is_empty() {
            self.cut();
        }
    }

    fn cut(&mut self) {
        let batch = Batch {
            number: self.number,
            places: std::mem::take(&mut self.places),
            lines: std::mem::take(&mut self.lines).into(),
        };
        self.number += 1;
        (self.send)(batch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{TimeZone, Utc};

    fn record(id: &str) -> Record {
        let at = Utc.with_ymd_and_hms(2026, 11, 20, 4, 0, 0).unwrap();
        Record {
            source_id: id.to_owned(),
            subject: "s".to_owned(),
            from: at,
            to: at,
            quantities: Vec::new(),
            attributes: Vec::new(),
            revises: None,
        }
    }

    fn sizes(records_max: usize, ids: &[String]) -> Vec<usize> {
        let mut sizes = Vec::new();
        let mut cutter = Cutter::new(records_max, |batch: Batch| {
            assert_eq!(batch.number, u64::try_from(sizes.len()).unwrap());
            let lines = batch.lines.iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(lines, batch.places.len());
            assert!(batch.lines.len() <= BYTES_MAX);
            sizes.push(lines);
        });
        for (line, id) in (1..).zip(ids) {
            cutter.take(Outcome::Record(Place::Line(line), record(id)));
        }
        cutter.finish();
        sizes
    }

    #[test]
    fn batches_are_cut_by_records_and_by_bytes() {
        let short: Vec<_> = (0..7).map(|id| id.to_string()).collect();
        assert_eq!(sizes(3, &short), [3, 3, 1]);
        assert_eq!(sizes(7, &short), [7]);
        assert_eq!(sizes(3, &[]), [0usize; 0]);
        let long = vec!["x".repeat(1 << 20); 8];
        assert_eq!(sizes(100, &long), [3, 3, 2]);
    }
}
