-- What a scene declares about its feed, in TOML; each adapter reads its own keys.

ALTER TABLE scenes ADD COLUMN adapter_settings TEXT;
