//! Sums over whole tables, for the audit. One text for both databases; ids come out as hex.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::{Conn, StoreResult};

/// Two queries: how many rows there are, and the first that do not agree as
/// `(place, expected, found)`.
#[derive(Debug, Clone, Copy)]
pub struct Sums {
    pub(super) count: &'static str,
    pub(super) mismatches: &'static str,
}

/// The first place where two books disagree.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Mismatch {
    #[diesel(sql_type = Text)]
    pub place: String,
    #[diesel(sql_type = BigInt)]
    pub expected: i64,
    #[diesel(sql_type = BigInt)]
    pub found: i64,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

pub const TRANSFERS_BALANCE: Sums = Sums {
    count: "SELECT COUNT(*) AS rows FROM transfers",
    mismatches: "SELECT $id(t.id) AS place, CAST(0 AS BIGINT) AS expected, \
         CAST(COALESCE(e.total, 1) AS BIGINT) AS found FROM transfers t LEFT JOIN \
         (SELECT transfer_id, SUM(available + held) AS total FROM entries GROUP BY transfer_id) e \
         ON e.transfer_id = t.id WHERE COALESCE(e.total, 1) <> 0",
};

pub const LOTS_EQUAL_ENTRIES: Sums = Sums {
    count: "SELECT COUNT(*) AS rows FROM lots",
    mismatches: "SELECT $id(COALESCE(l.account_id, e.account_id)) AS place, \
         CAST(COALESCE(e.available + e.held, 0) AS BIGINT) AS expected, \
         CAST(COALESCE(l.available + l.held, 0) AS BIGINT) AS found FROM lots l FULL JOIN \
         (SELECT account_id, bucket, SUM(available) AS available, SUM(held) AS held FROM entries \
          WHERE bucket <> 0 GROUP BY account_id, bucket) e \
         ON e.account_id = l.account_id AND e.bucket = l.bucket \
         WHERE COALESCE(l.available, 0) <> COALESCE(e.available, 0) \
            OR COALESCE(l.held, 0) <> COALESCE(e.held, 0)",
};

pub const CREDITS_EQUAL_REDUCTIONS: Sums = Sums {
    count: "SELECT COUNT(*) AS rows FROM reductions",
    mismatches: "SELECT $id(COALESCE(r.account_id, e.account_id)) AS place, \
         CAST(COALESCE(r.points, 0) AS BIGINT) AS expected, \
         CAST(COALESCE(e.points, 0) AS BIGINT) AS found FROM \
         (SELECT batch_id, account_id, day, SUM(points) AS points, SUM(mg) AS mg FROM reductions \
          GROUP BY batch_id, account_id, day) r FULL JOIN \
         (SELECT transfer_id, account_id, day, SUM(available) AS points, SUM(reduction_mg) AS mg \
          FROM entries WHERE records > 0 GROUP BY transfer_id, account_id, day) e \
         ON e.transfer_id = r.batch_id AND e.account_id = r.account_id AND e.day = r.day \
         WHERE COALESCE(r.points, -1) <> COALESCE(e.points, -1) \
            OR COALESCE(r.mg, -1) <> COALESCE(e.mg, -1)",
};

pub const BATCHES_EQUAL_REDUCTIONS: Sums = Sums {
    count: "SELECT COUNT(*) AS rows FROM batches",
    mismatches: "SELECT $id(b.id) AS place, CAST(COALESCE(r.mg, 0) AS BIGINT) AS expected, \
         b.reduction_mg AS found FROM batches b LEFT JOIN \
         (SELECT batch_id, COUNT(*) AS records, SUM(mg) AS mg, SUM(points) AS points \
          FROM reductions GROUP BY batch_id) r ON r.batch_id = b.id \
         WHERE b.reduction_mg <> COALESCE(r.mg, 0) OR b.points <> COALESCE(r.points, 0) \
            OR b.accepted <> COALESCE(r.records, 0)",
};

pub const REDUCTIONS_HAVE_BEHAVIOURS: Sums = Sums {
    count: "SELECT COUNT(*) AS rows FROM behaviours",
    mismatches: "SELECT $id(r.batch_id) AS place, CAST(r.pos AS BIGINT) AS expected, \
         CAST(-1 AS BIGINT) AS found FROM reductions r LEFT JOIN behaviours b \
         ON b.batch_id = COALESCE(r.origin_batch, r.batch_id) \
            AND b.pos = COALESCE(r.origin_pos, r.pos) WHERE b.batch_id IS NULL",
};

