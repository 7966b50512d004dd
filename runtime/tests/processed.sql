-- As the generator writes it; `UPDATE_EXPECT=1` on tests/retention.rs writes it anew.
-- Notifications that have been processed, of channels that keep them (`retain`), each for a time. A partition has those that are
-- kept equally long and were processed in the same step of time, and is dropped as a whole.
CREATE TABLE IF NOT EXISTS "pgpubsub"."processed" (
  "retention"      bigint NOT NULL, -- how many seconds it is kept, as its channel said when it was processed
  "processed_at"   timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  "id"             bigint NOT NULL, -- the same as before
  "listener_group" text NOT NULL,
  "channel"        text NOT NULL,
  "op"             text NOT NULL,
  "model_version"  integer NOT NULL,
  "db_version"     text,
  "txid"           xid8 NOT NULL,
  "created_at"     timestamptz NOT NULL,
  "payload"        json NOT NULL,
  "context"        text,
  "order_key"      text COLLATE "C"
) PARTITION BY RANGE ("retention", "processed_at");
-- Not unique: nothing that is done here may fail a delivery.
CREATE INDEX IF NOT EXISTS "processed_group" ON "pgpubsub"."processed" ("listener_group", "id");
-- What finds no partition. It is removed row by row when its time is over.
CREATE TABLE IF NOT EXISTS "pgpubsub"."processed_default" PARTITION OF "pgpubsub"."processed" DEFAULT;

-- Makes the partitions that will be needed for what is kept for these times (in seconds), and drops those whose time is over.
-- Workers call it once a minute. It never waits long for a lock, as deliveries would wait behind it: what it does not get now,
-- it gets the next time. Without a `now`, it is now.
CREATE OR REPLACE FUNCTION "pgpubsub"."maintain_processed"("retentions" pg_catalog.int8[], "now" pg_catalog.timestamptz)
RETURNS pg_catalog.void LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '100ms'
SET timezone = 'UTC'
SET datestyle = 'ISO, YMD'
AS $pgpubsub$
DECLARE
  _now pg_catalog.timestamptz := coalesce($2, pg_catalog.clock_timestamp());
  _retention pg_catalog.int8;
  _step pg_catalog.interval;
  _from pg_catalog.timestamptz;
  _partition pg_catalog.text;
  _bounds pg_catalog.text[];
BEGIN
  -- One at a time: it does what the others would.
  IF NOT pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended('pgpubsub processed ' || '"pgpubsub"', 0)) THEN
    RETURN;
  END IF;
  FOREACH _retention IN ARRAY $1 LOOP
    -- Up to about sixty partitions at a time.
    _step := CASE WHEN _retention <= 172800 THEN '1 hour' WHEN _retention <= 5184000 THEN '1 day' ELSE '30 days' END;
    FOR _ahead IN 0..2 LOOP
      _from := pg_catalog.date_bin(_step, _now, '2000-01-01 00:00:00+00') + _ahead * _step;
      _partition := pg_catalog.format('%s.%I', '"pgpubsub"', 'processed_' || _retention || '_' || pg_catalog.to_char(_from, 'YYYYMMDDHH24'));
      CONTINUE WHEN pg_catalog.to_regclass(_partition) IS NOT NULL;
      -- What is in the default partition already would have to move: it stays, and so does the rest of this step.
      CONTINUE WHEN EXISTS (
        SELECT FROM "pgpubsub"."processed_default"
        WHERE "retention" = _retention AND "processed_at" >= _from AND "processed_at" < _from + _step
      );
      BEGIN
        -- To attach a table holds up no delivery, to create it as a partition would.
        EXECUTE pg_catalog.format(
          'CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS)', _partition, '"pgpubsub"."processed"'
        );
        EXECUTE pg_catalog.format(
          'ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%s, %L) TO (%s, %L)',
          '"pgpubsub"."processed"', _partition, _retention, _from, _retention, _from + _step
        );
      EXCEPTION WHEN lock_not_available OR check_violation THEN
        NULL; -- The default partition takes what comes.
      END;
    END LOOP;
  END LOOP;
  DELETE FROM "pgpubsub"."processed_default" WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM "pgpubsub"."processed_default"
    WHERE "processed_at" <= _now - "retention" * INTERVAL '1 s' LIMIT 10000 FOR UPDATE SKIP LOCKED
  ));
  -- The bounds of a partition say what is in it.
  FOR _partition, _bounds IN
    SELECT c.oid::pg_catalog.regclass, pg_catalog.regexp_match(pg_catalog.pg_get_expr(c.relpartbound, c.oid), 'TO [(]''?([0-9]+)''?, ''([^'']+)''[)]$')
    FROM pg_catalog.pg_inherits AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid
    WHERE i.inhparent = '"pgpubsub"."processed"'::pg_catalog.regclass ORDER BY 1
  LOOP
    IF _bounds[2]::pg_catalog.timestamptz <= _now - _bounds[1]::pg_catalog.int8 * INTERVAL '1 s' THEN
      BEGIN
        EXECUTE pg_catalog.format('DROP TABLE %s', _partition);
      EXCEPTION WHEN lock_not_available THEN
        RETURN; -- Somebody reads: a backup perhaps.
      END;
    END IF;
  END LOOP;
END
$pgpubsub$;
-- A worker that is not the owner needs EXECUTE on it, and INSERT on the table.
REVOKE ALL ON FUNCTION "pgpubsub"."maintain_processed"(pg_catalog.int8[], pg_catalog.timestamptz) FROM PUBLIC;
