//! Many callers, one transaction: each hands in one request and waits; a committer takes all that
//! wait, runs them together, and answers after the commit. A commit costs the disk the same for
//! one row as for hundreds.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use crate::domain::problem::{Code, Problem};
use crate::store::{Contended, Pool, StoreError, Tx};

use super::{FlowError, FlowResult};

/// How large things may get.
#[derive(Debug, Clone, Copy)]
pub struct GroupLimits {
    /// Requests that may wait; one more is told that the platform is busy.
    pub queue: usize,
    /// Requests in one transaction.
    pub group: usize,
    /// Committers that work side by side. Measured with redemptions on two processors: one is the
    /// fastest on both databases, because more of them make smaller groups.
    pub committers: usize,
}

impl Default for GroupLimits {
    fn default() -> GroupLimits {
        GroupLimits {
            queue: 10_000,
            group: 500,
            committers: 1,
        }
    }
}

struct Waiting<Req, Res> {
    request: Req,
    answer: oneshot::Sender<Res>,
}

type Queue<Req, Res> = Arc<Mutex<mpsc::Receiver<Waiting<Req, Res>>>>;

/// A queue and its committers. Dropping it stops it, after everything that waits is answered.
pub struct GroupCommit<Req, Res> {
    door: Option<mpsc::Sender<Waiting<Req, Res>>>,
    committers: Vec<JoinHandle<()>>,
}

impl<Req: Send + 'static, Res: Send + 'static> GroupCommit<Req, Res> {
    /// Starts the committers. `commit` gives one answer a request, in their order; see
    /// [`in_one_transaction`].
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn start<F>(
        name: &str,
        pool: &Pool,
        limits: GroupLimits,
        commit: F,
    ) -> std::io::Result<GroupCommit<Req, Res>>
    where
        F: Fn(&Pool, Vec<Req>) -> Vec<Res> + Send + Sync + 'static,
    {
        let (door, queue) = mpsc::channel(limits.queue.max(1));
        let queue: Queue<Req, Res> = Arc::new(Mutex::new(queue));
        let commit = Arc::new(commit);
        let committers = (0..limits.committers.max(1))
            .map(|_| {
                let (queue, commit, pool) = (Arc::clone(&queue), Arc::clone(&commit), pool.clone());
                std::thread::Builder::new()
                    .name(name.to_owned())
                    .spawn(move || drain(&queue, limits.group.max(1), &pool, &*commit))
            })
            .collect::<std::io::Result<Vec<_>>>()?;
        Ok(GroupCommit {
            door: Some(door),
            committers,
        })
    }

    /// Hands a request in and waits for its answer, which comes after its commit.
    ///
    /// # Errors
    /// `unavailable` when too many wait already; `internal` if the committer broke down, and then
    /// nobody knows whether the request took effect.
    pub async fn submit(&self, request: Req) -> Result<Res, Problem> {
        let answer = self.enter(request)?;
        answer.await.map_err(|_| Code::Internal.into())
    }

    /// [`GroupCommit::submit`] for a caller that is a thread of its own.
    ///
    /// # Errors
    /// As [`GroupCommit::submit`].
    pub fn submit_now(&self, request: Req) -> Result<Res, Problem> {
        let answer = self.enter(request)?;
        answer.blocking_recv().map_err(|_| Code::Internal.into())
    }

    fn enter(&self, request: Req) -> Result<oneshot::Receiver<Res>, Problem> {
        let (answer, waiting) = oneshot::channel();
        let door = self.door.as_ref().ok_or(Code::Unavailable)?;
        door.try_send(Waiting { request, answer })
            .map_err(|_| Problem::from(Code::Unavailable))?;
        Ok(waiting)
    }

    /// Takes nothing more in, answers everything that waits, and ends.
    pub fn stop(self) {
        drop(self);
    }
}

impl<Req, Res> Drop for GroupCommit<Req, Res> {
    fn drop(&mut self) {
        self.door = None;
        for committer in self.committers.drain(..) {
            if committer.join().is_err() {
                tracing::error!("a committer ended badly");
            }
        }
    }
}

fn drain<Req, Res>(
    queue: &Queue<Req, Res>,
    most: usize,
    pool: &Pool,
    commit: &impl Fn(&Pool, Vec<Req>) -> Vec<Res>,
) {
    while let Some((requests, answers)) = next_group(queue, most) {
        // A defect in one group must not leave all later callers waiting for ever.
        match catch_unwind(AssertUnwindSafe(|| commit(pool, requests))) {
            Ok(results) => {
                for (answer, result) in answers.into_iter().zip(results) {
                    // A caller that went away needs no answer.
                    let _ = answer.send(result);
                }
            }
            Err(_) => tracing::error!(group = answers.len(), "a group's commit panicked"),
        }
    }
}

/// Waits for one request and takes along what waits behind it; `None` at the end of the queue.
fn next_group<Req, Res>(
    queue: &Queue<Req, Res>,
    most: usize,
) -> Option<(Vec<Req>, Vec<oneshot::Sender<Res>>)> {
    let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    let first = queue.blocking_recv()?;
    let mut requests = vec![first.request];
    let mut answers = vec![first.answer];
    while requests.len() < most {
        let Ok(next) = queue.try_recv() else { break };
        requests.push(next.request);
        answers.push(next.answer);
    }
    Some((requests, answers))
}

/// Runs a group in one transaction. If that fails for a reason of its own, not because another
/// transaction won, each request is run alone, so that a bad one fails by itself. `run` may be
/// called several times with the same requests: their ids and times come with them.
pub fn in_one_transaction<Req, Res>(
    pool: &Pool,
    group: &[Req],
    run: impl Fn(&mut Tx<'_>, &[Req]) -> FlowResult<Vec<Result<Res, Problem>>>,
) -> Vec<Result<Res, Problem>> {
    match pool.write_now(|tx| run(tx, group)) {
        Ok(answers) => answers,
        Err(error) if group.len() == 1 || is_hopeless(&error) => {
            let problem = as_problem(error);
            group.iter().map(|_| Err(problem.clone())).collect()
        }
        Err(error) => {
            tracing::warn!(%error, group = group.len(), "a group failed and is run one by one");
            group
                .chunks(1)
                .map(|one| match pool.write_now(|tx| run(tx, one)) {
                    Ok(answers) => answers
                        .into_iter()
                        .next()
                        .unwrap_or(Err(Code::Internal.into())),
                    Err(error) => Err(as_problem(error)),
                })
                .collect()
        }
    }
}

/// Whether one by one would fare no better.
fn is_hopeless(error: &FlowError) -> bool {
    error.is_contended() || matches!(error, FlowError::Store(StoreError::Unavailable(_)))
}

/// What a caller is told; a failure of ours is logged here and not shown.
fn as_problem(error: FlowError) -> Problem {
    match error {
        FlowError::Refused(problem) => problem,
        error if is_hopeless(&error) => {
            tracing::warn!(%error, "a group could not be committed");
            Code::Unavailable.into()
        }
        error => {
            tracing::error!(error = ?error, "a request could not be committed");
            Code::Internal.into()
        }
    }
}
