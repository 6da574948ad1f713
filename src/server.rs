//! Wiring: settings become a running platform in this process.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpResponse, HttpServer, web};
use chrono::TimeDelta;
use secrecy::ExposeSecret;
use tokio::sync::watch;
use tracing_actix_web::TracingLogger;
use utoipa_actix_web::AppExt;

use crate::api::{self, AppState, Counter};
use crate::config::{Clock, Config};
use crate::gateway::{ShortLived, ShortLivedError};
use crate::pages;
use crate::store::{Pool, PoolSettings, StoreError, Target};
use crate::telemetry::{self, Numbers, RequestSpan};

/// Why a platform did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the database cannot be used: {0}")]
    Store(#[from] StoreError),
    #[error("TANPUHUI_REDIS_URL cannot be used")]
    Redis(#[from] ShortLivedError),
    #[error("cannot listen on {address}")]
    Listen {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error("the web server did not start")]
    Server(#[source] std::io::Error),
}

/// A platform that runs in this process until it is stopped or dropped.
pub struct Running {
    /// Where it listens: `http://127.0.0.1:41234`.
    pub base_url: String,
    /// The same state that handlers see.
    pub state: AppState,
    http: ServerHandle,
    stopping: watch::Sender<bool>,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

/// Connects the database that the settings name, brings its schema up to date and serves.
///
/// # Errors
/// [`StartError`] says which part did not come up.
pub fn start(config: Config) -> Result<Running, StartError> {
    let clock = Clock::running(TimeDelta::seconds(config.time.offset_seconds));
    let target = Target::parse(config.database.url.expose_secret())?;
    let settings = PoolSettings {
        writers: config.database.writers,
        readers: config.database.readers,
    };
    let pool = Pool::connect(target, settings)?;
    if config.database.migrate {
        let steps = pool.migrate()?;
        tracing::info!(steps, "the schema is up to date");
    }
    start_on(pool, config, clock)
}

/// Serves from a database and a clock that the caller has; port 0 takes a free one.
///
/// # Errors
/// As [`start`].
pub fn start_on(pool: Pool, config: Config, clock: Clock) -> Result<Running, StartError> {
    let listener = listen(config.http.listen)?;
    let metrics_listener = config.http.metrics_listen.map(listen).transpose()?;
    let address = listener.local_addr().map_err(|source| StartError::Listen {
        address: config.http.listen,
        source,
    })?;
    let base_url = format!("http://{address}");
    let redemption = Counter::new(&pool, &config.redemption).map_err(StartError::Server)?;
    let state = AppState {
        pool,
        redemption,
        clock,
        short_lived: ShortLived::new(config.redis.url.as_ref())?,
        public_url: config
            .http
            .public_url
            .clone()
            .unwrap_or_else(|| base_url.clone())
            .into(),
        running: Arc::default(),
        config: Arc::new(config),
    };
    let (stopping, stop) = watch::channel(false);
    let (http, thread) = spawn(state.clone(), listener, metrics_listener, stop)?;
    tracing::info!(url = base_url, "listening");
    Ok(Running {
        base_url,
        state,
        http,
        stopping,
        thread: Some(thread),
    })
}

impl Running {
    /// Stops accepting, lets open requests and jobs finish, and returns when all is quiet.
    ///
    /// # Errors
    /// The server had failed.
    pub fn stop(mut self) -> std::io::Result<()> {
        self.end()
    }

    fn end(&mut self) -> std::io::Result<()> {
        let Some(thread) = self.thread.take() else {
            return Ok(());
        };
        // Nobody may be listening: then there is no job to stop.
        let _ = self.stopping.send(true);
        drop(self.http.stop(true));
        thread
            .join()
            .unwrap_or_else(|_| Err(std::io::Error::other("the server's thread panicked")))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::error!(%error, "the web server ended badly");
        }
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).map_err(|source| StartError::Listen { address, source })
}

type Spawned = (ServerHandle, JoinHandle<std::io::Result<()>>);

/// Runs the servers on a thread of their own, so that tests and the demo stay synchronous.
fn spawn(
    state: AppState,
    listener: TcpListener,
    metrics_listener: Option<TcpListener>,
    stop: watch::Receiver<bool>,
) -> Result<Spawned, StartError> {
    let (ready, started) = std::sync::mpsc::channel();
    let thread = std::thread::Builder::new()
        .name("http".to_owned())
        .spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = http_server(&state, listener)?;
                if let Some(listener) = metrics_listener {
                    actix_web::rt::spawn(metrics_server(listener)?);
                }
                // The starter waits below; if it is gone nobody wants the handle.
                let _ = ready.send(server.handle());
                let jobs = crate::jobs::start(&state.pool, &state.config, &state.clock, &stop);
                let outcome = server.await;
                jobs.finish().await;
                outcome
            })
        })
        .map_err(StartError::Server)?;
    match started.recv() {
        Ok(handle) => Ok((handle, thread)),
        Err(_) => {
            let outcome = thread.join().unwrap_or(Ok(()));
            let unknown = || std::io::Error::other("the server's thread ended");
            Err(StartError::Server(outcome.err().unwrap_or_else(unknown)))
        }
    }
}

fn http_server(state: &AppState, listener: TcpListener) -> std::io::Result<Server> {
    let http = &state.config.http;
    let (workers, stop_seconds) = (http.workers, http.stop_seconds);
    let numbers = telemetry::numbers();
    let beside = http.metrics_listen.is_none();
    let document = api::openapi::document();
    let known = web::Data::new(api::KnownPaths::new(&document));
    let state = state.clone();
    let mut server = HttpServer::new(move || {
        App::new()
            .into_utoipa_app()
            .app_data(web::Data::new(state.clone()))
            .app_data(known.clone())
            .map(|app| app.configure(api::problem::extractors(&state.config)))
            .configure(api::routes)
            .map(|app| app.configure(api::openapi::routes(&document)))
            .map(|app| app.configure(pages::routes))
            .map(|app| {
                if beside {
                    app.configure(metrics_route(numbers.clone()))
                } else {
                    app
                }
            })
            .into_app()
            .default_service(web::to(api::fallback))
            .wrap(from_fn(api::version::version))
            .wrap(from_fn(api::limit::limit))
            .wrap(from_fn(api::limit::guard_headers))
            .wrap(Compress::default())
            .wrap(from_fn(telemetry::observe))
            .wrap(TracingLogger::<RequestSpan>::new())
    })
    .disable_signals()
    .shutdown_timeout(stop_seconds);
    if workers > 0 {
        server = server.workers(workers);
    }
    Ok(server.listen(listener)?.run())
}

fn metrics_server(listener: TcpListener) -> std::io::Result<Server> {
    let numbers = telemetry::numbers();
    let server = HttpServer::new(move || App::new().configure(metrics_route(numbers.clone())));
    Ok(server.workers(1).disable_signals().listen(listener)?.run())
}

fn metrics_route(numbers: Numbers) -> impl FnOnce(&mut web::ServiceConfig) {
    let show = move || {
        let text = numbers.render();
        async move {
            HttpResponse::Ok()
                .content_type("text/plain; version=0.0.4")
                .body(text)
        }
    };
    move |services| {
        services.route("/metrics", web::get().to(show));
    }
}
