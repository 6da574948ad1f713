//! Whose a period is: the account that its subject is linked to on its first day, or those who
//! share it on that day.

use uuid::Uuid;

use crate::domain::behaviour::SubjectHash;
use crate::domain::methodology::Compiled;
use crate::domain::wallet::Day;
use crate::domain::wallet::sharing::Share;
use crate::flow::FlowResult;
use crate::store::Tx;
use crate::store::link::{Links, links_of};
use crate::store::share::{PartRow, Sharing, sharing_of};

use super::Run;
use super::write::id;

/// One subject's links and shares, from day to day.
pub(super) struct Owners {
    subject: SubjectHash,
    links: Links,
    sharing: Sharing,
}

impl Owners {
    /// # Errors
    /// The store failed.
    pub fn of(tx: &mut Tx<'_>, subject: &SubjectHash) -> FlowResult<Owners> {
        Ok(Owners {
            subject: *subject,
            links: links_of(tx, &[*subject])?,
            sharing: sharing_of(tx, &[*subject])?,
        })
    }

    /// Who shares a period that begins on a day: the linked account alone, if nobody else does;
    /// nobody, if it is not linked on that day.
    pub fn shares(&self, compiled: &Compiled, day: Day) -> Vec<Share> {
        let Some(link) = self.links.on(&self.subject, day) else {
            return Vec::new();
        };
        let mut shares = match compiled.is_shareable() {
            true => self.sharing.on(&self.subject, &link, day),
            false => Vec::new(),
        };
        if shares.is_empty() {
            shares.push(Share {
                account: link.account,
                weight: 1,
            });
        }
        shares
    }
}

impl Run<'_> {
    /// Which reductions are shares of one period.
    pub(super) fn part_rows(
        &self,
        order: &[(usize, usize)],
        homes: &[Option<usize>],
        batch: Uuid,
    ) -> Vec<PartRow> {
        let shared = |(_, (at, _)): &(usize, &(usize, usize))| self.changes[*at].parts.len() > 1;
        let row = |(pos, (at, share)): (usize, &(usize, usize))| {
            let change = &self.changes[*at];
            PartRow::new(
                id(batch, pos),
                change.subject,
                change.day,
                id(batch, homes[*at].unwrap_or(pos)),
                change.outcome.mg,
                &change.parts[*share],
                &change.shares,
            )
        };
        order.iter().enumerate().filter(shared).map(row).collect()
    }
}
