-- The profiles of one account, page by page, whatever others have.

CREATE INDEX device_profile_account ON device_profile (account, id);
CREATE INDEX service_profile_account ON service_profile (account, id);
