//! The redemption counter of this process: what handlers need beside the database.

use std::sync::Arc;

use chrono_tz::Tz;

use super::problem::{ApiError, ApiResult};
use crate::config::Redemption;
use crate::domain::problem::{Code, Problem, detail};
use crate::domain::redemption::CodeKey;
use crate::flow::group_commit::GroupLimits;
use crate::flow::redeem::{Desk, RedeemQueue, start_queue};
use crate::store::Pool;

/// One a process; clones share the queue.
#[derive(Clone)]
pub struct Counter {
    pub zone: Tz,
    open: Option<(Arc<Desk>, Arc<RedeemQueue>)>,
}

impl Counter {
    /// A counter that is open if a key for voucher codes is set.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn new(pool: &Pool, settings: &Redemption) -> std::io::Result<Counter> {
        let zone = settings.zone;
        let open = match &settings.code_key {
            None => None,
            Some(key) => {
                let key = CodeKey::new(key.bytes());
                let desk = Arc::new(Desk { key, zone });
                let queue = start_queue(pool, Arc::clone(&desk), GroupLimits::default())?;
                Some((desk, Arc::new(queue)))
            }
        };
        Ok(Counter { zone, open })
    }

    /// # Errors
    /// `unavailable` if no key for voucher codes is set.
    pub fn desk(&self) -> ApiResult<&Arc<Desk>> {
        self.open.as_ref().map(|(desk, _)| desk).ok_or_else(closed)
    }

    /// # Errors
    /// As [`Counter::desk`].
    pub fn queue(&self) -> ApiResult<&RedeemQueue> {
        self.open
            .as_ref()
            .map(|(_, queue)| &**queue)
            .ok_or_else(closed)
    }
}

fn closed() -> ApiError {
    let detail = detail!(
        "兑换尚未启用：未设置券码密钥",
        "redemption is not set up: no key for voucher codes"
    );
    Problem::at(Code::Unavailable, "redemption.code_key", detail).into()
}
