//! Handing out and taking back access tokens.

use chrono::TimeDelta;
use uuid::Uuid;

use super::FlowResult;
use super::audit::{self, Change};
use crate::domain::context::Ctx;
use crate::domain::party::{Role, Token};
use crate::store::Tx;
use crate::store::party::{self, TokenRow};

/// Makes a token known for `lifetime`. Officers' tokens are recorded as acts; a citizen's sign-in
/// is not one.
///
/// # Errors
/// The write failed.
pub fn issue_token(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    token: &Token,
    (role, party_id): (Role, Uuid),
    lifetime: TimeDelta,
) -> FlowResult<()> {
    let row = TokenRow {
        hash: token.digest().to_vec(),
        role: role.as_str().to_owned(),
        party_id: party_id.into(),
        issued_at: ctx.now.into(),
        expires_at: (ctx.now + lifetime).into(),
    };
    party::issue_token(tx, &row)?;
    if role.is_officer() {
        let subject = format!("{} {party_id}", role.as_str());
        audit::record(tx, ctx, "token.issue", &subject, "", Change::default())?;
    }
    Ok(())
}

/// Takes a token back; false when there was none.
///
/// # Errors
/// The write failed.
pub fn revoke_token(tx: &mut Tx<'_>, token: &Token) -> FlowResult<bool> {
    Ok(party::revoke_token(tx, &token.digest())?)
}
