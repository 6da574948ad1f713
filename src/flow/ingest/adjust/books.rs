//! The locked lots of the accounts concerned, and what they earned on the days concerned.

use std::collections::HashMap;

use uuid::Uuid;

use crate::domain::context::Ctx;
use crate::domain::wallet::{Day, Lot};
use crate::flow::FlowResult;
use crate::flow::ingest::scene::SceneView;
use crate::store::Tx;
use crate::store::reduction::{DayRange, day_credits};
use crate::store::wallet::{lock_lots, open_lots};

use super::{Fresh, Ground, Reversal};

pub(super) struct Books {
    pub lots: Vec<Lot>,
    /// First place, and first place that is out, of each account's lots; the last is the newest.
    of: HashMap<Uuid, (usize, usize)>,
    pub earned: HashMap<(Uuid, Day), i64>,
}

impl Books {
    pub fn open(
        tx: &mut Tx<'_>,
        ground: &Ground<'_>,
        reversals: &[Reversal],
        fresh: &[Fresh],
    ) -> FlowResult<Books> {
        let mut days: Vec<(Uuid, Day)> = reversals
            .iter()
            .map(|reversal| (reversal.row.account_id.0, reversal.row.day))
            .chain(fresh.iter().map(|fresh| (fresh.account, fresh.day)))
            .collect();
        days.sort_unstable();
        days.dedup();
        let mut accounts: Vec<Uuid> = days.iter().map(|(account, _)| *account).collect();
        accounts.dedup();
        let mut books = Books {
            lots: open_wallets(tx, ground.ctx, ground.scene, &accounts)?,
            of: HashMap::new(),
            earned: HashMap::new(),
        };
        for (place, lot) in books.lots.iter().enumerate() {
            books.of.entry(lot.account).or_insert((place, place)).1 = place + 1;
        }
        books.carry_remainders();
        let ranges: Vec<DayRange> = days
            .iter()
            .map(|(account, day)| DayRange {
                account: *account,
                from: *day,
                to: *day,
            })
            .collect();
        for credit in day_credits(tx, &ranges)? {
            let day = (credit.account, credit.day);
            *books.earned.entry(day).or_default() += credit.points;
        }
        Ok(books)
    }

    fn carry_remainders(&mut self) {
        for (first, out) in self.of.values() {
            let carried: i64 = self.lots[*first..*out]
                .iter_mut()
                .map(|lot| std::mem::take(&mut lot.remainder_mg))
                .sum();
            self.lots[*out - 1].remainder_mg = carried;
        }
    }

    pub fn newest(&mut self, account: Uuid) -> &mut Lot {
        let (_, out) = self.of[&account];
        &mut self.lots[out - 1]
    }

    /// Takes points from the lots that lapse last first; returns what each lot gave.
    pub fn take(&mut self, account: Uuid, wanted: i64) -> Vec<(Day, i64)> {
        take_from(&mut self.lots, self.of[&account], wanted)
    }
}

/// Locks the lots of these accounts, sorted and distinct, opening the day's where there is none.
pub(in crate::flow::ingest) fn open_wallets(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    scene: &SceneView,
    accounts: &[Uuid],
) -> FlowResult<Vec<Lot>> {
    let today = ctx.now.with_timezone(&scene.zone).date_naive();
    let bucket = scene.rule.bucket(today);
    let lots = lock_lots(tx, accounts)?;
    // Lots come by account and bucket, so the last one of an account is its newest.
    let newest: HashMap<Uuid, Day> = lots.iter().map(|lot| (lot.account, lot.bucket)).collect();
    let lacking = |account: &&Uuid| newest.get(*account).is_none_or(|newest| *newest < bucket);
    let missing: Vec<Lot> = accounts
        .iter()
        .filter(lacking)
        .map(|account| Lot::empty(*account, bucket))
        .collect();
    if missing.is_empty() {
        return Ok(lots);
    }
    open_lots(tx, &missing)?;
    Ok(lock_lots(tx, accounts)?)
}

/// Takes points from some lots, the last first; returns what each gave.
pub(super) fn take_from(
    lots: &mut [Lot],
    (first, out): (usize, usize),
    mut wanted: i64,
) -> Vec<(Day, i64)> {
    let mut gave = Vec::new();
    for lot in lots[first..out].iter_mut().rev() {
        let taken = lot.available.min(wanted);
        if taken > 0 {
            lot.available -= taken;
            wanted -= taken;
            gave.push((lot.bucket, taken));
        }
    }
    gave
}
