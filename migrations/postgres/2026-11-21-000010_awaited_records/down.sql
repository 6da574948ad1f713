DROP TABLE awaited_records;
