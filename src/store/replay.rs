//! Stored behaviour as it was sent, for trying another methodology on it. Reads only.

use diesel::prelude::*;

use crate::domain::behaviour::SubjectHash;
use crate::domain::reduction::ReductionId;
use crate::domain::wallet::Day;

use super::behaviour::{BehaviourRow, hash, place};
use super::schema::{behaviours, held_records, readings, revisions};
use super::{Conn, Id, StoreResult, Ts};

/// Whether this scene's records wait for their periods as readings.
///
/// # Errors
/// The query failed.
pub fn has_readings(conn: &mut Conn, scene_id: i32) -> StoreResult<bool> {
    let any = readings::table.filter(readings::scene_id.eq(scene_id));
    Ok(diesel::select(diesel::dsl::exists(any)).get_result(conn)?)
}

/// The next subjects after `after` that recorded something for the days from `from` to before
/// `out`, in order.
///
/// # Errors
/// The query failed.
pub fn reading_subjects(
    conn: &mut Conn,
    scene_id: i32,
    (from, out): (Day, Day),
    after: &[u8],
    limit: i64,
) -> StoreResult<Vec<SubjectHash>> {
    let subjects: Vec<Vec<u8>> = readings::table
        .filter(readings::scene_id.eq(scene_id))
        .filter(readings::statement.eq(0))
        .filter(readings::subject.gt(after))
        .filter(readings::day.lt(out).and(readings::out_day.gt(from)))
        .select(readings::subject)
        .distinct()
        .order(readings::subject.asc())
        .limit(limit)
        .load(conn)?;
    subjects
        .iter()
        .map(|subject| hash(subject, "readings.subject"))
        .collect()
}

/// The next records of a scene that were counted or held one by one and began from `from` to
/// before `out`, in the order of their ids; each with its subject where it is held. What was
/// replaced or cancelled, and cancellations, are left out.
///
/// # Errors
/// The query failed.
pub fn events_after(
    conn: &mut Conn,
    scene_id: i32,
    (from, out): (Ts, Ts),
    after: Option<ReductionId>,
    limit: i64,
) -> StoreResult<Vec<(BehaviourRow, Option<Vec<u8>>)>> {
    let (batch, pos) = match after {
        Some(id) => (Id(id.batch), place(id)?),
        None => (Id(uuid::Uuid::nil()), -1),
    };
    let revised = revisions::table
        .filter(revisions::revised_batch.eq(behaviours::batch_id))
        .filter(revisions::revised_pos.eq(behaviours::pos));
    let cancels = revisions::table
        .filter(revisions::batch_id.eq(behaviours::batch_id))
        .filter(revisions::pos.eq(behaviours::pos))
        .filter(revisions::cancels.eq(1));
    Ok(behaviours::table
        .left_join(
            held_records::table.on(held_records::batch_id
                .eq(behaviours::batch_id)
                .and(held_records::pos.eq(behaviours::pos))),
        )
        .filter(behaviours::batch_id.ge(batch))
        .filter(behaviours::batch_id.gt(batch).or(behaviours::pos.gt(pos)))
        .filter(behaviours::scene_id.eq(scene_id))
        .filter(
            behaviours::from_at
                .ge(from)
                .and(behaviours::from_at.lt(out)),
        )
        .filter(diesel::dsl::not(diesel::dsl::exists(revised)))
        .filter(diesel::dsl::not(diesel::dsl::exists(cancels)))
        .order((behaviours::batch_id.asc(), behaviours::pos.asc()))
        .limit(limit)
        .select((behaviours::all_columns, held_records::subject.nullable()))
        .load(conn)?)
}
