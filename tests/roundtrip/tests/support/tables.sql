-- The tables that a user would have before pgpubsub-gen comes.
CREATE SCHEMA app;
CREATE SCHEMA "odd schema";
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE EXTENSION ltree;
CREATE EXTENSION cube;
CREATE TYPE app.mood AS ENUM ('sad', 'ok', 'it''s "fine"');
CREATE TYPE app.address AS (street text, number integer, since timestamptz, moods app.mood[], price numeric);
CREATE TYPE app.house AS (name text, at app.address, others app.address[]);
CREATE DOMAIN app.cents AS bigint;
CREATE DOMAIN app.words AS text[];
CREATE TABLE app.everything (id bigint PRIMARY KEY,
  a_smallint smallint NOT NULL, a_integer integer NOT NULL, a_bigint bigint NOT NULL, a_numeric numeric NOT NULL, a_numeric_scaled numeric(40,20) NOT
  NULL, a_real real NOT NULL, a_double double precision NOT NULL, a_money money NOT NULL, a_boolean boolean NOT NULL, a_text text NOT NULL, a_varchar
  varchar(20) NOT NULL, a_char char(5) NOT NULL, a_one_char "char" NOT NULL, a_name name NOT NULL, a_uuid uuid NOT NULL, a_bytea bytea NOT NULL, a_bit
  bit(7) NOT NULL, a_varbit bit varying NOT NULL, a_date date NOT NULL, a_time time NOT NULL, a_timetz timetz NOT NULL, a_timestamp timestamp NOT
  NULL, a_timestamptz timestamptz NOT NULL, a_interval interval NOT NULL, a_json json NOT NULL, a_jsonb jsonb NOT NULL, a_inet inet NOT NULL, a_cidr
  cidr NOT NULL, a_macaddr macaddr NOT NULL, a_macaddr8 macaddr8 NOT NULL, a_oid oid NOT NULL, a_xid xid NOT NULL, a_cid cid NOT NULL, a_xid8 xid8 NOT
  NULL, a_tid tid NOT NULL, a_pg_lsn pg_lsn NOT NULL, a_regclass regclass NOT NULL, a_regtype regtype NOT NULL, a_regrole regrole NOT NULL,
  a_regnamespace regnamespace NOT NULL, a_point point NOT NULL, a_line line NOT NULL, a_lseg lseg NOT NULL, a_box box NOT NULL, a_path path NOT NULL,
  a_polygon polygon NOT NULL, a_circle circle NOT NULL, a_int4range int4range NOT NULL, a_int8range int8range NOT NULL, a_numrange numrange NOT NULL,
  a_daterange daterange NOT NULL, a_tsrange tsrange NOT NULL, a_tstzrange tstzrange NOT NULL, a_int4multirange int4multirange NOT NULL,
  a_int8multirange int8multirange NOT NULL, a_nummultirange nummultirange NOT NULL, a_datemultirange datemultirange NOT NULL, a_tsmultirange
  tsmultirange NOT NULL, a_tstzmultirange tstzmultirange NOT NULL, a_xml xml NOT NULL, a_jsonpath jsonpath NOT NULL, a_tsvector tsvector NOT NULL,
  a_tsquery tsquery NOT NULL, a_pg_snapshot pg_snapshot NOT NULL, a_refcursor refcursor NOT NULL, a_citext citext NOT NULL, a_hstore hstore NOT NULL,
  a_ltree ltree NOT NULL, a_mood app.mood NOT NULL, a_address app.address NOT NULL, a_house app.house NOT NULL, a_cents app.cents NOT NULL, a_words
  app.words NOT NULL, a_shape public.cube NOT NULL);
