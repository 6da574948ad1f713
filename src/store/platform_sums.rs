//! What the whole platform has done so far, in a handful of sums.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::{Conn, StoreResult};

/// Sums over all books, read in one statement and so at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
pub struct PlatformSums {
    /// Records that were accepted, at once or after they were held.
    #[diesel(sql_type = BigInt)]
    pub reductions: i64,
    #[diesel(sql_type = BigInt)]
    pub reduction_mg: i64,
    /// Points ever credited.
    #[diesel(sql_type = BigInt)]
    pub points_issued: i64,
    /// Points of vouchers that merchants took.
    #[diesel(sql_type = BigInt)]
    pub points_redeemed: i64,
    /// Points that lapsed unspent.
    #[diesel(sql_type = BigInt)]
    pub points_expired: i64,
    #[diesel(sql_type = BigInt)]
    pub vouchers_written_off: i64,
    /// What merchants are owed, in fen.
    #[diesel(sql_type = BigInt)]
    pub settlement_fen: i64,
    /// Tonnes ever issued.
    #[diesel(sql_type = BigInt)]
    pub issued_t: i64,
    /// The lowest and highest serial number issued; 0 while there is none.
    #[diesel(sql_type = BigInt)]
    pub first_serial: i64,
    #[diesel(sql_type = BigInt)]
    pub last_serial: i64,
    /// Tonnes whose title moved by a trade on the exchange.
    #[diesel(sql_type = BigInt)]
    pub sold_t: i64,
    #[diesel(sql_type = BigInt)]
    pub retired_t: i64,
}

const SUMS: &str = "SELECT \
     (SELECT COUNT(*) FROM reductions) AS reductions, \
     (SELECT CAST(COALESCE(SUM(mg), 0) AS BIGINT) FROM reductions) AS reduction_mg, \
     (SELECT CAST(COALESCE(SUM(credits), 0) AS BIGINT) FROM transfers \
       WHERE kind = 'credit') AS points_issued, \
     (SELECT CAST(COALESCE(SUM(credits), 0) AS BIGINT) FROM transfers \
       WHERE kind = 'write_off') AS points_redeemed, \
     (SELECT CAST(COALESCE(SUM(credits), 0) AS BIGINT) FROM transfers \
       WHERE kind = 'expire') AS points_expired, \
     (SELECT COUNT(*) FROM vouchers WHERE state = 'used') AS vouchers_written_off, \
     (SELECT CAST(COALESCE(SUM(settlement_fen), 0) AS BIGINT) FROM vouchers \
       WHERE state = 'used') AS settlement_fen, \
     (SELECT CAST(COALESCE(SUM(last_serial - first_serial + 1), 0) AS BIGINT) \
       FROM cer_issuances) AS issued_t, \
     (SELECT COALESCE(MIN(first_serial), 0) FROM cer_issuances) AS first_serial, \
     (SELECT COALESCE(MAX(last_serial), 0) FROM cer_issuances) AS last_serial, \
     (SELECT CAST(COALESCE(SUM(last_serial - first_serial + 1), 0) AS BIGINT) \
       FROM registry_acts WHERE kind = 'sell') AS sold_t, \
     (SELECT CAST(COALESCE(SUM(last_serial - first_serial + 1), 0) AS BIGINT) \
       FROM retirements) AS retired_t";

/// # Errors
/// The query failed.
pub fn platform_sums(conn: &mut Conn) -> StoreResult<PlatformSums> {
    Ok(diesel::sql_query(SUMS).get_result(conn)?)
}
