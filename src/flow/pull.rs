//! Feeds that are pulled: declared, suspended and resumed by officers, taken by one node at a time.
//! What goes over the network is `jobs::pull_feeds`' business; no transaction here waits for it.

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::context::Ctx;
use crate::domain::problem::{Code, Problem, detail};
use crate::domain::scene::pull::{self as rule, Declaration, End, State};
use crate::store::pull::{self, PullFeedRow, PullRunRow};
use crate::store::{Ts, Tx, verification};

use super::FlowResult;
use super::audit::{self, Change};

/// How long a feed that was taken is hidden from other nodes before its first request.
const LEASE: TimeDelta = TimeDelta::minutes(10);
/// The longest error that is kept, in characters.
const ERROR_CHARS_MAX: usize = 500;

/// One node's turn at a feed.
#[derive(Debug, Clone)]
pub struct Turn {
    pub lease: Uuid,
    pub declaration: Declaration,
    /// As it was when it was taken.
    pub feed: PullFeedRow,
}

/// Declares how a scene's feed is pulled, or declares it anew; it is due at once. The watermark
/// stays unless the declared start is another one.
///
/// # Errors
/// `scene_unknown`; `missing_field` without a reason; what [`rule::parse`] refuses.
pub fn declare(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    scene: &str,
    text: &str,
    basis: &str,
) -> FlowResult<PullFeedRow> {
    let declaration = rule::parse(text)?;
    reasoned(basis)?;
    let id = scene_id(tx, scene)?;
    let before = pull::feed(tx, id)?;
    let kept = before.as_ref().filter(|row| {
        rule::parse(&row.declaration).is_ok_and(|earlier| earlier.start == declaration.start)
    });
    let row = PullFeedRow {
        scene_id: id,
        declaration: text.to_owned(),
        declared_at: ctx.now.into(),
        state: State::Idle.as_str().to_owned(),
        watermark: kept.map_or(Ts(declaration.start), |row| row.watermark),
        next_at: ctx.now.into(),
        lease: None,
        failures: 0,
        last_error: None,
        succeeded_at: before.as_ref().and_then(|row| row.succeeded_at),
    };
    pull::declare(tx, &row)?;
    let change = Change {
        before: before.map(|row| Sha256::digest(row.declaration).into()),
        after: Some(Sha256::digest(text).into()),
    };
    let subject = format!("scene {scene}");
    audit::record(tx, ctx, "pull.declare", &subject, basis, change)?;
    Ok(row)
}

/// Suspends a feed: nothing more is asked for, and what a running turn still brings in counts.
///
/// # Errors
/// `scene_unknown`, `not_found` for a scene that is not pulled, `missing_field` without a reason.
pub fn suspend(tx: &mut Tx<'_>, ctx: &Ctx, scene: &str, basis: &str) -> FlowResult<PullFeedRow> {
    let all = ["idle", "running", "backing_off", "stopped"];
    set_state(tx, ctx, scene, &all, State::Suspended, basis)
}

/// Takes up a feed that was suspended, was stopped or backs off: it is due at once.
///
/// # Errors
/// As [`suspend`].
pub fn resume(tx: &mut Tx<'_>, ctx: &Ctx, scene: &str, basis: &str) -> FlowResult<PullFeedRow> {
    let waiting = ["backing_off", "stopped", "suspended"];
    set_state(tx, ctx, scene, &waiting, State::Idle, basis)
}

fn set_state(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    scene: &str,
    from: &[&str],
    to: State,
    basis: &str,
) -> FlowResult<PullFeedRow> {
    reasoned(basis)?;
    let id = scene_id(tx, scene)?;
    let none = || {
        Problem::at(
            Code::NotFound,
            "scene",
            detail!("该场景未设置拉取", "is not pulled"),
        )
    };
    pull::lock(tx, id)?;
    let row = pull::feed(tx, id)?.ok_or_else(none)?;
    if !from.contains(&row.state.as_str()) {
        return Ok(row);
    }
    pull::set_state(tx, id, to.as_str(), ctx.now.into())?;
    let action = match to {
        State::Suspended => "pull.suspend",
        _ => "pull.resume",
    };
    let subject = format!("scene {scene}");
    audit::record(tx, ctx, action, &subject, basis, Change::default())?;
    Ok(pull::feed(tx, id)?.ok_or_else(none)?)
}

