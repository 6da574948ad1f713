//! Writing the audit chain, from inside the transaction of the act itself.

use crate::domain::context::Ctx;
use crate::domain::governance::{Act, CHAIN_START};
use crate::store::audit::{self, AuditRow};
use crate::store::{StoreError, Tx};

use super::FlowResult;

/// What an act changed: digests of the thing before and after, where it is a thing with content.
#[derive(Debug, Clone, Copy, Default)]
pub struct Change {
    pub before: Option<[u8; 32]>,
    pub after: Option<[u8; 32]>,
}

/// Appends one act to the audit chain; it commits or vanishes with the act.
///
/// # Errors
/// The write failed, or another act took the place (the transaction is run again).
pub fn record(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    action: &str,
    subject: &str,
    basis: &str,
    change: Change,
) -> FlowResult<()> {
    audit::hold_end(tx)?;
    let (seq, previous) = match audit::last(tx)? {
        None => (1, CHAIN_START),
        Some((seq, hash)) => (seq + 1, as_hash(&hash)?),
    };
    let act = Act {
        seq,
        at: ctx.now,
        actor: ctx.actor.clone(),
        action: action.to_owned(),
        subject: subject.to_owned(),
        basis: basis.to_owned(),
        before: change.before,
        after: change.after,
    };
    let hash = act.hash(&previous);
    audit::append(
        tx,
        &AuditRow {
            seq,
            at: act.at.into(),
            actor_role: act.actor.role.to_owned(),
            actor_id: act.actor.id.into(),
            action: act.action,
            subject: act.subject,
            basis: act.basis,
            before_hash: act.before.map(|hash| hash.to_vec()),
            after_hash: act.after.map(|hash| hash.to_vec()),
            previous: previous.to_vec(),
            hash: hash.to_vec(),
        },
    )?;
    Ok(())
}

fn as_hash(bytes: &[u8]) -> FlowResult<[u8; 32]> {
    bytes
        .try_into()
        .map_err(|_| StoreError::Corrupt("audit_events.hash is not 32 bytes".to_owned()).into())
}
