//! Revisions: which record took which one's place, and the records that were cancelled before
//! they came.

use std::collections::HashMap;

use diesel::prelude::*;
use uuid::Uuid;

use crate::domain::behaviour::{ClaimKey, SubjectHash};
use crate::domain::reduction::ReductionId;

use super::behaviour::{place, place_of};
use super::bulk;
use super::bulk::places::rows_at;
use super::schema::{awaited_records, revisions};
use super::{Conn, Id, StoreError, StoreResult, Tx};

/// A record that a later one replaced or cancelled.
#[derive(Debug, Clone, Queryable, QueryableByName, Insertable)]
#[diesel(table_name = revisions, treat_none_as_default_value = false)]
pub struct RevisionRow {
    pub revised_batch: Id,
    pub revised_pos: i32,
    pub batch_id: Id,
    pub pos: i32,
    /// 1 if nothing stands in its place.
    pub cancels: i32,
}

impl RevisionRow {
    pub fn revised(&self) -> ReductionId {
        place_of(self.revised_batch, self.revised_pos)
    }

    pub fn revision(&self) -> ReductionId {
        place_of(self.batch_id, self.pos)
    }
}

/// A cancellation whose record has not come.
#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = awaited_records, treat_none_as_default_value = false)]
pub struct AwaitedRow {
    /// The claim of the record that is awaited; the cancellation holds it.
    pub key: Vec<u8>,
    pub scene_id: i32,
    pub subject: Vec<u8>,
    pub batch_id: Id,
    pub pos: i32,
}

/// Writes which records take others' places.
///
/// # Errors
/// [`StoreError::Busy`] if somebody replaced one of them meanwhile: run again, it is seen.
pub fn append_revisions(tx: &mut Tx<'_>, rows: &[RevisionRow]) -> StoreResult<()> {
    each_backend!(&mut **tx, |c| {
        for chunk in rows.chunks(bulk::ROWS_PER_INSERT) {
            diesel::insert_into(revisions::table)
                .values(chunk)
                .execute(c)
                .map_err(lost_the_race)?;
        }
    });
    Ok(())
}

fn lost_the_race(error: diesel::result::Error) -> StoreError {
    match StoreError::from(error) {
        StoreError::Constraint(_) => StoreError::Busy,
        other => other,
    }
}

/// What took a record's place, if anything did.
///
/// # Errors
/// The query failed.
pub fn revision_of(conn: &mut Conn, record: ReductionId) -> StoreResult<Option<RevisionRow>> {
    Ok(revisions::table
        .find((Id(record.batch), place(record)?))
        .first(conn)
        .optional()?)
}

/// What a record itself took the place of, if it is a revision.
///
/// # Errors
/// The query failed.
pub fn revised_by(conn: &mut Conn, revision: ReductionId) -> StoreResult<Option<RevisionRow>> {
    Ok(revisions::table
        .filter(revisions::batch_id.eq(Id(revision.batch)))
        .filter(revisions::pos.eq(place(revision)?))
        .first(conn)
        .optional()?)
}

/// [`revision_of`] for many records, by the record.
///
/// # Errors
/// The query failed.
pub fn revisions_of(
    conn: &mut Conn,
    records: &[ReductionId],
) -> StoreResult<HashMap<ReductionId, RevisionRow>> {
    let rows: Vec<RevisionRow> = match conn {
        Conn::Pg(c) => rows_at(c, "revisions", ("revised_batch", "revised_pos"), records)?,
        sqlite => {
            let mut rows = Vec::new();
            for record in records {
                rows.extend(revision_of(sqlite, *record)?);
            }
            rows
        }
    };
    Ok(rows.into_iter().map(|row| (row.revised(), row)).collect())
}

/// [`revised_by`] for many records, by the revision.
///
/// # Errors
/// The query failed.
pub fn revised_by_all(
    conn: &mut Conn,
    revisions: &[ReductionId],
) -> StoreResult<HashMap<ReductionId, RevisionRow>> {
    let rows: Vec<RevisionRow> = match conn {
        Conn::Pg(c) => rows_at(c, "revisions", ("batch_id", "pos"), revisions)?,
        sqlite => {
            let mut rows = Vec::new();
            for revision in revisions {
                rows.extend(revised_by(sqlite, *revision)?);
            }
            rows
        }
    };
    Ok(rows.into_iter().map(|row| (row.revision(), row)).collect())
}

/// Keeps cancellations whose records have not come. Their claims are taken.
///
/// # Errors
/// The write failed.
pub fn append_awaited(tx: &mut Tx<'_>, rows: &[AwaitedRow]) -> StoreResult<()> {
    each_backend!(&mut **tx, |c| {
        for chunk in rows.chunks(bulk::ROWS_PER_INSERT) {
            diesel::insert_into(awaited_records::table)
                .values(chunk)
                .execute(c)?;
        }
    });
    Ok(())
}

/// The cancellation that waits for the record of this claim.
///
/// # Errors
/// The query failed.
pub fn awaited(conn: &mut Conn, key: &ClaimKey) -> StoreResult<Option<AwaitedRow>> {
    Ok(awaited_records::table
        .find(key.as_slice())
        .first(conn)
        .optional()?)
}

/// Whether the record at this place is a cancellation that waits, and for this subject.
///
/// # Errors
/// The query failed.
pub fn awaits_as(
    conn: &mut Conn,
    batch: Uuid,
    pos: i32,
    subject: Option<&SubjectHash>,
) -> StoreResult<bool> {
    let at = awaited_records::table
        .filter(awaited_records::batch_id.eq(Id(batch)))
        .filter(awaited_records::pos.eq(pos));
    let row: Option<AwaitedRow> = at.first(conn).optional()?;
    Ok(row.is_some_and(|row| subject.is_none_or(|subject| row.subject == subject)))
}
