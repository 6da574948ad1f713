//! The directory that a demonstration may wipe: one that it made itself.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::problem::{DemoError, DemoResult};

/// Says that a directory is the demonstration's own.
const MARKER: &str = ".tanpuhui-demo";
const MARKER_TEXT: &str =
    "`tanpuhui demo` made this directory and wipes it when it is run here again.\n";

/// An empty directory, locked against a second demonstration while this one runs.
pub struct Ground {
    dir: PathBuf,
    _lock: File,
}

impl Ground {
    /// Takes `dir`: makes it, or wipes it if a demonstration made it.
    ///
    /// # Errors
    /// It has content and no marker, another demonstration runs in it, or it cannot be written.
    pub fn take(dir: &Path) -> DemoResult<Ground> {
        let marker = dir.join(MARKER);
        fs::create_dir_all(dir)?;
        let empty = fs::read_dir(dir)?.next().is_none();
        if !empty && !marker.is_file() {
            let shown = dir.display();
            return Err(DemoError::Place(format!(
                "{shown} is not empty and was not made by the demo; it stays as it is. Name another with --dir"
            )));
        }
        let mut lock = File::options().create(true).append(true).open(&marker)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let shown = dir.display();
                return Err(DemoError::Place(format!(
                    "another demo runs in {shown}; name another directory with --dir"
                )));
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        wipe(dir)?;
        lock.set_len(0)?;
        lock.write_all(MARKER_TEXT.as_bytes())?;
        Ok(Ground {
            dir: dir.to_owned(),
            _lock: lock,
        })
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

fn wipe(dir: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name() == MARKER {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_demo_made_is_wiped() {
        let scratch = tempfile::tempdir().unwrap();
        let dir = scratch.path().join("city");
        drop(Ground::take(&dir).unwrap());
        fs::create_dir(dir.join("deep")).unwrap();
        fs::write(dir.join("deep/old.db"), "x").unwrap();
        let ground = Ground::take(&dir).unwrap();
        assert!(!dir.join("deep").exists());
        assert!(Ground::take(&dir).is_err(), "it is locked");
        drop(ground);

        let other = scratch.path().join("precious");
        fs::create_dir(&other).unwrap();
        fs::write(other.join("thesis.txt"), "years").unwrap();
        assert!(Ground::take(&other).is_err());
        assert_eq!(
            fs::read_to_string(other.join("thesis.txt")).unwrap(),
            "years"
        );
    }
}
