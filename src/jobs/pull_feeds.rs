//! Pulls the feeds that are due. A feed is taken with a lease, its requests are made with no
//! transaction open, and what they bring goes the way of a posted file. Each request is recorded;
//! the watermark moves once a window is in to its last page. A process that dies leaves its lease
//! to run out: what is asked for again is answered as a replay.

mod intake;
mod window;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::domain::problem::{Code, Problem, detail};
use crate::domain::scene::pull::End;
use crate::flow::catalogue::Scene;
use crate::flow::ingest::Sums;
use crate::flow::pull::{Turn, finish, take};
use crate::flow::{FlowError, FlowResult};
use crate::gateway::partner_feed::{FeedClient, Proof};
use crate::store::StoreError;
use crate::store::pull::any_due;

use super::{Ground, system_ctx};

/// How often due feeds are looked for.
const PERIOD: Duration = Duration::from_secs(5);

/// What one round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pulled {
    pub turns: usize,
    pub requests: usize,
    pub sums: Sums,
}

/// Why a turn is not over when its last window is.
enum Halt {
    /// Another node or an officer took the feed.
    Lost,
    End(End, Problem),
    Interrupted,
    Flow(FlowError),
}

impl Halt {
    /// The problem's code, where there is one.
    fn code(&self) -> Option<String> {
        match self {
            Halt::End(_, problem) => Some(problem.code.as_str().to_owned()),
            _ => None,
        }
    }
}

impl From<FlowError> for Halt {
    fn from(error: FlowError) -> Halt {
        Halt::Flow(error)
    }
}

/// One turn under way.
struct Work<'g> {
    ground: &'g Ground,
    client: &'g FeedClient,
    stop: watch::Receiver<bool>,
    turn: Arc<Turn>,
    scene: Arc<Scene>,
    proof: Option<Proof>,
    pulled: Pulled,
}

pub(super) async fn run(ground: Ground, client: FeedClient, mut stop: watch::Receiver<bool>) {
    loop {
        if let Err(error) = pull_due(&ground, &client, &stop).await {
            tracing::warn!(%error, "feeds could not be pulled");
        }
        let stopped = stop.wait_for(|stop| *stop);
        if tokio::time::timeout(PERIOD, stopped).await.is_ok() {
            return;
        }
    }
}

/// Pulls every feed that is due, one after the other, and returns when none is.
///
/// # Errors
/// The store failed; a feed that cannot be pulled is no error but waits.
pub async fn pull_due(
    ground: &Ground,
    client: &FeedClient,
    stop: &watch::Receiver<bool>,
) -> FlowResult<Pulled> {
    let mut sum = Pulled::default();
    while !*stop.borrow() {
        let now = ground.clock.now().into();
        if !ground.pool.read(move |conn| any_due(conn, now)).await? {
            break;
        }
        let ctx = system_ctx(&ground.clock);
        let taken = ground
            .pool
            .write::<_, FlowError>(move |tx| take(tx, &mut ctx.clone()));
        let Some(turn) = taken.await? else { break };
        let one = pull(ground, client, stop, Arc::new(turn)).await?;
        sum.turns += 1;
        sum.requests += one.requests;
        sum.sums.merge(&one.sums);
    }
    Ok(sum)
}

/// One turn from its plan to its end.
async fn pull(
    ground: &Ground,
    client: &FeedClient,
    stop: &watch::Receiver<bool>,
    turn: Arc<Turn>,
) -> FlowResult<Pulled> {
    let (pulled, outcome) = match prepared(ground, client, stop, &turn).await {
        Ok(mut work) => {
            let outcome = work.all_windows().await;
            (work.pulled, outcome)
        }
        Err(halt) => (Pulled::default(), Err(halt)),
    };
    let (end, problem) = match outcome {
        Ok(more) => (End::Done { more }, None),
        Err(Halt::Lost) => {
            tracing::info!(scene.id = turn.feed.scene_id, "a feed was taken by another");
            return Ok(pulled);
        }
        Err(Halt::Interrupted) => (End::Interrupted, None),
        Err(Halt::End(end, problem)) => (end, Some(problem)),
        Err(Halt::Flow(error)) => (failed(), Some(problem_of(error))),
    };
    if let Some(problem) = &problem {
        tell(&turn, end, problem);
    }
    let (now, jitter) = (ground.clock.now(), jitter());
    let ended = ground
        .pool
        .write::<_, FlowError>(move |tx| finish(tx, &turn, end, problem.as_ref(), now, jitter));
    ended.await?;
    Ok(pulled)
}

