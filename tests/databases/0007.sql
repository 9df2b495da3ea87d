PRAGMA user_version = 7;
BEGIN TRANSACTION;
CREATE TABLE change (
    sequence INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    identity TEXT NOT NULL
);
INSERT INTO "change" VALUES(1,'destination','000000000000/plant');
INSERT INTO "change" VALUES(2,'profile','0b8c1c5e-0000-4000-8000-000000000001');
INSERT INTO "change" VALUES(3,'profile','0b8c1c5e-0000-4000-8000-000000000002');
INSERT INTO "change" VALUES(4,'device','70b3d57ed0000001');
INSERT INTO "change" VALUES(5,'gateway','00800000a0000001');
INSERT INTO "change" VALUES(6,'certificate','abababababababababababababababababababababababababababababababab');
INSERT INTO "change" VALUES(7,'gateway','70b3d57ed000000a');
INSERT INTO "change" VALUES(8,'certificate','cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd');
INSERT INTO "change" VALUES(9,'firmware','0b8c1c5e-0000-4000-8000-000000000004');
INSERT INTO "change" VALUES(10,'firmware','00800000a0000001');
INSERT INTO "change" VALUES(11,'device','70b3d57ed0000002');
INSERT INTO "change" VALUES(12,'session','70b3d57ed0000002');
INSERT INTO "change" VALUES(13,'session','70b3d57ed0000001');
INSERT INTO "change" VALUES(14,'session','70b3d57ed0000001');
INSERT INTO "change" VALUES(15,'rule','000000000000/meters');
INSERT INTO "change" VALUES(16,'codec','000000000000/meter');
INSERT INTO "change" VALUES(17,'downlink','70b3d57ed0000001');
CREATE TABLE codec (
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    script TEXT NOT NULL,
    created_at REAL NOT NULL,
    PRIMARY KEY (account, name)
);
INSERT INTO "codec" VALUES('000000000000','meter','function decodeUplink(input) { return { data: { level: input.bytes[0] } }; }',1700000000.0);
CREATE TABLE dead_letter (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, -- never given again: a person names it
    owed_as INTEGER NOT NULL, -- its sequence in the outbox
    lane TEXT NOT NULL,
    account TEXT NOT NULL,
    dev_eui BLOB NOT NULL,
    message_id TEXT NOT NULL,
    destination TEXT NOT NULL,
    rule TEXT NOT NULL,
    created_at REAL NOT NULL,
    failed_at REAL NOT NULL,
    size INTEGER NOT NULL, -- of the document, so that nobody has to add them up row by row
    record TEXT NOT NULL,
    document BLOB NOT NULL -- sealed
);
INSERT INTO "dead_letter" VALUES(1,1,'000000000000/meters/1/http','000000000000',X'70B3D57ED0000001','00000001-0000-4000-8000-000000000000','plant','meters',1700000000.0,1700000060.0,26,'{"action":"2 http","reason":"rejected","detail":"404 Not Found","attempts":1}',X'016C69F55336E120CADBB7036DBBE36A39E7E6FE15579CA5DEDF769305EB93EAA6D2ED40CB1C31DE0A50DB7B85E589560B64E11E476CDE9EE4463E42C7795C1901EB38');
CREATE TABLE destination (
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (account, name)
);
INSERT INTO "destination" VALUES('000000000000','plant','{"expression_type":"MqttTopic","expression":"plant/uplinks","description":"","role_arn":"","created_at":1700000000.0}');
CREATE TABLE device (
    dev_eui BLOB NOT NULL PRIMARY KEY CHECK (length(dev_eui) = 8),
    id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    destination TEXT NOT NULL,
    device_profile_id TEXT NOT NULL REFERENCES device_profile (id),
    service_profile_id TEXT NOT NULL REFERENCES service_profile (id),
    activation BLOB NOT NULL, -- sealed: join_eui and root keys, or dev_addr and session keys
    record TEXT NOT NULL,
    FOREIGN KEY (account, destination) REFERENCES destination (account, name)
);
INSERT INTO "device" VALUES(X'70B3D57ED0000001','0b8c1c5e-0000-4000-8000-000000000100','000000000000','plant','0b8c1c5e-0000-4000-8000-000000000001','0b8c1c5e-0000-4000-8000-000000000002',X'016C69F55336E120CADBB7036D5F02322C2EDAFA727F6E44B8566FBE1502C4A45A082C0AC7F67C83121ABB75DE4CF9BFFCFC7537C13E6BF242620095096BEFFA9D357F343B824FFC1E237AB45551A514E5DB80136213E0FB57BF960C63577442200C2E249241C874496BA0A61856AD96A47C80F25C9777D93BCA6B9495DEE48F988F7C9EACD9E669','{"name":"sensor 0","description":"","created_at":1700000000.0}');
INSERT INTO "device" VALUES(X'70B3D57ED0000002','0b8c1c5e-0000-4000-8000-000000000101','000000000000','plant','0b8c1c5e-0000-4000-8000-000000000001','0b8c1c5e-0000-4000-8000-000000000002',X'016C69F55336E120CADBB7036D50776AAAEFD9AD16F2AD5E4DCCD3ADCC3363AAC3837C138060FF1F660A88322097D13BB4E757A849310E6CC8621B92175E53285B5769E5DF9FC38FEABB8B05FD4444995A024096BC81918FE56B16B32B1D651529608C514CE2303D2B6437C002C3A23F0150BF6C26B208066764221BCB198B36E82F109E9EC2AF671353282666D0BC1F6587933837916B849FC20D720704A722C2FE3E5986051245FA7039AAE88B0E41EED00AB02C49698AC8B5534BC7B636605558044A326AC2EE8106D591C93C07FD592367E6','{"name":"sensor 1","description":"","created_at":1700000000.0}');
CREATE TABLE device_profile (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    record TEXT NOT NULL
);
INSERT INTO "device_profile" VALUES('0b8c1c5e-0000-4000-8000-000000000001','000000000000','{"name":"sensor","mac_version":"1.0.3","reg_params_revision":"","region":"EU868","supports_join":true,"supports_class_b":false,"supports_class_c":false,"supports_32bit_fcnt":true,"rx1_delay_s":1,"rx1_dr_offset":0,"rx2_data_rate":null,"rx2_frequency_hz":null,"factory_preset_frequencies_hz":[],"downlink_frequencies_hz":[],"max_eirp_dbm":null,"uplink_dwell_time":null,"downlink_dwell_time":null,"class_b_timeout_s":8,"class_c_timeout_s":8,"ping_slot_frequency_hz":null,"ping_slot_data_rate":null,"beacon_frequency_hz":null,"adr_ack_limit_exp":6,"adr_ack_delay_exp":5,"rejoin_max_time_n":null,"rejoin_max_count_n":null,"codec":""}');
CREATE TABLE downlink (
    sequence INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL UNIQUE,
    dev_eui BLOB NOT NULL REFERENCES device (dev_eui) ON DELETE CASCADE,
    fport INTEGER NOT NULL,
    confirmed INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    queued_at REAL NOT NULL,
    payload BLOB NOT NULL -- sealed
, priority INTEGER NOT NULL DEFAULT 0, record TEXT NOT NULL DEFAULT '{}');
INSERT INTO "downlink" VALUES(1,'00000000-1111-4000-8000-000000000000',X'70B3D57ED0000001',2,1,0,1700000000.0,X'016C69F55336E120CADBB7036DDFE38265BBDDA451D0258D4F839964F0D82A92C45CDA990FF7FB73095102584B39FF86B9A3E468E9A000',0,'{"participating":null}');
CREATE TABLE firmware_definition (
    sequence INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    record TEXT NOT NULL
);
INSERT INTO "firmware_definition" VALUES(1,'0b8c1c5e-0000-4000-8000-000000000004','000000000000','{"name":"spring","automatic":false,"current":{"package":"1.0.0","model":"roof","station":""},"update":{"package":"1.1.0","model":"","station":""},"source":"spring.bin","signature":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+P0BBQkNERQ==","key_crc":2147483648,"created_at":1700000000.0}');
CREATE TABLE firmware_task (
    gateway_eui BLOB NOT NULL PRIMARY KEY REFERENCES gateway (gateway_eui) ON DELETE CASCADE,
    account TEXT NOT NULL,
    definition_id TEXT NOT NULL,
    status TEXT NOT NULL,
    record TEXT NOT NULL
);
INSERT INTO "firmware_task" VALUES(X'00800000A0000001','000000000000','0b8c1c5e-0000-4000-8000-000000000004','PENDING','{"reason":"","created_at":1700000000.0,"changed_at":1700000000.0}');
CREATE TABLE gateway (
    gateway_eui BLOB NOT NULL PRIMARY KEY CHECK (length(gateway_eui) = 8),
    id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    record TEXT NOT NULL
);
INSERT INTO "gateway" VALUES(X'00800000A0000001','0b8c1c5e-0000-4000-8000-000000000003','000000000000','{"name":"roof","description":"","region":"EU868","sub_bands":[2],"boards":1,"join_eui_filters":[[1,65535]],"net_id_filters":[],"max_eirp_dbm":null,"station_region":null,"beaconing":true,"lns_uri":null,"cups_uri":null,"remote_shell":false,"remote_commands":false,"created_at":1700000000.0,"changed_at":null}');
INSERT INTO "gateway" VALUES(X'70B3D57ED000000A','cellar','000000000000','{"name":"roof","description":"","region":"EU868","sub_bands":[2],"boards":1,"join_eui_filters":[[1,65535]],"net_id_filters":[],"max_eirp_dbm":null,"station_region":null,"beaconing":true,"lns_uri":null,"cups_uri":null,"remote_shell":false,"remote_commands":false,"created_at":1700000000.0,"changed_at":null}');
CREATE TABLE gateway_certificate (
    fingerprint TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    gateway_eui BLOB NOT NULL REFERENCES gateway (gateway_eui) ON DELETE CASCADE,
    active INTEGER NOT NULL,
    record TEXT NOT NULL
, pem TEXT NOT NULL DEFAULT '');
INSERT INTO "gateway_certificate" VALUES('abababababababababababababababababababababababababababababababab','000000000000',X'00800000A0000001',1,'{"purpose":"any","authority":"","credentials_crc":null,"revoked_at":null,"revoked_because":"","renew":false,"not_after":1700086400.0,"created_at":1700000000.0}','');
INSERT INTO "gateway_certificate" VALUES('cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','000000000000',X'70B3D57ED000000A',1,'{"purpose":"cups","authority":"","credentials_crc":null,"revoked_at":null,"revoked_because":"","renew":false,"not_after":1700086400.0,"created_at":1700000000.0}','-----BEGIN CERTIFICATE-----
MAA=
-----END CERTIFICATE-----
');
CREATE TABLE gateway_state (
    gateway_eui BLOB NOT NULL REFERENCES gateway (gateway_eui) ON DELETE CASCADE,
    part TEXT NOT NULL, -- a field of the whole state: each is written by itself
    record TEXT NOT NULL,
    PRIMARY KEY (gateway_eui, part)
) WITHOUT ROWID;
INSERT INTO "gateway_state" VALUES(X'00800000A0000001','connection','{"connected":true,"changed_at":1700000000.0,"reason":"","peer":"192.0.2.7:50123","station":"2.0.6(linux/std)","model":"","package":"","features":["rmtsh","gps"],"certificate":"abababababababababababababababababababababababababababababababab","round_trip_s":0.125,"last_uplink_at":1700000060.5,"received":12,"forwarded":9,"refused":0,"transmitted":0,"connections":0}');
INSERT INTO "gateway_state" VALUES(X'00800000A0000001','cups','{"at":1700000000.0,"peer":"","station":"2.0.6(linux/std)","model":"","package":"","certificate":"","cups_uri":"https://cups.example:443","lns_uri":"","cups_crc":4294967295,"lns_crc":0,"key_crcs":[1,2],"gifts":[{"kind":"lns_uri","value":"wss://lns.example:8887","certificate":"","times":2,"at":1700000000.0}],"withheld":["update: it waits for its turn"]}');
INSERT INTO "gateway_state" VALUES(X'00800000A0000001','refusal','{"at":1700000000.0,"place":"lns","refusal":"station_too_old","reason":"station 2.0.3 is older than 2.0.4","peer":""}');
CREATE TABLE join_state (
    dev_eui BLOB NOT NULL PRIMARY KEY REFERENCES device (dev_eui) ON DELETE CASCADE,
    revision INTEGER NOT NULL,
    state BLOB NOT NULL -- msgpack map
);
INSERT INTO "join_state" VALUES(X'70B3D57ED0000001',0,X'84A86A6F696E5F657569C40870B3D57ED0FFFF01AF6E6578745F6A6F696E5F6E6F6E636502AE6C6173745F6465765F6E6F6E636507AF757365645F6465765F6E6F6E6365739107');
CREATE TABLE lane_message (
    sequence INTEGER NOT NULL,
    lane TEXT NOT NULL,
    message_id TEXT NOT NULL,
    account TEXT NOT NULL,
    dev_eui BLOB NOT NULL,
    destination TEXT NOT NULL,
    created_at REAL NOT NULL,
    document BLOB NOT NULL -- sealed
);
INSERT INTO "lane_message" VALUES(1,'000000000000/meters/0/republish','00000002-0000-4000-8000-000000000000','000000000000',X'70B3D57ED0000001','plant',1700000000.0,X'016C69F55336E120CADBB7036DC0D4A63192C69B19F93BDBEE38F268FB196F65B63BAFEDB00DC503C26E6C433566E91BF97DEA8F3EFC25A517D91BA10CABE202DFD1EC');
CREATE TABLE outbox (
    sequence INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL,
    account TEXT NOT NULL,
    dev_eui BLOB NOT NULL,
    destination TEXT NOT NULL,
    created_at REAL NOT NULL,
    document BLOB NOT NULL -- sealed
);
INSERT INTO "outbox" VALUES(2,'00000001-0000-4000-8000-000000000000','000000000000',X'70B3D57ED0000001','plant',1700000000.0,X'016C69F55336E120CADBB7036DFA6132BF9004B509E024143F426125AD8B8390FC3EE136C67128D82A4997A8E106C4C238B196C3CC30F25CEDEDD0E30A7C5E357B742A');
CREATE TABLE outbox_head (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    last_sequence INTEGER NOT NULL, -- never given again, even when the outbox is empty
    owed INTEGER NOT NULL -- rows of the outbox, so that nobody has to count them
);
INSERT INTO "outbox_head" VALUES(1,2,1);
CREATE TABLE rule (
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (account, name)
);
INSERT INTO "rule" VALUES('000000000000','meters','{"sql":"SELECT PayloadData WHERE WirelessMetadata.LoRaWAN.FPort = 2","version":"2016-03-23","description":"what meters say","enabled":true,"actions":[{"republish":{"roleArn":"arn","topic":"meters/${WirelessDeviceId}","qos":1}},{"http":{"url":"https://meters.example/in"}}],"error_action":{"republish":{"roleArn":"arn","topic":"meters/errors"}},"created_at":1700000000.0}');
CREATE TABLE service_profile (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    record TEXT NOT NULL
);
INSERT INTO "service_profile" VALUES('0b8c1c5e-0000-4000-8000-000000000002','000000000000','{"name":"standard","add_gateway_metadata":true,"dr_min":0,"dr_max":15,"tx_power_index_min":0,"tx_power_index_max":15,"nb_trans_min":0,"nb_trans_max":3,"adr_algorithm":"reference","max_duty_cycle":0,"dev_status_req_freq":24,"report_dev_status_battery":true,"report_dev_status_margin":true}');
CREATE TABLE session (
    dev_eui BLOB NOT NULL REFERENCES device (dev_eui) ON DELETE CASCADE,
    generation INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    pending INTEGER NOT NULL,
    dev_addr BLOB NOT NULL CHECK (length(dev_addr) = 4),
    mac_version TEXT NOT NULL,
    region TEXT NOT NULL,
    activated_at REAL NOT NULL,
    fcnt_up INTEGER NOT NULL,
    nfcnt_down INTEGER NOT NULL,
    afcnt_down INTEGER NOT NULL,
    keys BLOB NOT NULL, -- sealed once, at activation
    state BLOB NOT NULL, last_uplink_at REAL, -- msgpack map
    PRIMARY KEY (dev_eui, generation)
);
INSERT INTO "session" VALUES(X'70B3D57ED0000002',0,0,0,X'26011BDA','1.0.3','EU868',1700000000.0,11,0,0,X'016C69F55336E120CADBB7036D53C4971290AF7E06718B81AD868220F4E2FD382D10F33274DBEBD6E63FFA390EBC44BFA35A33065583FFB99A2A3B0B09A45CA6E46C0BF25641110B387BBDE7123D18A00B36F29B0C8D21AFA454F090961DB086FEF92F1E8FB483456594871A1CFA00942E6BBCA1BE4A9B823C997CFD0D5B71DAAE1E7D6D2ED0C6A5D7B4452FFF8166C6934029B46279D1EC90D5129D8F27A87438AEEC8C00BBD287EAA4',X'81A5726164696FDE0004AB7278315F64656C61795F7301AD7278315F64725F6F666673657400AD7278325F646174615F7261746500B07278325F6672657175656E63795F687ACE33D3E608',NULL);
INSERT INTO "session" VALUES(X'70B3D57ED0000001',1,1,0,X'26011BDA','1.0.3','EU868',1700000000.0,0,5,0,X'016C69F55336E120CADBB7036DBEDA2B8749BADAFA838B3B4F160A655AA45E782AF9EB12C85A7B542EABB94103FA3E727DE699C28E6229D09A82D816F8337D84B4DD6D0DE011A38507D33788E51C20221B62B0AB3F62C939C74E10474ACF6AE43C68D1A288F3C40F2B3796A2AEAA7274FE81A7BA1B6E2108821E11F063772FB2D9D38C611CE3AD2819BAF6406BDF5DB0C5B1FB0BC342B11DD248E3E0848A02AEFD9DA053B54CA52934EE',X'82A5726164696FDE0004AB7278315F64656C61795F7301AD7278315F64725F6F666673657400AD7278325F646174615F7261746500B07278325F6672657175656E63795F687ACE33D3E608AB617761697465645F61636B82AA6D6573736167655F6964D92430303030303030302D313131312D343030302D383030302D303030303030303030303030A966636E745F646F776E04',1700000000.0);
CREATE INDEX device_destination ON device (account, destination);
CREATE INDEX device_device_profile ON device (device_profile_id);
CREATE INDEX device_service_profile ON device (service_profile_id);
CREATE INDEX gateway_certificate_gateway ON gateway_certificate (gateway_eui);
CREATE INDEX session_dev_addr ON session (dev_addr, dev_eui, generation);
CREATE INDEX downlink_dev_eui ON downlink (dev_eui, priority DESC, sequence);
CREATE INDEX firmware_task_definition ON firmware_task (definition_id, gateway_eui);
CREATE INDEX gateway_certificate_foreign ON gateway_certificate (fingerprint) WHERE pem <> '';
CREATE UNIQUE INDEX lane_message_order ON lane_message (lane, sequence);
CREATE UNIQUE INDEX dead_letter_once ON dead_letter (owed_as, lane);
CREATE INDEX dead_letter_age ON dead_letter (failed_at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('dead_letter',1);
COMMIT;
