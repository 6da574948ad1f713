//! Redeeming (兑换): points are held and a voucher is issued, many requests in one transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use crate::domain::context::Ctx;
use crate::domain::problem::{Code, Problem};
use crate::domain::redemption::{CodeKey, Offer, Terms, Voucher, VoucherCode, held_entries};
use crate::domain::wallet::{Entry, Lot, Transfer, TransferKind};
use crate::store::redemption::{self, NewVoucher};
use crate::store::{Pool, StoreError, Tx, offer, wallet};

use super::group_commit::{GroupCommit, GroupLimits, in_one_transaction};
use super::{FlowError, FlowResult};

/// The most requests in one transaction.
pub const REDEEM_GROUP_MAX: usize = 500;

/// What redemption needs to know beside the books.
#[derive(Debug, Clone)]
pub struct Desk {
    /// Signs voucher codes.
    pub key: CodeKey,
    /// The city's zone, in which days end.
    pub zone: Tz,
}

/// One citizen's wish. Its ids and its time are fixed when it arrives, so that it may be run again.
#[derive(Debug, Clone)]
pub struct RedeemRequest {
    pub account: Uuid,
    pub offer: Uuid,
    /// The caller's Idempotency-Key: the same key gives the same voucher, however often it comes.
    pub client_key: Option<String>,
    at: DateTime<Utc>,
    voucher: Uuid,
    hold: Uuid,
}

/// A voucher and the code to show for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redeemed {
    pub voucher: Voucher,
    pub code: VoucherCode,
    /// The voucher was issued for an earlier request with the same key.
    pub replayed: bool,
}

/// Redemptions of many callers, committed together.
pub type RedeemQueue = GroupCommit<RedeemRequest, Result<Redeemed, Problem>>;

impl RedeemRequest {
    pub fn new(ctx: &mut Ctx, account: Uuid, offer: Uuid, client_key: Option<String>) -> Self {
        RedeemRequest {
            account,
            offer,
            client_key,
            at: ctx.now,
            voucher: ctx.id(),
            hold: ctx.id(),
        }
    }
}

/// Starts the committers for redemptions.
///
/// # Errors
/// The operating system gives no thread.
pub fn start_queue(
    pool: &Pool,
    desk: Arc<Desk>,
    limits: GroupLimits,
) -> std::io::Result<RedeemQueue> {
    let limits = GroupLimits {
        group: limits.group.min(REDEEM_GROUP_MAX),
        ..limits
    };
    GroupCommit::start(
        "redeem",
        pool,
        limits,
        move |pool, group: Vec<RedeemRequest>| {
            in_one_transaction(pool, &group, |tx, group| redeem_many(tx, &desk, group))
        },
    )
}

/// Redeems for each request, in their order: the first ones get what is left of an offer's stock
/// or of a wallet. Wallets are locked in order of account, then offers in order of id.
///
/// # Errors
/// The store failed, and nothing was done. A refused request is an answer, not an error:
/// `points_insufficient`, `out_of_stock`, `offer_not_open`, `not_found`, `idempotency_mismatch`.
pub fn redeem_many(
    tx: &mut Tx<'_>,
    desk: &Desk,
    requests: &[RedeemRequest],
) -> FlowResult<Vec<Result<Redeemed, Problem>>> {
    assert!(requests.len() <= REDEEM_GROUP_MAX, "a group is bounded");
    let mut group = Group::lock(tx, requests)?;
    let answers = requests
        .iter()
        .map(|request| group.redeem(desk, request))
        .collect::<FlowResult<Vec<_>>>()?;
    group.write(tx)?;
    Ok(answers)
}

/// What a group of requests has locked, and what it has decided so far.
struct Group {
    lots: Vec<Lot>,
    offers: Vec<Offer>,
    /// Vouchers by account and client key.
    known: HashMap<(Uuid, String), Voucher>,
    changed: BTreeSet<usize>,
    sold: BTreeMap<Uuid, i64>,
    issued: Vec<NewVoucher>,
    holds: Vec<Transfer>,
    entries: Vec<(Uuid, Entry)>,
}

impl Group {
    fn lock(tx: &mut Tx<'_>, requests: &[RedeemRequest]) -> FlowResult<Group> {
        let accounts: BTreeSet<Uuid> = requests.iter().map(|request| request.account).collect();
        let offers: BTreeSet<Uuid> = requests.iter().map(|request| request.offer).collect();
        let keys: Vec<(Uuid, &str)> = requests
            .iter()
            .filter_map(|request| Some((request.account, request.client_key.as_deref()?)))
            .collect();
        let lots = wallet::lock_lots(tx, &Vec::from_iter(accounts))?;
        // After the wallets are locked: a request with the same key has then either committed or
        // not begun.
        let known = redemption::keyed_vouchers(tx, &keys)?
            .into_iter()
            .filter_map(|voucher| Some(((voucher.account, voucher.client_key.clone()?), voucher)))
            .collect();
        Ok(Group {
            lots,
            offers: offer::lock_offers(tx, &Vec::from_iter(offers))?,
            known,
            changed: BTreeSet::new(),
            sold: BTreeMap::new(),
            issued: Vec::new(),
            holds: Vec::new(),
            entries: Vec::new(),
        })
    }

