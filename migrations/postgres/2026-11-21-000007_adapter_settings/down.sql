ALTER TABLE scenes DROP COLUMN adapter_settings;
