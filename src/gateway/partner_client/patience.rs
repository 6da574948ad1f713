//! How often and how soon a request is tried again.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::error::ClientError;

/// The longest that a `Retry-After` is obeyed; one that asks for more ends the attempt.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);

/// When to try again: pauses double, with up to half as much again at random so that clients that
/// were turned away together do not come back together.
#[derive(Debug, Clone)]
pub struct Patience {
    /// Tries in all; 1 never tries again.
    pub attempts_max: u32,
    pub first_pause: Duration,
    pub pause_max: Duration,
}

impl Default for Patience {
    /// Ten tries over about two minutes.
    fn default() -> Patience {
        Patience {
            attempts_max: 10,
            first_pause: Duration::from_millis(250),
            pause_max: Duration::from_secs(30),
        }
    }
}

impl Patience {
    /// One try.
    pub const NONE: Patience = Patience {
        attempts_max: 1,
        first_pause: Duration::ZERO,
        pause_max: Duration::ZERO,
    };

    /// How long to wait after the failure of try number `attempt`, counted from 1.
    ///
    /// # Errors
    /// The failure itself, if it is final or the tries are used up.
    pub fn pause(
        &self,
        attempt: u32,
        failed: ClientError,
    ) -> Result<(ClientError, Duration), ClientError> {
        if attempt >= self.attempts_max || !failed.is_passing() {
            return Err(failed);
        }
        let asked = match &failed {
            ClientError::Refused { retry_after, .. } => retry_after.unwrap_or_default(),
            _ => Duration::ZERO,
        };
        if asked > RETRY_AFTER_MAX {
            return Err(failed);
        }
        let doubled = 2u32.saturating_pow(attempt.saturating_sub(1));
        let pause = self.first_pause.saturating_mul(doubled);
        let pause = pause.min(self.pause_max).max(asked);
        Ok((failed, pause + pause.mul_f64(0.5 * random())))
    }
}

/// From 0 up to 1.
fn random() -> f64 {
    let mut byte = [0];
    // Without randomness the pause is merely not spread.
    let _ = getrandom::fill(&mut byte);
    f64::from(byte[0]) / 256.0
}

/// `Retry-After`, in seconds or as a date (RFC 9110, section 10.2.3).
pub(in crate::gateway) fn retry_after(fields: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = fields.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTime::parse_from_rfc2822(text).ok()?;
    Some(
        (date.with_timezone(&Utc) - now)
            .to_std()
            .unwrap_or_default(),
    )
}
