PRAGMA user_version = 15;
BEGIN TRANSACTION;
CREATE TABLE access_key (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    active INTEGER NOT NULL,
    last_used_at REAL,
    record TEXT NOT NULL,
    secret BLOB NOT NULL -- sealed
);
INSERT INTO "access_key" VALUES('AKIAEXAMPLE000000001','111122223333',1,NULL,'{"policies":["operator"],"description":"the script that adds meters","created_at":1700000000.0}',X'0100D15D328D90F4AA2FC0FF07FA6BB65A441109A9E844792F87E59FEF093DF3F4EB06684B9B3A76D9D3238032D3FE35FECE9E576B8830C76A05016A5B9848081F7373310B78D38A8477826BD546DEF9B3');
CREATE TABLE account (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at REAL NOT NULL
);
INSERT INTO "account" VALUES('111122223333','north',1700000000.0);
CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    account TEXT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    resource TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL
);
INSERT INTO "audit" VALUES(1,1700000000.0,'','cli:ada','cli:device add','','done','',X'0000000000000000000000000000000000000000000000000000000000000000',X'65397EB849618500BB0EC26D4BF52F32BE5F4248C60CD04EB8FC8E2BD7AE1E9A');
CREATE TABLE audit_chain (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    key BLOB NOT NULL, -- sealed
    anchor INTEGER NOT NULL, -- sequence of the last entry that was removed
    anchor_hash BLOB NOT NULL,
    anchor_mac BLOB NOT NULL,
    head INTEGER NOT NULL, -- sequence of the newest entry
    head_hash BLOB NOT NULL,
    head_mac BLOB NOT NULL
);
INSERT INTO "audit_chain" VALUES(1,X'0100D15D328D90F4AA2FC0FF07753C155A479C404244EEF266D5B363B2C9EA85317A7471CA34E53EED669A3338F0C4FBA62B1FBC1681D9089D29434B098C4A7A1AF618B882119E426D',0,X'0000000000000000000000000000000000000000000000000000000000000000',X'4470D5F2F6C5406D030243E83E911868E1203FFC3F4D50B2F9A6AF38F2AFC749',1,X'65397EB849618500BB0EC26D4BF52F32BE5F4248C60CD04EB8FC8E2BD7AE1E9A',X'AA170A9AA4BD85E0796A980F0C849CB91CC9510976CB65F7CD4401F2CDE2CE4F');
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
INSERT INTO "dead_letter" VALUES(1,1,'000000000000/meters/1/http','000000000000',X'70B3D57ED0000001','00000001-0000-4000-8000-000000000000','plant','meters',1700000000.0,1700000060.0,26,'{"action":"2 http","reason":"rejected","detail":"404 Not Found","attempts":1}',X'0100D15D328D90F4AA2FC0FF071C7D9C68691ADBAC40F060B2EFAA28FBCC207C91B5F0E29F3644FC4EB154A9E0A8647213ABB6AEB84703A87155B572B4A5648E05AC94');
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
INSERT INTO "device" VALUES(X'70B3D57ED0000001','0b8c1c5e-0000-4000-8000-000000000100','000000000000','plant','0b8c1c5e-0000-4000-8000-000000000001','0b8c1c5e-0000-4000-8000-000000000002',X'0100D15D328D90F4AA2FC0FF0752AE29D493FDCE92E57D73623D16F91CAED2ABB9B8DA93930A4AF12C1EE742F989A3105D0DBC43BCB75CD6852B84BC2847170BB87CB5B3566ED570A0AB152653468370FF631B28876BEE68C2A1A887E11B5C2BB35272D0216A710361E70A4B3CB9D509C8AA48CB25E6846AEE716D54394D045A266F9A09889450F2','{"name":"sensor 0","description":"","ports":{"fuota":null,"multicast":null,"clock_sync":null,"positioning_clock_sync":null,"positioning_stream":null,"positioning_gnss":null,"applications":[]},"positioning":null,"thing_name":"","created_at":1700000000.0}');
INSERT INTO "device" VALUES(X'70B3D57ED0000002','0b8c1c5e-0000-4000-8000-000000000101','000000000000','plant','0b8c1c5e-0000-4000-8000-000000000001','0b8c1c5e-0000-4000-8000-000000000002',X'0100D15D328D90F4AA2FC0FF079D93097F6018B612B54A7F7B62DC1E5C0A6CECF8B1FD2F3F6ECD63939B9EBA5E8812B47B92BCA7EA1DB49A062BD4C33BDA2EDB0FDA3CE94ED2C5091E11BC15816499D91D2F22DF28ECA8293E5DE6BAD459142C01B9AF88016029A4D0A9C56AD9151669A40E83D401BDB23DFEF5B4A84FA7E6C9EBAB1609FCED52C7CCEDFEB0D284BEB9757204787FAAB908200A8928FBD5F2148215C22ECA5598D85625DB9D84C1BF6672AE47FF18C793FD7E0477DA928A0A6608EB6E2634A2FF8AAD75D943D6CF434643BCC1E2','{"name":"sensor 1","description":"","ports":{"fuota":null,"multicast":null,"clock_sync":null,"positioning_clock_sync":null,"positioning_stream":null,"positioning_gnss":null,"applications":[]},"positioning":null,"thing_name":"","created_at":1700000000.0}');
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
INSERT INTO "downlink" VALUES(1,'00000000-1111-4000-8000-000000000000',X'70B3D57ED0000001',2,1,0,1700000000.0,X'0100D15D328D90F4AA2FC0FF079CA4D67B75AFDB41609C210794F168D4D0992B9EE50A5692BFD6623C8722ECE06BA6FD96308402B6F32C',0,'{"participating":null,"expires_at":null}');
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
INSERT INTO "lane_message" VALUES(1,'000000000000/meters/0/republish','00000002-0000-4000-8000-000000000000','000000000000',X'70B3D57ED0000001','plant',1700000000.0,X'0100D15D328D90F4AA2FC0FF07903BDFFF3B5BE15283F0C8AAA28907220848A06259F09C76E84F2AD037A4A1EDFEF04174F9F9BAF60AE82B3E02035FB47A403139D0D9');
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
INSERT INTO "note" VALUES('000000000000','tags','Destination/plant',1700000000.0,X'0100D15D328D90F4AA2FC0FF0735DEEAEE24154E29AF3948EE30AD677B7F498F006102F006AF79F0048F7F5FD47C7972AF6F371E1875B2849D');
CREATE TABLE outbox (
    sequence INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL,
    account TEXT NOT NULL,
    dev_eui BLOB NOT NULL,
    destination TEXT NOT NULL,
    created_at REAL NOT NULL,
    document BLOB NOT NULL -- sealed
);
INSERT INTO "outbox" VALUES(2,'00000001-0000-4000-8000-000000000000','000000000000',X'70B3D57ED0000001','plant',1700000000.0,X'0100D15D328D90F4AA2FC0FF071BC6E44E308E96025F821D9D39DCD4C8AFCB72C99A6F6231D9129854E96CB61EC2DE696E0C787ABE25EA2801FF56C474C918A6A87C3C');
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
INSERT INTO "rule" VALUES('000000000000','meters','{"sql":"SELECT PayloadData WHERE WirelessMetadata.LoRaWAN.FPort = 2","version":"2016-03-23","description":"what meters say","enabled":true,"created_at":1700000000.0}',X'0100D15D328D90F4AA2FC0FF07D7B0776C3135CFA0E9F5DB479727C513DD7224C0DF3053A939431F29492262E855EF7EA8BEF15E21445B275D627C7855B53DEF9D27DB08DABB149C83F6EAE182CF305D0D60165022075D2094AE109241078584311F3C65E90952D630F4273D80C7F9328CBC9B80B9E31202C0DD951A6BF9D84FC620ED51158BC4F77118284F87096F64BEEBC9A6346573A62B8148F21C583E85F55F96036298E1DE217E73CA0ADE2F81E069EBF5C81CA80AD2D9A86CA4BBEE12A319DA06B586AEE5B3C0FC8313BC96488C8537C63D7AA7801B8F99ADBF6F5C62DFA8B2831A6DE3C79D5E0151BAF96606DF7147F2894698');
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
    state BLOB NOT NULL, last_uplink_at REAL, last_heard BLOB NOT NULL DEFAULT x'', -- msgpack map
    PRIMARY KEY (dev_eui, generation)
);
INSERT INTO "session" VALUES(X'70B3D57ED0000002',0,0,0,X'26011BDA','1.0.3','EU868',1700000000.0,11,0,0,X'0100D15D328D90F4AA2FC0FF07162914B1AE24D84A3D6D9AD90DE4CFD7097EE8FBDBF8B43B83420EE8378D3EE760E29F204B82028D95DDA47874C67FA1B59F15408856943D85F2B7021336443C06E20C1F27612D6223D5D769271D7D06BEE5DC10A83DA4B91ECB45A8D8F80CA80C1B1CFC34E0583F90F30DE44CCE189CDA06D4C80058E69A160B6601B9CD2CBBFE714A0C3F4F50E46A07AB35F6C09F591C1A6116D9EDEC337618D6AD68',X'81A5726164696FDE0004AB7278315F64656C61795F7301AD7278315F64725F6F666673657400AD7278325F646174615F7261746500B07278325F6672657175656E63795F687ACE33D3E608',NULL,X'');
INSERT INTO "session" VALUES(X'70B3D57ED0000001',1,1,0,X'26011BDA','1.0.3','EU868',1700000000.0,0,5,0,X'0100D15D328D90F4AA2FC0FF07125DAF21E5504FFC5805BA3FC7D1D470ECCCDD28ED38E6B14DB45E62BE589F91DC1A9A3FEA6BB2D183D5FCBF401377515A9E8A580DECF1C97D7DC6657BF4656A81138F83CAE0CD1155F9A7A1F0756121FD5BA592B11BA13D150C5C24D1142CB61DDEEC9F2AE42EF0A01DB1CCCC2A4CCB06880347F530DE989C0D8F4FB4F74706BB8B15E033E1C32F712503F9B324061DF9A94FA79303789AE9EEEE5EC8',X'82A5726164696FDE0004AB7278315F64656C61795F7301AD7278315F64725F6F666673657400AD7278325F646174615F7261746500B07278325F6672657175656E63795F687ACE33D3E608AB617761697465645F61636B82AA6D6573736167655F6964D92430303030303030302D313131312D343030302D383030302D303030303030303030303030A966636E745F646F776E04',1700000000.0,X'');
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
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
BEGIN
    SELECT raise(ABORT, 'the audit log is only added to');
END;
CREATE TRIGGER audit_goes_from_its_beginning BEFORE DELETE ON audit
WHEN OLD.sequence > (SELECT anchor FROM audit_chain)
BEGIN
    SELECT raise(ABORT, 'the audit log is only shortened from its beginning');
END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('dead_letter',1);
COMMIT;
