//! Whole files in a scene adapter's own format, of any size, in bounded memory: read once to the
//! end without storing anything, then once more and committed batch by batch. A file that is
//! broken as a whole is refused as a whole; one that breaks off while it is committed is taken up
//! by sending it again, which replays what is in.

use std::io::{BufReader, Read, Seek, SeekFrom};

use sha2::{Digest, Sha256};

use crate::domain::context::Ctx;
use crate::domain::problem::Code;
use crate::domain::scene::adapter::{Envelope, Outcome, Place};
use crate::flow::catalogue::Scene;
use crate::flow::{FlowError, FlowResult};
use crate::store::Pool;

use super::{LogSettings, RECORDS_MAX, Receipt, Row, commit, prepare};

/// Bytes that are read ahead.
const READ_AHEAD: usize = 1 << 20;

/// Sums over the answers of several batches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    pub accepted: usize,
    pub replayed: usize,
    pub refused: usize,
    pub held: usize,
    /// Milligrams of CO₂e of what was accepted now.
    pub reduction_mg: i64,
    /// Points credited now.
    pub points: i64,
}

/// A scene's feed, and what its files are wrapped in.
#[derive(Clone, Copy)]
pub struct Wrapped<'s> {
    pub scene: &'s Scene,
    pub envelope: Envelope,
}

/// Reads the file to its end without storing anything.
///
/// # Errors
/// What is wrong with the file as a whole.
pub fn check_whole(file: &mut (impl Read + Seek), feed: Wrapped<'_>) -> FlowResult<()> {
    let mut reader = from_the_start(file)?;
    let scene = feed.scene;
    feed.envelope
        .read(&scene.adapter, &mut reader, &scene.options, &mut |_| ())?;
    Ok(())
}

/// Commits a file that [`check_whole`] found sound, [`RECORDS_MAX`] rows a batch; `told` hears of
/// each batch that is in, with the places of its rows, and may end it all.
///
/// # Errors
/// The store failed, or what `told` returns; the batches that it was told of stay.
pub fn ingest_whole(
    pool: &Pool,
    feed: Wrapped<'_>,
    log: &LogSettings,
    ctx: Ctx,
    file: &mut (impl Read + Seek),
    sha256: [u8; 32],
    told: &mut dyn FnMut(&[Place], &Receipt) -> FlowResult<()>,
) -> FlowResult<()> {
    let mut reader = from_the_start(file)?;
    let scene = feed.scene;
    let mut ingestion = Ingestion {
        pool,
        scene,
        log,
        ctx,
        sha256,
        places: Vec::new(),
        rows: Vec::new(),
        batches: 0,
        told,
    };
    let mut failed = None;
    let mut take = |outcome| {
        if failed.is_none() {
            failed = ingestion.take(outcome).err();
        }
    };
    feed.envelope
        .read(&scene.adapter, &mut reader, &scene.options, &mut take)?;
    match failed {
        Some(error) => Err(error),
        None => ingestion.flush(),
    }
}

fn from_the_start<F: Read + Seek>(file: &mut F) -> FlowResult<BufReader<&mut F>> {
    file.seek(SeekFrom::Start(0)).map_err(|error| {
        tracing::error!(%error, "a scratch file cannot be read");
        FlowError::from(Code::Internal)
    })?;
    Ok(BufReader::with_capacity(READ_AHEAD, file))
}

/// One checked file on its way into the ledger.
struct Ingestion<'f> {
    pool: &'f Pool,
    scene: &'f Scene,
    log: &'f LogSettings,
    ctx: Ctx,
    sha256: [u8; 32],
    places: Vec<Place>,
    rows: Vec<Row>,
    batches: u64,
    told: &'f mut dyn FnMut(&[Place], &Receipt) -> FlowResult<()>,
}

impl Ingestion<'_> {
    fn take(&mut self, outcome: Outcome) -> FlowResult<()> {
        let (place, row) = match outcome {
            Outcome::Record(place, record) => (place, Row::Record(record)),
            Outcome::Refused(refused) => {
                let row = Row::Refused(refused.place.to_string(), refused.problem);
                (refused.place, row)
            }
            Outcome::Held(held) => (held.place, Row::Held(held.code)),
        };
        self.places.push(place);
        self.rows.push(row);
        if self.rows.len() < RECORDS_MAX {
            Ok(())
        } else {
            self.flush()
        }
    }

    fn flush(&mut self) -> FlowResult<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        self.batches += 1;
        let mut digest = Sha256::new();
        digest.update(self.sha256);
        digest.update(self.batches.to_be_bytes());
        let rows = std::mem::take(&mut self.rows);
        let view = &self.scene.view;
        let prepared = prepare(view, rows, digest.finalize().into(), self.ctx.now);
        let batch = self.ctx.id();
        let receipt = self
            .pool
            .write_now(|tx| commit(tx, &self.ctx, batch, view, self.log, &prepared))?;
        (self.told)(&self.places, &receipt)?;
        self.places.clear();
        Ok(())
    }
}

impl Sums {
    /// Adds one batch.
    pub fn add(&mut self, receipt: &Receipt) {
        self.accepted += receipt.accepted;
        self.replayed += receipt.replayed;
        self.refused += receipt.refused;
        self.held += receipt.held;
        self.reduction_mg += receipt.reduction_mg;
        self.points += receipt.points;
    }

    /// Adds another file's sums.
    pub fn merge(&mut self, other: &Sums) {
        self.accepted += other.accepted;
        self.replayed += other.replayed;
        self.refused += other.refused;
        self.held += other.held;
        self.reduction_mg += other.reduction_mg;
        self.points += other.points;
    }

    /// Rows that were answered.
    pub fn rows(&self) -> usize {
        self.accepted + self.replayed + self.refused + self.held
    }
}
