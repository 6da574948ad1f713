//! Settings: one struct an area, read from a TOML file and from the environment, which wins.
//! `http.listen` in the file is `TANPUHUI_HTTP_LISTEN` in the environment. Nonsense stops the
//! program with the setting's name; an unknown name is nonsense too.

mod areas;
mod clock;
mod pull;
mod settings;

use std::path::Path;

pub use areas::{Database, LogFormat, Quota};
pub use areas::{
    Exchange, Http, Limits, Log, Logging, Redemption, Redis, Registry, Sharing, SigningSeed,
    TimeSettings,
};
pub use clock::Clock;
pub use pull::Pull;
pub use settings::{ConfigError, Settings};

/// Every setting of the platform.
#[derive(Debug, Clone, Default)]
pub struct Config {
    pub http: Http,
    pub database: Database,
    pub redis: Redis,
    pub log: Log,
    pub exchange: Exchange,
    pub pull: Pull,
    pub redemption: Redemption,
    pub registry: Registry,
    pub sharing: Sharing,
    pub limits: Limits,
    pub logging: Logging,
    pub time: TimeSettings,
}

/// Where this program's own file lies, to start it a second time.
///
/// # Errors
/// The operating system does not tell.
pub fn own_program() -> std::io::Result<std::path::PathBuf> {
    std::env::current_exe()
}

impl Config {
    /// Reads the file, when one is named, and the process's environment over it.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting and says what is wrong with it.
    pub fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
        Config::read(&mut Settings::of_process(file)?)
    }

    /// Reads settings from wherever they were collected.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn read(settings: &mut Settings) -> Result<Config, ConfigError> {
        let config = Config {
            http: Http::read(settings)?,
            database: Database::read(settings)?,
            redis: Redis::read(settings)?,
            log: Log::read(settings)?,
            exchange: Exchange::read(settings)?,
            pull: Pull::read(settings)?,
            redemption: Redemption::read(settings)?,
            registry: Registry::read(settings)?,
            sharing: Sharing::read(settings)?,
            limits: Limits::read(settings)?,
            logging: Logging::read(settings)?,
            time: TimeSettings::read(settings)?,
        };
        settings.refuse_unknown()?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests;
