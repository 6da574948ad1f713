ALTER TABLE refusals DROP COLUMN detail_zh;
