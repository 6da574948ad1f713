-- What exactly broke the rule, in Chinese; `detail` says it in English. Empty for refusals that were
-- kept before both were.
ALTER TABLE refusals ADD COLUMN detail_zh TEXT NOT NULL DEFAULT '';
