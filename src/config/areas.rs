//! The areas of the settings. Each field's comment gives its variable and its default.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};

use super::settings::{ConfigError, Settings};

/// The web server.
#[derive(Debug, Clone)]
pub struct Http {
    /// `TANPUHUI_HTTP_LISTEN`, default `127.0.0.1:8080`. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// `TANPUHUI_HTTP_METRICS_LISTEN`, default none: `/metrics` is then served beside the API.
    pub metrics_listen: Option<SocketAddr>,
    /// `TANPUHUI_HTTP_WORKERS`, default 0: one a processor.
    pub workers: usize,
    /// `TANPUHUI_HTTP_JSON_BYTES`, default 262144: the largest JSON body of an ordinary request.
    pub json_bytes: usize,
    /// `TANPUHUI_HTTP_BATCH_BYTES`, default 16777216: the largest body of a batch of records.
    pub batch_bytes: usize,
    /// `TANPUHUI_HTTP_PUBLIC_URL`, default none: the address that citizens and partners see,
    /// without a slash at the end. Without it the address listened on is used.
    pub public_url: Option<String>,
    /// `TANPUHUI_HTTP_BEHIND_PROXY`, default false: take the caller's address from the
    /// last entry of `X-Forwarded-For`. Only true behind a proxy that appends to it.
    pub behind_proxy: bool,
    /// `TANPUHUI_HTTP_STOP_SECONDS`, default 30: how long open requests may take at shutdown.
    pub stop_seconds: u64,
}

impl Default for Http {
    fn default() -> Http {
        Http {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            metrics_listen: None,
            workers: 0,
            json_bytes: 256 << 10,
            batch_bytes: 16 << 20,
            public_url: None,
            behind_proxy: false,
            stop_seconds: 30,
        }
    }
}

impl Http {
    pub(super) fn read(settings: &mut Settings) -> Result<Http, ConfigError> {
        let default = Http::default();
        Ok(Http {
            listen: settings.get("http.listen")?.unwrap_or(default.listen),
            metrics_listen: settings.get("http.metrics_listen")?,
            workers: settings
                .get_with("http.workers", within(0, 1024))?
                .unwrap_or(default.workers),
            json_bytes: settings
                .get_with("http.json_bytes", within(1 << 10, 64 << 20))?
                .unwrap_or(default.json_bytes),
            batch_bytes: settings
                .get_with("http.batch_bytes", within(1 << 10, 1 << 30))?
                .unwrap_or(default.batch_bytes),
            public_url: settings.get_with("http.public_url", base_url)?,
            behind_proxy: settings
                .get("http.behind_proxy")?
                .unwrap_or(default.behind_proxy),
            stop_seconds: settings
                .get_with("http.stop_seconds", within(0, 3600))?
                .unwrap_or(default.stop_seconds),
        })
    }
}

/// The database.
#[derive(Debug, Clone)]
pub struct Database {
    /// `TANPUHUI_DATABASE_URL`, default `sqlite:tanpuhui.db`; or `postgres://…`.
    pub url: SecretString,
    /// `TANPUHUI_DATABASE_WRITERS`, default 4: write connections (SQLite has one writer always).
    pub writers: u32,
    /// `TANPUHUI_DATABASE_READERS`, default 4: read connections.
    pub readers: u32,
    /// `TANPUHUI_DATABASE_MIGRATE`, default true: bring the schema up to date at the start.
    pub migrate: bool,
}

impl Default for Database {
    fn default() -> Database {
        Database {
            url: "sqlite:tanpuhui.db".into(),
            writers: 4,
            readers: 4,
            migrate: true,
        }
    }
}

impl Database {
    pub(super) fn read(settings: &mut Settings) -> Result<Database, ConfigError> {
        let default = Database::default();
        Ok(Database {
            url: settings
                .get_with("database.url", database_url)?
                .unwrap_or(default.url),
            writers: settings
                .get_with("database.writers", within(1, 256))?
                .unwrap_or(default.writers),
            readers: settings
                .get_with("database.readers", within(1, 256))?
                .unwrap_or(default.readers),
            migrate: settings.get("database.migrate")?.unwrap_or(default.migrate),
        })
    }
}

/// Short-lived things that several nodes share.
#[derive(Debug, Clone, Default)]
pub struct Redis {
    /// `TANPUHUI_REDIS_URL`, default none: limits and nonces are then kept in this process.
    pub url: Option<SecretString>,
}

impl Redis {
    pub(super) fn read(settings: &mut Settings) -> Result<Redis, ConfigError> {
        let url = settings.get_with("redis.url", |text| {
            let known = ["redis://", "rediss://", "redis+unix://", "unix://"];
            match known.iter().any(|scheme| text.starts_with(scheme)) {
                true => Ok(SecretString::from(text)),
                false => Err("must be redis://host:port".to_owned()),
            }
        })?;
        Ok(Redis { url })
    }
}

