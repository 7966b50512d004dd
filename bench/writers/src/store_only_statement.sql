-- The same, once a statement.
CREATE SCHEMA pgpubsub;
CREATE TABLE pgpubsub.notification (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, channel text NOT NULL, payload json NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
CREATE FUNCTION store() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO pgpubsub.notification (channel, payload)
  SELECT 'item_written', json_build_object('op', TG_OP, 'old', NULL, 'new', row_to_json(written)) FROM written;
  RETURN NULL;
END $$;
CREATE TRIGGER store AFTER INSERT ON item REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION store();
