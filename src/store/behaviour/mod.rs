//! Batches, claims and behaviours: what arrived, and that it is counted once.

mod claim;

use std::collections::HashMap;

use diesel::prelude::*;
use uuid::Uuid;

pub(in crate::store) use claim::ClaimRow;
pub use claim::{Claim, claim, claims_of, pass_claim, return_claims, take_claims};

use crate::domain::behaviour::SubjectHash;
use crate::domain::problem::Problem;
use crate::domain::reduction::ReductionId;

use crate::store::bulk;
use crate::store::bulk::places::rows_at;
use crate::store::link::open_link;
use crate::store::schema::{batches, behaviours, held_records, held_releases, refusals, revisions};
use crate::store::{Conn, Id, StoreError, StoreResult, Ts, Tx};

/// One batch: what arrived together and was decided in one transaction.
#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = batches, treat_none_as_default_value = false)]
pub struct BatchRow {
    pub id: Id,
    pub scene_id: i32,
    pub received_at: Ts,
    pub body_digest: Vec<u8>,
    pub accepted: i32,
    pub replayed: i32,
    pub refused: i32,
    pub held: i32,
    pub reduction_mg: i64,
    pub points: i64,
}

/// One record as it is written; borrowed, because a batch has thousands.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = behaviours, treat_none_as_default_value = false)]
pub struct NewBehaviour<'a> {
    pub batch_id: Id,
    pub pos: i32,
    pub scene_id: i32,
    pub account_id: Option<Id>,
    pub source_id: &'a str,
    pub from_at: Ts,
    pub to_at: Ts,
    pub content: &'a str,
    pub digest: &'a [u8],
}

/// One record as it is stored.
#[derive(Debug, Clone, Queryable, QueryableByName)]
#[diesel(table_name = behaviours)]
pub struct BehaviourRow {
    pub batch_id: Id,
    pub pos: i32,
    pub scene_id: i32,
    pub account_id: Option<Id>,
    pub source_id: String,
    pub from_at: Ts,
    pub to_at: Ts,
    pub content: String,
    pub digest: Vec<u8>,
}

impl BehaviourRow {
    pub fn place(&self) -> ReductionId {
        place_of(self.batch_id, self.pos)
    }
}

/// A refused row of a batch.
#[derive(Debug, Clone, Insertable, Queryable)]
#[diesel(table_name = refusals, treat_none_as_default_value = false)]
pub struct RefusalRow {
    pub batch_id: Id,
    pub pos: i32,
    pub source_id: String,
    pub code: String,
    pub param: Option<String>,
    detail: String,
    detail_zh: String,
}

impl RefusalRow {
    pub fn new(batch_id: Id, pos: i32, source_id: &str, problem: &Problem) -> RefusalRow {
        RefusalRow {
            batch_id,
            pos,
            source_id: source_id.to_owned(),
            code: problem.code.as_str().to_owned(),
            param: problem.param.clone(),
            detail: problem.detail.en().to_owned(),
            detail_zh: problem.detail.zh().to_owned(),
        }
    }
}

/// A record that waits for its subject to be linked.
#[derive(Debug, Clone, Insertable, Queryable)]
#[diesel(table_name = held_records, treat_none_as_default_value = false)]
pub struct HeldRow {
    pub batch_id: Id,
    pub pos: i32,
    pub subject: Vec<u8>,
    pub reason: String,
}

/// Writes the records of a batch.
///
/// # Errors
/// The write failed.
pub fn append_behaviours(tx: &mut Tx<'_>, rows: Vec<NewBehaviour<'_>>) -> StoreResult<()> {
    match &mut **tx {
        Conn::Pg(c) => bulk::postgres::append_behaviours(c, rows),
        Conn::Sqlite(c) => bulk::sqlite::append_behaviours(c, &rows),
    }
}

/// Writes the batch itself.
///
/// # Errors
/// The write failed.
pub fn append_batch(tx: &mut Tx<'_>, row: &BatchRow) -> StoreResult<()> {
    diesel::insert_into(batches::table)
        .values(row)
        .execute(&mut **tx)?;
    Ok(())
}

