//! Ends vouchers whose time is over, then lots past their last day: in this order, so that what
//! an expired voucher gives back to a passed lot lapses in the same run.

use std::time::Duration;

use chrono_tz::Tz;
use tokio::sync::watch;

use crate::config::Clock;
use crate::domain::context::{Actor, Ctx};
use crate::flow::FlowResult;
use crate::flow::expire_points::{Lapsed, expire_lots};
use crate::flow::release_voucher::expire_vouchers;
use crate::store::Pool;

/// How often ends are looked for: nobody can spend past an end, so this only keeps books tidy.
const PERIOD: Duration = Duration::from_secs(300);

pub(super) async fn run(pool: Pool, clock: Clock, zone: Tz, mut stop: watch::Receiver<bool>) {
    loop {
        match reconcile(&pool, &clock, zone, &stop).await {
            Ok((0, Lapsed { points: 0, .. })) => {}
            Ok((vouchers, lapsed)) => tracing::info!(
                vouchers,
                lots = lapsed.lots,
                points = lapsed.points,
                "vouchers and points expired"
            ),
            Err(error) => tracing::warn!(%error, "vouchers or points could not be expired"),
        }
        // Both a stop and a platform that is gone end the job.
        let stopped = stop.wait_for(|stop| *stop);
        if tokio::time::timeout(PERIOD, stopped).await.is_ok() {
            return;
        }
    }
}

/// Small transactions, one after the other, until nothing is due or the platform stops.
async fn reconcile(
    pool: &Pool,
    clock: &Clock,
    zone: Tz,
    stop: &watch::Receiver<bool>,
) -> FlowResult<(usize, Lapsed)> {
    let mut vouchers = 0;
    while !*stop.borrow() {
        let ctx = ctx(clock);
        let ended = pool
            .write(move |tx| expire_vouchers(tx, &mut ctx.clone(), zone))
            .await?;
        if ended == 0 {
            break;
        }
        vouchers += ended;
    }
    let mut sum = Lapsed::default();
    while !*stop.borrow() {
        let (ctx, after) = (ctx(clock), sum.next);
        let lapsed = pool
            .write(move |tx| expire_lots(tx, &mut ctx.clone(), zone, after))
            .await?;
        sum.lots += lapsed.lots;
        sum.points += lapsed.points;
        sum.next = lapsed.next;
        if sum.next.is_none() {
            break;
        }
    }
    Ok((vouchers, sum))
}

fn ctx(clock: &Clock) -> Ctx {
    let mut seed = [0; 10];
    getrandom::fill(&mut seed).expect("the operating system gives random bytes");
    Ctx::new(Actor::SYSTEM, clock.now(), seed)
}
