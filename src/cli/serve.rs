//! `tanpuhui serve`.

use std::path::PathBuf;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use crate::config::{Config, LogFormat};
use crate::{server, telemetry};

/// Settings come from the file and from `TANPUHUI_…` variables, which win.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A TOML file with settings
    #[arg(long, env = "TANPUHUI_CONFIG")]
    config: Option<PathBuf>,
    /// Leave the database's schema as it is
    #[arg(long)]
    no_migrate: bool,
}

pub(super) fn run(args: Args) -> ExitCode {
    match serve(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            super::complain(&*error);
            ExitCode::FAILURE
        }
    }
}

fn serve(args: &Args) -> Result<(), Box<dyn std::error::Error>> {
    let mut config = Config::load(args.config.as_deref())?;
    config.database.migrate &= !args.no_migrate;
    telemetry::start_logging(
        config.logging.format == LogFormat::Json,
        &config.logging.filter,
    )?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // Listen for signals before the first request, so that none is missed.
    let stop = runtime.block_on(async { stop_signal() })?;
    let running = server::start(config)?;
    runtime.block_on(stop);
    tracing::info!("stopping");
    running.stop()?;
    Ok(())
}

/// Resolves when the process is asked to end.
pub(super) fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
