//! Feeds that are pulled: one row each, and one for every request that was made.

use diesel::prelude::*;
use uuid::Uuid;

use super::schema::{pull_feeds, pull_runs};
use super::{Conn, Id, IdT, StoreResult, Ts, TsT, Tx};

/// Where one pull feed stands.
#[derive(Debug, Clone, PartialEq, Queryable, QueryableByName, Insertable)]
#[diesel(table_name = pull_feeds, treat_none_as_default_value = false)]
pub struct PullFeedRow {
    pub scene_id: i32,
    /// TOML, as [`crate::domain::scene::pull`] reads it.
    pub declaration: String,
    pub declared_at: Ts,
    /// [`crate::domain::scene::pull::State`].
    pub state: String,
    /// Everything before it was taken in once.
    pub watermark: Ts,
    /// When it is due; while it runs, when its lease ends.
    pub next_at: Ts,
    /// The turn that runs.
    pub lease: Option<Id>,
    /// In a row.
    pub failures: i32,
    /// A problem's code and what it says.
    pub last_error: Option<String>,
    pub succeeded_at: Option<Ts>,
}

/// One request: never changed.
#[derive(Debug, Clone, PartialEq, Queryable, Insertable)]
#[diesel(table_name = pull_runs, treat_none_as_default_value = false)]
pub struct PullRunRow {
    pub scene_id: i32,
    pub seq: i64,
    pub started_at: Ts,
    pub ended_at: Ts,
    pub range_from: Ts,
    pub range_to: Ts,
    pub page: i32,
    /// SHA-256 of the address.
    pub request: Vec<u8>,
    /// The answer's; absent where there was none.
    pub status: Option<i32>,
    /// `ingested`, `unchanged`, `empty`, `later`, `failed` or `denied`.
    pub outcome: String,
    pub code: Option<String>,
    /// Of the body, unpacked.
    pub bytes: i64,
    /// SHA-256 of the body.
    pub digest: Option<Vec<u8>>,
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    pub accepted: i64,
    pub replayed: i64,
    pub refused: i64,
    pub held: i64,
    pub reduction_mg: i64,
    pub points: i64,
}

/// `ETag` and `Last-Modified` of an answer.
pub type Validators = (Option<String>, Option<String>);

/// Every pull feed, in order of scene.
///
/// # Errors
/// The query failed.
pub fn feeds(conn: &mut Conn) -> StoreResult<Vec<PullFeedRow>> {
    Ok(pull_feeds::table.order(pull_feeds::scene_id).load(conn)?)
}

/// # Errors
/// The query failed.
pub fn feed(conn: &mut Conn, scene: i32) -> StoreResult<Option<PullFeedRow>> {
    Ok(pull_feeds::table.find(scene).first(conn).optional()?)
}

/// Whether any feed is due: a look that takes nothing.
///
/// # Errors
/// The query failed.
pub fn any_due(conn: &mut Conn, now: Ts) -> StoreResult<bool> {
    let due = pull_feeds::table
        .filter(pull_feeds::state.eq_any(["idle", "backing_off", "running"]))
        .filter(pull_feeds::next_at.le(now));
    let first: Option<i32> = due.select(pull_feeds::scene_id).first(conn).optional()?;
    Ok(first.is_some())
}

/// The newest runs of a feed, the newest first.
///
/// # Errors
/// The query failed.
pub fn runs(conn: &mut Conn, scene: i32, limit: i64) -> StoreResult<Vec<PullRunRow>> {
    Ok(pull_runs::table
        .filter(pull_runs::scene_id.eq(scene))
        .order(pull_runs::seq.desc())
        .limit(limit)
        .load(conn)?)
}

/// Declares a feed; an earlier declaration of the scene is replaced, and a turn that runs under it
/// loses its lease.
///
/// # Errors
/// The scene is unknown, or the write failed.
pub fn declare(tx: &mut Tx<'_>, row: &PullFeedRow) -> StoreResult<()> {
    let known = pull_feeds::table.find(row.scene_id);
    let changed = diesel::update(known)
        .set((
            pull_feeds::declaration.eq(&row.declaration),
            pull_feeds::declared_at.eq(row.declared_at),
            pull_feeds::state.eq(&row.state),
            pull_feeds::watermark.eq(row.watermark),
            pull_feeds::next_at.eq(row.next_at),
            pull_feeds::lease.eq(row.lease),
            pull_feeds::failures.eq(row.failures),
            pull_feeds::last_error.eq(&row.last_error),
        ))
        .execute(&mut **tx)?;
    if changed == 0 {
        diesel::insert_into(pull_feeds::table)
            .values(row)
            .execute(&mut **tx)?;
    }
    Ok(())
}

/// Puts a feed into a state by an officer's act; a turn that runs loses its lease. False where
/// there is no feed.
///
/// # Errors
/// The write failed.
pub fn set_state(tx: &mut Tx<'_>, scene: i32, state: &str, at: Ts) -> StoreResult<bool> {
    let changed = diesel::update(pull_feeds::table.find(scene))
        .set((
            pull_feeds::state.eq(state),
            pull_feeds::next_at.eq(at),
            pull_feeds::lease.eq(None::<Id>),
            pull_feeds::failures.eq(0),
        ))
        .execute(&mut **tx)?;
    Ok(changed == 1)
}

