//! What is captured under hostile settings equals what the driver reads from the table, for every type.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

mod support;

use std::fmt::Debug;

use pgpubsub_roundtrip::Own;
use pgpubsub_roundtrip::pubsub::{
    ChosenSaved, EverythingSaved, Hostile, HostileChanged, ListsSaved, MaybeSaved,
};
use pgpubsub_runtime::Op;
use pgpubsub_runtime::generated::Event;
use pgpubsub_runtime::tokio_postgres::Row;
use rand::{Rng as _, SeedableRng as _};
use support::rows::{TYPES, everything, lists, maybe, selected};
use support::{Fixture, Seen, random};

/// Settings of a writer's session that change how PostgreSQL renders, parses, plans, or whom it obeys.
const HOSTILE: [&str; 10] = [
    "SET search_path = ''",
    "SET extra_float_digits = -15; SET bytea_output = 'escape'",
    "SET timezone = 'Asia/Kathmandu'; SET datestyle = 'German, DMY'; SET intervalstyle = 'sql_standard'",
    "SET intervalstyle = 'postgres_verbose'; SET datestyle = 'SQL, MDY'; SET timezone = 'America/New_York'",
    "SET standard_conforming_strings = off; SET escape_string_warning = off; SET quote_all_identifiers = on",
    "SET default_transaction_isolation = 'serializable'; SET lc_monetary = 'C'; SET array_nulls = off; SET transform_null_equals = on",
    "SET search_path = evil, pg_catalog, public",
    "SET timezone = 'Europe/Amsterdam'; SET datestyle = 'Postgres, DMY'; SET intervalstyle = 'postgres'; SET xmloption = 'document'; SET xmlbinary = 'hex'",
    "SET extra_float_digits = 3; SET default_text_search_config = 'simple'; SET row_security = off; SET plan_cache_mode = 'force_generic_plan'",
    "SET ROLE writer; SET timezone = '+13:45'; SET datestyle = 'ISO, DMY'",
];

/// What a hostile session puts before PostgreSQL's own, and a writer without any right on our schema.
const EVIL: &str = "
    CREATE SCHEMA evil;
    CREATE FUNCTION evil.to_json(anyelement) RETURNS json LANGUAGE sql AS $$ SELECT '\"evil\"'::json $$;
    CREATE FUNCTION evil.json_build_object(VARIADIC \"any\") RETURNS json LANGUAGE internal IMMUTABLE AS 'json_build_object_noargs';
    CREATE FUNCTION evil.set_config(text, text, boolean) RETURNS text LANGUAGE sql AS $$ SELECT 'evil' $$;
    CREATE FUNCTION evil.pg_notify(text, text) RETURNS void LANGUAGE sql AS $$ SELECT 1/0 $$;
    CREATE DOMAIN evil.text AS pg_catalog.text CHECK (false);
    CREATE TEMPORARY TABLE notification (id integer);
    DO $$ BEGIN
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'writer') THEN CREATE ROLE writer; END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END $$;
    GRANT USAGE ON SCHEMA app, evil TO writer;
    GRANT ALL ON ALL TABLES IN SCHEMA app TO writer;";

/// Rows of the property test over its three tables. More: `PGPUBSUB_ROWS=100000`.
fn rows() -> i64 {
    let rows = std::env::var("PGPUBSUB_ROWS").ok();
    rows.map_or(10_000, |rows| rows.parse().expect("a number of rows"))
}

/// Another one each time; the same again with `PGPUBSUB_SEED`.
fn seed() -> u64 {
    let seed = std::env::var("PGPUBSUB_SEED").ok();
    let seed = seed.map_or_else(
        || rand::rng().random(),
        |seed| seed.parse().expect("a number"),
    );
    println!("PGPUBSUB_SEED={seed}");
    seed
}

