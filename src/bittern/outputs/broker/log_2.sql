-- When a retained message was published. Version 2.
ALTER TABLE retained ADD COLUMN at REAL NOT NULL DEFAULT 0;

PRAGMA user_version = 2;
