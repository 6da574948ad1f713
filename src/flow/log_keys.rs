//! The log's two secrets, both derived from one seed: the key that signs heads, and the key from
//! which leaf salts come.

use ed25519_dalek::SigningKey;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::domain::log::leaf::SaltKey;
use crate::domain::log::note::NoteSigner;
use crate::domain::problem::Problem;

use super::ingest::LogSettings;

/// What writing the public log needs.
#[derive(Debug)]
pub struct LogKeys {
    /// The log's name, in every checkpoint.
    pub origin: String,
    pub signer: NoteSigner,
    pub settings: LogSettings,
    /// From which vouchers' and link codes' secrets are derived.
    pub codes: [u8; 32],
}

impl LogKeys {
    /// # Errors
    /// The origin is not a name that a signed note can carry.
    pub fn from_seed(origin: &str, seed: [u8; 32]) -> Result<LogKeys, Problem> {
        Ok(LogKeys {
            origin: origin.to_owned(),
            signer: NoteSigner::new(origin, SigningKey::from_bytes(&seed))?,
            settings: LogSettings {
                salt: SaltKey::new(derive(&seed, b"leaf salts").to_vec())?,
            },
            codes: derive(&seed, b"codes"),
        })
    }
}

/// HMAC-SHA256 under the seed, so that no secret tells anything of another.
fn derive(seed: &[u8; 32], purpose: &[u8]) -> [u8; 32] {
    let mac = <Hmac<Sha256>>::new_from_slice(seed).expect("HMAC takes a key of any length");
    mac.chain_update(purpose).finalize().into_bytes().into()
}