    fn redeem(
        &mut self,
        desk: &Desk,
        request: &RedeemRequest,
    ) -> FlowResult<Result<Redeemed, Problem>> {
        match self.replay(desk, request) {
            Some(answer) => Ok(answer),
            None => match self.issue(desk, request) {
                Ok(redeemed) => Ok(Ok(redeemed)),
                Err(FlowError::Refused(problem)) => Ok(Err(problem)),
                Err(error) => Err(error),
            },
        }
    }

    fn replay(&self, desk: &Desk, request: &RedeemRequest) -> Option<Result<Redeemed, Problem>> {
        let key = (request.account, request.client_key.clone()?);
        let voucher = self.known.get(&key)?;
        if voucher.offer != request.offer {
            let problem = Problem::on(Code::IdempotencyMismatch, "Idempotency-Key");
            return Some(Err(problem));
        }
        Some(Ok(Redeemed {
            voucher: voucher.clone(),
            code: desk.key.code_of(voucher.id),
            replayed: true,
        }))
    }

    fn issue(&mut self, desk: &Desk, request: &RedeemRequest) -> FlowResult<Redeemed> {
        let offer = self
            .offers
            .iter_mut()
            .find(|offer| offer.id == request.offer)
            .ok_or_else(|| Problem::on(Code::NotFound, "offer"))?;
        offer.open_at(request.at)?;
        if offer.stock < 1 {
            return Err(Problem::on(Code::OutOfStock, "offer").into());
        }
        let terms = Terms {
            id: request.voucher,
            hold: request.hold,
            account: request.account,
            at: request.at,
            zone: desk.zone,
        };
        let today = terms.day();
        let place = place_of(&self.lots, request.account);
        let lots = self.lots.get_mut(place.clone()).unwrap_or_default();
        let spends =
            Lot::hold_first_expiring(lots, offer.points, today).ok_or(Code::PointsInsufficient)?;
        let touched = |at: &usize| {
            let lot = self.lots.get(*at);
            lot.is_some_and(|lot| spends.iter().any(|spend| spend.bucket == lot.bucket))
        };
        self.changed.extend(place.filter(touched));
        offer.stock -= 1;
        *self.sold.entry(offer.id).or_default() += 1;

        let voucher = Voucher::issue(terms, offer, request.client_key.clone());
        let sides = held_entries(request.account, today, &spends);
        let hold = Transfer::of(request.hold, TransferKind::Hold, request.at, &sides);
        self.holds
            .push(hold.map_err(|error| StoreError::Corrupt(error.to_string()))?);
        self.entries
            .extend(sides.into_iter().map(|entry| (request.hold, entry)));
        if let Some(key) = &request.client_key {
            self.known
                .insert((request.account, key.clone()), voucher.clone());
        }
        let code = desk.key.code_of(voucher.id);
        self.issued.push(NewVoucher {
            voucher: voucher.clone(),
            code_digest: code.digest(),
            spends,
        });
        Ok(Redeemed {
            voucher,
            code,
            replayed: false,
        })
    }

    fn write(self, tx: &mut Tx<'_>) -> FlowResult<()> {
        if self.issued.is_empty() {
            return Ok(());
        }
        for (offer, pieces) in &self.sold {
            if !offer::take_stock(tx, *offer, *pieces)? {
                // The row was locked and counted; only a defect gets here.
                return Err(StoreError::Corrupt(format!("stock of offer {offer}")).into());
            }
        }
        let changed: Vec<Lot> = self
            .changed
            .iter()
            .filter_map(|at| self.lots.get(*at).cloned())
            .collect();
        wallet::save_lots(tx, &changed)?;
        let sides = self.entries.iter().map(|(hold, entry)| (*hold, entry));
        wallet::post_all(tx, &self.holds, sides)?;
        redemption::append_vouchers(tx, &self.issued)?;
        Ok(())
    }
}

/// Where an account's lots stand among lots sorted by account.
pub(super) fn place_of(lots: &[Lot], account: Uuid) -> Range<usize> {
    let start = lots.partition_point(|lot| lot.account < account);
    let end = lots.partition_point(|lot| lot.account <= account);
    start..end
}
