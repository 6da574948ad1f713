//! `tanpuhui feed post`: files to a platform.
//!
//! Every file is read to its end before anything of it is sent, so that a torn file sends nothing;
//! then it is read again on a thread of its own, cut into batches, and sent with a few requests in
//! flight. What waits is bounded by the channel between the two.

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::StreamExt;
use indicatif::ProgressBar;
use serde_json::json;
use tokio::sync::mpsc;

use super::batches::{Batch, Cutter};
use super::check::{self, Summary};
use super::key_file::{KeyArgs, KeyError};
use super::resumption::{Resumption, Subject, default_path, fingerprint};
use super::source::{FileRefused, OptionArgs, Watched, adapter_names, adapter_of, progress_bar};
use super::tally::Tally;
use super::{row, whole_file};
use crate::config::Clock;
use crate::domain::scene::adapter::native::BATCH_MAX;
use crate::domain::scene::adapter::{Adapter, Options};
use crate::gateway::partner_client::{BatchReceipt, ClientError, PartnerClient, Patience};

/// The most requests in flight.
const WRITERS_MAX: i64 = 64;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where the platform is: `https://points.example`
    #[arg(long, value_name = "BASE")]
    pub(super) url: String,
    /// The scene's code
    #[arg(long, value_name = "CODE")]
    pub(super) scene: String,
    /// The feed's format
    #[arg(long, value_parser = adapter_names(), required_unless_present = "whole_file")]
    adapter: Option<String>,
    /// The name under which the platform knows the key
    #[arg(long, value_name = "ID")]
    key_id: String,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    options: OptionArgs,
    /// Records a request
    #[arg(long, default_value_t = 1000, value_parser = batch_size, value_name = "RECORDS")]
    batch: usize,
    /// Requests in flight
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=WRITERS_MAX))]
    writers: u8,
    /// Send each file as it is, for the platform's own adapter to read
    #[arg(long, conflicts_with_all = ["adapter", "zone", "distances", "batch", "writers", "state"])]
    whole_file: bool,
    /// Where to keep what was answered; beside the file by default
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
}