/// The public log's signature.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// `TANPUHUI_LOG_ORIGIN`, default none: the name that stands in every checkpoint, such as
    /// `log.example.gov.cn/2026`. Never changed once a checkpoint is published.
    pub origin: Option<String>,
    /// `TANPUHUI_LOG_SEED` (64 hex digits) or `TANPUHUI_LOG_SEED_FILE` (a file with them), default
    /// none: the Ed25519 key that signs checkpoints.
    pub seed: Option<SigningSeed>,
}

/// The 32 bytes of an Ed25519 key; never shown.
#[derive(Clone)]
pub struct SigningSeed(SecretString);

impl std::fmt::Debug for SigningSeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningSeed(<redacted>)")
    }
}

impl SigningSeed {
    /// The key's bytes.
    pub fn bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        hex::decode_to_slice(self.0.expose_secret(), &mut bytes)
            .expect("a seed is only made from 64 hex digits");
        bytes
    }
}

impl FromStr for SigningSeed {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<SigningSeed, &'static str> {
        let text = text.trim();
        match hex::decode_to_slice(text, &mut [0; 32]) {
            Ok(()) => Ok(SigningSeed(SecretString::from(text))),
            Err(_) => Err("must be 64 hex digits"),
        }
    }
}

impl Log {
    pub(super) fn read(settings: &mut Settings) -> Result<Log, ConfigError> {
        let seed = settings.get("log.seed")?;
        let from_file = settings.get_with("log.seed_file", |path| {
            let text = std::fs::read_to_string(PathBuf::from(path)).map_err(|e| e.to_string())?;
            text.parse().map_err(str::to_owned)
        })?;
        Ok(Log {
            origin: settings.get_with("log.origin", |text| {
                let bad = text.chars().any(|c| c.is_whitespace() || c == '+');
                if bad {
                    Err("may hold neither space nor plus".to_owned())
                } else {
                    Ok(text.to_owned())
                }
            })?,
            seed: seed.or(from_file),
        })
    }
}

/// Points and vouchers.
#[derive(Debug, Clone)]
pub struct Redemption {
    /// `TANPUHUI_REDEMPTION_CODE_KEY` (64 hex digits) or `TANPUHUI_REDEMPTION_CODE_KEY_FILE` (a
    /// file with them), default none: nothing can be redeemed or written off then. The secret
    /// that signs voucher codes; whoever changes it voids every code that was given out.
    pub code_key: Option<SigningSeed>,
    /// `TANPUHUI_REDEMPTION_ZONE`, default `Asia/Shanghai`: where days and months end for lots,
    /// vouchers and merchants' statements.
    pub zone: chrono_tz::Tz,
}

impl Default for Redemption {
    fn default() -> Redemption {
        Redemption {
            code_key: None,
            zone: chrono_tz::Asia::Shanghai,
        }
    }
}

impl Redemption {
    pub(super) fn read(settings: &mut Settings) -> Result<Redemption, ConfigError> {
        let key = settings.get("redemption.code_key")?;
        let from_file = settings.get_with("redemption.code_key_file", |path| {
            let text = std::fs::read_to_string(PathBuf::from(path)).map_err(|e| e.to_string())?;
            text.parse().map_err(str::to_owned)
        })?;
        let zone = settings.get_with("redemption.zone", |text| {
            text.parse()
                .map_err(|_| "must be an IANA zone such as Asia/Shanghai".to_owned())
        })?;
        Ok(Redemption {
            code_key: key.or(from_file),
            zone: zone.unwrap_or(chrono_tz::Asia::Shanghai),
        })
    }
}

/// The sandbox exchange.
#[derive(Debug, Clone, Default)]
pub struct Exchange {
    /// `TANPUHUI_EXCHANGE_URL`, default none: nothing is listed.
    pub url: Option<String>,
    /// `TANPUHUI_EXCHANGE_TOKEN`, default none.
    pub token: Option<SecretString>,
}

impl Exchange {
    pub(super) fn read(settings: &mut Settings) -> Result<Exchange, ConfigError> {
        Ok(Exchange {
            url: settings.get_with("exchange.url", base_url)?,
            token: settings.get_with("exchange.token", |text| Ok(SecretString::from(text)))?,
        })
    }
}

/// The registry of certified units.
#[derive(Debug, Clone)]
pub struct Registry {
    /// `TANPUHUI_REGISTRY_PREFIX`, default `SZ-PH`: what every serial begins with. The official
    /// layout is not published; never changed once a serial is issued.
    pub prefix: String,
}

impl Default for Registry {
    fn default() -> Registry {
        let prefix = "SZ-PH".to_owned();
        Registry { prefix }
    }
}

impl Registry {
    pub(super) fn read(settings: &mut Settings) -> Result<Registry, ConfigError> {
        let prefix = settings.get_with("registry.prefix", |text| {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
            match text.bytes().all(plain) {
                true => Ok(text.to_owned()),
                false => Err("may hold letters, digits and hyphens".to_owned()),
            }
        })?;
        Ok(prefix.map_or_else(Registry::default, |prefix| Registry { prefix }))
    }
}

