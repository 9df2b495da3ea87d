PRAGMA user_version = 9;
BEGIN TRANSACTION;
CREATE TABLE access_key (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    active INTEGER NOT NULL,
    last_used_at REAL,
    record TEXT NOT NULL,
    secret BLOB NOT NULL -- sealed
);
INSERT INTO "access_key" VALUES('AKIAEXAMPLE000000001','111122223333',1,NULL,'{"policies":["operator"],"description":"the script that adds meters","created_at":1700000000.0}',X'013793EB1FF5B6A34EB05591F2B9630C435BD6DD93F7299B677CD87E5B7722CB1DCA8A1223ECE8E22CE2F25E0DE94872A617100E4F4B86A50485A36426BA1EE73F254461B427A147403F4B8964FE7E88F2');
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
INSERT INTO "dead_letter" VALUES(1,1,'000000000000/meters/1/http','000000000000',X'70B3D57ED0000001','00000001-0000-4000-8000-000000000000','plant','meters',1700000000.0,1700000060.0,26,'{"action":"2 http","reason":"rejected","detail":"404 Not Found","attempts":1}',X'013793EB1FF5B6A34EB05591F2E46487A831A0815202E96077CA8F21EFCC94732A29280FADD5A7104BBEFE7291012A0094986DB0CD725ADE99D5521937244CDFA31DFD');
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
INSERT INTO "device" VALUES(X'70B3D57ED0000001','0b8c1c5e-0000-4000-8000-000000000100','000000000000','plant','0b8c1c5e-0000-4000-8000-000000000001','0b8c1c5e-0000-4000-8000-000000000002',X'013793EB1FF5B6A34EB05591F21A8FB908B9BE63185A31BC37CD331C8A61A4E5AD2273D84EA1C5867D8A5A54BC2291FFC309C43624F177B372B577AF65802A14318F663E270A604165FA023D9F0ACE69950D2205ABAE8A2AB26DBA14129E2C95677C81FBACA8F4BAF9D2AC67AF8BB7F8E088FEF1B4CF7F30D8620645554FB8056CE1A78C0373AC3D','{"name":"sensor 0","description":"","created_at":1700000000.0}');
INSERT INTO "device" VALUES(X'70B3D57ED0000002','0b8c1c5e-0000-4000-8000-000000000101','000000000000','plant','0b8c1c5e-0000-4000-8000-000000000001','0b8c1c5e-0000-4000-8000-000000000002',X'013793EB1FF5B6A34EB05591F2E4180D7E726708680DD749768676AEC3F443EC8B738D6D60EA6E0D420C07F9145E771AC0EE9CC7D80E449F1E9CC94693E7C6CDDD6C95A40C587DC7E2209FF9C8716DCADEF5D0E7972881D73F49C294944768CD0E131C30552DF8D30AC7467F39F735A6F067C5A17CD663A06937A7EBBF0EF14F185F2DF742C459E22CD1DC6A3779EEE69CCBE22202B47B9A22FD7BBA52ED4445343A6C08CC926F1189799A107DA8A67FB53264E5A77C4FDFA4CC76525DFD4EAFE7C5767FD5CA137CD1ED87574E56F6A6D1883D82','{"name":"sensor 1","description":"","created_at":1700000000.0}');
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
INSERT INTO "downlink" VALUES(1,'00000000-1111-4000-8000-000000000000',X'70B3D57ED0000001',2,1,0,1700000000.0,X'013793EB1FF5B6A34EB05591F2E272A4F436A581CA14491F067EFB022642358F2B5FEE63D2E4B092AAF11DA9843A90D2715C98D98969AC',0,'{"participating":null}');
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
INSERT INTO "lane_message" VALUES(1,'000000000000/meters/0/republish','00000002-0000-4000-8000-000000000000','000000000000',X'70B3D57ED0000001','plant',1700000000.0,X'013793EB1FF5B6A34EB05591F20926025F905813F626EDEF69285FB075242A3AA08FCA6F30DA337BD151A720D4793D8E127BF8FA4367CD7EEB9AABADBC3479C4BEAD07');
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
INSERT INTO "outbox" VALUES(2,'00000001-0000-4000-8000-000000000000','000000000000',X'70B3D57ED0000001','plant',1700000000.0,X'013793EB1FF5B6A34EB05591F22DE41DC08EFE6A530ACF68CBE63095534B5823EA1768CD0C8BE8A8F2A89BB860AB5DF09505763EF8743AA54AA7B5F48220457E8315C5');
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
INSERT INTO "session" VALUES(X'70B3D57ED0000002',0,0,0,X'26011BDA','1.0.3','EU868',1700000000.0,11,0,0,X'013793EB1FF5B6A34EB05591F2F630DC92311AF351FC80D3F54FC5430E195BCF47887CB9E276C7D18D2734BA234EDC0890AA20F7A931F582D63CD3B1389BCCD5AB23CE44DF90FB8CEDD22BD08FBED86B3A36DB2586894AFFC6DED1862BA55E7E8ADD269C9C183C5F0FB4A73E859302D7198EAF2E64D81079CBAACB51E98B52C6D7942261A931EA589140197065C1100BDBB31A645BB442DAE85BEA771EA05314B62987A22D44404111E6',X'81A5726164696FDE0004AB7278315F64656C61795F7301AD7278315F64725F6F666673657400AD7278325F646174615F7261746500B07278325F6672657175656E63795F687ACE33D3E608',NULL);
INSERT INTO "session" VALUES(X'70B3D57ED0000001',1,1,0,X'26011BDA','1.0.3','EU868',1700000000.0,0,5,0,X'013793EB1FF5B6A34EB05591F24C52EA0266872A40FCC4AA617C1DCDF3D595937CE36E2ACA40CD36A66E9DCCB2B40003C610CCEE956EECF614A9224E676C192227AACC69588A78F26A94C917D4E4987F9B05C438BE4B86A6DA8455C1F2FE125B3F671068E2755B262B2FC47C5634D76BD2867614F6B5302DF4D4B791F558EE83A089DC89B1C51E1FBE87E6000E731ADDD619ADA47FF38C3B7545CC8217D020D588AE9A07C2DD59831B23',X'82A5726164696FDE0004AB7278315F64656C61795F7301AD7278315F64725F6F666673657400AD7278325F646174615F7261746500B07278325F6672657175656E63795F687ACE33D3E608AB617761697465645F61636B82AA6D6573736167655F6964D92430303030303030302D313131312D343030302D383030302D303030303030303030303030A966636E745F646F776E04',1700000000.0);
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
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('dead_letter',1);
COMMIT;
