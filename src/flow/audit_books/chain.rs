//! The officers' chain: each act's hash recomputed from its fields and its predecessor.

use crate::domain::context::Actor;
use crate::domain::governance::{Act, CHAIN_START};
use crate::flow::FlowResult;
use crate::store::Conn;
use crate::store::audit::{AuditRow, after};

use super::{Check, Difference};

pub(super) const BOOK: &str = "officers' acts form one chain";

/// Acts read at once.
const PAGE: i64 = 1_000;

pub(super) fn check(conn: &mut Conn) -> FlowResult<Check> {
    let mut check = Check {
        book: BOOK,
        looked_at: 0,
        difference: None,
    };
    let (mut seq, mut previous) = (0, CHAIN_START);
    loop {
        let page = after(conn, seq, PAGE)?;
        if page.is_empty() {
            return Ok(check);
        }
        for row in page {
            check.looked_at += 1;
            let expected = act(&row).hash(&previous);
            if row.seq != seq + 1 || row.previous != previous || row.hash != expected {
                check.difference = Some(Difference {
                    book: BOOK,
                    place: format!("act {}", row.seq),
                    expected: hex::encode(expected),
                    found: hex::encode(&row.hash),
                });
                return Ok(check);
            }
            (seq, previous) = (row.seq, expected);
        }
    }
}

fn act(row: &AuditRow) -> Act {
    let hash = |bytes: &Option<Vec<u8>>| bytes.as_deref().and_then(|bytes| bytes.try_into().ok());
    Act {
        seq: row.seq,
        at: row.at.0,
        actor: Actor {
            role: known_role(&row.actor_role),
            id: row.actor_id(),
        },
        action: row.action.clone(),
        subject: row.subject.clone(),
        basis: row.basis.clone(),
        before: hash(&row.before_hash),
        after: hash(&row.after_hash),
    }
}

/// The role's static name; a role that is not known hashes differently from what was written,
/// and so shows as a difference.
fn known_role(role: &str) -> &'static str {
    [
        "system", "citizen", "merchant", "partner", "bureau", "verifier", "operator", "auditor",
        "holder",
    ]
    .into_iter()
    .find(|known| *known == role)
    .unwrap_or("unknown")
}
