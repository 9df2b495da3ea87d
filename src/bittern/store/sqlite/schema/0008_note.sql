-- Small documents that the API keeps beside the records.

CREATE TABLE note (
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    at REAL NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (account, kind, name)
);

CREATE INDEX note_age ON note (kind, at);

-- The devices and gateways of one account, page by page, whatever else they have in common.

CREATE INDEX device_account ON device (account, dev_eui);
CREATE INDEX gateway_account ON gateway (account, gateway_eui);
