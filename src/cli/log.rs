//! `tanpuhui log`: checking a platform's public log from outside. The server's word counts for
//! nothing: heads are checked against a pinned key, leaves are hashed here, and every path is
//! walked here.
//!
//! Exit code 1: something does not hold. Exit code 2: it could not be checked.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::config::Clock;
use crate::domain::log::Hash;
use crate::domain::problem::Problem;
use crate::domain::reduction::ReductionId;
use crate::gateway::log_client::LogClient;
use crate::gateway::partner_client::ClientError;

mod memory;
mod stranger;

use memory::Memory;
use stranger::Stranger;

/// Where `watch` remembers the log unless `--state` says otherwise.
const STATE: &str = "tanpuhui-log.json";
/// Says: it could not be checked.
const UNCHECKED: u8 = 2;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where the platform is: `https://points.example`
    #[arg(long, value_name = "BASE")]
    url: String,
    /// The log's verifier key, `name+hash+base64`, from a source you trust
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Remember the key and the newest checkpoint here, and hold the log to them
    #[arg(long, value_name = "FILE", global = true)]
    state: Option<PathBuf>,
    /// One JSON object
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// The newest checkpoint: is it signed by the log's key?
    Checkpoint,
    /// Is this reduction in the log, and what does its leaf say?
    Inclusion {
        #[arg(value_name = "ID")]
        id: ReductionId,
    },
    /// Does the log of NEW leaves begin with the log of OLD leaves?
    Consistency {
        #[arg(long, value_name = "N")]
        old: u64,
        /// The newest checkpoint's size by default
        #[arg(long, value_name = "M")]
        new: Option<u64>,
        /// The root of OLD leaves as you know it, in hex; else the remembered one, else by tiles
        #[arg(long, value_name = "HEX", value_parser = root)]
        old_root: Option<Hash>,
    },
    /// Compare the remembered checkpoint with the newest: did the log only grow?
    Watch {
        /// Again and again, with so many seconds between
        #[arg(long, value_name = "SECONDS")]
        every: Option<u64>,
    },
}

/// Why there is no verdict, or a bad one.
#[derive(Debug, thiserror::Error)]
enum LogError {
    /// Something that was said is not so.
    #[error("{what}")]
    Broken {
        what: Problem,
        /// The signed texts that show it.
        evidence: Vec<String>,
    },
    #[error("it could not be checked")]
    Unreachable(#[from] ClientError),
    #[error("{}: the state file", path.display())]
    State { path: PathBuf, source: io::Error },
    #[error("the runtime did not start")]
    Runtime(#[source] io::Error),
}

impl From<Problem> for LogError {
    fn from(what: Problem) -> LogError {
        LogError::Broken {
            what,
            evidence: Vec::new(),
        }
    }
}

/// What holds, and the facts that go with it.
struct Verdict {
    zh: &'static str,
    en: &'static str,
    facts: Vec<(&'static str, Value)>,
}

pub(super) fn run(args: Args) -> ExitCode {
    match args.command {
        Command::Watch { every: Some(pause) } => loop {
            let code = once(&args);
            // What does not hold ends the watch; what cannot be reached may come back.
            if code == Said::Broken {
                return code.into();
            }
            std::thread::sleep(Duration::from_secs(pause));
        },
        _ => once(&args).into(),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Holds,
    Broken,
    Unchecked,
}

impl From<Said> for ExitCode {
    fn from(said: Said) -> ExitCode {
        match said {
            Said::Holds => ExitCode::SUCCESS,
            Said::Broken => ExitCode::FAILURE,
            Said::Unchecked => ExitCode::from(UNCHECKED),
        }
    }
}

fn once(args: &Args) -> Said {
    let verdict = check(args);
    let text = match args.json {
        true => format!("{}\n", as_json(&verdict)),
        false => as_text(&verdict),
    };
    let _ = io::stdout().write_all(text.as_bytes());
    match verdict {
        Ok(_) => Said::Holds,
        Err(LogError::Broken { .. }) => Said::Broken,
        Err(error) => {
            super::complain(&error);
            Said::Unchecked
        }
    }
}

fn check(args: &Args) -> Result<Verdict, LogError> {
    let clock = Clock::running(TimeDelta::zero());
    let client = LogClient::new(&args.url, clock)?;
    let watched = matches!(args.command, Command::Watch { .. }).then(|| PathBuf::from(STATE));
    let memory = match args.state.clone().or(watched) {
        Some(path) => Some(Memory::open(path)?),
        None => None,
    };
    let mut stranger = Stranger::new(client, args.key.as_deref(), memory)?;
    let mut verdict = match &args.command {
        Command::Checkpoint => stranger.checkpoint(),
        Command::Inclusion { id } => stranger.inclusion(*id),
        Command::Consistency { old, new, old_root } => stranger.consistency(*old, *new, *old_root),
        Command::Watch { .. } => stranger.watch(),
    }?;
    let pinned = ("key_pinned", Value::from(stranger.key_is_pinned()));
    verdict.facts.push(pinned);
    Ok(verdict)
}

fn as_json(verdict: &Result<Verdict, LogError>) -> Value {
    match verdict {
        Ok(Verdict { zh, en, facts }) => {
            let facts: serde_json::Map<String, Value> = facts
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect();
            json!({"holds": true, "verdict_zh": zh, "verdict": en, "facts": facts})
        }
        Err(LogError::Broken { what, evidence }) => json!({
            "holds": false, "code": what.code.as_str(), "verdict_zh": what.code.zh(),
            "verdict": what.code.en(), "param": what.param, "detail": what.detail.en(), "detail_zh": what.detail.zh(),
            "evidence": evidence,
        }),
        Err(error) => {
            json!({"holds": null, "verdict_zh": "未能核验", "verdict": error.to_string()})
        }
    }
}

fn as_text(verdict: &Result<Verdict, LogError>) -> String {
    match verdict {
        Ok(Verdict { zh, en, facts }) => {
            let mut text = format!("成立 · {zh}\nholds · {en}\n");
            for (name, value) in facts {
                let value = match value {
                    Value::String(value) => value.clone(),
                    other => other.to_string(),
                };
                text.push_str(&format!("  {name:<18}{value}\n"));
            }
            text
        }
        Err(LogError::Broken { what, evidence }) => {
            let mut text = format!("不成立 · {}\ndoes not hold · {what}\n", what.zh());
            for signed in evidence {
                text.push_str(&format!("\n{signed}"));
            }
            text
        }
        Err(_) => "未能核验 · not checked\n".to_owned(),
    }
}

fn root(text: &str) -> Result<Hash, String> {
    let mut bytes = Hash::default();
    match hex::decode_to_slice(text, &mut bytes) {
        Ok(()) => Ok(bytes),
        Err(_) => Err("64 hex digits".to_owned()),
    }
}
