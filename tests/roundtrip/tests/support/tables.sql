-- The tables that a user would have before pgpubsub-gen comes.
CREATE SCHEMA app;
CREATE SCHEMA "odd schema";
CREATE TABLE app.everything (
  id bigint PRIMARY KEY, a_smallint smallint NOT NULL, a_integer integer NOT NULL, a_bigint bigint NOT NULL,
  a_numeric numeric NOT NULL, a_numeric_scaled numeric(40,20) NOT NULL, a_real real NOT NULL, a_double double precision NOT NULL,
  a_boolean boolean NOT NULL, a_text text NOT NULL, a_varchar varchar(20) NOT NULL, a_char char(5) NOT NULL, a_uuid uuid NOT NULL,
  a_bytea bytea NOT NULL, a_date date NOT NULL, a_time time NOT NULL, a_timestamp timestamp NOT NULL, a_timestamptz timestamptz NOT NULL,
  a_interval interval NOT NULL, a_json json NOT NULL, a_jsonb jsonb NOT NULL);
CREATE TABLE app.maybe (
  id bigint PRIMARY KEY, a_smallint smallint, a_integer integer, a_bigint bigint, a_numeric numeric, a_real real, a_double double precision,
  a_boolean boolean, a_text text, a_varchar varchar, a_char char, a_uuid uuid, a_bytea bytea, a_date date, a_time time,
  a_timestamp timestamp, a_timestamptz timestamptz, a_interval interval, a_json json, a_jsonb jsonb);
CREATE TABLE app.lists (
  id bigint PRIMARY KEY, a_smallint smallint[] NOT NULL, a_integer integer[] NOT NULL, a_bigint bigint[] NOT NULL,
  a_numeric numeric(30,10)[] NOT NULL, a_real real[] NOT NULL, a_double double precision[] NOT NULL, a_boolean boolean[] NOT NULL,
  a_text text[], a_varchar varchar(9)[] NOT NULL, a_char char(3)[] NOT NULL, a_uuid uuid[] NOT NULL, a_bytea bytea[] NOT NULL,
  a_date date[] NOT NULL, a_time time[] NOT NULL, a_timestamp timestamp[] NOT NULL, a_timestamptz timestamptz[] NOT NULL,
  a_interval interval[] NOT NULL, a_json json[] NOT NULL, a_jsonb jsonb[] NOT NULL);
CREATE TABLE "odd schema"."Sel""ect é $pgpubsub$" (
  "or""der" integer, "user" integer, type text, "new" text, "Mixed Case" text, "it's \ $1 %I {x}" text, PRIMARY KEY ("or""der", "user"));
CREATE TABLE app.item (id bigint PRIMARY KEY, name text NOT NULL, body text);
CREATE TABLE app.item_part (item_id bigint REFERENCES app.item ON DELETE CASCADE);
