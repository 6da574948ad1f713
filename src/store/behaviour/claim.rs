//! Claims: every act is counted once, for ever.

use diesel::prelude::*;
use uuid::Uuid;

use crate::domain::behaviour::ClaimKey;
use crate::domain::reduction::ReductionId;

use super::{hash, place, place_of};
use crate::store::bulk;
use crate::store::schema::claims;
use crate::store::{Conn, Id, StoreError, StoreResult, Tx};

/// One claim: the key, and the record that took it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    pub key: ClaimKey,
    pub batch: Uuid,
    pub pos: i32,
}

#[derive(Debug, Clone, Queryable, QueryableByName, Insertable)]
#[diesel(table_name = claims, treat_none_as_default_value = false)]
pub(in crate::store) struct ClaimRow {
    pub key: Vec<u8>,
    pub batch_id: Id,
    pub pos: i32,
}

/// Takes all keys that are free; returns those that are not, with the record that has them.
/// `wanted` are sorted by key and distinct, so that two batches wait for each other instead of
/// deadlocking.
///
/// # Errors
/// The write failed.
pub fn take_claims(tx: &mut Tx<'_>, wanted: &[Claim]) -> StoreResult<Vec<Claim>> {
    debug_assert!(wanted.windows(2).all(|pair| pair[0].key < pair[1].key));
    let taken = match &mut **tx {
        Conn::Pg(c) => bulk::postgres::take_claims(c, wanted)?,
        Conn::Sqlite(c) => bulk::sqlite::take_claims(c, wanted)?,
    };
    taken.into_iter().map(Claim::try_from).collect()
}

/// Gives keys back that this transaction took, for records that are refused after all.
///
/// # Errors
/// The write failed.
pub fn return_claims(tx: &mut Tx<'_>, keys: &[ClaimKey]) -> StoreResult<()> {
    for key in keys {
        diesel::delete(claims::table.find(key.as_slice())).execute(&mut **tx)?;
    }
    Ok(())
}

/// The record that has this key, if any.
///
/// # Errors
/// The query failed.
pub fn claim(conn: &mut Conn, key: &ClaimKey) -> StoreResult<Option<Claim>> {
    let row: Option<ClaimRow> = claims::table.find(key.as_slice()).first(conn).optional()?;
    row.map(Claim::try_from).transpose()
}

/// The records that have these keys, where any has.
///
/// # Errors
/// The query failed.
pub fn claims_of(conn: &mut Conn, keys: &[ClaimKey]) -> StoreResult<Vec<Claim>> {
    match conn {
        Conn::Pg(c) => {
            let rows = bulk::places::claims_of(c, keys)?;
            rows.into_iter().map(Claim::try_from).collect()
        }
        sqlite => {
            let mut claims = Vec::new();
            for key in keys {
                claims.extend(claim(sqlite, key)?);
            }
            Ok(claims)
        }
    }
}

/// Passes a key from a record that was cancelled to another; false if it is not that record's any
/// more.
///
/// # Errors
/// The write failed.
pub fn pass_claim(tx: &mut Tx<'_>, from: ReductionId, to: &Claim) -> StoreResult<bool> {
    let held = claims::table
        .find(to.key.as_slice())
        .filter(claims::batch_id.eq(Id(from.batch)))
        .filter(claims::pos.eq(place(from)?));
    let passed = diesel::update(held)
        .set((claims::batch_id.eq(Id(to.batch)), claims::pos.eq(to.pos)))
        .execute(&mut **tx)?;
    Ok(passed == 1)
}

impl Claim {
    /// The record that has the key.
    pub fn holder(&self) -> ReductionId {
        place_of(Id(self.batch), self.pos)
    }
}

impl TryFrom<ClaimRow> for Claim {
    type Error = StoreError;

    fn try_from(row: ClaimRow) -> StoreResult<Claim> {
        Ok(Claim {
            key: hash(&row.key, "claims.key")?,
            batch: row.batch_id.0,
            pos: row.pos,
        })
    }
}
