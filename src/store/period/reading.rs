//! Readings: where the records of a scene with periods stand.

use diesel::prelude::*;
use uuid::Uuid;

use crate::domain::behaviour::SubjectHash;
use crate::domain::wallet::Day;

use super::super::behaviour::BehaviourRow;
use super::super::bulk;
use super::super::schema::{behaviours, readings, revisions};
use super::super::{Conn, Id, StoreResult, Tx};

/// Where one record stands among a subject's.
#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = readings, treat_none_as_default_value = false)]
pub struct ReadingRow {
    pub scene_id: i32,
    pub subject: Vec<u8>,
    /// 1 for what other periods read as of a day.
    pub statement: i32,
    pub day: i32,
    pub out_day: i32,
    pub batch_id: Id,
    pub pos: i32,
}

/// Writes where the records of a batch stand.
///
/// # Errors
/// The write failed.
pub fn append_readings(tx: &mut Tx<'_>, rows: &[ReadingRow]) -> StoreResult<()> {
    each_backend!(&mut **tx, |c| {
        for chunk in rows.chunks(bulk::ROWS_PER_INSERT) {
            diesel::insert_into(readings::table)
                .values(chunk)
                .execute(c)?;
        }
    });
    Ok(())
}

/// A subject's records that touch the days from `from` to before `out`, without those that were
/// replaced or cancelled, in order.
///
/// # Errors
/// The query failed.
pub fn readings_between(
    conn: &mut Conn,
    scene_id: i32,
    subject: &SubjectHash,
    from: Day,
    out: Day,
) -> StoreResult<Vec<BehaviourRow>> {
    standing(conn, scene_id, subject, 0, from, out)
}

/// Everything a subject stated before the day `out`, in order.
///
/// # Errors
/// The query failed.
pub fn statements_before(
    conn: &mut Conn,
    scene_id: i32,
    subject: &SubjectHash,
    out: Day,
) -> StoreResult<Vec<BehaviourRow>> {
    standing(conn, scene_id, subject, 1, Day::MIN, out)
}

fn standing(
    conn: &mut Conn,
    scene_id: i32,
    subject: &SubjectHash,
    statement: i32,
    from: Day,
    out: Day,
) -> StoreResult<Vec<BehaviourRow>> {
    let revised = revisions::table
        .filter(revisions::revised_batch.eq(readings::batch_id))
        .filter(revisions::revised_pos.eq(readings::pos));
    Ok(readings::table
        .inner_join(
            behaviours::table.on(behaviours::batch_id
                .eq(readings::batch_id)
                .and(behaviours::pos.eq(readings::pos))),
        )
        .filter(readings::scene_id.eq(scene_id))
        .filter(readings::subject.eq(subject.as_slice()))
        .filter(readings::statement.eq(statement))
        // A record is rarely longer than a bill; its first day bounds the search.
        .filter(readings::day.ge(from.saturating_sub(LONGEST_DAYS)))
        .filter(readings::day.lt(out))
        .filter(readings::out_day.gt(from))
        .filter(diesel::dsl::not(diesel::dsl::exists(revised)))
        .order((
            behaviours::from_at.asc(),
            behaviours::batch_id.asc(),
            behaviours::pos.asc(),
        ))
        .select(behaviours::all_columns)
        .load(conn)?)
}

/// Whether this record is a reading of this subject.
///
/// # Errors
/// The query failed.
pub fn reading_of(
    conn: &mut Conn,
    scene_id: i32,
    subject: &SubjectHash,
    day: Day,
    batch: Uuid,
    pos: i32,
) -> StoreResult<bool> {
    let known = readings::table
        .filter(readings::scene_id.eq(scene_id))
        .filter(readings::subject.eq(subject.as_slice()))
        .filter(readings::day.eq(day))
        .filter(readings::batch_id.eq(Id(batch)))
        .filter(readings::pos.eq(pos));
    Ok(diesel::select(diesel::dsl::exists(known)).get_result(conn)?)
}

/// The most days that one record can cover.
pub const LONGEST_DAYS: Day = 400;

/// Everything a subject has recorded in any scene, for when its link is made: scene, first day,
/// first day that is out.
///
/// # Errors
/// The query failed.
pub fn recorded_days(conn: &mut Conn, subject: &SubjectHash) -> StoreResult<Vec<(i32, Day, Day)>> {
    Ok(readings::table
        .filter(readings::subject.eq(subject.as_slice()))
        .filter(readings::statement.eq(0))
        .select((readings::scene_id, readings::day, readings::out_day))
        .distinct()
        .order((readings::scene_id.asc(), readings::day.asc()))
        .load(conn)?)
}
