//! When something was last recorded of a subject, scene by scene.

use diesel::dsl::{max, sql};
use diesel::prelude::*;
use diesel::sql_types::Integer;
use uuid::Uuid;

use crate::domain::behaviour::SubjectHash;
use crate::domain::wallet::Day;

use super::schema::{entries, readings, reduction_shares, reductions};
use super::{Conn, Id, StoreResult};

/// The last day that a reading of this subject covers, by scene; scenes that count single acts do
/// not know their records' subjects.
///
/// # Errors
/// The query failed.
pub fn days_recorded(conn: &mut Conn, subject: &SubjectHash) -> StoreResult<Vec<(i32, Day)>> {
    let rows: Vec<(i32, Option<Day>)> = readings::table
        .filter(readings::subject.eq(subject.as_slice()))
        .filter(readings::statement.eq(0))
        .group_by(readings::scene_id)
        .select((readings::scene_id, max(readings::out_day)))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|(scene, out)| Some((scene, out? - 1)))
        .collect())
}

/// The last day of a subject's shared records, by scene.
///
/// # Errors
/// The query failed.
pub fn days_shared(conn: &mut Conn, subject: &SubjectHash) -> StoreResult<Vec<(i32, Day)>> {
    let rows: Vec<(i32, Option<Day>)> = reduction_shares::table
        .inner_join(
            reductions::table.on(reductions::batch_id
                .eq(reduction_shares::batch_id)
                .and(reductions::pos.eq(reduction_shares::pos))),
        )
        .filter(reduction_shares::subject.eq(subject.as_slice()))
        .group_by(reductions::scene_id)
        .select((reductions::scene_id, max(reduction_shares::day)))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|(scene, day)| Some((scene, day?)))
        .collect())
}

/// The last day since `from` of an account's reductions, by scene.
///
/// # Errors
/// The query failed.
pub fn days_rewarded(conn: &mut Conn, account: Uuid, from: Day) -> StoreResult<Vec<(i32, Day)>> {
    let rows: Vec<(i32, Option<Day>)> = entries::table
        .inner_join(
            reductions::table.on(reductions::batch_id
                .eq(entries::transfer_id)
                .and(reductions::pos.ge(entries::first_pos))
                .and(reductions::pos.lt(sql::<Integer>("entries.first_pos + entries.records")))),
        )
        .filter(entries::account_id.eq(Id(account)))
        .filter(reductions::account_id.eq(Id(account)))
        .filter(entries::day.ge(from))
        .filter(entries::records.gt(0))
        .group_by(reductions::scene_id)
        .select((reductions::scene_id, max(reductions::day)))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|(scene, day)| Some((scene, day?)))
        .collect())
}
