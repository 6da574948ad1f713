//! Every adapter promises the same of any bytes: outcomes in proportion to them, each with its
//! place; records that are sound and keep their canonical form; and the same answer however the
//! bytes arrive.

use std::io::BufReader;

use tanpuhui::domain::behaviour::{Record, Writer};
use tanpuhui::domain::problem::{Code, Problem};
use tanpuhui::domain::scene::adapter::{
    Adapter, Envelope, Options, Outcome, Place, Seen, by_name, native,
};

use crate::bounds::{bounded, bounded_with};
use crate::scenes;

/// Files up to this size are read again in other chunks.
const AGAIN_MAX: usize = 8 * 1024;
/// A workbook's parts may unpack to this (`docs/adapters/table.md`).
const WORKBOOK: usize = 350 << 20;
/// The longest text that a problem may quote from a row, and what it says itself.
const DETAIL_MAX: usize = 8 * 64 * 1024;

/// A file for one adapter: the first byte chooses what its scene declares.
pub fn adapter(name: &str, data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else {
        return;
    };
    let adapter = by_name(name).expect("an adapter of that name");
    let options = scenes::options(name, *choice);
    assert_eq!((adapter.check)(&options), Ok(()), "{name} {choice}");
    file(Envelope::None, &adapter, &options, bytes);
}

/// A file in CloudEvents: two bytes choose envelope and adapter, a third what the scene declares.
pub fn cloud_events(data: &[u8]) {
    let [envelope, adapter, choice, bytes @ ..] = data else {
        return;
    };
    let envelope = match envelope % 4 {
        0 => Envelope::Event,
        1 => Envelope::Batch,
        _ => Envelope::Events,
    };
    let adapter = scenes::adapter(*adapter);
    let options = scenes::options(adapter.name, *choice);
    file(envelope, &adapter, &options, bytes);
}

/// Reads one file and asserts all of it.
pub fn file(envelope: Envelope, adapter: &Adapter, options: &Options, bytes: &[u8]) {
    let more = if bytes.starts_with(b"PK") {
        WORKBOOK
    } else {
        0
    };
    let (mut rows, mut said) = (0usize, 0usize);
    let (read, records) = bounded_with(bytes.len(), more, || {
        let mut records = Vec::new();
        let mut source = bytes;
        let read = envelope.read(adapter, &mut source, options, &mut |outcome| {
            rows += 1;
            said += stated(&outcome);
            if let Outcome::Record(_, record) = outcome
                && records.len() < 64
            {
                records.push(record);
            }
        });
        (read, records)
    });
    if more == 0 {
        assert!(
            rows <= 64 + bytes.len(),
            "{rows} rows of {} bytes",
            bytes.len()
        );
        assert!(
            said <= 4_096 + rows * 400 + bytes.len() * 12,
            "{said} bytes said of {} bytes",
            bytes.len()
        );
    }
    if let Err(problem) = &read {
        judge(problem);
    }
    records
        .iter()
        .for_each(|record| keeps_its_form(adapter.name, record));
    if bytes.len() <= AGAIN_MAX {
        let whole = all(envelope, adapter, options, bytes, bytes.len().max(1));
        assert_eq!(whole.0.is_ok(), read.is_ok());
        for chunk in [1, 61] {
            let again = all(envelope, adapter, options, bytes, chunk);
            assert_eq!(again, whole, "in chunks of {chunk}");
        }
    }
}

type Answer = (Result<Seen, Problem>, Vec<Outcome>);

fn all(
    envelope: Envelope,
    adapter: &Adapter,
    options: &Options,
    bytes: &[u8],
    chunk: usize,
) -> Answer {
    let mut outcomes = Vec::new();
    let mut source = BufReader::with_capacity(chunk, bytes);
    let read = envelope.read(adapter, &mut source, options, &mut |outcome| {
        outcomes.push(outcome)
    });
    (read, outcomes)
}

/// Looks at one outcome; gives the bytes of text in it.
fn stated(outcome: &Outcome) -> usize {
    match outcome {
        Outcome::Record(place, record) => {
            stands_somewhere(place);
            record.source_id.len() + record.subject.len()
        }
        Outcome::Refused(refused) => {
            stands_somewhere(&refused.place);
            judge(&refused.problem);
            refused.problem.detail.en().len()
        }
        Outcome::Held(held) => {
            stands_somewhere(&held.place);
            assert_ne!(held.code, Code::Internal);
            0
        }
    }
}

fn stands_somewhere(place: &Place) {
    assert!(!place.to_string().is_empty());
}

/// No input is a fault of ours, and none may be answered as if a service were away.
fn judge(problem: &Problem) {
    assert!(
        !matches!(problem.code, Code::Internal | Code::Unavailable),
        "{problem:?}"
    );
    let detail = &problem.detail;
    let longest = detail.zh().len().max(detail.en().len());
    assert!(longest <= DETAIL_MAX, "{longest} bytes of detail");
    assert_eq!(detail.zh().is_empty(), detail.en().is_empty(), "{detail:?}");
    assert!(!problem.code.zh().is_empty() && !problem.code.en().is_empty());
}

/// What an adapter takes for a record must be one in the platform's own form too, with the same
/// canonical bytes: that form is how records are stored, sent and recomputed.
fn keeps_its_form(name: &str, record: &Record) {
    assert!(record.from <= record.to, "{name}: {record:?}");
    for quantity in &record.quantities {
        assert!(
            !quantity.value.is_sign_negative() || quantity.value.is_zero(),
            "{name}: {record:?}"
        );
    }
    let text = native::write(record);
    let again = native::parse_record(&text)
        .unwrap_or_else(|problem| panic!("{name}: {problem:?} in {text}"));
    let mut writer = Writer::default();
    assert_eq!(writer.write(&again), writer.write(record), "{name}: {text}");
}

/// A batch as the ingestion path reads it, which must agree with the adapter of the same form.
pub fn native_batch(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else {
        return;
    };
    let format = match choice % 2 {
        0 => native::Format::Json,
        _ => native::Format::Ndjson,
    };
    let batch = bounded(bytes.len(), || native::parse_batch(bytes, format));
    match &batch {
        Err(problem) => judge(problem),
        Ok(rows) => {
            assert!(rows.len() <= bytes.len());
            for (place, row) in rows {
                stands_somewhere(place);
                match row {
                    Ok(record) => keeps_its_form("native", record),
                    Err(problem) => judge(problem),
                }
            }
        }
    }
    // Read as a file, a sound batch gives the same rows.
    if let Ok(rows) = batch
        && !rows.is_empty()
        && rows.iter().all(|(_, row)| row.is_ok())
    {
        let adapter = by_name("native").expect("the adapter");
        let (read, outcomes) = all(Envelope::None, &adapter, &Options::default(), bytes, 4_096);
        assert!(read.is_ok(), "{read:?}");
        let of_file: Vec<&Record> = outcomes.iter().filter_map(record_of).collect();
        let of_batch: Vec<&Record> = rows
            .iter()
            .filter_map(|(_, row)| row.as_ref().ok())
            .collect();
        assert_eq!(of_file, of_batch);
    }
}

fn record_of(outcome: &Outcome) -> Option<&Record> {
    match outcome {
        Outcome::Record(_, record) => Some(record),
        _ => None,
    }
}