/// The shares of a record are all of what it came to, and their weights all of the weights.
pub const SHARES_EQUAL_WHOLE: Sums = Sums {
    count: "SELECT COUNT(*) AS rows FROM reduction_shares",
    mismatches: "SELECT $id(s.record_batch) AS place, CAST(s.whole_mg AS BIGINT) AS expected, \
         CAST(s.mg AS BIGINT) AS found FROM \
         (SELECT p.record_batch, p.record_pos, MAX(p.whole_mg) AS whole_mg, \
           MIN(p.whole_mg) AS least_mg, COALESCE(SUM(r.mg), 0) AS mg, MAX(p.weights) AS weights, \
           MIN(p.weights) AS least_weights, SUM(p.weight) AS weight \
          FROM reduction_shares p LEFT JOIN reductions r \
          ON r.batch_id = p.batch_id AND r.pos = p.pos GROUP BY p.record_batch, p.record_pos) s \
         WHERE s.mg <> s.whole_mg OR s.least_mg <> s.whole_mg OR s.weight <> s.weights \
            OR s.least_weights <> s.weights",
};

/// Each share is the whole by its weight, to less than a milligram.
pub const SHARES_FOLLOW_WEIGHTS: Sums = Sums {
    count: "SELECT COUNT(*) AS rows FROM reduction_shares",
    mismatches: "SELECT $id(p.batch_id) AS place, \
         CAST(p.whole_mg * p.weight / p.weights AS BIGINT) AS expected, \
         CAST(COALESCE(r.mg, -1) AS BIGINT) AS found FROM reduction_shares p \
         LEFT JOIN reductions r ON r.batch_id = p.batch_id AND r.pos = p.pos \
         WHERE r.mg IS NULL OR ABS(r.mg * p.weights - p.whole_mg * p.weight) >= p.weights",
};

/// A period's reductions, however many share it, are what the period came to.
pub const PERIODS_EQUAL_CREDITS: Sums = Sums {
    count: "SELECT COUNT(*) AS rows FROM period_results",
    mismatches: "SELECT $id(p.subject) AS place, CAST(p.mg AS BIGINT) AS expected, \
         CAST(COALESCE(c.mg, 0) AS BIGINT) AS found FROM period_results p LEFT JOIN \
         (SELECT k.scene_id, k.subject, k.day, k.seq, SUM(r.mg) AS mg FROM period_credits k \
          JOIN reductions r ON r.batch_id = k.batch_id AND r.pos = k.pos \
          GROUP BY k.scene_id, k.subject, k.day, k.seq) c \
         ON c.scene_id = p.scene_id AND c.subject = p.subject AND c.day = p.day AND c.seq = p.seq \
         WHERE p.mg <> COALESCE(c.mg, 0)",
};

/// A subject's links follow each other: each begins on the day on which the one before ends.
pub const LINKS_FOLLOW: Sums = Sums {
    count: "SELECT COUNT(*) AS rows FROM subject_links",
    mismatches: "SELECT $id(l.subject) AS place, CAST(COALESCE(b.out_day, -1) AS BIGINT) AS expected, \
         CAST(l.from_day AS BIGINT) AS found FROM subject_links l LEFT JOIN subject_links b \
         ON b.subject = l.subject AND b.seq = l.seq - 1 \
         WHERE l.seq > 1 AND (b.out_day IS NULL OR b.out_day <> l.from_day)",
};

/// Counts the rows and finds the first mismatch.
///
/// # Errors
/// A query failed.
pub fn compare(conn: &mut Conn, sums: Sums) -> StoreResult<(u64, Option<Mismatch>)> {
    let hex = match conn {
        Conn::Pg(_) => "text",
        Conn::Sqlite(_) => "hex",
    };
    let rows: Count = diesel::sql_query(sums.count).get_result(conn)?;
    let text = format!("{} ORDER BY 1 LIMIT 1", sums.mismatches.replace("$id", hex));
    let mismatch = diesel::sql_query(text).get_result(conn).optional()?;
    Ok((u64::try_from(rows.rows).unwrap_or(0), mismatch))
}
