CREATE SCHEMA app;
CREATE TABLE app.item (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
-- Nothing is unique: a constraint would hide what happens twice.
CREATE TABLE app.ledger (effect text NOT NULL, item bigint NOT NULL);

-- Occurrences of the schedule: as they were fired, and as they were processed.
CREATE TABLE app.fired (planned timestamptz NOT NULL);
CREATE TABLE app.tick (planned timestamptz NOT NULL);