/// Households and vehicles of several people.
#[derive(Debug, Clone, Copy)]
pub struct Sharing {
    /// `TANPUHUI_SHARING_MEMBERS_MAX`, default 10: the most accounts that share one household or
    /// vehicle. Enough for three generations under one roof; a bound, because each account has a
    /// daily cap of its own and shares must not be a way around it.
    pub members_max: usize,
}

impl Default for Sharing {
    fn default() -> Sharing {
        Sharing { members_max: 10 }
    }
}

impl Sharing {
    pub(super) fn read(settings: &mut Settings) -> Result<Sharing, ConfigError> {
        let members_max = settings.get_with("sharing.members_max", within(1, 100))?;
        Ok(members_max.map_or_else(Sharing::default, |members_max| Sharing { members_max }))
    }
}

/// So many requests in a minute, `0` for no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quota {
    pub per_minute: u32,
}

/// How often a caller may ask.
#[derive(Debug, Clone)]
pub struct Limits {
    /// `TANPUHUI_LIMITS_CALLER_PER_MINUTE`, default 600: requests of one token; 0 is no limit.
    pub caller: Quota,
    /// `TANPUHUI_LIMITS_ADDRESS_PER_MINUTE`, default 6000: requests of one network address,
    /// whoever it says it is; 0 is no limit.
    pub address: Quota,
    /// `TANPUHUI_LIMITS_PARTNER_PER_MINUTE`, default 600000: requests of one network address to
    /// the partners' routes; 0 is no limit.
    pub partner: Quota,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            caller: Quota { per_minute: 600 },
            address: Quota { per_minute: 6000 },
            partner: Quota {
                per_minute: 600_000,
            },
        }
    }
}

impl Limits {
    pub(super) fn read(settings: &mut Settings) -> Result<Limits, ConfigError> {
        let default = Limits::default();
        let mut quota = |name: &str, default: Quota| {
            let per_minute = settings.get_with(name, within(0, 60_000_000))?;
            Ok(per_minute.map_or(default, |per_minute| Quota { per_minute }))
        };
        Ok(Limits {
            caller: quota("limits.caller_per_minute", default.caller)?,
            address: quota("limits.address_per_minute", default.address)?,
            partner: quota("limits.partner_per_minute", default.partner)?,
        })
    }
}

/// What this process says about itself.
#[derive(Debug, Clone)]
pub struct Logging {
    /// `TANPUHUI_LOGGING_FORMAT`: `human` (default) or `json`.
    pub format: LogFormat,
    /// `TANPUHUI_LOGGING_FILTER`, default `info`: as `tracing` filters are written.
    pub filter: String,
}

/// How a line of the process's own log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Human,
    Json,
}

impl Default for Logging {
    fn default() -> Logging {
        Logging {
            format: LogFormat::Human,
            filter: "info".to_owned(),
        }
    }
}

impl Logging {
    pub(super) fn read(settings: &mut Settings) -> Result<Logging, ConfigError> {
        let default = Logging::default();
        let format = settings.get_with("logging.format", |text| match text {
            "human" => Ok(LogFormat::Human),
            "json" => Ok(LogFormat::Json),
            _ => Err("must be human or json".to_owned()),
        })?;
        let filter = settings.get("logging.filter")?;
        Ok(Logging {
            format: format.unwrap_or(default.format),
            filter: filter.unwrap_or(default.filter),
        })
    }
}

/// What time it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct TimeSettings {
    /// `TANPUHUI_TIME_OFFSET_SECONDS`, default 0: added to the machine's clock. For rehearsals: a
    /// platform that is a year ahead.
    pub offset_seconds: i64,
}

impl TimeSettings {
    pub(super) fn read(settings: &mut Settings) -> Result<TimeSettings, ConfigError> {
        let century = 100 * 366 * 86_400;
        let offset = settings.get_with("time.offset_seconds", within(-century, century))?;
        Ok(TimeSettings {
            offset_seconds: offset.unwrap_or(0),
        })
    }
}

fn within<T>(least: T, most: T) -> impl FnOnce(&str) -> Result<T, String>
where
    T: FromStr + PartialOrd + std::fmt::Display,
    T::Err: std::fmt::Display,
{
    move |text| match text.parse::<T>() {
        Ok(number) if number >= least && number <= most => Ok(number),
        _ => Err(format!(
            "`{text}` is not a whole number from {least} to {most}"
        )),
    }
}

fn base_url(text: &str) -> Result<String, String> {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    match host {
        Some(host) if !host.is_empty() && !host.contains(char::is_whitespace) => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        _ => Err("must be http://… or https://…".to_owned()),
    }
}

fn database_url(text: &str) -> Result<SecretString, String> {
    let known = ["postgres://", "postgresql://", "sqlite:"];
    match known.iter().any(|scheme| text.starts_with(scheme)) {
        true => Ok(SecretString::from(text)),
        false => Err("must be postgres://… or sqlite:path".to_owned()),
    }
}
