//! The platform's database, for commands that look into it. They make and migrate nothing.

use std::path::PathBuf;

use secrecy::ExposeSecret;

use crate::config::{Config, ConfigError};
use crate::store::{Pool, StoreError, Target, pending_migrations};

/// Which database. Settings come from the file and from `TANPUHUI_…` variables, which win.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Database {
    /// The database, instead of the one that the settings name
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// A TOML file with settings
    #[arg(long, env = "TANPUHUI_CONFIG")]
    config: Option<PathBuf>,
}

/// Why it cannot be looked into.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("the database cannot be read")]
    Store(#[from] StoreError),
    #[error("{0}: there is no such file")]
    NoFile(PathBuf),
    #[error("the database's schema is not this program's")]
    Schema,
}

impl Database {
    /// Whether the command line names it.
    pub fn is_named(&self) -> bool {
        self.database.is_some()
    }

    pub fn config(&self) -> Result<Config, ConfigError> {
        Config::load(self.config.as_deref())
    }

    /// The database as it is.
    pub fn open(&self, config: &Config) -> Result<Pool, OpenError> {
        let url = self.database.as_deref();
        let target = Target::parse(url.unwrap_or(config.database.url.expose_secret()))?;
        // Connecting would make the file.
        if let Target::Sqlite(path) = &target
            && !path.exists()
        {
            return Err(OpenError::NoFile(path.clone()));
        }
        let pool = Pool::look_into(target)?;
        match pool.read_now(pending_migrations)? {
            false => Ok(pool),
            true => Err(OpenError::Schema),
        }
    }
}
