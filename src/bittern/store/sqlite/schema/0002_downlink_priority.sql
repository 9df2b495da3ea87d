-- Messages have a priority, and may name the gateways that send them.

ALTER TABLE downlink ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
ALTER TABLE downlink ADD COLUMN record TEXT NOT NULL DEFAULT '{}';

DROP INDEX downlink_dev_eui;
CREATE INDEX downlink_dev_eui ON downlink (dev_eui, priority DESC, sequence);
