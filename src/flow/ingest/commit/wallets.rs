//! What it earns: wallets are locked, overlaps refused, milligrams turned into points.

use super::*;
use crate::flow::ingest::adjust::open_wallets;

impl<'p> Decision<'p> {
    /// Locks the wallets of all accounts, opening the lot of the day where there is none.
    pub(super) fn lock_wallets(
        &self,
        tx: &mut Tx<'_>,
        ctx: &Ctx,
        scene: &SceneView,
    ) -> FlowResult<Wallets> {
        let mut accounts: Vec<Uuid> = self.crediting().map(|(_, account, _)| account).collect();
        accounts.dedup();
        self.lock_all(tx, ctx, scene, &accounts)?;
        let mut lots = open_wallets(tx, ctx, scene, &accounts)?;
        carry_remainders(&mut lots);
        let newest = newest_lots(&lots);
        let credits = day_credits(tx, &self.day_ranges())?;
        let mut earned: HashMap<(Uuid, i32), i64> = HashMap::with_capacity(credits.len());
        for credit in &credits {
            *earned.entry((credit.account, credit.day)).or_default() += credit.points;
        }
        Ok(Wallets {
            lots,
            newest,
            earned,
            credits,
        })
    }

    /// Where records are shared, the wallets of all who share are locked in one go, so that two
    /// batches wait for each other instead of deadlocking.
    fn lock_all(
        &self,
        tx: &mut Tx<'_>,
        ctx: &Ctx,
        scene: &SceneView,
        accounts: &[Uuid],
    ) -> FlowResult<()> {
        let sharers = self.sharing().flat_map(|(_, shares)| shares);
        let mut all: Vec<Uuid> = sharers.map(|share| share.account).collect();
        if all.is_empty() {
            return Ok(());
        }
        all.extend(accounts);
        all.sort_unstable();
        all.dedup();
        open_wallets(tx, ctx, scene, &all)?;
        Ok(())
    }

    /// For each account, the days of its items, and a day more on both sides for acts across
    /// midnight.
    pub(super) fn day_ranges(&self) -> Vec<DayRange> {
        let mut ranges: Vec<DayRange> = Vec::new();
        for (_, account, item) in self.crediting() {
            match ranges.last_mut().filter(|range| range.account == account) {
                Some(range) => range.to = item.day + 1,
                None => ranges.push(DayRange {
                    account,
                    from: item.day - 1,
                    to: item.day + 1,
                }),
            }
        }
        ranges
    }

    pub(super) fn refuse_overlaps(
        &mut self,
        tx: &mut Tx<'_>,
        scene: &SceneView,
        wallets: &Wallets,
    ) -> FlowResult<()> {
        let exclusive = |item: &Item| scene.pinned[item.pinned].exclusive_time;
        if !self.crediting().any(|(_, _, item)| exclusive(item)) {
            return Ok(());
        }
        let near: Vec<DayCredit> = wallets
            .credits
            .iter()
            .filter(|credit| self.may_overlap(credit))
            .cloned()
            .collect();
        let mut timeline = Timeline::load(tx, scene, &near)?;
        let refused: Vec<usize> = self
            .crediting()
            .filter(|(_, account, item)| {
                exclusive(item) && !timeline.take(*account, item.from, item.to)
            })
            .map(|(pos, _, _)| pos)
            .collect();
        for pos in &refused {
            let item = self.item(*pos);
            let keys: Vec<ClaimKey> = item
                .source_key
                .iter()
                .chain(&item.declared_keys)
                .copied()
                .collect();
            return_claims(tx, &keys)?;
            self.against
                .insert(*pos, Answer::Refused(Code::OverlappingAct.into()));
        }
        Ok(())
    }

    /// Whether any item lies within the span of this credit; most do not, and their details need
    /// not be read.
    pub(super) fn may_overlap(&self, credit: &DayCredit) -> bool {
        let Some((from, to)) = credit.span else {
            return false;
        };
        let first = self
            .linked
            .partition_point(|(account, _)| *account < credit.account);
        self.linked[first..]
            .iter()
            .take_while(|(account, _)| *account == credit.account)
            .any(|(_, item)| item.from < to && from < item.to)
    }

    /// Turns the accepted items into points, account by account, and changes the lots.
    pub(super) fn credit(&self, scene: &SceneView, wallets: &mut Wallets) -> Vec<Credited> {
        let mut credited = Vec::with_capacity(self.linked.len());
        let mut current: Option<(Uuid, Earner)> = None;
        for (pos, account, item) in self.crediting() {
            let lot = &mut wallets.lots[wallets.newest[&account]];
            let earner = match &mut current {
                Some((of, earner)) if *of == account => earner,
                _ => &mut current.insert((account, Earner::new(lot.remainder_mg))).1,
            };
            let earned = wallets
                .earned
                .get(&(account, item.day))
                .copied()
                .unwrap_or(0);
            earner.turn_to(item.day, earned);
            let credit = earner.credit(&scene.rule, item.mg);
            lot.remainder_mg = earner.remainder_mg;
            lot.available += credit.points;
            credited.push(Credited {
                pos,
                points: credit.points,
                capped: credit.capped,
                cut_mg: credit.cut_mg,
            });
        }
        credited
    }
}

fn newest_lots(lots: &[Lot]) -> HashMap<Uuid, usize> {
    // Lots come by account and bucket, so the last one of an account is its newest.
    lots.iter()
        .enumerate()
        .map(|(at, lot)| (lot.account, at))
        .collect()
}

/// Moves what older lots still carry to the account's newest lot.
fn carry_remainders(lots: &mut [Lot]) {
    for at in 1..lots.len() {
        if lots[at].account == lots[at - 1].account {
            lots[at].remainder_mg += std::mem::take(&mut lots[at - 1].remainder_mg);
        }
    }
}
