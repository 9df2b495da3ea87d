-- How the last uplink was heard: for statistics.

ALTER TABLE session ADD COLUMN last_heard BLOB NOT NULL DEFAULT x'';