/// Writes what was refused.
///
/// # Errors
/// The write failed.
pub fn append_refusals(tx: &mut Tx<'_>, rows: &[RefusalRow]) -> StoreResult<()> {
    each_backend!(&mut **tx, |c| {
        for chunk in rows.chunks(bulk::ROWS_PER_INSERT) {
            diesel::insert_into(refusals::table)
                .values(chunk)
                .execute(c)?;
        }
    });
    Ok(())
}

/// Writes what is held.
///
/// # Errors
/// The write failed.
pub fn append_held(tx: &mut Tx<'_>, rows: &[HeldRow]) -> StoreResult<()> {
    each_backend!(&mut **tx, |c| {
        for chunk in rows.chunks(bulk::ROWS_PER_INSERT) {
            diesel::insert_into(held_records::table)
                .values(chunk)
                .execute(c)?;
        }
    });
    Ok(())
}

/// Records of this subject that still wait, oldest first, at most `limit`.
///
/// # Errors
/// The query failed.
pub fn held_of(
    conn: &mut Conn,
    subject: &SubjectHash,
    limit: i64,
) -> StoreResult<Vec<BehaviourRow>> {
    let released = held_releases::table
        .filter(held_releases::batch_id.eq(held_records::batch_id))
        .filter(held_releases::pos.eq(held_records::pos));
    let revised = revisions::table
        .filter(revisions::revised_batch.eq(held_records::batch_id))
        .filter(revisions::revised_pos.eq(held_records::pos));
    Ok(held_records::table
        .inner_join(
            behaviours::table.on(behaviours::batch_id
                .eq(held_records::batch_id)
                .and(behaviours::pos.eq(held_records::pos))),
        )
        .filter(held_records::subject.eq(subject.as_slice()))
        .filter(diesel::dsl::not(diesel::dsl::exists(released)))
        .filter(diesel::dsl::not(diesel::dsl::exists(revised)))
        .order((held_records::batch_id.asc(), held_records::pos.asc()))
        .limit(limit)
        .select(behaviours::all_columns)
        .load(conn)?)
}

/// Whether this record is held for this subject.
///
/// # Errors
/// The query failed.
pub fn waits_as(
    conn: &mut Conn,
    batch: Uuid,
    pos: i32,
    subject: &SubjectHash,
) -> StoreResult<bool> {
    let held = held_records::table
        .find((Id(batch), pos))
        .filter(held_records::subject.eq(subject.as_slice()));
    Ok(diesel::select(diesel::dsl::exists(held)).get_result(conn)?)
}

/// Marks one held record as released; a second release of the same one is refused by the key.
///
/// # Errors
/// It was released before, or the write failed.
pub fn release_held(tx: &mut Tx<'_>, held: ReductionId, into: ReductionId) -> StoreResult<()> {
    let row = (
        held_releases::batch_id.eq(Id(held.batch)),
        held_releases::pos.eq(place(held)?),
        held_releases::released_batch.eq(Id(into.batch)),
        held_releases::released_pos.eq(place(into)?),
    );
    diesel::insert_into(held_releases::table)
        .values(row)
        .execute(&mut **tx)?;
    Ok(())
}

/// Where a held record's reduction stands, if it was released.
///
/// # Errors
/// The query failed.
pub fn released(conn: &mut Conn, held: ReductionId) -> StoreResult<Option<ReductionId>> {
    let row: Option<(Id, i32)> = held_releases::table
        .find((Id(held.batch), place(held)?))
        .select((held_releases::released_batch, held_releases::released_pos))
        .first(conn)
        .optional()?;
    Ok(row.map(|(batch, pos)| ReductionId {
        batch: batch.0,
        pos: u32::try_from(pos).unwrap_or(0),
    }))
}

