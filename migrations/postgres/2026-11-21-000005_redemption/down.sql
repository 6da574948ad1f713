DROP INDEX lots_bucket;
DROP TABLE voucher_lots;
DROP TABLE vouchers;
DROP TABLE offers;
DROP TABLE merchants;