/// Writes random rows under each hostile setting; what is decoded from the payloads equals what the driver reads.
async fn check<E: Event, R: Debug>(
    table: &str,
    channel: &str,
    rows: i64,
    row: fn(&Row) -> R,
    new: fn(E) -> R,
) {
    let fixture = Fixture::migrated().await;
    let (list, nullable) = (table == "lists", table == "maybe");
    let types: Vec<&str> = TYPES
        .iter()
        .copied()
        .filter(|name| !(list && *name == "words"))
        .collect();
    fixture.sql(EVIL).await;
    // The values are parsed under the usual settings, so that only the capture sees the others.
    fixture
        .sql(&format!("SET lc_monetary = 'C'; CREATE TABLE app.stage (LIKE app.{table}); GRANT ALL ON app.stage TO writer"))
        .await;
    let mut rng = rand::rngs::StdRng::seed_from_u64(seed());
    for first in (1..=rows).step_by(100) {
        let values: Vec<String> = (first..=rows.min(first + 99))
            .map(|id| {
                let values: Vec<String> = types
                    .iter()
                    .map(|name| {
                        if nullable && rng.random_bool(0.3) {
                            return "NULL".to_owned();
                        }
                        let value = if list {
                            random::list(name, &mut rng)
                        } else {
                            random::value(name, &mut rng)
                        };
                        format!("'{}'", value.replace('\'', "''"))
                    })
                    .collect();
                format!("({id}, {})", values.join(", "))
            })
            .collect();
        let columns: Vec<String> = types.iter().map(|name| format!("a_{name}")).collect();
        let insert = format!(
            "INSERT INTO app.stage (id, {}) VALUES {}",
            columns.join(", "),
            values.join(", ")
        );
        if let Err(error) = fixture.writer.batch_execute(&insert).await {
            panic!("{error:?}");
        }
    }
    for (index, settings) in HOSTILE.iter().enumerate() {
        let writer = fixture.database.connect().await.unwrap();
        let write = format!(
            "{settings}; INSERT INTO app.{table} SELECT * FROM app.stage WHERE id % {} = {index}",
            HOSTILE.len()
        );
        writer
            .batch_execute(&write)
            .await
            .unwrap_or_else(|error| panic!("{settings}: {error:?}"));
    }
    let columns: Vec<String> = types.iter().map(|name| selected(name, list)).collect();
    let select = format!(
        "SELECT id, {} FROM app.{table} ORDER BY id",
        columns.join(", ")
    );
    let read = fixture.writer.query(&select, &[]).await.unwrap();
    let payloads = fixture
        .writer
        .query(
            "SELECT payload::text FROM pgpubsub.notification WHERE channel = $1 \
             ORDER BY (payload -> 'new' ->> 'id')::bigint",
            &[&channel],
        )
        .await
        .unwrap();
    assert_eq!((read.len() as i64, payloads.len() as i64), (rows, rows));
    for (read, payload) in read.iter().zip(&payloads) {
        let payload: &str = payload.get(0);
        let value = pgpubsub_runtime::serde_json::from_str(payload).unwrap();
        let event = E::decode_event(Op::Insert, 1, &value)
            .unwrap_or_else(|error| panic!("{error}: {payload}"));
        // Debug tells NaN, -0 and every digit apart, and lets NaN equal itself.
        assert_eq!(
            format!("{:#?}", new(event)),
            format!("{:#?}", row(read)),
            "{payload}"
        );
    }
}

#[tokio::test]
async fn random_values_of_every_type_arrive_as_the_driver_reads_them() {
    check(
        "everything",
        "everything_saved",
        rows() * 2 / 5,
        everything,
        |event| match event {
            EverythingSaved::Insert { new } => new,
            EverythingSaved::Update { .. } => panic!("no update"),
        },
    )
    .await;
}

#[tokio::test]
async fn random_values_that_may_be_null_arrive_as_the_driver_reads_them() {
    check(
        "maybe",
        "maybe_saved",
        rows() * 3 / 10,
        maybe,
        |event| match event {
            MaybeSaved::Insert { new } => new,
            MaybeSaved::Update { .. } => panic!("no update"),
        },
    )
    .await;
}

#[tokio::test]
async fn random_arrays_of_every_type_arrive_as_the_driver_reads_them() {
    check(
        "lists",
        "lists_saved",
        rows() * 3 / 10,
        lists,
        |event| match event {
            ListsSaved::Insert { new } => new,
            ListsSaved::Update { .. } => panic!("no update"),
        },
    )
    .await;
}

