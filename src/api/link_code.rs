//! Link codes: what a citizen shows a partner so that the partner's records reach the account.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use super::problem::{ApiError, ApiResult};
use crate::domain::problem::{Code, Problem, detail};
use crate::gateway::ShortLived;

/// An account and the instant until which the code is good, under a MAC of this platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkCode {
    pub account: Uuid,
    until: DateTime<Utc>,
    /// Tells codes of one second apart, so that using one does not use the other.
    salt: [u8; 8],
}

/// Bytes of the MAC that a code carries.
const MAC_BYTES: usize = 16;

impl LinkCode {
    /// How long a code is good.
    pub const LIFE: Duration = Duration::from_secs(600);

    /// A fresh code for an account.
    pub fn new(account: Uuid, now: DateTime<Utc>, salt: [u8; 8]) -> LinkCode {
        LinkCode {
            account,
            until: now + TimeDelta::from_std(Self::LIFE).unwrap_or_default(),
            salt,
        }
    }

    pub fn until(&self) -> DateTime<Utc> {
        self.until
    }

    /// The text to show.
    pub fn text(&self, key: &[u8; 32]) -> String {
        let mut bytes = self.payload();
        let mac = self.mac(key).finalize().into_bytes();
        bytes.extend(mac.iter().take(MAC_BYTES));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a code that was shown.
    ///
    /// # Errors
    /// `link_code_invalid` for a code that is not ours or no longer good.
    pub fn read(text: &str, key: &[u8; 32], now: DateTime<Utc>) -> Result<LinkCode, Problem> {
        let refused = || Problem::on(Code::LinkCodeInvalid, "code");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| refused())?;
        let (payload, mac) = bytes.split_at_checked(32).ok_or_else(refused)?;
        let (account, until) = payload.split_at_checked(16).ok_or_else(refused)?;
        let (until, salt) = until.split_at_checked(8).ok_or_else(refused)?;
        let seconds = i64::from_be_bytes(until.try_into().map_err(|_| refused())?);
        let code = LinkCode {
            account: Uuid::from_slice(account).map_err(|_| refused())?,
            until: DateTime::from_timestamp(seconds, 0).ok_or_else(refused)?,
            salt: salt.try_into().map_err(|_| refused())?,
        };
        if mac.len() != MAC_BYTES || code.mac(key).verify_truncated_left(mac).is_err() {
            return Err(refused());
        }
        if now > code.until {
            Err(refused())
        } else {
            Ok(code)
        }
    }

    /// Uses up a code that was read; whoever reads it next is refused.
    ///
    /// # Errors
    /// `link_code_invalid` for a code that was used before; the short-lived store does not answer.
    pub async fn use_up(text: &str, short_lived: &ShortLived) -> ApiResult<()> {
        let first = short_lived.once(&format!("link:{text}"), Self::LIFE).await;
        match first.map_err(ApiError::unavailable)? {
            true => Ok(()),
            false => {
                let detail = detail!("该绑定码已被使用", "it was used before");
                Err(Problem::at(Code::LinkCodeInvalid, "code", detail).into())
            }
        }
    }

    fn payload(&self) -> Vec<u8> {
        [
            self.account.as_bytes().as_slice(),
            &self.until.timestamp().to_be_bytes(),
            &self.salt,
        ]
        .concat()
    }

    fn mac(&self, key: &[u8; 32]) -> Hmac<Sha256> {
        let mac = <Hmac<Sha256>>::new_from_slice(key).expect("HMAC takes a key of any length");
        mac.chain_update(b"tanpuhui/link-code/v1\0")
            .chain_update(self.payload())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_back_until_it_lapses_and_only_under_its_key() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let code = LinkCode::new(Uuid::from_u128(7), now, [3; 8]);
        let text = code.text(&[1; 32]);
        assert_eq!(LinkCode::read(&text, &[1; 32], now), Ok(code));
        assert!(LinkCode::read(&text, &[2; 32], now).is_err());
        assert!(LinkCode::read(&text, &[1; 32], now + TimeDelta::minutes(11)).is_err());
        let mut bent = text.into_bytes();
        bent[3] ^= 1;
        assert!(LinkCode::read(&String::from_utf8(bent).unwrap(), &[1; 32], now).is_err());
    }
}
