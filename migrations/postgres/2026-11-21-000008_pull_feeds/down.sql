DROP TABLE pull_runs;
DROP TABLE pull_feeds;
