//! One turn's windows, and each window's pages.

use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use crate::domain::problem::{Code, Problem, detail};
use crate::domain::scene::pull::{End, Meaning, PAGES_MAX, PageRule, Window, with_parameter};
use crate::flow::ingest::Sums;
use crate::flow::pull::{Turn, hold, record};
use crate::flow::{FlowError, FlowResult};
use crate::gateway::partner_feed::{FeedAnswer, FeedError, FeedRequest, Spooled, join};
use crate::jobs::{Ground, system_ctx};
use crate::store::pull::{PullRunRow, validators};

use super::intake::{ingest, read_pointer};
use super::{Halt, Work, failed};

/// One request of a window.
struct Page {
    url: String,
    /// The window's first address: the proof is for its origin.
    declared: String,
    number: u32,
    /// Which of its window's, from 0.
    index: u32,
    /// What the page before it held.
    previous: Option<[u8; 32]>,
}

/// What is known of one request when it is over.
struct Told {
    outcome: &'static str,
    status: Option<u16>,
    sums: Sums,
    body: Option<(u64, [u8; 32])>,
    validators: (Option<String>, Option<String>),
    /// Where the next page is.
    next: Option<String>,
    halt: Option<Halt>,
}

impl Told {
    fn new(outcome: &'static str) -> Told {
        Told {
            outcome,
            status: None,
            sums: Sums::default(),
            body: None,
            validators: (None, None),
            next: None,
            halt: None,
        }
    }

    fn halted(outcome: &'static str, end: End, problem: Problem) -> Told {
        Told {
            halt: Some(Halt::End(end, problem)),
            ..Told::new(outcome)
        }
    }
}

