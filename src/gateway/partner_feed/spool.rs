//! A body into a scratch file: unpacked, counted and hashed on the way.

use std::fs::File;
use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use reqwest::Response;
use sha2::{Digest, Sha256};

use super::FeedError;

/// A body in a file that vanishes with its handle.
#[derive(Debug)]
pub struct Spooled {
    pub file: File,
    pub bytes: u64,
    pub sha256: [u8; 32],
}

/// Takes a body in.
pub(super) async fn spool(
    mut response: Response,
    packed: bool,
    bytes_max: u64,
) -> Result<Spooled, FeedError> {
    if !packed && response.content_length().is_some_and(|n| n > bytes_max) {
        return Err(FeedError::TooLarge(bytes_max));
    }
    let mut sink = match packed {
        true => Sink::Packed(MultiGzDecoder::new(Scratch::new(bytes_max)?)),
        false => Sink::Plain(Scratch::new(bytes_max)?),
    };
    loop {
        let piece = response
            .chunk()
            .await
            .map_err(|error| FeedError::Broken(error.without_url().to_string()))?;
        let Some(piece) = piece else { break };
        sink.write(&piece)?;
    }
    sink.finish()
}

#[expect(clippy::large_enum_variant, reason = "one a fetch")]
enum Sink {
    Plain(Scratch),
    Packed(MultiGzDecoder<Scratch>),
}

/// The file, and how much more it may take.
struct Scratch {
    file: File,
    bytes: u64,
    bytes_max: u64,
    sha256: Sha256,
    failed: Option<FeedError>,
}

impl Scratch {
    fn new(bytes_max: u64) -> Result<Scratch, FeedError> {
        Ok(Scratch {
            file: tempfile::tempfile().map_err(FeedError::Scratch)?,
            bytes: 0,
            bytes_max,
            sha256: Sha256::new(),
            failed: None,
        })
    }
}

impl Write for Scratch {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.bytes += piece.len() as u64;
        if self.bytes > self.bytes_max {
            self.failed = Some(FeedError::TooLarge(self.bytes_max));
            return Err(io::Error::other("too large"));
        }
        if let Err(error) = self.file.write_all(piece) {
            self.failed = Some(FeedError::Scratch(error));
            return Err(io::Error::other("the scratch file"));
        }
        self.sha256.update(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink {
    fn write(&mut self, piece: &[u8]) -> Result<(), FeedError> {
        let written = match self {
            Sink::Plain(scratch) => scratch.write_all(piece),
            Sink::Packed(decoder) => decoder.write_all(piece),
        };
        written.map_err(|error| self.failure(&error))
    }

    fn finish(mut self) -> Result<Spooled, FeedError> {
        if let Sink::Packed(decoder) = &mut self
            && let Err(error) = decoder.try_finish()
        {
            return Err(self.failure(&error));
        }
        let scratch = match self {
            Sink::Plain(scratch) => scratch,
            Sink::Packed(decoder) => decoder
                .finish()
                .map_err(|error| FeedError::Broken(error.to_string()))?,
        };
        Ok(Spooled {
            file: scratch.file,
            bytes: scratch.bytes,
            sha256: scratch.sha256.finalize().into(),
        })
    }

    /// What the file refused, or else what is wrong with the packing.
    fn failure(&mut self, error: &io::Error) -> FeedError {
        let scratch = match self {
            Sink::Plain(scratch) => scratch,
            Sink::Packed(decoder) => decoder.get_mut(),
        };
        let refused = scratch.failed.take();
        refused.unwrap_or_else(|| FeedError::Broken(error.to_string()))
    }
}
