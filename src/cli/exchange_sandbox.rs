//! `tanpuhui exchange-sandbox`: an exchange to rehearse with, a process of its own with a book of its
//! own. It keeps Shenzhen's published rules and answers with what a real one would.

mod book;
mod journal;
mod web;

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use actix_web::{App, HttpServer};
use chrono::TimeDelta;

use crate::config::Clock;
use crate::domain::market::Price;

use journal::Journal;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 8090)]
    port: u16,
    /// Where the journal is kept; a restart goes on from it
    #[arg(long, default_value = "exchange-sandbox")]
    dir: PathBuf,
    /// Last close in yuan, for a new journal
    #[arg(long, default_value = "45.00", value_parser = price)]
    last_close: Price,
    /// Members and their bearer tokens, comma separated: `bridge=secret,buyer=other`. `operator`
    /// may close the day and read every trade
    #[arg(
        long,
        env = "EXCHANGE_SANDBOX_TOKENS",
        value_delimiter = ',',
        required = true,
        hide_env_values = true,
        value_parser = member
    )]
    token: Vec<(String, String)>,
    /// End when standard input ends: so it never outlives whoever started it
    #[arg(long, hide = true)]
    until_stdin_ends: bool,
    /// Fail once, on purpose, after an order was accepted
    #[arg(long)]
    fault: Option<Fault>,
}

/// What goes wrong on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Fault {
    /// The connection is cut in the middle of the answer
    DropResponseOnce,
    /// The process ends before it answers
    DieAfterAccept,
}

fn price(text: &str) -> Result<Price, String> {
    Price::parse(text).map_err(|problem| problem.to_string())
}

fn member(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, token)) if !name.is_empty() && !token.is_empty() => {
            Ok((token.to_owned(), name.to_owned()))
        }
        _ => Err("name=token".to_owned()),
    }
}

pub(super) fn run(args: Args) -> ExitCode {
    match serve(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            super::complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn serve(args: Args) -> std::io::Result<()> {
    if args.until_stdin_ends {
        std::thread::spawn(|| {
            // Whatever ends the reading, nobody is there any more; the journal bears any end.
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            std::process::exit(0);
        });
    }
    let journal = Journal::open(&args.dir, args.last_close.fen())?;
    let exchange = actix_web::web::Data::new(web::Exchange {
        journal: Mutex::new(journal),
        members: args.token.into_iter().collect::<HashMap<_, _>>(),
        clock: Clock::running(TimeDelta::zero()),
        fault: args.fault,
        fault_done: AtomicBool::new(false),
    });
    actix_web::rt::System::new().block_on(async move {
        let server =
            HttpServer::new(move || App::new().app_data(exchange.clone()).configure(web::routes))
                .workers(1)
                .bind(("127.0.0.1", args.port))?;
        for address in server.addrs() {
            writeln!(std::io::stdout(), "listening on http://{address}")?;
        }
        std::io::stdout().flush()?;
        server.run().await
    })
}
