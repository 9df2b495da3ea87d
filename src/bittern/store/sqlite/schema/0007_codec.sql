-- Payload codecs: scripts that device profiles name.

CREATE TABLE codec (
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    script TEXT NOT NULL,
    created_at REAL NOT NULL,
    PRIMARY KEY (account, name)
);
