PRAGMA user_version = 13;
BEGIN TRANSACTION;
CREATE TABLE access_key (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    active INTEGER NOT NULL,
    last_used_at REAL,
    record TEXT NOT NULL,
    secret BLOB NOT NULL -- sealed
);
INSERT INTO "access_key" VALUES('AKIAEXAMPLE000000001','111122223333',1,NULL,'{"policies":["operator"],"description":"the script that adds meters","created_at":1700000000.0}',X'016D0B332388C9381B6B7659E9BF6338D3BFDD389463C05F1352964EC21F3E623C82AA7A9EE91DB5283ED6057995AC9A6014DCC4FB48BC38FD70A85A61D36A593DFB2D5E572C63BAC2F2ED33CB4A90D380');
CREATE TABLE account (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at REAL NOT NULL
);
INSERT INTO "account" VALUES('111122223333','north',1700000000.0);
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
INSERT INTO "change" VALUES(17,'account','111122223333');
INSERT INTO "change" VALUES(18,'access_key','AKIAEXAMPLE000000001');
INSERT INTO "change" VALUES(19,'downlink','70b3d57ed0000001');
CREATE TABLE codec (
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    script TEXT NOT NULL,
    created_at REAL NOT NULL,
    PRIMARY KEY (account, name)
);
INSERT INTO "codec" VALUES('000000000000','meter','function decodeUplink(input) { return { data: { level: input.bytes[0] } }; }',1700000000.0);
CREATE TABLE data_key (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, -- the newest active one seals
    id INTEGER NOT NULL UNIQUE CHECK (id BETWEEN 1 AND 255), -- first byte of what it has sealed
    provider TEXT NOT NULL,
    wrapped BLOB NOT NULL,
    created_at REAL NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'opening', 'retired')),
    earlier INTEGER NOT NULL -- 1: what it sealed has the names of places of an earlier version
);
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
INSERT INTO "dead_letter" VALUES(1,1,'000000000000/meters/1/http','000000000000',X'70B3D57ED0000001','00000001-0000-4000-8000-000000000000','plant','meters',1700000000.0,1700000060.0,26,'{"action":"2 http","reason":"rejected","detail":"404 Not Found","attempts":1}',X'016D0B332388C9381B6B7659E9370F07A80844BCA1389E5E0D2AB97DEAADB9284FC76F764AEEE608FD42C0578CD013AEBC09D7582A8930A623456718B06369FECE3CD3');
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
INSERT INTO "device" VALUES(X'70B3D57ED0000001','0b8c1c5e-0000-4000-8000-000000000100','000000000000','plant','0b8c1c5e-0000-4000-8000-000000000001','0b8c1c5e-0000-4000-8000-000000000002',X'016D0B332388C9381B6B7659E9605EF28EAFA0C819D7B56029FE2A1DF572BFB6B5BA74BE0BA12410F425BA4E85062812D00520EC52A1A083AE002EC864F79214416B7090B27C8EE6626D2E96E6917FCC45690CF4F310B81B06BA11A1159CB934CF9BB4BF7C53CAE567381967096BC15AFE9D6EB20738946895BB39573E4199E0ECEAF33BC6803B89','{"name":"sensor 0","description":"","ports":{"fuota":null,"multicast":null,"clock_sync":null,"positioning_clock_sync":null,"positioning_stream":null,"positioning_gnss":null,"applications":[]},"positioning":null,"thing_name":"","created_at":1700000000.0}');
INSERT INTO "device" VALUES(X'70B3D57ED0000002','0b8c1c5e-0000-4000-8000-000000000101','000000000000','plant','0b8c1c5e-0000-4000-8000-000000000001','0b8c1c5e-0000-4000-8000-000000000002',X'016D0B332388C9381B6B7659E9AB2899505096F93DC2998638BD7E2606CFC9EDC2B3591D6AF7B1F2354AB7A2D230F57705B4AC124BA6055DC36D7F10D74639EFEB51815EBF3921791974F9BBD294BFB25B9F91B860B3FF547CE085D258C6643D9BDB3B65FE59451E45DBD2EEC84774E48E275686C388D15D3F77C708FAC82E402FF3577F18DFD9737DA3735528BE88522920B19EAC25C300BBD2071155825A40CE4C89FB77B7F536DC0C90AEE0744009A0A866E9B336435F8D0D90D222748B8BD4A750A7CE4518946C1D493158D085B145198066','{"name":"sensor 1","description":"","ports":{"fuota":null,"multicast":null,"clock_sync":null,"positioning_clock_sync":null,"positioning_stream":null,"positioning_gnss":null,"applications":[]},"positioning":null,"thing_name":"","created_at":1700000000.0}');
CREATE TABLE device_profile (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    record TEXT NOT NULL
);
INSERT INTO "device_profile" VALUES('0b8c1c5e-0000-4000-8000-000000000001','000000000000','{"name":"sensor","mac_version":"1.0.3","reg_params_revision":"","region":"EU868","supports_join":true,"supports_class_b":false,"supports_class_c":false,"supports_32bit_fcnt":true,"rx1_delay_s":1,"rx1_dr_offset":0,"rx2_data_rate":null,"rx2_frequency_hz":null,"factory_preset_frequencies_hz":[],"downlink_frequencies_hz":[],"max_eirp_dbm":null,"uplink_dwell_time":null,"downlink_dwell_time":null,"class_b_timeout_s":8,"class_c_timeout_s":8,"ping_slot_frequency_hz":null,"ping_slot_data_rate":null,"beacon_frequency_hz":null,"adr_ack_limit_exp":6,"adr_ack_delay_exp":5,"rejoin_max_time_n":null,"rejoin_max_count_n":null,"ping_slot_period":null,"max_duty_cycle":null,"codec":""}');
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
INSERT INTO "downlink" VALUES(1,'00000000-1111-4000-8000-000000000000',X'70B3D57ED0000001',2,1,0,1700000000.0,X'016D0B332388C9381B6B7659E97F289D15A95B26F1C0CFC2EFB8BD4D3E8336D4366819BAFF043582A22B8D9B58FFCE61CA596C8A3260DE',0,'{"participating":null,"expires_at":null}');
CREATE TABLE firmware_definition (
    sequence INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    record TEXT NOT NULL
);
INSERT INTO "firmware_definition" VALUES(1,'0b8c1c5e-0000-4000-8000-000000000004','000000000000','{"name":"spring","automatic":false,"current":{"package":"1.0.0","model":"roof","station":""},"update":{"package":"1.1.0","model":"","station":""},"source":"spring.bin","signature":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+P0BBQkNERQ==","key_crc":2147483648,"role_arn":"","created_at":1700000000.0}');
CREATE TABLE firmware_task (
    gateway_eui BLOB NOT NULL PRIMARY KEY REFERENCES gateway (gateway_eui) ON DELETE CASCADE,
    account TEXT NOT NULL,
    definition_id TEXT NOT NULL,
    status TEXT NOT NULL,
    record TEXT NOT NULL
);
INSERT INTO "firmware_task" VALUES(X'00800000A0000001','000000000000','0b8c1c5e-0000-4000-8000-000000000004','PENDING','{"reason":"","created_at":1700000000.0,"changed_at":1700000000.0}');
CREATE TABLE fuota_device (
    task_id TEXT NOT NULL REFERENCES fuota_task (id) ON DELETE CASCADE,
    dev_eui BLOB NOT NULL REFERENCES device (dev_eui) ON DELETE CASCADE,
    chosen INTEGER NOT NULL, -- 1: by itself
    status TEXT NOT NULL,
    PRIMARY KEY (task_id, dev_eui)
) WITHOUT ROWID;
INSERT INTO "fuota_device" VALUES('0b8c1c5e-0000-4000-8000-000000000006',X'70B3D57ED0000002',0,'Not_enough_memory');
CREATE TABLE fuota_group (
    task_id TEXT NOT NULL REFERENCES fuota_task (id) ON DELETE CASCADE,
    group_id TEXT NOT NULL REFERENCES multicast_group (id),
    PRIMARY KEY (task_id, group_id)
) WITHOUT ROWID;
INSERT INTO "fuota_group" VALUES('0b8c1c5e-0000-4000-8000-000000000006','0b8c1c5e-0000-4000-8000-000000000005');
CREATE TABLE fuota_task (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    revision INTEGER NOT NULL,
    region TEXT NOT NULL,
    record TEXT NOT NULL
);
INSERT INTO "fuota_task" VALUES('0b8c1c5e-0000-4000-8000-000000000006','000000000000',0,'EU868','{"name":"lamps 1.1.0","description":"","image":"s3://images/lamps-1.1.0.bin","role_arn":"arn:aws:iam::000000000000:role/images","redundancy_percent":25,"fragment_bytes":null,"interval_ms":null,"descriptor":"AQEAAA==","session":{"start_at":1700007200.0,"begun_at":null,"ended_at":null},"removing":false,"created_at":1700000000.0}');
CREATE TABLE gateway (
    gateway_eui BLOB NOT NULL PRIMARY KEY CHECK (length(gateway_eui) = 8),
    id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    record TEXT NOT NULL
);
INSERT INTO "gateway" VALUES(X'00800000A0000001','0b8c1c5e-0000-4000-8000-000000000003','000000000000','{"name":"roof","description":"","region":"EU868","sub_bands":[2],"boards":1,"join_eui_filters":[[1,65535]],"net_id_filters":[],"max_eirp_dbm":null,"station_region":null,"beaconing":true,"beacon_data_rate":null,"beacon_frequencies_hz":[],"thing_name":"","lns_uri":null,"cups_uri":null,"remote_shell":false,"remote_commands":false,"created_at":1700000000.0,"changed_at":null}');
INSERT INTO "gateway" VALUES(X'70B3D57ED000000A','cellar','000000000000','{"name":"roof","description":"","region":"EU868","sub_bands":[2],"boards":1,"join_eui_filters":[[1,65535]],"net_id_filters":[],"max_eirp_dbm":null,"station_region":null,"beaconing":true,"beacon_data_rate":null,"beacon_frequencies_hz":[],"thing_name":"","lns_uri":null,"cups_uri":null,"remote_shell":false,"remote_commands":false,"created_at":1700000000.0,"changed_at":null}');
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
CREATE TABLE group_device (
    group_id TEXT NOT NULL REFERENCES multicast_group (id) ON DELETE CASCADE,
    dev_eui BLOB NOT NULL REFERENCES device (dev_eui) ON DELETE CASCADE,
    number INTEGER NOT NULL, -- which of the device's groups it is, from 1
    status TEXT NOT NULL,
    PRIMARY KEY (group_id, dev_eui)
) WITHOUT ROWID;
INSERT INTO "group_device" VALUES('0b8c1c5e-0000-4000-8000-000000000005',X'70B3D57ED0000001',1,'Package_Attempting');
INSERT INTO "group_device" VALUES('0b8c1c5e-0000-4000-8000-000000000005',X'70B3D57ED0000002',1,'Package_Attempting');
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
INSERT INTO "lane_message" VALUES(1,'000000000000/meters/0/republish','00000002-0000-4000-8000-000000000000','000000000000',X'70B3D57ED0000001','plant',1700000000.0,X'016D0B332388C9381B6B7659E9D80997C1FB16CCB597560C0D525C7FBB7E2869FA8C3852C1B71450FD87053FC4E56301FDA1DA327CE02DAF6811CDD67FBCA0FBE11D46');
CREATE TABLE multicast_group (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    revision INTEGER NOT NULL,
    region TEXT NOT NULL,
    record TEXT NOT NULL
);
INSERT INTO "multicast_group" VALUES('0b8c1c5e-0000-4000-8000-000000000005','000000000000',0,'EU868','{"name":"street lamps","description":"","dl_class":"ClassC","gateways":["00800000a0000001"],"interval_ms":1000,"default_data_rate":null,"default_frequency_hz":null,"session":{"data_rate":0,"frequency_hz":869525000,"start_at":1700003600.0,"timeout_s":256,"ping_slot_period":null},"removing":false,"created_at":1700000000.0}');
CREATE TABLE note (
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    at REAL NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (account, kind, name)
);
INSERT INTO "note" VALUES('000000000000','tags','Destination/plant',1700000000.0,X'016D0B332388C9381B6B7659E92288DF3C169957718B3E5D9B66EAB3EAB81F88AA15FF020B1A3577ECF2B535C11ECEFAE85400D2256B888B8E');
CREATE TABLE outbox (
    sequence INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL,
    account TEXT NOT NULL,
    dev_eui BLOB NOT NULL,
    destination TEXT NOT NULL,
    created_at REAL NOT NULL,
    document BLOB NOT NULL -- sealed
);
INSERT INTO "outbox" VALUES(2,'00000001-0000-4000-8000-000000000000','000000000000',X'70B3D57ED0000001','plant',1700000000.0,X'016D0B332388C9381B6B7659E990CE3FC6337FD6D1C4E08241D8968209157D6D20C8DF8F0B4786C6A39182C3234E86DFAD9093F50B70475CA838A7335FC0C18F2462E6');
CREATE TABLE outbox_head (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    last_sequence INTEGER NOT NULL, -- never given again, even when the outbox is empty
    owed INTEGER NOT NULL -- rows of the outbox, so that nobody has to count them
);
INSERT INTO "outbox_head" VALUES(1,2,1);
CREATE TABLE rule (
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    record TEXT NOT NULL, actions BLOB,
    PRIMARY KEY (account, name)
);
INSERT INTO "rule" VALUES('000000000000','meters','{"sql":"SELECT PayloadData WHERE WirelessMetadata.LoRaWAN.FPort = 2","version":"2016-03-23","description":"what meters say","enabled":true,"created_at":1700000000.0}',X'016D0B332388C9381B6B7659E9770C832EFD1889D42DF383427FB2E466EDB92C7578BB91264F57F26AFA485ABF28CB37941A1DCB6B733445E23B6D6470B4487B17B2AAF3EB0EA9CBF0CDA8A2B558693BB719497EFB8AFF0068C6CD95D60BC055BBAB004D3305B57CF011E755C47797002820F43CC0FDDEC1E9B5B5EF1230564E4380B2A870199F62CCC3D075F96E2CB4EAFA3B04A8D493E4520E52278455C452D66C1997E7497671A3E9D070382D4E920309AB26394860569053B38C2560398EF608B8910A4785DE6CE78D1ECB3AF19F671A6D72F22144740D50491527BA269F7CABE3E505C76350A996A15A1DE068A2F6BFCC2F6D3773');
CREATE TABLE service_profile (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    record TEXT NOT NULL
);
INSERT INTO "service_profile" VALUES('0b8c1c5e-0000-4000-8000-000000000002','000000000000','{"name":"standard","add_gateway_metadata":true,"dr_min":0,"dr_max":15,"tx_power_index_min":0,"tx_power_index_max":15,"nb_trans_min":0,"nb_trans_max":3,"adr_algorithm":"reference","max_duty_cycle":0,"dev_status_req_freq":24,"report_dev_status_battery":true,"report_dev_status_margin":true,"passive_roaming":false,"roaming_activation":false}');
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
INSERT INTO "session" VALUES(X'70B3D57ED0000002',0,0,0,X'26011BDA','1.0.3','EU868',1700000000.0,11,0,0,X'016D0B332388C9381B6B7659E9281946C3607E22B7BBF9B2E392FCFBE4C798B71955139AC2440474D09B6118696FFA4A208B9095117865BECF5396B23308F97AC4673FBD95E9C06ADFCC40994B41CB61286599CBF792171CE849AA339E01D2660541F93DD321B7E3DA8BE372AF414257564E31BA7D2FB9BCF395B58AF460DD141A5D79948F944CCF3269647339B07F503B10B67CE6A2EC6457A507F0BA9961B3A96A96FA52CAD142A31E',X'81A5726164696FDE0004AB7278315F64656C61795F7301AD7278315F64725F6F666673657400AD7278325F646174615F7261746500B07278325F6672657175656E63795F687ACE33D3E608',NULL);
INSERT INTO "session" VALUES(X'70B3D57ED0000001',1,1,0,X'26011BDA','1.0.3','EU868',1700000000.0,0,5,0,X'016D0B332388C9381B6B7659E9186D469014CEC5D24D0282E23109C3E0989339EDC06307DC9CA7F4FA7C2887AA00AC1EA881FC9A78E1F36E7742607D33BC649EB298282D7FCDACF3DF67E416174AC76936F522C9231B905E2F3AD67936A8BA80C7E9E62B76E2B6400E0EEBD9E39F227271EB2C4F98B1AC3F1CFC9FDC91ED8FC05878BF560E772CFF23E90EFC4AB71E08656B60A3A210FB428BF611421682E5E6386624170B5F58C5F6C2',X'82A5726164696FDE0004AB7278315F64656C61795F7301AD7278315F64725F6F666673657400AD7278325F646174615F7261746500B07278325F6672657175656E63795F687ACE33D3E608AB617761697465645F61636B82AA6D6573736167655F6964D92430303030303030302D313131312D343030302D383030302D303030303030303030303030A966636E745F646F776E04',1700000000.0);
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
CREATE INDEX access_key_account ON access_key (account, id);
CREATE INDEX multicast_group_account ON multicast_group (account, id);
CREATE UNIQUE INDEX group_device_number ON group_device (dev_eui, number);
CREATE INDEX fuota_task_account ON fuota_task (account, id);
CREATE INDEX fuota_device_device ON fuota_device (dev_eui);
CREATE INDEX fuota_group_group ON fuota_group (group_id);
CREATE VIEW fuota_member (task_id, dev_eui) AS
SELECT task_id, dev_eui FROM fuota_device WHERE chosen = 1
UNION
SELECT fuota_group.task_id, group_device.dev_eui
FROM fuota_group JOIN group_device ON group_device.group_id = fuota_group.group_id;
CREATE INDEX device_profile_account ON device_profile (account, id);
CREATE INDEX service_profile_account ON service_profile (account, id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('dead_letter',1);
COMMIT;
