-- What changes with every uplink stands in columns; the state is written only when it changes.

ALTER TABLE session ADD COLUMN last_uplink_at REAL;
