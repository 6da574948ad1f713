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
