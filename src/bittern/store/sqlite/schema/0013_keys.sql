-- Data keys, each as its provider has wrapped it.

CREATE TABLE data_key (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, -- the newest active one seals
    id INTEGER NOT NULL UNIQUE CHECK (id BETWEEN 1 AND 255), -- first byte of what it has sealed
    provider TEXT NOT NULL,
    wrapped BLOB NOT NULL,
    created_at REAL NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'opening', 'retired')),
    earlier INTEGER NOT NULL -- 1: what it sealed has the names of places of an earlier version
);