#[tokio::test]
async fn json_null_is_not_sql_null() {
    let fixture = Fixture::migrated().await;
    let mut work = fixture.work(&["on_maybe_saved"]).await;
    fixture
        .sql("INSERT INTO app.maybe (id, a_json, a_jsonb) VALUES (1, 'null', NULL)")
        .await;
    let Seen::OnMaybeSaved(MaybeSaved::Insert { new }, _) = work.one().await else {
        panic!("another event")
    };
    assert_eq!(
        new.a_json.map(|json| json.to_string()).as_deref(),
        Some("null")
    );
    assert_eq!(new.a_jsonb, None);
    work.stop().await;
}

#[tokio::test]
async fn chosen_types_arrive_and_what_does_not_fit_is_kept_with_its_reason() {
    let fixture = Fixture::migrated().await;
    let mut work = fixture.work(&["on_chosen_saved"]).await;
    let insert = "INSERT INTO app.chosen VALUES ($ID, '2024-02-29', '12:34:56.5', '2024-02-29 01:02:03', $MOMENT, '01:00:00', 1.50, \
                  '{\"a\": 1}', '\\x00ff', '10.0.0.1', '{a,NULL}', '{1,2}', 'a=>1', 'x:1', 200)";
    let one = |id: &str, moment: &str| insert.replace("$ID", id).replace("$MOMENT", moment);
    fixture.sql(&one("1", "'2024-02-29 00:00:00+00'")).await;
    let Seen::OnChosenSaved(ChosenSaved::Insert { new }, _) = work.one().await else {
        panic!("another event")
    };
    assert_eq!(new.day.to_string(), "2024-02-29");
    assert_eq!(
        new.moment.unwrap().to_rfc3339(),
        "2024-02-29T00:00:00+00:00"
    );
    assert_eq!(new.span.num_minutes(), 60);
    assert_eq!(new.amount.to_string(), "1.50");
    assert_eq!(new.document["a"], 1);
    assert_eq!(new.bytes, [0, 255]);
    assert_eq!(new.tags, [Some("a".to_owned()), None]);
    assert_eq!(new.ints, Some(vec![1, 2]));
    assert_eq!(new.pairs["a"].as_deref(), Some("1"));
    assert_eq!(new.search, "'x':1");
    assert_eq!(new.own, Own(200));
    // The chosen type has no infinity: the notification waits, and says why.
    fixture.sql(&one("2", "'infinity'")).await;
    fixture
        .until("SELECT count(*) FROM pgpubsub.notification WHERE last_error LIKE '%new.moment: infinity does not fit into chrono::DateTime%'", 1)
        .await;
    work.stop().await;
}

#[tokio::test]
async fn hostile_names_are_captured_and_typed() {
    let fixture = Fixture::migrated().await;
    let mut work = fixture.work(&["on_hostile_changed"]).await;
    let table = r#""odd schema"."Sel""ect é $pgpubsub$""#;
    fixture
        .sql(&format!(
            r#"INSERT INTO {table} VALUES (1, 2, 'type', 'new', 'old', 'quoted')"#
        ))
        .await;
    fixture
        .sql(&format!(r#"UPDATE {table} SET "new" = NULL"#))
        .await;
    fixture.sql(&format!("DELETE FROM {table}")).await;
    let row = Hostile {
        id: 1,
        second: 2,
        r#type: Some("type".into()),
        new: Some("new".into()),
        old: Some("old".into()),
        quoted: Some("quoted".into()),
    };
    let changed = Hostile {
        new: None,
        ..row.clone()
    };
    let expected = [
        HostileChanged::Insert { new: row.clone() },
        HostileChanged::Update {
            old: row,
            new: changed.clone(),
        },
        HostileChanged::Delete { old: changed },
    ];
    for (seen, expected) in work.next(3).await.into_iter().zip(expected) {
        let Seen::OnHostileChanged(event, _) = seen else {
            panic!("another listener")
        };
        assert_eq!(event, expected);
    }
    work.stop().await;
}