CREATE TABLE app.maybe (id bigint PRIMARY KEY,
  a_smallint smallint, a_integer integer, a_bigint bigint, a_numeric numeric, a_numeric_scaled numeric(40,20), a_real real, a_double double precision,
  a_money money, a_boolean boolean, a_text text, a_varchar varchar(20), a_char char(5), a_one_char "char", a_name name, a_uuid uuid, a_bytea bytea,
  a_bit bit(7), a_varbit bit varying, a_date date, a_time time, a_timetz timetz, a_timestamp timestamp, a_timestamptz timestamptz, a_interval
  interval, a_json json, a_jsonb jsonb, a_inet inet, a_cidr cidr, a_macaddr macaddr, a_macaddr8 macaddr8, a_oid oid, a_xid xid, a_cid cid, a_xid8
  xid8, a_tid tid, a_pg_lsn pg_lsn, a_regclass regclass, a_regtype regtype, a_regrole regrole, a_regnamespace regnamespace, a_point point, a_line
  line, a_lseg lseg, a_box box, a_path path, a_polygon polygon, a_circle circle, a_int4range int4range, a_int8range int8range, a_numrange numrange,
  a_daterange daterange, a_tsrange tsrange, a_tstzrange tstzrange, a_int4multirange int4multirange, a_int8multirange int8multirange, a_nummultirange
  nummultirange, a_datemultirange datemultirange, a_tsmultirange tsmultirange, a_tstzmultirange tstzmultirange, a_xml xml, a_jsonpath jsonpath,
  a_tsvector tsvector, a_tsquery tsquery, a_pg_snapshot pg_snapshot, a_refcursor refcursor, a_citext citext, a_hstore hstore, a_ltree ltree, a_mood
  app.mood, a_address app.address, a_house app.house, a_cents app.cents, a_words app.words, a_shape public.cube);
CREATE TABLE app.lists (id bigint PRIMARY KEY,
  a_smallint smallint[], a_integer integer[], a_bigint bigint[], a_numeric numeric[], a_numeric_scaled numeric(40,20)[], a_real real[], a_double
  double precision[], a_money money[], a_boolean boolean[], a_text text[], a_varchar varchar(20)[], a_char char(5)[], a_one_char "char"[], a_name
  name[], a_uuid uuid[], a_bytea bytea[], a_bit bit(7)[], a_varbit bit varying[], a_date date[], a_time time[], a_timetz timetz[], a_timestamp
  timestamp[], a_timestamptz timestamptz[], a_interval interval[], a_json json[], a_jsonb jsonb[], a_inet inet[], a_cidr cidr[], a_macaddr macaddr[],
  a_macaddr8 macaddr8[], a_oid oid[], a_xid xid[], a_cid cid[], a_xid8 xid8[], a_tid tid[], a_pg_lsn pg_lsn[], a_regclass regclass[], a_regtype
  regtype[], a_regrole regrole[], a_regnamespace regnamespace[], a_point point[], a_line line[], a_lseg lseg[], a_box box[], a_path path[], a_polygon
  polygon[], a_circle circle[], a_int4range int4range[], a_int8range int8range[], a_numrange numrange[], a_daterange daterange[], a_tsrange tsrange[],
  a_tstzrange tstzrange[], a_int4multirange int4multirange[], a_int8multirange int8multirange[], a_nummultirange nummultirange[], a_datemultirange
  datemultirange[], a_tsmultirange tsmultirange[], a_tstzmultirange tstzmultirange[], a_xml xml[], a_jsonpath jsonpath[], a_tsvector tsvector[],
  a_tsquery tsquery[], a_pg_snapshot pg_snapshot[], a_refcursor refcursor[], a_citext citext[], a_hstore hstore[], a_ltree ltree[], a_mood app.mood[],
  a_address app.address[], a_house app.house[], a_cents app.cents[], a_shape public.cube[]);
CREATE TABLE app.chosen (
  id bigint PRIMARY KEY, day date, hour time, local timestamp, moment timestamptz, span interval, amount numeric, document jsonb,
  bytes bytea, host inet, tags text[], ints integer[], pairs hstore, search tsvector, own bigint);
CREATE TABLE "odd schema"."Sel""ect é $pgpubsub$" (
  "or""der" integer, "user" integer, type text, "new" text, "Mixed Case" text, "it's \ $1 %I {x}" text, PRIMARY KEY ("or""der", "user"));
CREATE TABLE app.item (id bigint PRIMARY KEY, name text NOT NULL, body text);
CREATE TABLE app.item_part (item_id bigint REFERENCES app.item ON DELETE CASCADE);
