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

// Two tables are compared by adding both up side by side: SQLite answers a full join of them in
// the square of their rows.

pub const LOTS_EQUAL_ENTRIES: Sums = Sums {
    count: "SELECT COUNT(*) AS rows FROM lots",
    mismatches: "SELECT $id(b.account_id) AS place, CAST(b.ea + b.eh AS BIGINT) AS expected, \
         CAST(b.la + b.lh AS BIGINT) AS found FROM \
         (SELECT u.account_id, u.bucket, SUM(u.la) AS la, SUM(u.lh) AS lh, SUM(u.ea) AS ea, \
          SUM(u.eh) AS eh FROM \
          (SELECT account_id, bucket, available AS la, held AS lh, 0 AS ea, 0 AS eh FROM lots \
           UNION ALL SELECT account_id, bucket, 0, 0, available, held FROM entries \
           WHERE bucket <> 0) u GROUP BY u.account_id, u.bucket) b \
         WHERE b.la <> b.ea OR b.lh <> b.eh",
};

pub const CREDITS_EQUAL_REDUCTIONS: Sums = Sums {
    count: "SELECT COUNT(*) AS rows FROM reductions",
    mismatches: "SELECT $id(b.account_id) AS place, CAST(b.rp AS BIGINT) AS expected, \
         CAST(b.ep AS BIGINT) AS found FROM \
         (SELECT u.id, u.account_id, u.day, SUM(u.rp) AS rp, SUM(u.rm) AS rm, SUM(u.rn) AS rn, \
          SUM(u.ep) AS ep, SUM(u.em) AS em, SUM(u.en) AS en FROM \
          (SELECT batch_id AS id, account_id, day, points AS rp, mg AS rm, 1 AS rn, 0 AS ep, \
           0 AS em, 0 AS en FROM reductions \
           UNION ALL SELECT transfer_id, account_id, day, 0, 0, 0, available, reduction_mg, 1 \
           FROM entries WHERE records > 0) u GROUP BY u.id, u.account_id, u.day) b \
         WHERE b.rp <> b.ep OR b.rm <> b.em OR b.rn = 0 OR b.en = 0",
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

/// A counter-entry is minus what it takes back, of the same account and day; and no reduction is
/// below zero that is no counter-entry.
pub const COUNTER_ENTRIES_MIRROR: Sums = Sums {
    count: "SELECT COUNT(*) AS rows FROM corrections",
    mismatches: "SELECT $id(k.batch_id) AS place, CAST(COALESCE(-r.mg, 0) AS BIGINT) AS expected, \
         CAST(COALESCE(c.mg, 0) AS BIGINT) AS found FROM corrections k \
         LEFT JOIN reductions c ON c.batch_id = k.batch_id AND c.pos = k.pos \
         LEFT JOIN reductions r ON r.batch_id = k.reversed_batch AND r.pos = k.reversed_pos \
         WHERE c.batch_id IS NULL OR r.batch_id IS NULL OR c.mg <> -r.mg \
            OR c.account_id <> r.account_id OR c.day <> r.day OR c.scene_id <> r.scene_id \
         UNION ALL \
         SELECT $id(c.batch_id), CAST(0 AS BIGINT), c.mg FROM reductions c WHERE c.mg < 0 \
            AND NOT EXISTS (SELECT 1 FROM corrections k \
                            WHERE k.batch_id = c.batch_id AND k.pos = c.pos)",
};

/// A record that was cancelled before it came is claimed by its cancellation.
pub const AWAITED_ARE_CLAIMED: Sums = Sums {
    count: "SELECT COUNT(*) AS rows FROM awaited_records",
    mismatches: "SELECT $id(a.batch_id) AS place, CAST(a.pos AS BIGINT) AS expected, \
         CAST(-1 AS BIGINT) AS found FROM awaited_records a LEFT JOIN claims c \
         ON c.key = a.key AND c.batch_id = a.batch_id AND c.pos = a.pos WHERE c.key IS NULL",
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
