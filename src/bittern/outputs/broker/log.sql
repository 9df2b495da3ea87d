-- What the embedded broker must know after a restart. Version 1.
CREATE TABLE session (
    client_id TEXT PRIMARY KEY,
    username  TEXT NOT NULL,
    seen_at   REAL NOT NULL,               -- when the client was last connected
    messages  INTEGER NOT NULL DEFAULT 0,  -- kept by the triggers below
    bytes     INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE subscription (
    client_id TEXT NOT NULL REFERENCES session ON DELETE CASCADE,
    filter    TEXT NOT NULL,
    qos       INTEGER NOT NULL,
    PRIMARY KEY (client_id, filter)
) STRICT, WITHOUT ROWID;

-- Messages of quality of service 1 that the client has not acknowledged; payloads are sealed.
CREATE TABLE message (
    client_id TEXT NOT NULL REFERENCES session ON DELETE CASCADE,
    number    INTEGER NOT NULL,
    topic     BLOB NOT NULL,
    payload   BLOB NOT NULL,
    retain    INTEGER NOT NULL,
    PRIMARY KEY (client_id, number)
) STRICT;

CREATE TRIGGER message_added AFTER INSERT ON message BEGIN
    UPDATE session SET messages = messages + 1, bytes = bytes + length(NEW.payload)
    WHERE client_id = NEW.client_id;
END;

CREATE TRIGGER message_removed AFTER DELETE ON message BEGIN
    UPDATE session SET messages = messages - 1, bytes = bytes - length(OLD.payload)
    WHERE client_id = OLD.client_id;
END;

CREATE TABLE retained (
    topic   TEXT PRIMARY KEY,
    payload BLOB NOT NULL,
    qos     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 1;
