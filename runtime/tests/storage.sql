-- The storage as the generator writes it, as far as the runtime sees it.
CREATE SCHEMA pgpubsub;
CREATE TABLE pgpubsub.storage (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row), version integer NOT NULL);
INSERT INTO pgpubsub.storage (version) VALUES (1);
CREATE TABLE pgpubsub.notification (
  id bigint GENERATED ALWAYS AS IDENTITY, listener_group text NOT NULL, channel text NOT NULL, op text NOT NULL,
  model_version integer NOT NULL, db_version text, txid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(), payload json NOT NULL, context text,
  attempts integer NOT NULL DEFAULT 0, not_before timestamptz, last_error text,
  expires_at timestamptz, priority smallint, dedup_key text, order_key text COLLATE "C", PRIMARY KEY (listener_group, id));
CREATE INDEX notification_order ON pgpubsub.notification (listener_group, order_key, id) WHERE order_key IS NOT NULL;
CREATE INDEX notification_due ON pgpubsub.notification (listener_group, not_before) WHERE not_before IS NOT NULL;
CREATE FUNCTION pgpubsub.at_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.not_before := '-infinity';
  RETURN NEW;
END $$;
CREATE TRIGGER at_once BEFORE UPDATE OF not_before ON pgpubsub.notification
  FOR EACH ROW WHEN (NEW.not_before IS NULL AND NEW.id < 0) EXECUTE FUNCTION pgpubsub.at_once();
CREATE INDEX notification_urgent ON pgpubsub.notification (listener_group, priority DESC, id) WHERE priority IS NOT NULL AND not_before IS NULL;
CREATE TABLE pgpubsub.quarantine (
  id bigint NOT NULL, listener_group text NOT NULL, channel text NOT NULL, op text NOT NULL, model_version integer NOT NULL, db_version text,
  txid xid8 NOT NULL, created_at timestamptz NOT NULL, payload json NOT NULL, context text, attempts integer NOT NULL, last_error text,
  reason text NOT NULL, quarantined_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz, priority smallint, dedup_key text, order_key text COLLATE "C", PRIMARY KEY (listener_group, id));
CREATE TABLE pgpubsub.spill (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT clock_timestamp(), body text NOT NULL);
CREATE TABLE pgpubsub.inbox (scope text NOT NULL, id text NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp(), PRIMARY KEY (scope, id));
CREATE INDEX inbox_at ON pgpubsub.inbox (at);
CREATE TABLE pgpubsub.listener (name text PRIMARY KEY, channel text NOT NULL, listener_group text NOT NULL, ops text[] NOT NULL);
INSERT INTO pgpubsub.listener VALUES ('work', 'jobs', 'work', '{message}');
CREATE FUNCTION pgpubsub.context_matches(context text, filter jsonb) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN context IS NOT NULL AND context::jsonb @> filter;
EXCEPTION WHEN others THEN
  RETURN false;
END $$;
CREATE FUNCTION pgpubsub.notify_jobs(payload text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO pgpubsub.notification (listener_group, channel, op, model_version, payload, context)
  VALUES ('work', 'jobs', 'message', 1, payload::json, nullif(current_setting('pgpubsub.context', true), ''));
  PERFORM pg_notify('pgpubsub_jobs', '');
END $$;
CREATE TABLE effect (job text NOT NULL);