/// Takes the feed that has been due longest and hides it from others until `until`.
///
/// # Errors
/// The write failed.
pub fn take_due(
    tx: &mut Tx<'_>,
    lease: Uuid,
    now: Ts,
    until: Ts,
) -> StoreResult<Option<PullFeedRow>> {
    // SQLite has one writer, and this transaction is it.
    let lock = match &**tx {
        Conn::Pg(_) => "FOR UPDATE SKIP LOCKED",
        Conn::Sqlite(_) => "",
    };
    let rows = diesel::sql_query(format!(
        "UPDATE pull_feeds SET state = 'running', lease = $1, next_at = $2 WHERE scene_id = \
         (SELECT scene_id FROM pull_feeds \
          WHERE state IN ('idle', 'backing_off', 'running') AND next_at <= $3 \
          ORDER BY next_at, scene_id LIMIT 1 {lock}) \
         RETURNING scene_id, declaration, declared_at, state, watermark, next_at, lease, failures, \
         last_error, succeeded_at"
    ))
    .bind::<IdT, _>(Id(lease))
    .bind::<TsT, _>(until)
    .bind::<TsT, _>(now);
    Ok(rows.load(&mut **tx)?.pop())
}

/// Holds a lease for longer; false where it was lost.
///
/// # Errors
/// The write failed.
pub fn renew(tx: &mut Tx<'_>, scene: i32, lease: Uuid, until: Ts) -> StoreResult<bool> {
    let held = pull_feeds::table
        .find(scene)
        .filter(pull_feeds::lease.eq(Some(Id(lease))));
    let changed = diesel::update(held)
        .set(pull_feeds::next_at.eq(until))
        .execute(&mut **tx)?;
    Ok(changed == 1)
}

/// Moves the watermark of a feed under its lease, forwards only; false where the lease was lost.
///
/// # Errors
/// The write failed.
pub fn advance(tx: &mut Tx<'_>, scene: i32, lease: Uuid, to: Ts) -> StoreResult<bool> {
    let held = pull_feeds::table
        .find(scene)
        .filter(pull_feeds::lease.eq(Some(Id(lease))));
    let watermark: Option<Ts> = held
        .select(pull_feeds::watermark)
        .first(&mut **tx)
        .optional()?;
    let Some(watermark) = watermark else {
        return Ok(false);
    };
    let changed = diesel::update(held)
        .set(pull_feeds::watermark.eq(watermark.max(to)))
        .execute(&mut **tx)?;
    Ok(changed == 1)
}

/// Ends a turn; false where its lease was lost.
///
/// # Errors
/// The write failed.
pub fn end_turn(tx: &mut Tx<'_>, lease: Uuid, row: &PullFeedRow) -> StoreResult<bool> {
    let held = pull_feeds::table
        .find(row.scene_id)
        .filter(pull_feeds::lease.eq(Some(Id(lease))));
    let changed = diesel::update(held)
        .set((
            pull_feeds::state.eq(&row.state),
            pull_feeds::next_at.eq(row.next_at),
            pull_feeds::lease.eq(None::<Id>),
            pull_feeds::failures.eq(row.failures),
            pull_feeds::last_error.eq(&row.last_error),
            pull_feeds::succeeded_at.eq(row.succeeded_at),
        ))
        .execute(&mut **tx)?;
    Ok(changed == 1)
}

/// Locks a feed to the end of the transaction; false where there is none.
///
/// # Errors
/// The write failed.
pub fn lock(tx: &mut Tx<'_>, scene: i32) -> StoreResult<bool> {
    // A write that changes nothing locks the row on both databases.
    let changed = diesel::update(pull_feeds::table.find(scene))
        .set(pull_feeds::scene_id.eq(scene))
        .execute(&mut **tx)?;
    Ok(changed == 1)
}

/// Appends a run under the next number of its feed, which the caller has locked; the number in
/// `row` is not looked at.
///
/// # Errors
/// The write failed.
pub fn append_run(tx: &mut Tx<'_>, row: &PullRunRow) -> StoreResult<()> {
    let last: Option<i64> = pull_runs::table
        .filter(pull_runs::scene_id.eq(row.scene_id))
        .select(diesel::dsl::max(pull_runs::seq))
        .first(&mut **tx)?;
    let row = PullRunRow {
        seq: last.unwrap_or(0) + 1,
        ..row.clone()
    };
    diesel::insert_into(pull_runs::table)
        .values(&row)
        .execute(&mut **tx)?;
    Ok(())
}

/// What this request answered when its body was last taken in to the end, since the feed was
/// declared as it is.
///
/// # Errors
/// The query failed.
pub fn validators(
    conn: &mut Conn,
    scene: i32,
    request: &[u8; 32],
    declared_at: Ts,
) -> StoreResult<Validators> {
    let found: Option<Validators> = pull_runs::table
        .filter(pull_runs::scene_id.eq(scene))
        .filter(pull_runs::request.eq(request.as_slice()))
        .filter(pull_runs::outcome.eq("ingested"))
        .filter(pull_runs::started_at.ge(declared_at))
        .order(pull_runs::seq.desc())
        .select((pull_runs::etag, pull_runs::last_modified))
        .first(conn)
        .optional()?;
    Ok(found.unwrap_or_default())
}
