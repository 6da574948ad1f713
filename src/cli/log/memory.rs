//! What is remembered of a log between runs: its key, and the newest checkpoint that was seen.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::LogError;

/// The state file.
#[derive(Debug)]
pub(super) struct Memory {
    path: PathBuf,
    pub(super) kept: Option<Kept>,
}

/// What it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The verifier key, `name+hash+base64`.
    pub(super) key: String,
    /// The signed checkpoint, as it was published.
    pub(super) checkpoint: Option<String>,
}

impl Memory {
    /// # Errors
    /// The file cannot be read, or is none of ours: forgetting silently would be trusting anew.
    pub(super) fn open(path: PathBuf) -> Result<Memory, LogError> {
        let read = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(io::Error::from),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        match read {
            Ok(kept) => Ok(Memory { path, kept }),
            Err(source) => Err(LogError::State { path, source }),
        }
    }

    /// # Errors
    /// The file cannot be written.
    pub(super) fn keep(&mut self, kept: Kept) -> Result<(), LogError> {
        let write = || {
            let mut name = self.path.clone().into_os_string();
            name.push(".new");
            fs::write(&name, serde_json::to_vec_pretty(&kept)?)?;
            fs::rename(&name, &self.path)
        };
        write().map_err(|source| LogError::State {
            path: self.path.clone(),
            source,
        })?;
        self.kept = Some(kept);
        Ok(())
    }
}
