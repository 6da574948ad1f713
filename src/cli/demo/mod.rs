//! `tanpuhui demo`: a city in a directory, walked through every stage over the real API, then
//! served. Everything in it is sample data (示例数据) of our own making.

mod city;
mod courier;
mod exchange;
mod feeds;
mod ground;
mod problem;
mod screen;
mod summary;
mod walk;

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::config::{Clock, Config, Quota, SigningSeed};
use crate::server::{Running, StartError, start_on};
use crate::store::platform_sums::platform_sums;
use crate::store::{Pool, PoolSettings, Target};
use crate::telemetry;

use city::City;
use courier::Courier;
use exchange::Exchange;
use ground::Ground;
use problem::{DemoError, DemoResult};
use screen::Screen;
use summary::Summary;
use walk::{PILOT_AGO, Walk, Walked};

/// The port that is tried first.
const PORT: u16 = 8080;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// End after the walk instead of serving the city
    #[arg(long)]
    once: bool,
    /// Where the city is kept; wiped at the start if an earlier demo made it, else refused
    #[arg(long, default_value = "demo-data")]
    dir: PathBuf,
    /// Port on 127.0.0.1; without it 8080, or a free one if that is taken
    #[arg(long)]
    port: Option<u16>,
    /// An empty database instead of a SQLite file in the directory: `postgres://…`
    #[arg(long, value_name = "URL", hide = true)]
    database: Option<String>,
}

pub(super) fn run(args: &Args) -> ExitCode {
    match demo(args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(DemoError::Stopped) => {
            eprintln!("已停止 · stopped");
            ExitCode::from(130)
        }
        Err(error) => {
            super::complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// Whether the books agreed.
fn demo(args: &Args) -> DemoResult<bool> {
    telemetry::start_logging(false, "warn").map_err(|error| DemoError::Place(error.to_string()))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // Listened for from the start, so that no signal leaves the exchange behind.
    let stop = runtime.block_on(async { super::serve::stop_signal() })?;
    let mut stop = std::pin::pin!(stop);
    let ground = Ground::take(&args.dir)?;
    let pool = database(args, &ground)?;
    let exchange = Exchange::start(&ground.file("exchange"))?;
    let clock = Clock::running(chrono::TimeDelta::zero());
    let today = clock.now();
    clock.advance(-PILOT_AGO);
    let server = serve(args.port, pool, &exchange, &clock)?;
    let walked = runtime.block_on(async {
        tokio::select! {
            walked = walk_city(&server, &exchange, today) => walked,
            () = &mut stop => Err(DemoError::Stopped),
        }
    });
    let (city, walked) = walked?;
    report(&server, &city, &walked, args.once)?;
    if !args.once {
        runtime.block_on(stop);
        eprintln!("正在停止 · stopping");
    }
    server.stop()?;
    Ok(walked.audit_ok)
}

async fn walk_city(
    server: &Running,
    exchange: &Exchange,
    today: chrono::DateTime<chrono::Utc>,
) -> DemoResult<(City, Walked)> {
    let screen = Screen::of_process();
    let stage = screen.stage("建城 · seeding the city", 1);
    let city = City::seed(&server.state).await?;
    stage.done(format!(
        "{} 位市民 · {} citizens",
        city.citizens.len(),
        city.citizens.len()
    ));
    let courier = Courier::new(&server.base_url)?;
    let walk = Walk {
        state: &server.state,
        city: &city,
        courier: &courier,
        exchange,
        screen: &screen,
        today,
    };
    let walked = walk.run().await?;
    Ok((city, walked))
}

fn database(args: &Args, ground: &Ground) -> DemoResult<Pool> {
    let target = match &args.database {
        Some(url) => Target::parse(url)?,
        None => Target::Sqlite(ground.file("city.db")),
    };
    let pool = Pool::connect(target, PoolSettings::default())?;
    pool.migrate()?;
    let filed = pool.read_now(crate::store::methodology::documents)?;
    match filed.is_empty() {
        true => Ok(pool),
        false => Err(DemoError::Place(
            "the database is in use; the demo wants an empty one".to_owned(),
        )),
    }
}

/// Starts the platform; where no port was asked for, a taken one is no obstacle.
fn serve(port: Option<u16>, pool: Pool, exchange: &Exchange, clock: &Clock) -> DemoResult<Running> {
    let on = |port: u16| start_on(pool.clone(), config(port, exchange)?, clock.clone());
    let first = port.unwrap_or(PORT);
    match on(first) {
        Err(StartError::Listen { .. }) if port.is_none() => {
            eprintln!(
                "端口 {first} 已占用，改用空闲端口 · port {first} is taken, using a free one"
            );
            Ok(on(0)?)
        }
        other => Ok(other?),
    }
}

fn config(port: u16, exchange: &Exchange) -> Result<Config, StartError> {
    let mut config = Config::default();
    let endless = Quota { per_minute: 0 };
    config.http.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    config.http.stop_seconds = 3;
    config.log.origin = Some("demo.invalid/tanpuhui".to_owned());
    config.log.seed = Some(seed()?);
    config.redemption.code_key = Some(seed()?);
    config.registry.prefix = "DEMO".to_owned();
    config.exchange.url = Some(exchange.url.clone());
    config.exchange.token = Some(exchange.bridge_token.as_str().into());
    config.limits.caller = endless;
    config.limits.address = endless;
    config.limits.partner = endless;
    Ok(config)
}

fn seed() -> Result<SigningSeed, StartError> {
    let text = hex::encode(random::<32>());
    text.parse()
        .map_err(|why: &str| StartError::Server(std::io::Error::other(why)))
}

/// Fresh random bytes.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// The summary, where to look, and as the last line the JSON object.
fn report(server: &Running, city: &City, walked: &Walked, once: bool) -> DemoResult<()> {
    let sums = server.state.pool.read_now(platform_sums)?;
    let summary = Summary { walked, sums };
    let mut text = summary.text();
    if !once {
        text += &addresses(&server.base_url, city, walked)?;
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}\n{}", summary.json()?)?;
    out.flush()?;
    Ok(())
}

fn addresses(base: &str, city: &City, walked: &Walked) -> DemoResult<String> {
    let citizen = &city.citizen(1)?.token;
    let places = [
        ("/".to_owned(), "首页 home"),
        (
            format!("/login?token={citizen}"),
            "市民的碳账户 a citizen's wallet",
        ),
        ("/public/log".to_owned(), "公开日志 the public log"),
        ("/public/registry".to_owned(), "登记簿 the registry"),
        (
            format!("/public/certificates/{}", walked.units.certificate),
            "注销证书 a retirement certificate",
        ),
        ("/public/methodologies".to_owned(), "方法学 methodologies"),
        ("/docs/".to_owned(), "接口文档 the API's document"),
    ];
    let tokens = [
        ("市民 citizen", citizen),
        ("商户 merchant", &walked.merchant_token),
        ("主管部门 bureau", &city.director.token),
        ("核查机构 verifier", &city.verifier.token),
        ("审计 auditor", &city.auditor.token),
        ("持有人 holder", &walked.holders.pool.token),
        ("买方 buyer", &walked.holders.buyer.token),
    ];
    let mut text = String::from("\n请看 · look at\n");
    for (path, what) in places {
        text += &format!("  {what}: {base}{path}\n");
    }
    text += "接口令牌（仅为演示） · tokens for the API (demonstration only)\n";
    for (who, token) in tokens {
        text += &format!("  {who}: {token}\n");
    }
    text += "Ctrl-C 停止 · stops\n";
    Ok(text)
}
