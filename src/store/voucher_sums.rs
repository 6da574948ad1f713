//! Sums over vouchers, for the audit: against lots, transfers and stock.

use super::ledger_sums::Sums;

pub const HELD_EQUALS_VOUCHERS: Sums = Sums {
    count: "SELECT COUNT(*) AS rows FROM lots",
    mismatches: "SELECT $id(COALESCE(l.account_id, h.account_id)) AS place, \
         CAST(COALESCE(h.points, 0) AS BIGINT) AS expected, \
         CAST(COALESCE(l.held, 0) AS BIGINT) AS found FROM lots l FULL JOIN \
         (SELECT g.account_id, g.bucket, SUM(g.points) AS points FROM voucher_lots g \
          JOIN vouchers v ON v.account_id = g.account_id AND v.id = g.voucher_id \
          WHERE v.state = 'issued' GROUP BY g.account_id, g.bucket) h \
         ON h.account_id = l.account_id AND h.bucket = l.bucket \
         WHERE COALESCE(l.held, 0) <> COALESCE(h.points, 0)",
};

pub const PRICES_EQUAL_LOTS: Sums = Sums {
    count: "SELECT COUNT(*) AS rows FROM vouchers",
    mismatches: "SELECT $id(COALESCE(v.id, g.voucher_id)) AS place, \
         CAST(COALESCE(v.points, 0) AS BIGINT) AS expected, \
         CAST(COALESCE(g.points, 0) AS BIGINT) AS found FROM vouchers v FULL JOIN \
         (SELECT account_id, voucher_id, SUM(points) AS points FROM voucher_lots \
          GROUP BY account_id, voucher_id) g \
         ON g.account_id = v.account_id AND g.voucher_id = v.id \
         WHERE COALESCE(v.points, 0) <> COALESCE(g.points, 0)",
};

pub const VOUCHERS_HAVE_TRANSFERS: Sums = Sums {
    count: "SELECT COUNT(*) AS rows FROM vouchers",
    mismatches: "SELECT $id(v.id) AS place, v.points AS expected, \
         CAST(COALESCE(h.debits, -1) + CASE WHEN v.state = 'issued' THEN 0 \
          ELSE COALESCE(c.debits, -1) - v.points END AS BIGINT) AS found FROM vouchers v \
         LEFT JOIN transfers h ON h.id = v.hold_id AND h.kind = 'hold' \
         LEFT JOIN transfers c ON c.id = v.closing_id \
          AND c.kind = CASE WHEN v.state = 'used' THEN 'write_off' ELSE 'release' END \
         WHERE COALESCE(h.debits, -1) <> v.points \
            OR (v.state <> 'issued' AND COALESCE(c.debits, -1) <> v.points)",
};

pub const TRANSFERS_HAVE_VOUCHERS: Sums = Sums {
    count: "SELECT COUNT(*) AS rows FROM transfers \
         WHERE kind IN ('hold', 'write_off', 'release')",
    mismatches: "SELECT $id(t.id) AS place, CAST(0 AS BIGINT) AS expected, t.debits AS found \
         FROM transfers t LEFT JOIN (SELECT hold_id AS id FROM vouchers UNION ALL \
          SELECT closing_id FROM vouchers WHERE closing_id IS NOT NULL) v ON v.id = t.id \
         WHERE t.kind IN ('hold', 'write_off', 'release') AND v.id IS NULL",
};

pub const STOCK_EQUALS_VOUCHERS: Sums = Sums {
    count: "SELECT COUNT(*) AS rows FROM offers",
    mismatches: "SELECT $id(o.id) AS place, CAST(COALESCE(v.pieces, 0) AS BIGINT) AS expected, \
         o.stocked - o.stock AS found FROM offers o LEFT JOIN \
         (SELECT offer_id, COUNT(*) AS pieces FROM vouchers \
          WHERE state IN ('issued', 'used') GROUP BY offer_id) v ON v.offer_id = o.id \
         WHERE o.stocked - o.stock <> COALESCE(v.pieces, 0)",
};