impl Work<'_> {
    /// Every window of the plan, the oldest first; true where more is due.
    pub(super) async fn all_windows(&mut self) -> Result<bool, Halt> {
        let turn = Arc::clone(&self.turn);
        let now = self.ground.clock.now();
        let plan = turn.declaration.plan(turn.feed.watermark.0, now);
        for window in &plan.windows {
            self.window(window).await?;
        }
        Ok(plan.more)
    }

    async fn window(&mut self, window: &Window) -> Result<(), Halt> {
        let first = self.turn.declaration.page.first();
        let url = self.turn.declaration.url.fill(window, first);
        let mut page = Page {
            declared: url.clone(),
            url,
            number: first,
            index: 0,
            previous: None,
        };
        loop {
            self.held().await?;
            let started = self.ground.clock.now();
            let timer = Instant::now();
            let told = self.page(window, &page).await?;
            let next = told.next.clone();
            let digest = told.body.map(|(_, digest)| digest);
            self.count(&told, timer.elapsed());
            self.keep(window, &page, started, told).await?;
            let Some(url) = next else { return Ok(()) };
            page = Page {
                url,
                declared: page.declared,
                number: page.number.saturating_add(1),
                index: page.index + 1,
                previous: digest,
            };
        }
    }

    /// Goes on only under the lease, and not while the platform stops.
    async fn held(&self) -> Result<(), Halt> {
        if *self.stop.borrow() {
            return Err(Halt::Interrupted);
        }
        match held(self.ground, &self.turn).await? {
            true => Ok(()),
            false => Err(Halt::Lost),
        }
    }

    async fn page(&mut self, window: &Window, page: &Page) -> Result<Told, Halt> {
        let (etag, last_modified) = self.validators(page).await?;
        let conditional = etag.is_some() || last_modified.is_some();
        let declaration = &self.turn.declaration;
        let request = FeedRequest {
            url: &page.url,
            declared: &page.declared,
            proof: self.proof.as_ref(),
            etag: etag.as_deref(),
            last_modified: last_modified.as_deref(),
            timeout: declaration.timeout.to_std().unwrap_or_default(),
            bytes_max: declaration.bytes_max,
        };
        let now = self.ground.clock.now();
        let mut stop = self.stop.clone();
        let answer = tokio::select! {
            answer = self.client.fetch(&request, now) => answer,
            _ = stop.wait_for(|stop| *stop) => return Err(Halt::Interrupted),
        };
        self.pulled.requests += 1;
        match answer {
            Ok(answer) => self.understood(window, page, answer, conditional).await,
            Err(error) => Ok(unanswered(&error)),
        }
    }

    /// A request is conditional where its body is all there is: a first page that is as it was says
    /// nothing of the pages behind it.
    async fn validators(&self, page: &Page) -> FlowResult<(Option<String>, Option<String>)> {
        if self.turn.declaration.page != PageRule::None {
            return Ok((None, None));
        }
        let (scene, declared_at) = (self.turn.feed.scene_id, self.turn.feed.declared_at);
        let digest = request_digest(&page.url);
        let found = self
            .ground
            .pool
            .read(move |conn| validators(conn, scene, &digest, declared_at));
        Ok(found.await?)
    }

    async fn understood(
        &mut self,
        window: &Window,
        page: &Page,
        mut answer: FeedAnswer,
        conditional: bool,
    ) -> Result<Told, Halt> {
        let now = self.ground.clock.now();
        let retry_after = answer.retry_after.and_then(|d| TimeDelta::from_std(d).ok());
        let said = |code| {
            let status = answer.status;
            let detail = detail!(
                "数据源应答的状态码为 {status}",
                "the source answers with status {status}"
            );
            Problem::at(code, "pull", detail)
        };
        let means = self
            .turn
            .declaration
            .meaning(answer.status, window, page.index > 0, now);
        let told = match means {
            Meaning::Nothing => Told::new("empty"),
            Meaning::Unchanged if conditional => Told::new("unchanged"),
            Meaning::Later => {
                let end = End::Later { retry_after };
                Told::halted("later", end, said(Code::PullFailed))
            }
            Meaning::Denied => Told::halted("denied", End::Denied, said(Code::PullDenied)),
            Meaning::Failed | Meaning::Unchanged => {
                let end = End::Failed { retry_after };
                Told::halted("failed", end, said(Code::PullFailed))
            }
            Meaning::Body => match answer.body.take() {
                Some(body) => {
                    self.take_in(window, page, body, answer.next.as_deref())
                        .await?
                }
                None => Told::new("empty"),
            },
        };
        Ok(Told {
            status: Some(answer.status),
            validators: (answer.etag, answer.last_modified),
            ..told
        })
    }

    /// The body's way into the ledger, and where it goes on.
    async fn take_in(
        &mut self,
        window: &Window,
        page: &Page,
        body: Spooled,
        link: Option<&str>,
    ) -> Result<Told, Halt> {
        let kept = (body.bytes, body.sha256);
        let counted = matches!(self.turn.declaration.page, PageRule::Number { .. });
        if counted && page.previous == Some(body.sha256) && body.bytes > 0 {
            // A source that does not look at the number would never end.
            let detail = detail!("数据源重复给出同一页", "the source repeats a page");
            let problem = Problem::at(Code::PullFailed, "pull", detail);
            return Ok(Told::halted("failed", failed(), problem));
        }
        let empty = body.bytes == 0;
        let (ground, scene) = (self.ground.clone(), Arc::clone(&self.scene));
        let (turn, stop) = (Arc::clone(&self.turn), self.stop.clone());
        let ctx = system_ctx(&ground.clock);
        let (file, sums, outcome) = if empty {
            (body.file, Sums::default(), Ok(()))
        } else {
            let ingesting = move || ingest(&ground, &turn, &scene, &stop, ctx, body);
            let ended = tokio::task::spawn_blocking(ingesting).await;
            ended.map_err(|error| {
                tracing::error!(%error, "taking a feed in ended badly");
                Halt::from(FlowError::from(Code::Internal))
            })?
        };
        self.pulled.sums.merge(&sums);
        let next = match outcome {
            Ok(()) if empty => Ok(None),
            Ok(()) => {
                let next = self.next(window, page, file, link, sums.rows()).await;
                next.map_err(|problem| Halt::End(failed(), problem))
            }
            Err(halt) => Err(halt),
        };
        let (outcome, next, halt) = match next {
            Ok(next) => ("ingested", next, None),
            Err(halt) => ("failed", None, Some(halt)),
        };
        Ok(Told {
            sums,
            body: Some(kept),
            next,
            halt,
            ..Told::new(outcome)
        })
    }

    async fn next(
        &self,
        window: &Window,
        page: &Page,
        file: File,
        link: Option<&str>,
        rows: usize,
    ) -> Result<Option<String>, Problem> {
        let next = match &self.turn.declaration.page {
            PageRule::None => None,
            PageRule::Link => link.map(str::to_owned),
            PageRule::Number { .. } if rows == 0 => None,
            PageRule::Number { .. } => {
                let number = page.number.saturating_add(1);
                Some(self.turn.declaration.url.fill(window, number))
            }
            PageRule::NextUrl { pointer } => match read_pointer(file, pointer).await? {
                Some(link) => Some(join(&page.url, &link).map_err(|e| e.problem())?),
                None => None,
            },
            PageRule::Cursor { pointer, parameter } => read_pointer(file, pointer)
                .await?
                .map(|cursor| with_parameter(&page.declared, parameter, &cursor)),
        };
        let endless = page.index + 1 >= PAGES_MAX || next.as_ref() == Some(&page.url);
        match next {
            Some(_) if endless => {
                let detail = detail!(
                    "该窗口的分页没有尽头",
                    "the pages of this window have no end"
                );
                Err(Problem::at(Code::PullFailed, "pull", detail))
            }
            next => Ok(next),
        }
    }

    /// Records the request; moves the watermark if it was the window's last.
    async fn keep(
        &self,
        window: &Window,
        page: &Page,
        started: DateTime<Utc>,
        told: Told,
    ) -> Result<(), Halt> {
        let done = told.halt.is_none() && told.next.is_none();
        let done_up_to = done.then_some(window.to);
        let row = self.row(window, page, started, &told);
        let turn = Arc::clone(&self.turn);
        let recorded = self
            .ground
            .pool
            .write::<_, FlowError>(move |tx| record(tx, &turn, &row, done_up_to));
        let held = recorded.await?;
        match told.halt {
            Some(halt) => Err(halt),
            None if held => {
                if let Some(to) = done_up_to {
                    self.tell_watermark(to);
                }
                Ok(())
            }
            None => Err(Halt::Lost),
        }
    }

    /// A moment and not a lag: it stays true while nothing is pulled.
    fn tell_watermark(&self, to: DateTime<Utc>) {
        let watermark = self.turn.feed.watermark.0.max(to);
        // Whole seconds of this era fit exactly.
        let seconds = f64::from(u32::try_from(watermark.timestamp()).unwrap_or(0));
        let scene = self.scene.row.code.clone();
        metrics::gauge!("pull_watermark_timestamp_seconds", "scene" => scene).set(seconds);
    }

    fn row(&self, window: &Window, page: &Page, started: DateTime<Utc>, told: &Told) -> PullRunRow {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let (etag, last_modified) = told.validators.clone();
        let (bytes, digest) = told.body.unzip();
        PullRunRow {
            scene_id: self.turn.feed.scene_id,
            seq: 0,
            started_at: started.into(),
            ended_at: self.ground.clock.now().into(),
            range_from: window.from.into(),
            range_to: window.to.into(),
            page: i32::try_from(page.number).unwrap_or(i32::MAX),
            request: request_digest(&page.url).to_vec(),
            status: told.status.map(i32::from),
            outcome: told.outcome.to_owned(),
            code: told.halt.as_ref().and_then(Halt::code),
            bytes: i64::try_from(bytes.unwrap_or(0)).unwrap_or(i64::MAX),
            digest: digest.map(|digest| digest.to_vec()),
            etag,
            last_modified,
            accepted: count(told.sums.accepted),
            replayed: count(told.sums.replayed),
            refused: count(told.sums.refused),
            held: count(told.sums.held),
            reduction_mg: told.sums.reduction_mg,
            points: told.sums.points,
        }
    }

    fn count(&self, told: &Told, took: Duration) {
        let scene = || self.scene.row.code.clone();
        metrics::counter!("pull_requests_total", "scene" => scene(), "outcome" => told.outcome)
            .increment(1);
        metrics::histogram!("pull_duration_seconds", "scene" => scene()).record(took.as_secs_f64());
        if let Some((bytes, _)) = told.body {
            metrics::counter!("pull_bytes_total", "scene" => scene()).increment(bytes);
        }
        for (answer, n) in [
            ("accepted", told.sums.accepted),
            ("replayed", told.sums.replayed),
            ("refused", told.sums.refused),
            ("held", told.sums.held),
        ] {
            metrics::counter!("pull_records_total", "scene" => scene(), "answer" => answer)
                .increment(n as u64);
        }
    }
}

async fn held(ground: &Ground, turn: &Arc<Turn>) -> FlowResult<bool> {
    let (turn, now) = (Arc::clone(turn), ground.clock.now());
    let held = ground
        .pool
        .write::<_, FlowError>(move |tx| hold(tx, &turn, now));
    held.await
}

fn unanswered(error: &FeedError) -> Told {
    match error.is_final() {
        true => Told::halted("denied", End::Denied, error.problem()),
        false => Told::halted("failed", failed(), error.problem()),
    }
}

fn request_digest(url: &str) -> [u8; 32] {
    Sha256::digest(url).into()
}
