//! A fetched body's way into the ledger, on a blocking thread.

use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::domain::context::Ctx;
use crate::domain::problem::{Code, Problem};
use crate::domain::scene::adapter::Envelope;
use crate::domain::scene::pull::at_pointer;
use crate::flow::FlowError;
use crate::flow::catalogue::Scene;
use crate::flow::ingest::{Sums, Wrapped, check_whole, ingest_whole};
use crate::flow::pull::{Turn, hold};
use crate::gateway::partner_feed::Spooled;
use crate::jobs::Ground;

use super::{Halt, failed, problem_of};

/// How often a lease is renewed while a large file is taken in.
const RENEW_EVERY: Duration = Duration::from_secs(60);

/// Gives the file back, what became of its rows, and how it ended.
pub(super) fn ingest(
    ground: &Ground,
    turn: &Turn,
    scene: &Scene,
    stop: &watch::Receiver<bool>,
    ctx: Ctx,
    body: Spooled,
) -> (File, Sums, Result<(), Halt>) {
    let (mut file, sha256) = (body.file, body.sha256);
    let (mut sums, mut renewed) = (Sums::default(), Instant::now());
    let mut cut = None;
    let log = &ground.keys.settings;
    let feed = Wrapped {
        scene,
        envelope: Envelope::None,
    };
    let ingested = check_whole(&mut file, feed).and_then(|()| {
        ingest_whole(
            &ground.pool,
            feed,
            log,
            ctx,
            &mut file,
            sha256,
            &mut |_, receipt| {
                sums.add(receipt);
                if *stop.borrow() {
                    cut = Some(Halt::Interrupted);
                } else if renewed.elapsed() >= RENEW_EVERY {
                    renewed = Instant::now();
                    let now = ground.clock.now();
                    if !ground
                        .pool
                        .write_now::<_, FlowError>(|tx| hold(tx, turn, now))?
                    {
                        cut = Some(Halt::Lost);
                    }
                }
                match cut {
                    None => Ok(()),
                    Some(_) => Err(Code::Unavailable.into()),
                }
            },
        )
    });
    let outcome = match (ingested, cut) {
        (Ok(()), _) => Ok(()),
        (Err(_), Some(cut)) => Err(cut),
        (Err(error), None) => Err(Halt::End(failed(), problem_of(error))),
    };
    (file, sums, outcome)
}

/// The text or number at a pointer of a JSON body.
pub(super) async fn read_pointer(mut file: File, pointer: &str) -> Result<Option<String>, Problem> {
    let pointer = pointer.to_owned();
    let read = tokio::task::spawn_blocking(move || {
        file.seek(SeekFrom::Start(0))
            .map_err(|_| Problem::new(Code::Unavailable))?;
        at_pointer(BufReader::new(file), &pointer)
    });
    read.await.map_err(|_| Problem::new(Code::Internal))?
}
