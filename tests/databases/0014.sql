PRAGMA user_version = 14;
BEGIN TRANSACTION;
CREATE TABLE access_key (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    active INTEGER NOT NULL,
    last_used_at REAL,
    record TEXT NOT NULL,
    secret BLOB NOT NULL -- sealed
);
INSERT INTO "access_key" VALUES('AKIAEXAMPLE000000001','111122223333',1,NULL,'{"policies":["operator"],"description":"the script that adds meters","created_at":1700000000.0}',X'016860835C093D66B67488BB6BA273A58591F030756CB041DCDFCB248003E7550741BFE59EA8713BD8ACA7C3966438070EC82AD72063411EFF4BA4F9C790D4DE040241DDBAFA71701C7736C8D082A334A9');
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
INSERT INTO "audit" VALUES(1,1700000000.0,'','cli:ada','cli:device add','','done','',X'0000000000000000000000000000000000000000000000000000000000000000',X'5053B78A65D40FA7F6D04BDBD40109F8263EB7E138BB22234DDB5810449F4314');
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
INSERT INTO "audit_chain" VALUES(1,X'016860835C093D66B67488BB6BEA6126E6BE11D5DBF9CD288DDA4340DBBDBA2F351CE44025AA4BD9A5B19A626842764D13EC6624BA53C9611577257BC87D27BA76E8A671AAABFE8087',0,X'0000000000000000000000000000000000000000000000000000000000000000',X'169E2838FD2255E313E30535F28D2D2AB7F483A2F1E06B166D10799BCB43B7C8',1,X'5053B78A65D40FA7F6D04BDBD40109F8263EB7E138BB22234DDB5810449F4314',X'E49B1232250FDB6A073C3A08B3FBB96513DF6E1A1C5F06B190C797ABD2924F89');
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
INSERT INTO "dead_letter" VALUES(1,1,'000000000000/meters/1/http','000000000000',X'70B3D57ED0000001','00000001-0000-4000-8000-000000000000','plant','meters',1700000000.0,1700000060.0,26,'{"action":"2 http","reason":"rejected","detail":"404 Not Found","attempts":1}',X'016860835C093D66B67488BB6B7F6D4F5BD2DF338F1374920EC0A448847DCFA6C3130988A606D7BB0B72D8C7F948B7FB1D9E2728E1B27B5AC823AFCA72075C7FB2B249');
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
INSERT INTO "device" VALUES(X'70B3D57ED0000001','0b8c1c5e-0000-4000-8000-000000000100','000000000000','plant','0b8c1c5e-0000-4000-8000-000000000001','0b8c1c5e-0000-4000-8000-000000000002',X'016860835C093D66B67488BB6BFCBB9520DD173577FCF52343ED99281AF82E3938A1C2EDBC479FEE7304E529C19D541AA05C79340496502BDFA7AA7182CE62F8D7E3A5EC5BFCDDCC751165AA59D7708E5EA519741A287590E0CBADCB4D724A21A47D2EA00A16278430230EF5BED7B485F2CE96E98C07EC7894350B27E33D5B95C7DA5A1F0C57A435','{"name":"sensor 0","description":"","ports":{"fuota":null,"multicast":null,"clock_sync":null,"positioning_clock_sync":null,"positioning_stream":null,"positioning_gnss":null,"applications":[]},"positioning":null,"thing_name":"","created_at":1700000000.0}');
INSERT INTO "device" VALUES(X'70B3D57ED0000002','0b8c1c5e-0000-4000-8000-000000000101','000000000000','plant','0b8c1c5e-0000-4000-8000-000000000001','0b8c1c5e-0000-4000-8000-000000000002',X'016860835C093D66B67488BB6BD422ABA1D05071434E54AFE2FCA18E5538ABFA233C8261D2800336A8E9F4074918A7592AE0C26DE2060D962E86654675133D23C57BC3F83E763A780513156C14262BFC7C3854FED445F9DE57DF743E552B0E2B39515D0F3D8978ED50FEADC0033799DEE798E748B495BD80C6E7EABEE6E273FAA2BFD9CF4BDCD555ACB092276F86B6B1F1ED7FD93D3A65DA47C962734E20A09209F95E13A8BB9FAC0F209C66133306556421D94D7E96598A570C9201B34F72621B9964521C581D43454AD181D38F9601C17C2739','{"name":"sensor 1","description":"","ports":{"fuota":null,"multicast":null,"clock_sync":null,"positioning_clock_sync":null,"positioning_stream":null,"positioning_gnss":null,"applications":[]},"positioning":null,"thing_name":"","created_at":1700000000.0}');
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
INSERT INTO "downlink" VALUES(1,'00000000-1111-4000-8000-000000000000',X'70B3D57ED0000001',2,1,0,1700000000.0,X'016860835C093D66B67488BB6BEAF764FCD17F3181FC0C15165A85E34029351BD5AE010D13C4EB9BE4A6E0D71238EDE132DACB1222DE24',0,'{"participating":null,"expires_at":null}');
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
INSERT INTO "lane_message" VALUES(1,'000000000000/meters/0/republish','00000002-0000-4000-8000-000000000000','000000000000',X'70B3D57ED0000001','plant',1700000000.0,X'016860835C093D66B67488BB6B71A3CE39A6972B2AE833AB60D406FEF553882A1DE987BA067D0F6FB8A0E8FF26075E89C8CF8B8496C2121406437E9F2D043300F4287A');
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
INSERT INTO "note" VALUES('000000000000','tags','Destination/plant',1700000000.0,X'016860835C093D66B67488BB6B4CF4DE59172D6571DC699BADCC68D10035D6739CF98FB2CEB0A3884746D1AAE92891208F6536D4C78155ADE6');
CREATE TABLE outbox (
    sequence INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL,
    account TEXT NOT NULL,
    dev_eui BLOB NOT NULL,
    destination TEXT NOT NULL,
    created_at REAL NOT NULL,
    document BLOB NOT NULL -- sealed
);
INSERT INTO "outbox" VALUES(2,'00000001-0000-4000-8000-000000000000','000000000000',X'70B3D57ED0000001','plant',1700000000.0,X'016860835C093D66B67488BB6B498288465A3B2ECA6E6C06CB79211693F04F1F7E3A8CDE4C78D0976C3B740A57929B671591314E3C3436813B2B252B390CCF2D260672');
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
INSERT INTO "rule" VALUES('000000000000','meters','{"sql":"SELECT PayloadData WHERE WirelessMetadata.LoRaWAN.FPort = 2","version":"2016-03-23","description":"what meters say","enabled":true,"created_at":1700000000.0}',X'016860835C093D66B67488BB6B4519B1F6AC3578CB94489796B33FBF0183A4647BD3D978D5403035B09C8C654EF5647425AD74999CADE340C52305CB6EC9C36F123F5F57085E253BCECD9A240A1DA551DDA721A0EBCA7D711F43D5672211F8215B8D023747F732A845670E2D97680E455322927B30103748EFD181D60429166A7E4DDE2DB6C35026AC35F26A05A37DA63562E9A80309D6E7C0082E9D7F9F0B7AA5CC6EEFC58F53239B4C723C436568C28B21E46681F0C8A26D8D151BFC7709EC48B759041DD8845AE503C3C426D4D246D6B0A9B29485CCF442079E81281E04C1F341B4EE0CE6A4FF8F12082C7A184A04DD046EB5555B10');
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
INSERT INTO "session" VALUES(X'70B3D57ED0000002',0,0,0,X'26011BDA','1.0.3','EU868',1700000000.0,11,0,0,X'016860835C093D66B67488BB6BE8B4DB6E6EEC55E51C96A2A373DF7918372C687BEFBCB569F861E3F0B35287F88257FAF488410F4CB55DD07E97BDF3E7ECABAD13758D11956458C397EE0ADB64A4AF23C755D5BA10F9A2059DB24FDD7D52B493C1734C515515513FC5D74C8C0B76995070066BFF2075D37F6D07C6A5BFF5A3AEE5531C5E36CB52C7B86C99EE78421940CAC3BA67724C344364594EFB520A2C409862A94A18ACAEFE9374',X'81A5726164696FDE0004AB7278315F64656C61795F7301AD7278315F64725F6F666673657400AD7278325F646174615F7261746500B07278325F6672657175656E63795F687ACE33D3E608',NULL);
INSERT INTO "session" VALUES(X'70B3D57ED0000001',1,1,0,X'26011BDA','1.0.3','EU868',1700000000.0,0,5,0,X'016860835C093D66B67488BB6B961CF20ABF9BC58E7F75A555966913D6C96FD7F37C9F5A57611CBF0838525080530307E41701CD3DD90DBE8FFA04FBB7481EAADD7BC7A875B2CA89EF7F31B9244C4190FB5B18D59B1096588F13C501BE8209008A56B3B46D7E932003530284A0EE592EF9244103D16BC2BDF6634CEBE94E4B0D60E8C902931E22922A14402151684C5C5F06F0EE4AEC803BA44DB959BF3CC62D293C41C9E9DB6EF42E36',X'82A5726164696FDE0004AB7278315F64656C61795F7301AD7278315F64725F6F666673657400AD7278325F646174615F7261746500B07278325F6672657175656E63795F687ACE33D3E608AB617761697465645F61636B82AA6D6573736167655F6964D92430303030303030302D313131312D343030302D383030302D303030303030303030303030A966636E745F646F776E04',1700000000.0);
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
