-- Profiles named a revision of the regional parameters that nobody had chosen and nothing heeded.
-- It takes effect now, so their devices stay with the newest tables until somebody chooses.

UPDATE device_profile SET record = json_set(record, '$.reg_params_revision', '');
