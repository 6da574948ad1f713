//! The journal: one line a command, written through to the disk before anybody is answered.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::book::{Book, Event};

/// The book, and the file it is replayed from.
pub(super) struct Journal {
    file: File,
    pub book: Book,
}

impl Journal {
    /// Opens the journal in `dir` and replays it. A line that was cut off by a crash was never
    /// answered: it is dropped.
    pub fn open(dir: &Path, last_close: i64) -> std::io::Result<Journal> {
        std::fs::create_dir_all(dir)?;
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(dir.join("journal.jsonl"))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let whole = bytes
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |at| at + 1);
        file.set_len(whole as u64)?;
        file.seek(SeekFrom::End(0))?;
        let mut journal = Journal {
            file,
            book: Book::default(),
        };
        for line in bytes
            .get(..whole)
            .unwrap_or_default()
            .split(|b| *b == b'\n')
        {
            if !line.is_empty() {
                let events: Vec<Event> = serde_json::from_slice(line)?;
                events.iter().for_each(|event| journal.book.apply(event));
            }
        }
        if whole == 0 {
            journal.commit(&[Event::Opened { last_close }])?;
        }
        Ok(journal)
    }

    /// Writes what happened, then makes it so.
    pub fn commit(&mut self, events: &[Event]) -> std::io::Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let mut line = serde_json::to_vec(events)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.file.sync_data()?;
        events.iter().for_each(|event| self.book.apply(event));
        Ok(())
    }
}
