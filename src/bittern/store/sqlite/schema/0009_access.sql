-- Accounts, and the access keys that requests to the API are signed with.

CREATE TABLE account (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at REAL NOT NULL
);

CREATE TABLE access_key (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    active INTEGER NOT NULL,
    last_used_at REAL,
    record TEXT NOT NULL,
    secret BLOB NOT NULL -- sealed
);

CREATE INDEX access_key_account ON access_key (account, id);
