PRAGMA user_version = 8;
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
INSERT INTO "dead_letter" VALUES(1,1,'000000000000/meters/1/http','000000000000',X'70B3D57ED0000001','00000001-0000-4000-8000-000000000000','plant','meters',1700000000.0,1700000060.0,26,'{"action":"2 http","reason":"rejected","detail":"404 Not Found","attempts":1}',X'01DFD230A973C99357CF12CE705B232B2083E920FDB1FCB96D069CED34E58E5F25F2D9294FC0ACF480BA29EE9489E21FC1EA7F334A7EAD499443616A3CFB8434E4497D');
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
INSERT INTO "device" VALUES(X'70B3D57ED0000001','0b8c1c5e-0000-4000-8000-000000000100','000000000000','plant','0b8c1c5e-0000-4000-8000-000000000001','0b8c1c5e-0000-4000-8000-000000000002',X'01DFD230A973C99357CF12CE70B653727D172C01FE2CEB1FCF109526837A8F9C92A9CDD1E1D925DB8EC940F71C1CE67234002F380BE0581E82EE7382884B2074AEB97ACC5A80E014A06C42951F8FAA0727AC9D220AB15798E03DC375C0EAF3A282C2376157512085FB7038836E9BEFB29E038EBCD1BA9C0108AAFF3FC78E2F0B9F3EB7B47F080F7B','{"name":"sensor 0","description":"","created_at":1700000000.0}');
INSERT INTO "device" VALUES(X'70B3D57ED0000002','0b8c1c5e-0000-4000-8000-000000000101','000000000000','plant','0b8c1c5e-0000-4000-8000-000000000001','0b8c1c5e-0000-4000-8000-000000000002',X'01DFD230A973C99357CF12CE7085E91AC8265CD904E8BD095AF32051890AB07A81A0F316FB8C5F9B1A809FFA31C4DBE90ACB61705BB2A5685827569E050AE64447CAF0DCDEC4D2CE69A6F2FB1046DAD854D15911D7C3E9006927C8DC7030D68CCF2EAF70303F5EBCA8C12167A71D31D9F1431398C9C65C0F277965A50BB64C2E96D7F4493D097D03D60B0300F53B93D1DEA0062AD4024CF7EDA03FA175CBD5E4B3369ADA685F2F840A8C69F94192BB2C2CD34C03CBFBB3D2F3E397E0FD76548CC5AF7F01EF1694A47C1C004A0CC9B278ACDA240E','{"name":"sensor 1","description":"","created_at":1700000000.0}');
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
INSERT INTO "downlink" VALUES(1,'00000000-1111-4000-8000-000000000000',X'70B3D57ED0000001',2,1,0,1700000000.0,X'01DFD230A973C99357CF12CE70DD8294589479C48BB61804B6E701F4267AA07AE1CE0057C0AF8A65C4122B51D4C235F0AAB9619E25E512',0,'{"participating":null}');
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
INSERT INTO "lane_message" VALUES(1,'000000000000/meters/0/republish','00000002-0000-4000-8000-000000000000','000000000000',X'70B3D57ED0000001','plant',1700000000.0,X'01DFD230A973C99357CF12CE7058816A75F9CED4D1479958C04493CF9EE7E2CF3B229B8929CAE076C7E941649F7B1D5B2EB8D554A7BCBC1BA07F5BF9C4F8EF6B456B1F');
CREATE TABLE note (
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    at REAL NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (account, kind, name)
);
INSERT INTO "note" VALUES('000000000000','tags','Destination/plant',1700000000.0,'{"site":"north"}');
CREATE TABLE outbox (
    sequence INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL,
    account TEXT NOT NULL,
    dev_eui BLOB NOT NULL,
    destination TEXT NOT NULL,
    created_at REAL NOT NULL,
    document BLOB NOT NULL -- sealed
);
INSERT INTO "outbox" VALUES(2,'00000001-0000-4000-8000-000000000000','000000000000',X'70B3D57ED0000001','plant',1700000000.0,X'01DFD230A973C99357CF12CE708460052ADE5D437F5FA75484E13C8C6F81EB1894A1DD24A11FA3CC168D54BA15EED7D0555CCA3E4F6C4772E5FF8258AA0D4739423506');
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
INSERT INTO "session" VALUES(X'70B3D57ED0000002',0,0,0,X'26011BDA','1.0.3','EU868',1700000000.0,11,0,0,X'01DFD230A973C99357CF12CE70EBC9E5949A815E913F0E2C0A58439491A2560BC7DD6E65F503E3D6E4CFAD19AE722B19C12C9946F146AEA8EE1698D8BCD68EF27C2C2C6BE21E4CF6E4950427C71B937693736DC97AC60C2D8D2F785046ABC3D4F39CA0EE6C7E063EA9E5F2BB04DCB5C8BB600F2DF655EFE912C14422D224C2C33BDF3A890308FCD08B4BB1E1ADF5F79A6F8498845B875BC1C970171AE255D2188C045E4279186E17E760',X'81A5726164696FDE0004AB7278315F64656C61795F7301AD7278315F64725F6F666673657400AD7278325F646174615F7261746500B07278325F6672657175656E63795F687ACE33D3E608',NULL);
INSERT INTO "session" VALUES(X'70B3D57ED0000001',1,1,0,X'26011BDA','1.0.3','EU868',1700000000.0,0,5,0,X'01DFD230A973C99357CF12CE7011A459E6DE5D653ED6EBB3882E0A54C1970B2990FF0108828B27860CB4CF27DDA56560EC88C28D29E5E14A74AD608021EE6D33896D18EB11B0CDD8DB0EA348041230D91A937D723311A4ECA63ED8F31EF8FC31A48F3A704682C8BECCA6AC46DD9243F6A65340708836EA69C290E8C52D810EEDA0A3D26BB75275401DB6C43C65AC9CB2E57D8FEA947CDEC66AF96B805D46E1EBAAD321BACED13693AC72',X'82A5726164696FDE0004AB7278315F64656C61795F7301AD7278315F64725F6F666673657400AD7278325F646174615F7261746500B07278325F6672657175656E63795F687ACE33D3E608AB617761697465645F61636B82AA6D6573736167655F6964D92430303030303030302D313131312D343030302D383030302D303030303030303030303030A966636E745F646F776E04',1700000000.0);
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
CREATE INDEX note_age ON note (kind, at);
CREATE INDEX device_account ON device (account, dev_eui);
CREATE INDEX gateway_account ON gateway (account, gateway_eui);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('dead_letter',1);
COMMIT;