/// What a turn stands on: its scene and its credential.
async fn prepared<'g>(
    ground: &'g Ground,
    client: &'g FeedClient,
    stop: &watch::Receiver<bool>,
    turn: &Arc<Turn>,
) -> Result<Work<'g>, Halt> {
    let scene = scene(ground, turn.feed.scene_id).await?;
    if scene.row.state != "live" {
        let end = End::Later { retry_after: None };
        return Err(Halt::End(end, Code::SceneNotLive.into()));
    }
    if scene.adapter.needs_whole_days(&scene.options) && !turn.declaration.brings_all() {
        let detail = detail!(
            "每个窗口或每页是一个文件；设为“zero”时，每个文件须包含完整的日",
            "a window or a page is a file, and with \"zero\" each file must hold whole days"
        );
        let parted = Problem::at(Code::InvalidField, "settings.day_start", detail);
        return Err(Halt::End(End::Denied, parted));
    }
    let credentials = &ground.config.pull.credentials;
    let proof = match &turn.declaration.auth {
        None => None,
        Some(auth) => {
            let secret = credentials.get(auth.credential()).cloned().ok_or_else(|| {
                let missing = Problem::on(Code::CredentialMissing, auth.credential());
                Halt::End(End::Denied, missing)
            })?;
            let auth = auth.clone();
            Some(Proof { auth, secret })
        }
    };
    Ok(Work {
        ground,
        client,
        stop: stop.clone(),
        turn: Arc::clone(turn),
        scene,
        proof,
        pulled: Pulled::default(),
    })
}

/// The scene as it is in force; one that another node opened just now is read again.
async fn scene(ground: &Ground, id: i32) -> Result<Arc<Scene>, Halt> {
    let find = || {
        let catalogue = ground.catalogue.get();
        let mut scenes = catalogue.scenes.values();
        scenes.find(|scene| scene.row.id == id).cloned()
    };
    if let Some(scene) = find() {
        return Ok(scene);
    }
    ground.catalogue.reload(&ground.pool).await?;
    find().ok_or_else(|| Halt::End(failed(), Code::SceneUnknown.into()))
}

fn failed() -> End {
    End::Failed { retry_after: None }
}

/// What an officer is told of a failure of ours.
fn problem_of(error: FlowError) -> Problem {
    match error {
        FlowError::Refused(problem) => problem,
        FlowError::Store(StoreError::Busy | StoreError::Unavailable(_)) => Code::Unavailable.into(),
        error => {
            tracing::error!(?error, "a feed could not be taken in");
            Code::Internal.into()
        }
    }
}

fn tell(turn: &Turn, end: End, problem: &Problem) {
    let (id, failures) = (turn.feed.scene_id, turn.feed.failures);
    match end {
        End::Denied => tracing::error!(scene.id = id, %problem, "a pull feed has stopped"),
        End::Failed { .. } => {
            tracing::warn!(scene.id = id, pull.failures = failures, %problem, "a pull failed");
        }
        _ => tracing::info!(scene.id = id, %problem, "a pull waits"),
    }
}

/// Spreads waits; without randomness they are merely not spread.
fn jitter() -> u16 {
    let mut bytes = [0; 2];
    let _ = getrandom::fill(&mut bytes);
    u16::from_be_bytes(bytes)
}