/// Why a post as a whole failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum PostError {
    #[error("the file was refused")]
    File(FileRefused),
    #[error("the key cannot be used")]
    Key(#[from] KeyError),
    #[error("{}", file.display())]
    Request { file: PathBuf, source: ClientError },
    #[error(transparent)]
    Client(ClientError),
    #[error("{}: the state file", path.display())]
    State { path: PathBuf, source: io::Error },
    #[error("{}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{}: the platform answered {answered} of {sent} records", file.display())]
    Short {
        file: PathBuf,
        sent: usize,
        answered: usize,
    },
    #[error("--state names one file: give one feed file with it")]
    OneState,
    #[error("the runtime did not start")]
    Runtime(#[source] io::Error),
}

impl From<FileRefused> for PostError {
    fn from(refused: FileRefused) -> PostError {
        PostError::File(refused)
    }
}

pub(super) fn run(args: &Args) -> ExitCode {
    match post(args) {
        Ok(said) => {
            let _ = io::stdout().write_all(said.to_string().as_bytes());
            ExitCode::SUCCESS
        }
        Err(PostError::File(refused)) => {
            refused.complain();
            ExitCode::FAILURE
        }
        Err(error) => {
            crate::cli::complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn post(args: &Args) -> Result<Report, PostError> {
    if args.state.is_some() && args.files.len() > 1 {
        return Err(PostError::OneState);
    }
    let clock = Clock::running(TimeDelta::zero());
    let client = PartnerClient::new(&args.url, &args.key_id, args.key.read()?, clock)
        .map_err(PostError::Client)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(PostError::Runtime)?;
    match args.adapter.as_deref() {
        Some(name) if !args.whole_file => {
            let feed = Feed::open(args, adapter_of(name)?)?;
            runtime.block_on(feed.post(&client))
        }
        _ => {
            let tally = runtime.block_on(whole_file::post(&client, args))?;
            Ok(Report::new(args, tally))
        }
    }
}

/// Files that were found sound, on their way.
struct Feed<'a> {
    args: &'a Args,
    adapter: Adapter,
    options: Options,
    summary: Summary,
}

impl<'a> Feed<'a> {
    fn open(args: &'a Args, adapter: Adapter) -> Result<Feed<'a>, PostError> {
        let options = args.options.open(adapter)?;
        let bytes = args.files.iter().map(|file| size(file)).sum();
        let bar = progress_bar("read 读取", bytes);
        let summary = check::read(adapter, &options, &args.files, &bar)?;
        bar.finish_and_clear();
        Ok(Feed {
            args,
            adapter,
            options,
            summary,
        })
    }

    async fn post(self, client: &PartnerClient) -> Result<Report, PostError> {
        let mut report = Report::new(self.args, Tally::default());
        for file in &self.args.files {
            let mut resumption = self.resumption(file)?;
            report.resumed += resumption.position.done();
            self.send(client, file, &mut resumption).await?;
            report.batches += resumption.position.done();
            let path = self.state_path(file);
            let tally = resumption
                .finish()
                .map_err(|source| PostError::State { path, source })?;
            report.tally.add(tally);
        }
        report.read = Some((self.summary, self.adapter));
        Ok(report)
    }

    fn state_path(&self, file: &Path) -> PathBuf {
        self.args
            .state
            .clone()
            .unwrap_or_else(|| default_path(file))
    }

    fn resumption(&self, file: &Path) -> Result<Resumption, PostError> {
        let (file_bytes, file_ends) = fingerprint(file).map_err(|source| PostError::Io {
            path: file.to_owned(),
            source,
        })?;
        let options = &self.args.options;
        let subject = Subject {
            program: env!("CARGO_PKG_VERSION").to_owned(),
            url: self.args.url.clone(),
            scene: self.args.scene.clone(),
            adapter: self.adapter.name.to_owned(),
            options: format!("{:?} {:?}", options.zone, options.distances),
            batch: self.args.batch,
            file_bytes,
            file_ends,
        };
        let path = self.state_path(file);
        Resumption::open(path.clone(), subject).map_err(|source| PostError::State { path, source })
    }

    /// Sends what was not answered before; each answer is kept as it comes.
    async fn send(
        &self,
        client: &PartnerClient,
        file: &Path,
        resumption: &mut Resumption,
    ) -> Result<(), PostError> {
        let bar = progress_bar("post 发送", size(file));
        let (batches, reader, stop) = self.start_reader(file, resumption, &bar);
        let sent = self.collect(client, file, batches, resumption, &bar).await;
        // Ends the reader where it stands if sending failed.
        stop.store(true, Ordering::Relaxed);
        let read = reader.await;
        bar.finish_and_clear();
        sent?;
        match read {
            Ok(read) => Ok(read?),
            Err(join) => Err(PostError::Runtime(io::Error::other(join))),
        }
    }

    fn start_reader(
        &self,
        file: &Path,
        resumption: &Resumption,
        bar: &ProgressBar,
    ) -> (mpsc::Receiver<Batch>, Reader, Arc<AtomicBool>) {
        let (send, batches) = mpsc::channel(usize::from(self.args.writers));
        let stop = Arc::new(AtomicBool::new(false));
        let done = resumption.position.clone();
        let (adapter, options) = (self.adapter, self.options.clone());
        let (file, bar, ended) = (file.to_owned(), bar.clone(), Arc::clone(&stop));
        let records_max = self.args.batch;
        let reader = tokio::task::spawn_blocking(move || {
            let mut cutter = Cutter::new(records_max, |batch: Batch| {
                if !done.is_done(batch.number) {
                    // Fails only when sending has ended, and then the reading ends too.
                    let _ = send.blocking_send(batch);
                }
            });
            let read = Watched::open(&file, bar, ended).and_then(|mut source| {
                (adapter.read)(&mut source, &options, &mut |outcome| cutter.take(outcome))
            });
            // Of a file that changed since it was found sound, the last rows are not cut.
            read.map(|_| cutter.finish())
                .map_err(|problem| FileRefused { file, problem })
        });
        (batches, reader, stop)
    }

    async fn collect(
        &self,
        client: &PartnerClient,
        file: &Path,
        mut batches: mpsc::Receiver<Batch>,
        resumption: &mut Resumption,
        bar: &ProgressBar,
    ) -> Result<(), PostError> {
        let several = self.args.files.len() > 1;
        let waiting = futures_util::stream::poll_fn(move |context| batches.poll_recv(context));
        let mut answers = waiting
            .map(|batch| answered(client, &self.args.scene, file, batch, bar))
            .buffer_unordered(usize::from(self.args.writers));
        while let Some(answer) = answers.next().await {
            let (batch, receipt) = answer?;
            let position = &mut resumption.position;
            for (place, answer) in batch.places.iter().zip(&receipt.records) {
                position.tally.count(answer, || match several {
                    true => format!("{}: {place}", file.display()),
                    false => place.to_string(),
                });
            }
            position.mark(batch.number);
            resumption.save().map_err(|source| PostError::State {
                path: self.state_path(file),
                source,
            })?;
        }
        Ok(())
    }
}

type Reader = tokio::task::JoinHandle<Result<(), FileRefused>>;

/// One batch, sent until it is answered.
async fn answered(
    client: &PartnerClient,
    scene: &str,
    file: &Path,
    batch: Batch,
    bar: &ProgressBar,
) -> Result<(Batch, BatchReceipt), PostError> {
    let told = |failed: &ClientError, pause: Duration| show_pause(bar, failed, pause);
    let patience = Patience::default();
    let receipt = client
        .post_behaviours(scene, batch.lines.clone(), &patience, &told)
        .await
        .map_err(|source| PostError::Request {
            file: file.to_owned(),
            source,
        })?;
    bar.set_message("");
    if receipt.records.len() != batch.places.len() {
        return Err(PostError::Short {
            file: file.to_owned(),
            sent: batch.places.len(),
            answered: receipt.records.len(),
        });
    }
    Ok((batch, receipt))
}

/// Says why it waits: in the bar where there is one, else as a line.
pub(super) fn show_pause(bar: &ProgressBar, failed: &ClientError, pause: Duration) {
    let text = format!("waiting 等待 {:.1} s: {failed}", pause.as_secs_f32());
    match bar.is_hidden() {
        true => eprintln!("{text}"),
        false => bar.set_message(text),
    }
}

pub(super) fn size(file: &Path) -> u64 {
    // Only shown: whoever opens it says what is wrong with it.
    std::fs::metadata(file).map_or(0, |metadata| metadata.len())
}

fn batch_size(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(size) if (1..=BATCH_MAX).contains(&size) => Ok(size),
        _ => Err(format!("a whole number from 1 to {BATCH_MAX}")),
    }
}

/// What is printed at the end.
struct Report {
    json: bool,
    scene: String,
    /// What the adapter read here; not of whole files.
    read: Option<(Summary, Adapter)>,
    /// Requests answered, those of earlier runs included.
    batches: u64,
    resumed: u64,
    tally: Tally,
}

impl Report {
    fn new(args: &Args, tally: Tally) -> Report {
        Report {
            json: args.json,
            scene: args.scene.clone(),
            read: None,
            batches: 0,
            resumed: 0,
            tally,
        }
    }

    fn json(&self) -> serde_json::Value {
        let read = self.read.as_ref();
        json!({
            "scene": self.scene,
            "read": read.map(|(summary, adapter)| summary.json(*adapter)),
            "batches": read.map(|_| self.batches),
            "resumed_batches": read.map(|_| self.resumed),
            "answered": self.tally.json(),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.json {
            return writeln!(f, "{}", self.json());
        }
        writeln!(f, "{}", row("scene 场景", &self.scene))?;
        if let Some((summary, adapter)) = &self.read {
            f.write_str(&summary.table(*adapter))?;
            writeln!(f, "{}", row("batches 批次", self.batches))?;
            if self.resumed > 0 {
                writeln!(f, "{}", row("of earlier runs 此前已答复", self.resumed))?;
            }
        }
        f.write_str(&self.tally.table())
    }
}