/// The audit chain keeps why.
fn reasoned(basis: &str) -> Result<(), Problem> {
    match basis.trim().is_empty() {
        true => Err(Problem::on(Code::MissingField, "reason")),
        false => Ok(()),
    }
}

fn scene_id(tx: &mut Tx<'_>, code: &str) -> FlowResult<i32> {
    let id = verification::scene_id(tx, code)?;
    Ok(id.ok_or(Code::SceneUnknown)?)
}

/// Takes the feed that has been due longest; `None` when none is. One whose declaration this program
/// refuses, as an earlier one did not, is stopped with the reason.
///
/// # Errors
/// The store failed.
pub fn take(tx: &mut Tx<'_>, ctx: &mut Ctx) -> FlowResult<Option<Turn>> {
    loop {
        let lease = ctx.id();
        let until = Ts(ctx.now + LEASE);
        let Some(feed) = pull::take_due(tx, lease, ctx.now.into(), until)? else {
            return Ok(None);
        };
        match rule::parse(&feed.declaration) {
            Ok(declaration) => {
                return Ok(Some(Turn {
                    lease,
                    declaration,
                    feed,
                }));
            }
            Err(problem) => {
                let stopped = PullFeedRow {
                    state: State::Stopped.as_str().to_owned(),
                    next_at: ctx.now.into(),
                    last_error: Some(shown(&problem)),
                    ..feed
                };
                pull::end_turn(tx, lease, &stopped)?;
            }
        }
    }
}

/// Holds the feed for the next request and what it brings; false where it was lost to another
/// node or an officer.
///
/// # Errors
/// The store failed.
pub fn hold(tx: &mut Tx<'_>, turn: &Turn, now: DateTime<Utc>) -> FlowResult<bool> {
    let until = Ts(now + LEASE + turn.declaration.timeout);
    Ok(pull::renew(tx, turn.feed.scene_id, turn.lease, until)?)
}

/// Records one request; `done_up_to` moves the watermark, forwards only. False where the feed was
/// lost meanwhile: the request is recorded and the watermark stays.
///
/// # Errors
/// The store failed.
pub fn record(
    tx: &mut Tx<'_>,
    turn: &Turn,
    run: &PullRunRow,
    done_up_to: Option<DateTime<Utc>>,
) -> FlowResult<bool> {
    let scene = turn.feed.scene_id;
    pull::lock(tx, scene)?;
    pull::append_run(tx, run)?;
    match done_up_to {
        Some(to) => Ok(pull::advance(tx, scene, turn.lease, to.into())?),
        None => Ok(true),
    }
}

/// Ends a turn: what follows is [`End::then`]'s to say. False where the feed was lost meanwhile.
///
/// # Errors
/// The store failed.
pub fn finish(
    tx: &mut Tx<'_>,
    turn: &Turn,
    end: End,
    problem: Option<&Problem>,
    now: DateTime<Utc>,
    jitter: u16,
) -> FlowResult<bool> {
    let next = end.then(turn.feed.failures, turn.declaration.every, now, jitter);
    let done = matches!(end, End::Done { .. });
    let error = match end {
        End::Interrupted => turn.feed.last_error.clone(),
        _ => problem.map(shown),
    };
    let row = PullFeedRow {
        state: next.state.as_str().to_owned(),
        next_at: next.at.into(),
        failures: next.failures,
        last_error: error,
        succeeded_at: if done {
            Some(now.into())
        } else {
            turn.feed.succeeded_at
        },
        ..turn.feed.clone()
    };
    Ok(pull::end_turn(tx, turn.lease, &row)?)
}

/// The refusal in both languages, as an officer reads it.
fn shown(problem: &Problem) -> String {
    let Problem {
        code,
        param,
        detail,
    } = problem;
    let mut text = format!("{}: {} {}", code.as_str(), code.zh(), code.en());
    if let Some(param) = param {
        text.push_str(&format!(" [{param}]"));
    }
    if !detail.is_empty() {
        text.push_str(&format!(" {}", detail.both()));
    }
    text.chars().take(ERROR_CHARS_MAX).collect()
}
