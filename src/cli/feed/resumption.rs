//! Where a post ended, kept in a file beside the feed so that a second run sends only what was not
//! answered. Losing it costs time, never correctness: what is sent twice is answered as a replay.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::tally::Tally;

/// Hashed at each end of the file.
const END_BYTES: u64 = 64 << 10;

/// What a kept position is valid for. Any difference means other batches or another receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Subject {
    pub(super) program: String,
    pub(super) url: String,
    pub(super) scene: String,
    pub(super) adapter: String,
    pub(super) options: String,
    pub(super) batch: usize,
    pub(super) file_bytes: u64,
    /// SHA-256 over the file's first and last 64 KiB.
    pub(super) file_ends: String,
}

/// Which batches were answered, and what the answers came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    subject: Subject,
    /// Every batch below this number.
    below: u64,
    /// Batches answered out of turn.
    beyond: BTreeSet<u64>,
    pub(super) tally: Tally,
}

/// A position and the file it is kept in.
#[derive(Debug)]
pub(super) struct Resumption {
    path: PathBuf,
    pub(super) position: Position,
}

impl Position {
    fn start(subject: Subject) -> Position {
        Position {
            subject,
            below: 0,
            beyond: BTreeSet::new(),
            tally: Tally::default(),
        }
    }

    pub(super) fn is_done(&self, batch: u64) -> bool {
        batch < self.below || self.beyond.contains(&batch)
    }

    /// Batches answered.
    pub(super) fn done(&self) -> u64 {
        self.below + u64::try_from(self.beyond.len()).unwrap_or(0)
    }

    pub(super) fn mark(&mut self, batch: u64) {
        self.beyond.insert(batch);
        while self.beyond.remove(&self.below) {
            self.below += 1;
        }
    }
}

impl Resumption {
    /// Takes up what `path` says of `subject`; what it says of anything else is forgotten.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub(super) fn open(path: PathBuf, subject: Subject) -> io::Result<Resumption> {
        let kept = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice::<Position>(&bytes).ok(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let kept = kept.filter(|position| position.subject == subject);
        let position = kept.unwrap_or_else(|| Position::start(subject));
        let resumption = Resumption { path, position };
        // Better to know now that it cannot be written than after the first batch.
        resumption.save()?;
        Ok(resumption)
    }

    /// Writes the position beside the old one and then over it, so that a crash leaves one whole.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn save(&self) -> io::Result<()> {
        let mut name = self.path.clone().into_os_string();
        name.push(".new");
        let mut file = File::create(&name)?;
        file.write_all(&serde_json::to_vec(&self.position)?)?;
        drop(file);
        fs::rename(&name, &self.path)
    }

    /// All is answered: the file goes.
    ///
    /// # Errors
    /// It cannot be removed.
    pub(super) fn finish(self) -> io::Result<Tally> {
        fs::remove_file(&self.path)?;
        Ok(self.position.tally)
    }
}

/// Where the position of a post of `file` is kept unless the caller says otherwise.
pub(super) fn default_path(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".tanpuhui-post");
    PathBuf::from(name)
}

/// The file's size in bytes, and the hash of its ends.
///
/// # Errors
/// It cannot be read.
pub(super) fn fingerprint(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut hash = Sha256::new();
    let mut feed = |file: &mut File| -> io::Result<()> {
        let mut end = Vec::new();
        file.take(END_BYTES).read_to_end(&mut end)?;
        hash.update(&end);
        Ok(())
    };
    feed(&mut file)?;
    file.seek(SeekFrom::Start(size.saturating_sub(END_BYTES)))?;
    feed(&mut file)?;
    Ok((size, hex::encode(hash.finalize())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(batch: usize) -> Subject {
        Subject {
            program: "1".into(),
            url: "http://a".into(),
            scene: "s".into(),
            adapter: "native".into(),
            options: String::new(),
            batch,
            file_bytes: 1,
            file_ends: String::new(),
        }
    }

    #[test]
    fn what_was_answered_is_taken_up_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let mut first = Resumption::open(path.clone(), subject(10)).unwrap();
        for batch in [0, 2, 1, 4] {
            first.position.mark(batch);
        }
        first.save().unwrap();
        assert_eq!((first.position.below, first.position.done()), (3, 4));
        let again = Resumption::open(path.clone(), subject(10)).unwrap();
        assert_eq!(again.position, first.position);
        let done: Vec<_> = (0..6).filter(|n| again.position.is_done(*n)).collect();
        assert_eq!(done, [0, 1, 2, 4]);
        let other = Resumption::open(path.clone(), subject(11)).unwrap();
        assert_eq!(other.position.done(), 0);
        fs::write(&path, b"torn").unwrap();
        let torn = Resumption::open(path.clone(), subject(10)).unwrap();
        assert_eq!(torn.position.done(), 0);
        torn.finish().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn the_ends_of_a_file_tell_it_from_another() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("feed");
        let mut prints = BTreeSet::new();
        let mut bytes = vec![7; 200_000];
        for place in [None, Some(0), Some(65_535), Some(140_000), Some(199_999)] {
            if let Some(place) = place {
                bytes[place] ^= 1;
            }
            fs::write(&path, &bytes).unwrap();
            prints.insert(fingerprint(&path).unwrap());
        }
        assert_eq!(prints.len(), 5);
        fs::write(&path, b"").unwrap();
        assert_eq!(fingerprint(&path).unwrap().0, 0);
    }
}
