CREATE SCHEMA app;
CREATE TABLE app.item (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
-- Nothing is unique: a constraint would hide what happens twice.
CREATE TABLE app.ledger (effect text NOT NULL, item bigint NOT NULL);
