-- Multicast groups, firmware updates over the air, and who takes part in them.

CREATE TABLE multicast_group (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    revision INTEGER NOT NULL,
    region TEXT NOT NULL,
    record TEXT NOT NULL
);

CREATE INDEX multicast_group_account ON multicast_group (account, id);

CREATE TABLE group_device (
    group_id TEXT NOT NULL REFERENCES multicast_group (id) ON DELETE CASCADE,
    dev_eui BLOB NOT NULL REFERENCES device (dev_eui) ON DELETE CASCADE,
    number INTEGER NOT NULL, -- which of the device's groups it is, from 1
    status TEXT NOT NULL,
    PRIMARY KEY (group_id, dev_eui)
) WITHOUT ROWID;

CREATE UNIQUE INDEX group_device_number ON group_device (dev_eui, number);

CREATE TABLE fuota_task (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    revision INTEGER NOT NULL,
    region TEXT NOT NULL,
    record TEXT NOT NULL
);

CREATE INDEX fuota_task_account ON fuota_task (account, id);

-- A device that a task has by one of its groups gets a row as soon as its status is another one
-- than the first.

CREATE TABLE fuota_device (
    task_id TEXT NOT NULL REFERENCES fuota_task (id) ON DELETE CASCADE,
    dev_eui BLOB NOT NULL REFERENCES device (dev_eui) ON DELETE CASCADE,
    chosen INTEGER NOT NULL, -- 1: by itself
    status TEXT NOT NULL,
    PRIMARY KEY (task_id, dev_eui)
) WITHOUT ROWID;

CREATE INDEX fuota_device_device ON fuota_device (dev_eui);

CREATE TABLE fuota_group (
    task_id TEXT NOT NULL REFERENCES fuota_task (id) ON DELETE CASCADE,
    group_id TEXT NOT NULL REFERENCES multicast_group (id),
    PRIMARY KEY (task_id, group_id)
) WITHOUT ROWID;

CREATE INDEX fuota_group_group ON fuota_group (group_id);

-- Every device of a task, once.

CREATE VIEW fuota_member (task_id, dev_eui) AS
SELECT task_id, dev_eui FROM fuota_device WHERE chosen = 1
UNION
SELECT fuota_group.task_id, group_device.dev_eui
FROM fuota_group JOIN group_device ON group_device.group_id = fuota_group.group_id;
