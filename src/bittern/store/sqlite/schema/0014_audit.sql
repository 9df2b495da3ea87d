-- Who changed what: entries that are chained, and never changed.

CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    account TEXT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    resource TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL
);

CREATE TABLE audit_chain (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    key BLOB NOT NULL, -- sealed
    anchor INTEGER NOT NULL, -- sequence of the last entry that was removed
    anchor_hash BLOB NOT NULL,
    anchor_mac BLOB NOT NULL,
    head INTEGER NOT NULL, -- sequence of the newest entry
    head_hash BLOB NOT NULL,
    head_mac BLOB NOT NULL
);

-- Against mistakes, not against malice: that is what the chain is for.

CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
BEGIN
    SELECT raise(ABORT, 'the audit log is only added to');
END;

CREATE TRIGGER audit_goes_from_its_beginning BEFORE DELETE ON audit
WHEN OLD.sequence > (SELECT anchor FROM audit_chain)
BEGIN
    SELECT raise(ABORT, 'the audit log is only shortened from its beginning');
END;
