-- A trigger of equal work to that of django-pgpubsub 1.3: it looks whether it is to be ignored, builds a jsonb in three steps, stores it, a second
-- trigger adds the version of the database, with a foreign key, and each commit sends a NOTIFY with the full payload.
CREATE SCHEMA pgpubsub;
CREATE TABLE applied_migration (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, applied timestamptz NOT NULL DEFAULT now());
INSERT INTO applied_migration (name) SELECT 'migration ' || n FROM generate_series(1, 20) AS n;
CREATE TABLE pgpubsub.notification (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, channel text NOT NULL, payload jsonb, created_at timestamptz NOT NULL DEFAULT now(),
  db_version_id integer REFERENCES applied_migration DEFERRABLE INITIALLY DEFERRED);
CREATE FUNCTION set_db_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.db_version_id = (SELECT max(id) FROM applied_migration);
  RETURN NEW;
END $$;
CREATE TRIGGER set_db_version BEFORE INSERT ON pgpubsub.notification FOR EACH ROW EXECUTE FUNCTION set_db_version();
CREATE FUNCTION notify() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  ignored text[];
  payload jsonb := '{}';
BEGIN
  ignored := string_to_array(nullif(current_setting('pubsub.ignore', true), ''), ',');
  IF TG_NAME = ANY (ignored) THEN
    RETURN NULL;
  END IF;
  payload := jsonb_insert(payload, '{old}', 'null');
  payload := jsonb_insert(payload, '{new}', to_jsonb(NEW));
  payload := jsonb_insert(payload, '{context}', '{}');
  INSERT INTO pgpubsub.notification (channel, payload) VALUES ('item_written', payload);
  PERFORM pg_notify('item_written', payload::text);
  RETURN NULL;
END $$;
CREATE TRIGGER notify AFTER INSERT ON item FOR EACH ROW EXECUTE FUNCTION notify();
