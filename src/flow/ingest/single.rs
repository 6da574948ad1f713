//! Single posts: many partners' requests in one transaction, one batch for each scene.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::domain::context::Ctx;
use crate::domain::problem::{Code, Problem};
use crate::flow::FlowResult;
use crate::flow::catalogue::Scene;
use crate::flow::group_commit::{GroupCommit, GroupLimits, in_one_transaction};
use crate::flow::log_keys::LogKeys;
use crate::store::{Pool, Tx};

use super::{Answer, Prepared, commit};

/// One record on its way, already prepared.
#[derive(Debug, Clone)]
pub struct SinglePost {
    pub scene: Arc<Scene>,
    pub prepared: Prepared,
    /// The request's own; the first of a scene's group names the batch.
    pub ctx: Ctx,
}

/// The queue of single posts.
pub type SingleQueue = GroupCommit<SinglePost, Result<Answer, Problem>>;

/// Starts the committers of single posts.
///
/// # Errors
/// The operating system gives no thread.
pub fn start_single_queue(
    pool: &Pool,
    keys: Arc<LogKeys>,
    limits: GroupLimits,
) -> std::io::Result<SingleQueue> {
    GroupCommit::start(
        "ingest",
        pool,
        limits,
        move |pool, group: Vec<SinglePost>| {
            in_one_transaction(pool, &group, |tx, group| commit_group(tx, &keys, group))
        },
    )
}

fn commit_group(
    tx: &mut Tx<'_>,
    keys: &LogKeys,
    group: &[SinglePost],
) -> FlowResult<Vec<Result<Answer, Problem>>> {
    let mut scenes: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
    for (at, post) in group.iter().enumerate() {
        scenes.entry(post.scene.row.id).or_default().push(at);
    }
    let mut answers: Vec<Result<Answer, Problem>> =
        group.iter().map(|_| Err(Code::Internal.into())).collect();
    for members in scenes.into_values() {
        let posts = || members.iter().filter_map(|at| group.get(*at));
        let Some(first) = posts().next() else {
            continue;
        };
        let prepared = together(posts());
        let mut ctx = first.ctx.clone();
        let batch = ctx.id();
        let receipt = commit(
            tx,
            &ctx,
            batch,
            &first.scene.view,
            &keys.settings,
            &prepared,
        )?;
        for (at, answer) in members.iter().zip(receipt.answers) {
            if let Some(place) = answers.get_mut(*at) {
                *place = Ok(answer);
            }
        }
    }
    Ok(answers)
}

/// One batch of many single posts; its digest is over theirs.
fn together<'p>(posts: impl Iterator<Item = &'p SinglePost>) -> Prepared {
    let mut whole = Prepared::default();
    let mut digest = Sha256::new();
    for (index, post) in posts.enumerate() {
        let one = &post.prepared;
        digest.update(one.body_digest);
        let here = |item: &super::Item| super::Item {
            index,
            ..item.clone()
        };
        whole.items.extend(one.items.iter().map(here));
        whole.revisions.extend(one.revisions.iter().map(here));
        whole.refused.extend(
            one.refused
                .iter()
                .cloned()
                .map(|(_, id, problem)| (index, id, problem)),
        );
        whole
            .held
            .extend(one.held.iter().map(|(_, code)| (index, *code)));
    }
    whole.body_digest = digest.finalize().into();
    whole
}
