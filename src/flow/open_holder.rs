//! Opening registry accounts.

use uuid::Uuid;

use crate::domain::context::Ctx;
use crate::domain::problem::{Code, Problem};
use crate::domain::registry::HolderKind;
use crate::store::Tx;
use crate::store::registry::{self, HolderRow};

use super::audit::{self, Change};
use super::{FlowError, FlowResult};

/// An account to be opened.
#[derive(Debug, Clone)]
pub struct NewHolder {
    pub kind: HolderKind,
    /// The account's number.
    pub code: String,
    pub name: String,
    /// What the exchange calls this holder, if it trades.
    pub exchange_member: Option<String>,
}

/// Opens an account and returns its id, which is also the party its tokens are issued to.
///
/// # Errors
/// `missing_field` for a blank code or name, `holder_exists` if the code or member is taken.
pub fn open_holder(tx: &mut Tx<'_>, ctx: &mut Ctx, new: &NewHolder) -> FlowResult<Uuid> {
    for (param, text) in [("code", &new.code), ("name", &new.name)] {
        if text.trim().is_empty() {
            return Err(Problem::on(Code::MissingField, param).into());
        }
    }
    let id = ctx.id();
    let row = HolderRow {
        id: id.into(),
        kind: new.kind.as_str().to_owned(),
        code: new.code.clone(),
        name: new.name.clone(),
        exchange_member: new.exchange_member.clone(),
        opened_at: ctx.now.into(),
    };
    registry::insert_holder(tx, &row).map_err(|error| {
        if error.is_constraint("holders") {
            Code::HolderExists.into()
        } else {
            FlowError::from(error)
        }
    })?;
    let subject = format!("holder {id}");
    audit::record(
        tx,
        ctx,
        "holder.open",
        &subject,
        &new.code,
        Change::default(),
    )?;
    Ok(id)
}
