//! The walk: every stage that a gram goes through, over the real API.

mod feeds;
mod ledger;
mod log;
mod redemption;
mod registry;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::api::AppState;
use crate::gateway::partner_client::RecordAnswer;

use super::city::City;
use super::courier::Courier;
use super::exchange::Exchange;
use super::problem::{DemoResult, wrong};
use super::screen::Screen;

pub use registry::{Holders, Units};

/// Where the sample feeds' days begin and end.
const ZONE: Tz = chrono_tz::Asia::Shanghai;
/// How far back the pilot lies: more than the 24 months that its points live.
pub const PILOT_AGO: TimeDelta = TimeDelta::days(830);
/// How far back the feeds are received, so that a voucher can lapse before today.
const FEEDS_AGO: TimeDelta = TimeDelta::days(8);
/// How long something that a job does may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Of so many reductions, the log is asked to prove one.
const SAMPLED: i64 = 500;

/// What the walk stands on.
pub struct Walk<'a> {
    pub state: &'a AppState,
    pub city: &'a City,
    pub courier: &'a Courier,
    pub exchange: &'a Exchange,
    pub screen: &'a Screen,
    /// The machine's time when the walk began; it ends there.
    pub today: DateTime<Utc>,
}

/// What the answers said, added up.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    pub accepted: i64,
    pub replayed: i64,
    pub refused: i64,
    pub held: i64,
    /// Held records that were credited once their person was known; they are in `accepted` too.
    pub released: i64,
    pub reduction_mg: i64,
    pub points: i64,
    /// Refusals and holds by code.
    pub reasons: BTreeMap<String, i64>,
    /// Some reductions, for looking at.
    pub samples: Vec<String>,
}

/// What the walk leaves behind.
pub struct Walked {
    pub tally: Tally,
    pub settlement_fen: i64,
    pub holders: Holders,
    pub units: Units,
    pub merchant_token: String,
    pub log: log::Head,
    pub audit_ok: bool,
}

impl Walk<'_> {
    /// Walks every stage.
    ///
    /// # Errors
    /// The first thing that is not as it must be.
    pub async fn run(&self) -> DemoResult<Walked> {
        let mut tally = Tally::default();
        self.link_people().await?;
        self.pilot(&mut tally).await?;
        let early = self.log_of(tally.accepted).await?;
        self.go_to(self.today - FEEDS_AGO);
        self.lapse()?;
        self.metro(&mut tally).await?;
        self.buses(&mut tally).await?;
        self.roofs(&mut tally).await?;
        self.link_late(&mut tally).await?;
        let market = self.redeem().await?;
        self.go_to(self.today);
        self.lapse()?;
        let settlement_fen = self.settle(&market).await?;
        let head = self.log_of(tally.accepted).await?;
        self.prove(&tally, &early, &head).await?;
        let (holders, units) = self.certify().await?;
        let audit_ok = self.audit(&tally, settlement_fen)?;
        Ok(Walked {
            tally,
            settlement_fen,
            holders,
            units,
            merchant_token: market.first_merchant()?.token.clone(),
            log: head,
            audit_ok,
        })
    }

    /// The day in the city.
    fn day(&self) -> NaiveDate {
        self.state.now().with_timezone(&ZONE).date_naive()
    }

    /// Moves the platform's clock forward.
    fn go_to(&self, at: DateTime<Utc>) {
        self.state.clock.advance(at - self.state.now());
    }
}

impl Tally {
    /// Adds one record's answer.
    fn answer(&mut self, answer: &RecordAnswer) {
        match answer {
            RecordAnswer::Accepted {
                reduction_id,
                mg,
                points,
                ..
            } => {
                if self.accepted % SAMPLED == 0 {
                    self.samples.extend(reduction_id.clone());
                }
                self.accepted += 1;
                self.reduction_mg += mg;
                self.points += points;
            }
            RecordAnswer::Replayed { .. } => self.replayed += 1,
            RecordAnswer::Refused { problem } => {
                self.refused += 1;
                self.because(&problem.code);
            }
            RecordAnswer::Held { reason } => {
                self.held += 1;
                self.because(reason);
            }
        }
    }

    fn because(&mut self, code: &str) {
        *self.reasons.entry(code.to_owned()).or_default() += 1;
    }
}

/// Asks again until there is an answer.
async fn wait_for<T, F>(what: &str, mut ask: impl FnMut() -> F) -> DemoResult<T>
where
    F: Future<Output = DemoResult<Option<T>>>,
{
    let patience = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ask().await? {
            return Ok(found);
        }
        if Instant::now() > patience {
            return Err(wrong(format!("waited in vain for {what}")));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
