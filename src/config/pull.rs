//! Settings of feeds that are pulled.

use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::SecretString;

use super::settings::{ConfigError, Settings};

const CREDENTIAL: &str = "pull.credential_";
const FILE: &str = "_file";

/// Feeds that are pulled.
#[derive(Debug, Clone)]
pub struct Pull {
    /// `TANPUHUI_PULL_WORKERS`, default 4: feeds that this process pulls at once; 0 pulls none.
    pub workers: u32,
    /// `TANPUHUI_PULL_PRIVATE_NETWORKS`, default false: whether feeds may lie at loopback, private
    /// and link-local addresses, and be sent a credential over plain HTTP.
    pub private_networks: bool,
    /// `TANPUHUI_PULL_CREDENTIAL_METRO` (or `TANPUHUI_PULL_CREDENTIAL_METRO_FILE`, a file that
    /// holds it): the credential that a scene's declaration calls `metro`. Default none.
    pub credentials: BTreeMap<String, SecretString>,
}

impl Default for Pull {
    fn default() -> Pull {
        Pull {
            workers: 4,
            private_networks: false,
            credentials: BTreeMap::new(),
        }
    }
}

impl Pull {
    pub(super) fn read(settings: &mut Settings) -> Result<Pull, ConfigError> {
        let default = Pull::default();
        let workers = settings.get_with("pull.workers", |text| match text.parse() {
            Ok(workers) if workers <= 64 => Ok(workers),
            _ => Err("must be a whole number from 0 to 64".to_owned()),
        })?;
        let private_networks = settings.get("pull.private_networks")?;
        let mut credentials = BTreeMap::new();
        for name in settings.names(CREDENTIAL) {
            let known = name.trim_start_matches(CREDENTIAL);
            let (known, secret) = match known.strip_suffix(FILE) {
                Some(known) => (known, settings.get_with(&name, of_file)?),
                None => (known, settings.get_with(&name, secret)?),
            };
            credentials.extend(secret.map(|secret| (known.to_owned(), secret)));
        }
        Ok(Pull {
            workers: workers.unwrap_or(default.workers),
            private_networks: private_networks.unwrap_or(default.private_networks),
            credentials,
        })
    }
}

fn of_file(path: &str) -> Result<SecretString, String> {
    let text = std::fs::read_to_string(PathBuf::from(path)).map_err(|e| e.to_string())?;
    secret(text.trim_end_matches(['\r', '\n']))
}

/// What may stand in a field of a request.
fn secret(text: &str) -> Result<SecretString, String> {
    let sound = !text.is_empty() && text.chars().all(|c| !c.is_control());
    match sound {
        true => Ok(SecretString::from(text)),
        false => Err("must be one line and not empty".to_owned()),
    }
}
