-- Every statement of the SQLite engine: a name, a sentence, the statement.

-- advance_session --
-- Move a session on if it is still the one that was read: the guard against replays, across
-- processes too.
UPDATE session
SET revision = ?, pending = ?, fcnt_up = ?, nfcnt_down = ?, afcnt_down = ?, last_uplink_at = ?,
    state = coalesce(?, state), last_heard = ?
WHERE dev_eui = ? AND generation = ? AND revision = ?

-- insert_session --
-- Begin a session; its keys are sealed here and never again.
INSERT INTO session (
    dev_eui, generation, revision, pending, dev_addr, mac_version, region, activated_at,
    fcnt_up, nfcnt_down, afcnt_down, last_uplink_at, keys, state, last_heard
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- sessions_at --
-- Whoever answers to a DevAddr.
SELECT
    dev_eui, generation, revision, pending, dev_addr, mac_version, region, activated_at,
    fcnt_up, nfcnt_down, afcnt_down, last_uplink_at, keys, state, last_heard
FROM session WHERE dev_addr = ? ORDER BY dev_eui, generation

-- sessions_of --
-- The sessions of a device, oldest activation first.
SELECT
    dev_eui, generation, revision, pending, dev_addr, mac_version, region, activated_at,
    fcnt_up, nfcnt_down, afcnt_down, last_uplink_at, keys, state, last_heard
FROM session WHERE dev_eui = ? ORDER BY generation

-- session_exists --
-- Whether a device has a session of this generation.
SELECT 1 FROM session WHERE dev_eui = ? AND generation = ?

-- delete_other_sessions --
-- The device uses its new session: every other one ends.
DELETE FROM session WHERE dev_eui = ? AND generation <> ?

-- delete_pending_sessions --
-- A new join makes an earlier one that was never used void.
DELETE FROM session WHERE dev_eui = ? AND pending

-- join_state --
-- What is remembered of a device's joins.
SELECT dev_eui, revision, state FROM join_state WHERE dev_eui = ?

-- insert_join_state --
-- The first join of a device; one that lost the race finds the row there already.
INSERT INTO join_state (dev_eui, revision, state) VALUES (?, ?, ?)
ON CONFLICT (dev_eui) DO NOTHING

-- advance_join_state --
-- Any later join, if the state is still the one that was read.
UPDATE join_state SET revision = ?, state = ? WHERE dev_eui = ? AND revision = ?

-- outbox_head --
-- The last sequence given, and how many messages are owed.
SELECT last_sequence, owed FROM outbox_head

-- move_outbox_head --
-- Once in a transaction that owes or strikes off.
UPDATE outbox_head SET last_sequence = ?, owed = ?

-- insert_delivery --
-- Owe a message.
INSERT INTO outbox (sequence, message_id, account, dev_eui, destination, created_at, document)
VALUES (?, ?, ?, ?, ?, ?, ?)

-- owed --
-- The oldest messages behind a sequence.
SELECT sequence, message_id, account, dev_eui, destination, created_at, document
FROM outbox WHERE sequence > ? ORDER BY sequence LIMIT ?

-- delete_delivered --
-- Strike off what was delivered; the parameter is a JSON array of sequences.
DELETE FROM outbox WHERE sequence IN (SELECT value FROM json_each(?))

-- insert_downlink --
-- Queue a payload for a device.
INSERT INTO downlink (
    message_id, dev_eui, fport, confirmed, attempts, queued_at, payload, priority, record
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)

-- downlink_exists --
-- Whether a message of this id is queued.
SELECT 1 FROM downlink WHERE message_id = ?

-- queued --
-- The queue of a device: first come, first out, within a priority.
SELECT message_id, dev_eui, fport, confirmed, attempts, queued_at, payload, priority, record
FROM downlink WHERE dev_eui = ? ORDER BY priority DESC, sequence LIMIT ?

-- waiting --
-- Devices that something is queued for.
SELECT DISTINCT dev_eui FROM downlink ORDER BY dev_eui

-- delete_downlink --
-- Take one message of a device from its queue.
DELETE FROM downlink WHERE dev_eui = ? AND message_id = ?

-- delete_downlinks --
-- Empty the queue of a device.
DELETE FROM downlink WHERE dev_eui = ?

-- count_attempt --
-- A confirmed message was sent once more.
UPDATE downlink SET attempts = attempts + 1 WHERE dev_eui = ? AND message_id = ?

-- insert_device --
-- Register a device.
INSERT INTO device (
    dev_eui, id, account, destination, device_profile_id, service_profile_id, activation, record
) VALUES (?, ?, ?, ?, ?, ?, ?, ?)

-- device --
-- A device by its DevEUI.
SELECT
    dev_eui, id, account, destination, device_profile_id, service_profile_id, activation, record
FROM device WHERE dev_eui = ?

-- devices --
-- A page of devices behind a DevEUI.
SELECT
    dev_eui, id, account, destination, device_profile_id, service_profile_id, activation, record
FROM device WHERE dev_eui > ? ORDER BY dev_eui LIMIT ?

-- device_exists --
-- Whether a device is registered.
SELECT 1 FROM device WHERE dev_eui = ?

-- device_id_exists --
-- Whether a device has this id.
SELECT 1 FROM device WHERE id = ?

-- device_id_elsewhere --
-- Whether another device has this id.
SELECT 1 FROM device WHERE id = ? AND dev_eui <> ?

-- replace_device --
-- Everything of a device but its DevEUI; its sessions stay as they are.
UPDATE device
SET id = ?2, account = ?3, destination = ?4, device_profile_id = ?5, service_profile_id = ?6,
    activation = ?7, record = ?8
WHERE dev_eui = ?1

-- delete_device --
-- Remove a device; its sessions, join state and queue go with it.
DELETE FROM device WHERE dev_eui = ?

-- insert_device_profile --
-- Register a device profile.
INSERT INTO device_profile (id, account, record) VALUES (?, ?, ?)

-- device_profile --
-- A device profile by its id.
SELECT id, account, record FROM device_profile WHERE id = ?

-- device_profiles --
-- A page of an account's device profiles behind an id.
SELECT id, account, record FROM device_profile WHERE account = ? AND id > ? ORDER BY id LIMIT ?

-- insert_service_profile --
-- Register a service profile.
INSERT INTO service_profile (id, account, record) VALUES (?, ?, ?)

-- service_profile --
-- A service profile by its id.
SELECT id, account, record FROM service_profile WHERE id = ?

-- service_profiles --
-- A page of an account's service profiles behind an id.
SELECT id, account, record FROM service_profile WHERE account = ? AND id > ? ORDER BY id LIMIT ?

-- insert_gateway --
-- Register a gateway.
INSERT INTO gateway (gateway_eui, id, account, record) VALUES (?, ?, ?, ?)

-- gateway --
-- A gateway by its EUI.
SELECT gateway_eui, id, account, record FROM gateway WHERE gateway_eui = ?

-- gateways --
-- A page of gateways behind an EUI.
SELECT gateway_eui, id, account, record
FROM gateway WHERE gateway_eui > ? ORDER BY gateway_eui LIMIT ?

-- gateway_id_exists --
-- Whether a gateway has this id.
SELECT 1 FROM gateway WHERE id = ?

-- gateway_id_elsewhere --
-- Whether another gateway has this id.
SELECT 1 FROM gateway WHERE id = ? AND gateway_eui <> ?

-- replace_gateway --
-- Everything of a gateway but its EUI.
UPDATE gateway SET id = ?2, account = ?3, record = ?4 WHERE gateway_eui = ?1

-- delete_gateway --
-- Remove a gateway; its certificates, state and firmware task go with it.
DELETE FROM gateway WHERE gateway_eui = ?

-- insert_certificate --
-- Remember a certificate that was issued.
INSERT INTO gateway_certificate (fingerprint, account, gateway_eui, active, record, pem)
VALUES (?, ?, ?, ?, ?, ?)

-- replace_certificate --
-- Everything of a certificate but its fingerprint.
UPDATE gateway_certificate
SET account = ?2, gateway_eui = ?3, active = ?4, record = ?5, pem = ?6
WHERE fingerprint = ?1

-- certificate --
-- A certificate by its fingerprint.
SELECT fingerprint, account, gateway_eui, active, record, pem
FROM gateway_certificate WHERE fingerprint = ?

-- certificates_of --
-- The certificates of a gateway, in the order they were issued.
SELECT fingerprint, account, gateway_eui, active, record, pem
FROM gateway_certificate WHERE gateway_eui = ? ORDER BY rowid

-- activate_certificate --
-- Let a certificate in, or no longer.
UPDATE gateway_certificate SET active = ? WHERE fingerprint = ?

-- foreign_certificates --
-- Those that an outside authority has signed.
SELECT fingerprint, account, gateway_eui, active, record, pem
FROM gateway_certificate WHERE pem <> '' ORDER BY fingerprint

-- put_gateway_state --
-- One part of a gateway's state, if there is such a gateway.
INSERT INTO gateway_state (gateway_eui, part, record)
SELECT gateway_eui, ?2, ?3 FROM gateway WHERE gateway_eui = ?1
ON CONFLICT (gateway_eui, part) DO UPDATE SET record = excluded.record

-- gateway_state --
-- The parts of a gateway's state as one object.
SELECT gateway_eui, json_group_object(part, json(record))
FROM gateway_state WHERE gateway_eui = ? GROUP BY gateway_eui

-- gateway_states --
-- A page of states behind an EUI.
SELECT gateway_eui, json_group_object(part, json(record))
FROM gateway_state WHERE gateway_eui > ? GROUP BY gateway_eui ORDER BY gateway_eui LIMIT ?

-- insert_firmware --
-- Keep a firmware definition.
INSERT INTO firmware_definition (id, account, record) VALUES (?, ?, ?)

-- firmware --
-- A firmware definition by its id.
SELECT id, account, record FROM firmware_definition WHERE id = ?

-- firmware_definitions --
-- Every firmware definition of an account, in the order they were made.
SELECT id, account, record FROM firmware_definition WHERE account = ? ORDER BY sequence

-- firmware_in_use --
-- Whether a task names this definition that has not ended.
SELECT 1 FROM firmware_task
WHERE definition_id = ? AND status NOT IN ('COMPLETED', 'FAILED') LIMIT 1

-- delete_firmware --
-- Remove a firmware definition.
DELETE FROM firmware_definition WHERE id = ?

-- insert_firmware_task --
-- The task of a gateway.
INSERT INTO firmware_task (gateway_eui, account, definition_id, status, record)
VALUES (?, ?, ?, ?, ?)

-- firmware_task --
-- The task of a gateway by its EUI.
SELECT gateway_eui, account, definition_id, status, record
FROM firmware_task WHERE gateway_eui = ?

-- firmware_tasks --
-- The tasks of a definition, in order of gateway EUI.
SELECT gateway_eui, account, definition_id, status, record
FROM firmware_task WHERE definition_id = ? ORDER BY gateway_eui

-- replace_firmware_task --
-- What has become of a task.
UPDATE firmware_task SET account = ?2, definition_id = ?3, status = ?4, record = ?5
WHERE gateway_eui = ?1

-- delete_firmware_task --
-- A gateway has no task any more.
DELETE FROM firmware_task WHERE gateway_eui = ?

-- insert_destination --
-- Register a destination.
INSERT INTO destination (account, name, record) VALUES (?, ?, ?)

-- destination --
-- A destination by its name.
SELECT account, name, record FROM destination WHERE account = ? AND name = ?

-- destinations --
-- A page of an account's destinations behind a name.
SELECT account, name, record FROM destination
WHERE account = ? AND name > ? ORDER BY name LIMIT ?

-- replace_destination --
-- Everything of a destination but its name.
UPDATE destination SET record = ?3 WHERE account = ?1 AND name = ?2

-- destination_in_use --
-- Whether a device sends there.
SELECT 1 FROM device WHERE account = ? AND destination = ? LIMIT 1

-- delete_destination --
-- Remove a destination.
DELETE FROM destination WHERE account = ? AND name = ?

-- insert_change --
-- Tell every process that something is no longer what it was.
INSERT INTO change (kind, identity) VALUES (?, ?)

-- last_change --
-- The newest change, 0 before the first.
SELECT coalesce(max(sequence), 0) FROM change

-- changes --
-- What changed since.
SELECT sequence, kind, identity FROM change WHERE sequence > ? ORDER BY sequence

-- trim_changes --
-- Keep only the newest changes.
DELETE FROM change WHERE sequence <= (SELECT max(sequence) FROM change) - ?

-- insert_rule --
-- Register a rule.
INSERT INTO rule (account, name, record, actions) VALUES (?, ?, ?, ?)

-- rule --
-- A rule by its name.
SELECT account, name, record, actions FROM rule WHERE account = ? AND name = ?

-- rules --
-- Every rule of an account.
SELECT account, name, record, actions FROM rule WHERE account = ? ORDER BY name

-- replace_rule --
-- Everything of a rule but its name.
UPDATE rule SET record = ?3, actions = ?4 WHERE account = ?1 AND name = ?2

-- delete_rule --
-- Remove a rule.
DELETE FROM rule WHERE account = ? AND name = ?

-- insert_lane_message --
-- Owe a message in a lane; one that is owed there already stays as it is.
INSERT INTO lane_message (
    sequence, lane, message_id, account, dev_eui, destination, created_at, document
) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (lane, sequence) DO NOTHING

-- owed_in_lane --
-- The oldest messages of a lane behind a sequence.
SELECT sequence, lane, message_id, account, dev_eui, destination, created_at, document
FROM lane_message WHERE lane = ? AND sequence > ? ORDER BY sequence LIMIT ?

-- delete_lane_messages --
-- Strike off what a lane delivered; the second parameter is a JSON array of sequences.
DELETE FROM lane_message
WHERE lane = ? AND sequence IN (SELECT value FROM json_each(?))

-- lanes --
-- Lanes that something is owed in, found by skipping from one to the next.
WITH RECURSIVE found (lane) AS (
    SELECT min(lane) FROM lane_message
    UNION ALL
    SELECT (SELECT min(lane) FROM lane_message WHERE lane > found.lane)
    FROM found WHERE found.lane IS NOT NULL
)
SELECT lane FROM found WHERE lane IS NOT NULL

-- lane_messages_count --
-- How many messages are owed in lanes.
SELECT count(*) FROM lane_message

-- insert_dead_letter --
-- Keep a message that was given up. It is known already if the process ended between this and
-- striking it off.
INSERT INTO dead_letter (
    owed_as, lane, account, dev_eui, message_id, destination, rule, created_at, failed_at, size,
    record, document
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (owed_as, lane) DO NOTHING

-- dead_letters --
-- A page of dead letters behind a sequence; a parameter that is null does not filter.
SELECT
    sequence, owed_as, lane, account, dev_eui, message_id, destination, rule, created_at,
    failed_at, size, record, document
FROM dead_letter
WHERE account = ? AND dev_eui = coalesce(?, dev_eui) AND destination = coalesce(?, destination)
    AND rule = coalesce(?, rule) AND message_id = coalesce(?, message_id) AND sequence > ?
ORDER BY sequence LIMIT ?

-- dead_letter --
-- A dead letter by its sequence.
SELECT
    sequence, owed_as, lane, account, dev_eui, message_id, destination, rule, created_at,
    failed_at, size, record, document
FROM dead_letter WHERE sequence = ?

-- delete_dead_letters --
-- Drop dead letters; the parameter is a JSON array of sequences.
DELETE FROM dead_letter WHERE sequence IN (SELECT value FROM json_each(?))

-- delete_old_dead_letters --
-- Drop those that failed before a time.
DELETE FROM dead_letter WHERE failed_at < ?

-- delete_oldest_dead_letters --
-- Drop the oldest until what is left fits.
DELETE FROM dead_letter WHERE sequence IN (
    SELECT sequence FROM (
        SELECT sequence, sum(size) OVER (ORDER BY sequence DESC) AS newer FROM dead_letter
    ) WHERE newer > ?
)

-- dead_letter_usage --
-- How many there are, and how many bytes.
SELECT count(*), coalesce(sum(size), 0) FROM dead_letter

-- bytes_used --
-- Of the whole database, but for pages that are free.
SELECT
    (SELECT page_count FROM pragma_page_count())
    - (SELECT freelist_count FROM pragma_freelist_count()),
    (SELECT page_size FROM pragma_page_size())

-- insert_codec --
-- Register a payload codec.
INSERT INTO codec (account, name, script, created_at) VALUES (?, ?, ?, ?)

-- codec --
-- A payload codec by its name.
SELECT account, name, script, created_at FROM codec WHERE account = ? AND name = ?

-- codecs --
-- Every payload codec of an account.
SELECT account, name, script, created_at FROM codec WHERE account = ? ORDER BY name

-- replace_codec --
-- Everything of a payload codec but its name.
UPDATE codec SET script = ?3, created_at = ?4 WHERE account = ?1 AND name = ?2

-- delete_codec --
-- Remove a payload codec.
DELETE FROM codec WHERE account = ? AND name = ?

-- insert_account --
-- Register an account.
INSERT INTO account (id, name, created_at) VALUES (?, ?, ?)

-- account --
-- An account by its id.
SELECT id, name, created_at FROM account WHERE id = ?

-- accounts --
-- Every account.
SELECT id, name, created_at FROM account ORDER BY id

-- insert_access_key --
-- Register an access key.
INSERT INTO access_key (id, account, active, last_used_at, record, secret)
VALUES (?, ?, ?, ?, ?, ?)

-- access_key --
-- An access key by its id.
SELECT id, account, active, last_used_at, record, secret FROM access_key WHERE id = ?

-- access_keys --
-- Every access key of an account, or of all.
SELECT id, account, active, last_used_at, record, secret FROM access_key
WHERE account = coalesce(?, account) ORDER BY account, id

-- set_access_key_active --
-- Let an access key in, or no longer.
UPDATE access_key SET active = ? WHERE id = ?

-- use_access_key --
-- Keep when an access key was used, unless a later use is known.
UPDATE access_key SET last_used_at = ? WHERE id = ? AND coalesce(last_used_at, 0) < ?

-- delete_access_key --
-- Remove an access key.
DELETE FROM access_key WHERE id = ?

-- put_note --
-- Keep a note, in place of an earlier one of that name.
INSERT INTO note (account, kind, name, at, body) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (account, kind, name) DO UPDATE SET at = excluded.at, body = excluded.body

-- note --
-- A note by its name.
SELECT account, kind, name, at, body FROM note WHERE account = ? AND kind = ? AND name = ?

-- note_since --
-- Whether there is a note of this name that is not older.
SELECT 1 FROM note WHERE account = ? AND kind = ? AND name = ? AND at >= ?

-- notes --
-- A page of notes of one kind behind a name.
SELECT account, kind, name, at, body
FROM note WHERE account = ? AND kind = ? AND name > ? ORDER BY name LIMIT ?

-- delete_note --
-- Remove a note.
DELETE FROM note WHERE account = ? AND kind = ? AND name = ?

-- delete_old_notes --
-- Remove the notes of one kind that were written before a time.
DELETE FROM note WHERE kind = ? AND at < ?

-- device_by_id --
-- A device by its id.
SELECT
    dev_eui, id, account, destination, device_profile_id, service_profile_id, activation, record
FROM device WHERE id = ?

-- device_count --
-- How many devices an account has.
SELECT count(*) FROM device WHERE account = ?

-- devices_of --
-- A page of an account's devices behind a DevEUI; a parameter that is null does not filter.
SELECT
    dev_eui, id, account, destination, device_profile_id, service_profile_id, activation, record
FROM device
WHERE account = ? AND dev_eui > ? AND destination = coalesce(?, destination)
    AND device_profile_id = coalesce(?, device_profile_id)
    AND service_profile_id = coalesce(?, service_profile_id)
ORDER BY dev_eui LIMIT ?

-- gateway_by_id --
-- A gateway by its id.
SELECT gateway_eui, id, account, record FROM gateway WHERE id = ?

-- gateways_of --
-- A page of an account's gateways behind an EUI.
SELECT gateway_eui, id, account, record
FROM gateway WHERE account = ? AND gateway_eui > ? ORDER BY gateway_eui LIMIT ?

-- device_profile_in_use --
-- Whether a device has this device profile.
SELECT 1 FROM device WHERE device_profile_id = ? LIMIT 1

-- delete_device_profile --
-- Remove a device profile.
DELETE FROM device_profile WHERE id = ?

-- service_profile_in_use --
-- Whether a device has this service profile.
SELECT 1 FROM device WHERE service_profile_id = ? LIMIT 1

-- delete_service_profile --
-- Remove a service profile.
DELETE FROM service_profile WHERE id = ?

-- delete_certificate --
-- A certificate is a gateway's no more.
DELETE FROM gateway_certificate WHERE fingerprint = ?

-- insert_multicast_group --
-- Register a multicast group.
INSERT INTO multicast_group (id, account, revision, region, record) VALUES (?, ?, ?, ?, ?)

-- multicast_group --
-- A multicast group by its id.
SELECT id, account, revision, region, record FROM multicast_group WHERE id = ?

-- multicast_groups --
-- A page of an account's multicast groups behind an id.
SELECT id, account, revision, region, record
FROM multicast_group WHERE account = ? AND id > ? ORDER BY id LIMIT ?

-- multicast_group_is --
-- Whether a group is still of this revision.
SELECT 1 FROM multicast_group WHERE id = ? AND revision = ?

-- replace_multicast_group --
-- Everything of a group but its id and account.
UPDATE multicast_group SET revision = ?3, region = ?4, record = ?5 WHERE id = ?1 AND account = ?2

-- delete_multicast_group --
-- Remove a multicast group; its devices leave it.
DELETE FROM multicast_group WHERE id = ?

-- multicast_group_in_use --
-- Whether a firmware update has this group.
SELECT 1 FROM fuota_group WHERE group_id = ? LIMIT 1

-- multicast_group_has_other_region --
-- Whether a group with devices, or of a firmware update, is of another region than this.
SELECT 1 FROM multicast_group WHERE id = ?1 AND region <> ?2 AND (
    EXISTS (SELECT 1 FROM group_device WHERE group_id = ?1)
    OR EXISTS (SELECT 1 FROM fuota_group WHERE group_id = ?1)
)

-- group_count --
-- How many devices a group has, and how many of them have a status of a JSON array.
SELECT count(*), coalesce(sum(status IN (SELECT value FROM json_each(?2))), 0)
FROM group_device WHERE group_id = ?1

-- insert_group_device --
-- A device enters a group, as the first of the numbers in a JSON array that it has free.
INSERT INTO group_device (group_id, dev_eui, number, status)
SELECT multicast_group.id, device.dev_eui, numbers.value, ?3
FROM multicast_group
JOIN device ON device.account = multicast_group.account
JOIN json_each(?4) AS numbers
WHERE multicast_group.id = ?1 AND device.dev_eui = ?2 AND numbers.value NOT IN (
    SELECT number FROM group_device WHERE dev_eui = ?2
)
ORDER BY numbers.value LIMIT 1
ON CONFLICT (group_id, dev_eui) DO NOTHING

-- group_device --
-- A device of a group.
SELECT group_id, dev_eui, number, status FROM group_device WHERE group_id = ? AND dev_eui = ?

-- group_devices --
-- A page of a group's devices behind a DevEUI.
SELECT group_id, dev_eui, number, status
FROM group_device WHERE group_id = ? AND dev_eui > ? ORDER BY dev_eui LIMIT ?

-- delete_group_device --
-- A device leaves a group.
DELETE FROM group_device WHERE group_id = ? AND dev_eui = ?

-- move_group_device --
-- A device of a group has another status, if it still has the one that was read.
UPDATE group_device SET status = ?5
WHERE group_id = ?1 AND dev_eui = ?2 AND number = ?3 AND status = ?4

-- groups_of_device --
-- The groups of a device, in the order of its numbers.
SELECT group_id FROM group_device WHERE dev_eui = ? ORDER BY number

-- tasks_of_device --
-- The firmware updates that have a device by itself.
SELECT task_id FROM fuota_device WHERE dev_eui = ? AND chosen = 1 ORDER BY task_id

-- tasks_of_group --
-- The firmware updates that have a group.
SELECT id, account, revision, region, record FROM fuota_task
WHERE id IN (SELECT task_id FROM fuota_group WHERE group_id = ?) ORDER BY id

-- insert_fuota_task --
-- Register a firmware update.
INSERT INTO fuota_task (id, account, revision, region, record) VALUES (?, ?, ?, ?, ?)

-- fuota_task --
-- A firmware update by its id.
SELECT id, account, revision, region, record FROM fuota_task WHERE id = ?

-- fuota_tasks --
-- A page of an account's firmware updates behind an id.
SELECT id, account, revision, region, record
FROM fuota_task WHERE account = ? AND id > ? ORDER BY id LIMIT ?

-- fuota_task_is --
-- Whether a firmware update is still of this revision.
SELECT 1 FROM fuota_task WHERE id = ? AND revision = ?

-- replace_fuota_task --
-- Everything of a firmware update but its id and account.
UPDATE fuota_task SET revision = ?3, region = ?4, record = ?5 WHERE id = ?1 AND account = ?2

-- delete_fuota_task --
-- Remove a firmware update.
DELETE FROM fuota_task WHERE id = ?

-- fuota_task_has_other_region --
-- Whether a firmware update with devices or groups is of another region than this.
SELECT 1 FROM fuota_task WHERE id = ?1 AND region <> ?2 AND (
    EXISTS (SELECT 1 FROM fuota_device WHERE task_id = ?1 AND chosen = 1)
    OR EXISTS (SELECT 1 FROM fuota_group WHERE task_id = ?1)
)

-- fuota_tasks_scheduled --
-- The other firmware updates of an account whose session has not ended, as far as it is written.
SELECT id, account, revision, region, record FROM fuota_task
WHERE account = ? AND id <> ? AND json_extract(record, '$.session') IS NOT NULL
    AND json_extract(record, '$.session.ended_at') IS NULL

-- groups_of_task --
-- The groups of a firmware update, whole.
SELECT id, account, revision, region, record FROM multicast_group
WHERE id IN (SELECT group_id FROM fuota_group WHERE task_id = ?) ORDER BY id

-- group_elsewhere --
-- A group of a firmware update that one of others has, which a JSON array names.
SELECT group_id FROM fuota_group WHERE task_id = ?1 AND group_id IN (
    SELECT group_id FROM fuota_group WHERE task_id IN (SELECT value FROM json_each(?2))
) ORDER BY group_id LIMIT 1

-- touch_groups_of_task --
-- The groups of a firmware update are no longer what they were.
UPDATE multicast_group SET revision = revision + 1
WHERE id IN (SELECT group_id FROM fuota_group WHERE task_id = ?)

-- mark_devices_elsewhere --
-- A status for the devices of a firmware update that others have, which a JSON array names.
INSERT INTO fuota_device (task_id, dev_eui, chosen, status)
SELECT task_id, dev_eui, 0, ?3 FROM fuota_member
WHERE task_id = ?1 AND dev_eui IN (
    SELECT dev_eui FROM fuota_member WHERE task_id IN (SELECT value FROM json_each(?2))
)
ON CONFLICT (task_id, dev_eui) DO UPDATE SET status = excluded.status

-- insert_task_device --
-- A device takes part in a firmware update by itself.
INSERT INTO fuota_device (task_id, dev_eui, chosen, status) VALUES (?, ?, 1, ?)
ON CONFLICT (task_id, dev_eui) DO UPDATE SET chosen = 1

-- delete_task_device --
-- A device no longer takes part by itself.
DELETE FROM fuota_device WHERE task_id = ? AND dev_eui = ? AND chosen = 1

-- task_has_devices --
-- Whether a firmware update has devices by themselves.
SELECT 1 FROM fuota_device WHERE task_id = ? AND chosen = 1 LIMIT 1

-- task_has_groups --
-- Whether a firmware update has groups.
SELECT 1 FROM fuota_group WHERE task_id = ? LIMIT 1

-- task_device --
-- A device of a firmware update; the last parameter is its status where none is written.
SELECT ?1, ?2, coalesce(
    (SELECT status FROM fuota_device WHERE task_id = ?1 AND dev_eui = ?2), ?3
)
WHERE EXISTS (SELECT 1 FROM fuota_device WHERE task_id = ?1 AND dev_eui = ?2 AND chosen = 1)
    OR EXISTS (
        SELECT 1 FROM group_device WHERE dev_eui = ?2
            AND group_id IN (SELECT group_id FROM fuota_group WHERE task_id = ?1)
    )

-- task_devices --
-- A page of a firmware update's devices behind a DevEUI, found by skipping from one to the next: it
-- has them by itself or by groups.
WITH RECURSIVE member (dev_eui) AS (
    VALUES (?2)
    UNION ALL
    SELECT coalesce(
        (
            SELECT min(dev_eui) FROM fuota_device
            WHERE task_id = ?1 AND chosen = 1 AND dev_eui > member.dev_eui
        ),
        (
            SELECT min((
                SELECT min(dev_eui) FROM group_device
                WHERE group_id = fuota_group.group_id AND dev_eui > member.dev_eui
            )) FROM fuota_group WHERE task_id = ?1
        )
    )
    FROM member WHERE member.dev_eui IS NOT NULL
    LIMIT ?3 + 1
)
SELECT ?1, member.dev_eui, coalesce(fuota_device.status, ?4)
FROM member LEFT JOIN fuota_device ON fuota_device.task_id = ?1
    AND fuota_device.dev_eui = member.dev_eui
WHERE member.dev_eui > ?2
ORDER BY member.dev_eui

-- put_task_device_status --
-- What has become of a device of a firmware update.
INSERT INTO fuota_device (task_id, dev_eui, chosen, status) VALUES (?, ?, 0, ?)
ON CONFLICT (task_id, dev_eui) DO UPDATE SET status = excluded.status

-- insert_task_group --
-- A firmware update has a group.
INSERT INTO fuota_group (task_id, group_id) VALUES (?, ?) ON CONFLICT DO NOTHING

-- delete_task_group --
-- A firmware update has a group no more.
DELETE FROM fuota_group WHERE task_id = ? AND group_id = ?

-- task_groups --
-- A page of the ids of a firmware update's groups behind one.
SELECT group_id FROM fuota_group
WHERE task_id = ? AND group_id > ? ORDER BY group_id LIMIT ?

-- data_keys --
-- Every data key, as it was wrapped; the newest last.
SELECT sequence, id, provider, wrapped, created_at, state, earlier FROM data_key ORDER BY sequence

-- insert_data_key --
-- A new data key.
INSERT INTO data_key (id, provider, wrapped, created_at, state, earlier) VALUES (?, ?, ?, ?, ?, ?)

-- stand_down_data_keys --
-- No other key seals from now on.
UPDATE data_key SET state = 'opening' WHERE state = 'active' AND id <> ?

-- set_data_key_state --
-- A data key moves on, if it is where it was thought to be.
UPDATE data_key SET state = ? WHERE id = ? AND state = ?

-- rewrap_data_key --
-- Another provider has wrapped it.
UPDATE data_key SET provider = ?, wrapped = ? WHERE sequence = ?

-- delete_data_key --
-- A retired data key is gone for good.
DELETE FROM data_key WHERE id = ? AND state = 'retired'

-- data_key_may_seal --
-- Whether what was sealed under a data key may still be stored; without keys anything may.
SELECT 1 WHERE EXISTS (SELECT 1 FROM data_key WHERE id = ?1 AND state <> 'retired')
OR NOT EXISTS (SELECT 1 FROM data_key)

-- rules_in_the_clear --
-- Rules of an earlier version, which did not seal their actions.
SELECT account, name, record, actions FROM rule WHERE actions IS NULL LIMIT ?

-- audit_chain --
-- The key of the audit log, where it begins, and its head.
SELECT key, anchor, anchor_hash, anchor_mac, head, head_hash, head_mac FROM audit_chain

-- insert_audit_chain --
-- The audit log begins.
INSERT INTO audit_chain (
    only, key, anchor, anchor_hash, anchor_mac, head, head_hash, head_mac
) VALUES (1, ?, ?, ?, ?, ?, ?, ?)

-- move_audit_head --
-- The audit log has a newer entry.
UPDATE audit_chain SET head = ?, head_hash = ?, head_mac = ?

-- move_audit_anchor --
-- The audit log begins later.
UPDATE audit_chain SET anchor = ?, anchor_hash = ?, anchor_mac = ?

-- seal_audit_key --
-- The key of the audit log under another data key, provided that it is the one that was read.
UPDATE audit_chain SET key = ? WHERE key = ?

-- insert_audit --
-- An entry of the audit log.
INSERT INTO audit (
    sequence, at, account, actor, action, resource, outcome, detail, previous, hash
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- audit_entries --
-- Entries of the audit log behind one, with what is given.
SELECT sequence, at, account, actor, action, resource, outcome, detail, previous, hash FROM audit
WHERE sequence > ?1
    AND (?2 IS NULL OR at >= ?2)
    AND (?3 IS NULL OR account = ?3)
    AND (?4 IS NULL OR instr(actor, ?4) > 0)
    AND (?5 IS NULL OR instr(action, ?5) > 0)
ORDER BY sequence LIMIT ?6

-- last_old_audit --
-- The last of the entries at the beginning of the audit log that are all older.
SELECT sequence, hash FROM audit
WHERE sequence < coalesce(
    (SELECT min(sequence) FROM audit WHERE at >= ?1), 9223372036854775807
)
ORDER BY sequence DESC LIMIT 1

-- delete_old_audit --
-- The beginning of the audit log.
DELETE FROM audit WHERE sequence <= ?