/// [`released`] for many records, by the record.
///
/// # Errors
/// The query failed.
pub fn released_all(
    conn: &mut Conn,
    held: &[ReductionId],
) -> StoreResult<HashMap<ReductionId, ReductionId>> {
    #[derive(QueryableByName)]
    #[diesel(table_name = held_releases)]
    struct Row {
        batch_id: Id,
        pos: i32,
        released_batch: Id,
        released_pos: i32,
    }
    match conn {
        Conn::Pg(c) => {
            let rows: Vec<Row> = rows_at(c, "held_releases", ("batch_id", "pos"), held)?;
            Ok(rows
                .into_iter()
                .map(|row| {
                    let later = place_of(row.released_batch, row.released_pos);
                    (place_of(row.batch_id, row.pos), later)
                })
                .collect())
        }
        sqlite => {
            let mut later = HashMap::new();
            for record in held {
                later.extend(released(sqlite, *record)?.map(|into| (*record, into)));
            }
            Ok(later)
        }
    }
}

/// Whether a batch of exactly these bytes was decided for this scene.
///
/// # Errors
/// The query failed.
pub fn seen_body(conn: &mut Conn, scene_id: i32, body_digest: &[u8; 32]) -> StoreResult<bool> {
    let same = batches::table
        .filter(batches::body_digest.eq(body_digest.as_slice()))
        .filter(batches::scene_id.eq(scene_id));
    Ok(diesel::select(diesel::dsl::exists(same)).get_result(conn)?)
}

/// One stored record.
///
/// # Errors
/// There is none, or the query failed.
pub fn behaviour(conn: &mut Conn, id: ReductionId) -> StoreResult<BehaviourRow> {
    Ok(behaviours::table
        .find((Id(id.batch), place(id)?))
        .first(conn)?)
}

/// Some stored records, by their places.
///
/// # Errors
/// The query failed.
pub fn behaviours_at(
    conn: &mut Conn,
    places: &[ReductionId],
) -> StoreResult<HashMap<ReductionId, BehaviourRow>> {
    let rows: Vec<BehaviourRow> = match conn {
        Conn::Pg(c) => rows_at(c, "behaviours", ("batch_id", "pos"), places)?,
        sqlite => {
            let mut rows = Vec::with_capacity(places.len());
            for place in places {
                rows.push(behaviour(sqlite, *place)?);
            }
            rows
        }
    };
    Ok(rows.into_iter().map(|row| (row.place(), row)).collect())
}

/// The digests of some stored records, by their places.
///
/// # Errors
/// The query failed, or a digest is not 32 bytes.
pub fn digests_at(
    conn: &mut Conn,
    places: &[ReductionId],
) -> StoreResult<HashMap<ReductionId, [u8; 32]>> {
    let mut digests = HashMap::with_capacity(places.len());
    match conn {
        Conn::Pg(c) => {
            for (batch, pos, digest) in bulk::places::digests_at(c, places)? {
                digests.insert(place_of(batch, pos), hash(&digest, "behaviours.digest")?);
            }
        }
        sqlite => {
            for at in places {
                let digest = digest(sqlite, at.batch, place(*at)?)?;
                digests.insert(*at, hash(&digest, "behaviours.digest")?);
            }
        }
    }
    Ok(digests)
}

/// The digest of one stored record.
///
/// # Errors
/// The query failed.
pub fn digest(conn: &mut Conn, batch: Uuid, pos: i32) -> StoreResult<Vec<u8>> {
    Ok(behaviours::table
        .find((Id(batch), pos))
        .select(behaviours::digest)
        .first(conn)?)
}

/// Links a subject that nobody has linked yet.
///
/// # Errors
/// The subject is linked already, or the write failed.
pub fn link_subject(
    tx: &mut Tx<'_>,
    subject: &SubjectHash,
    account: Uuid,
    at: Ts,
) -> StoreResult<()> {
    open_link(tx, subject, account, None, at).map(|_| ())
}

pub(in crate::store) fn place_of(batch: Id, pos: i32) -> ReductionId {
    ReductionId {
        batch: batch.0,
        pos: u32::try_from(pos).unwrap_or(0),
    }
}

pub(in crate::store) fn place(id: ReductionId) -> StoreResult<i32> {
    i32::try_from(id.pos).map_err(|_| StoreError::NotFound)
}

pub(in crate::store) fn hash(bytes: &[u8], column: &str) -> StoreResult<[u8; 32]> {
    bytes
        .try_into()
        .map_err(|_| StoreError::Corrupt(format!("{column} is not 32 bytes")))
}
