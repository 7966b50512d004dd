//! What is captured under hostile settings equals what the driver reads from the table, for every type.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

mod support;

use pgpubsub_roundtrip::pubsub::{
    Everything, EverythingSaved, Hostile, HostileChanged, Lists, ListsSaved, Maybe, MaybeSaved,
};
use pgpubsub_runtime::tokio_postgres::Row;
use support::{Fixture, Seen};

/// Settings of a writer's session that change how PostgreSQL renders or parses.
const HOSTILE: [&str; 6] = [
    "SET search_path = ''",
    "SET extra_float_digits = -15; SET bytea_output = 'escape'",
    "SET timezone = 'Asia/Kathmandu'; SET datestyle = 'German, DMY'; SET intervalstyle = 'sql_standard'",
    "SET intervalstyle = 'postgres_verbose'; SET datestyle = 'SQL, MDY'; SET timezone = 'America/New_York'",
    "SET standard_conforming_strings = off; SET escape_string_warning = off; SET quote_all_identifiers = on",
    "SET default_transaction_isolation = 'serializable'; SET lc_monetary = 'C'; SET array_nulls = off; SET transform_null_equals = on",
];

fn everything(row: &Row) -> Everything {
    Everything {
        id: row.get("id"),
        a_smallint: row.get("a_smallint"),
        a_integer: row.get("a_integer"),
        a_bigint: row.get("a_bigint"),
        a_numeric: row.get("a_numeric"),
        a_numeric_scaled: row.get("a_numeric_scaled"),
        a_real: row.get("a_real"),
        a_double: row.get("a_double"),
        a_boolean: row.get("a_boolean"),
        a_text: row.get("a_text"),
        a_varchar: row.get("a_varchar"),
        a_char: row.get("a_char"),
        a_uuid: row.get("a_uuid"),
        a_bytea: row.get("a_bytea"),
        a_date: row.get("a_date"),
        a_time: row.get("a_time"),
        a_timestamp: row.get("a_timestamp"),
        a_timestamptz: row.get("a_timestamptz"),
        a_interval: row.get("a_interval"),
        a_json: row.get("a_json"),
        a_jsonb: row.get("a_jsonb"),
    }
}

fn maybe(row: &Row) -> Maybe {
    Maybe {
        id: row.get("id"),
        a_smallint: row.get("a_smallint"),
        a_integer: row.get("a_integer"),
        a_bigint: row.get("a_bigint"),
        a_numeric: row.get("a_numeric"),
        a_real: row.get("a_real"),
        a_double: row.get("a_double"),
        a_boolean: row.get("a_boolean"),
        a_text: row.get("a_text"),
        a_varchar: row.get("a_varchar"),
        a_char: row.get("a_char"),
        a_uuid: row.get("a_uuid"),
        a_bytea: row.get("a_bytea"),
        a_date: row.get("a_date"),
        a_time: row.get("a_time"),
        a_timestamp: row.get("a_timestamp"),
        a_timestamptz: row.get("a_timestamptz"),
        a_interval: row.get("a_interval"),
        a_json: row.get("a_json"),
        a_jsonb: row.get("a_jsonb"),
    }
}

fn lists(row: &Row) -> Lists {
    Lists {
        id: row.get("id"),
        a_smallint: row.get("a_smallint"),
        a_integer: row.get("a_integer"),
        a_bigint: row.get("a_bigint"),
        a_numeric: row.get("a_numeric"),
        a_real: row.get("a_real"),
        a_double: row.get("a_double"),
        a_boolean: row.get("a_boolean"),
        a_text: row.get("a_text"),
        a_varchar: row.get("a_varchar"),
        a_char: row.get("a_char"),
        a_uuid: row.get("a_uuid"),
        a_bytea: row.get("a_bytea"),
        a_date: row.get("a_date"),
        a_time: row.get("a_time"),
        a_timestamp: row.get("a_timestamp"),
        a_timestamptz: row.get("a_timestamptz"),
        a_interval: row.get("a_interval"),
        a_json: row.get("a_json"),
        a_jsonb: row.get("a_jsonb"),
    }
}

/// Values of the columns behind `id`, as SQL expressions; written under each hostile setting.
const EVERYTHING: [&str; 6] = [
    "1, 2, 3, 4.50, 5, 1.5, 2.5, true, 'text', 'varchar', 'ab', '00112233-4455-6677-8899-aabbccddeeff', '\\xdead00'::bytea, date '2026-11-24', time '12:34:56.789', timestamp '2026-11-24 01:02:03', timestamptz '2026-11-24 01:02:03+02', interval 'P1Y2M3DT4H5M6.7S', '{\"a\": 1}', '{\"a\": 1}'",
    "-32768, -2147483648, -9223372036854775808, 'NaN', 'NaN', 'NaN', 'NaN', false, '', '', '', '00000000-0000-0000-0000-000000000000', ''::bytea, 'infinity', time '24:00', 'infinity', 'infinity', interval '0', 'null', 'null'",
    "32767, 2147483647, 9223372036854775807, 'Infinity', 12345678901234567890.12345678901234567890, 'Infinity', '-Infinity', false, E'\\'\\\\\\n\\t\"é💡', 'ü', 'é', 'ffffffff-ffff-ffff-ffff-ffffffffffff', decode('00ff5c27', 'hex'), '-infinity', time '00:00', '-infinity', '-infinity', interval '-1 year +3 days -04:05:06.000001', E'\"a\\\\u0000b\"', '\"x\"'",
    "0, 0, 9007199254740993, ('1' || repeat('0', 400) || '.' || repeat('7', 300))::numeric, -0.00000000000000000001, '-0', '-0', true, repeat('long ', 1000), 'x', 'abcde', '123e4567-e89b-12d3-a456-426614174000', decode(repeat('ab', 10000), 'hex'), date '4713-01-01 BC', time '23:59:59.999999', timestamp '4713-01-01 00:00:00 BC', timestamptz '0044-03-15 12:00:00 BC', interval '178000000 years', E'\"\\\\ud800\"', '1e300'",
    "0, 0, 0, -0.000, 0, 1.17549435e-38, 5e-324, true, 'a', 'b', 'c', '00112233-4455-6677-8899-aabbccddeeff', 'x'::bytea, date '5874897-12-31', time '00:00:00.000001', timestamp '294276-12-31 23:59:59.999999', timestamptz '294276-12-31 23:59:59.999999+00', interval '1 month -30 days 00:00:00.5', '1e1000000', '{\"b\": [1, 2.50, null], \"a\": {}}'",
    "1, 1, 1, 0.1, 0.1, 3.4028235e38, 0.30000000000000004, true, 'a', 'b', 'c', '00112233-4455-6677-8899-aabbccddeeff', 'x'::bytea, date '0001-01-01', time '01:00', timestamp '1900-01-01', timestamptz '1900-01-01 00:00:00 Europe/Amsterdam', interval '-00:00:00.000001', '{\"a\":1,  \"a\":2}', '[]'",
];

#[tokio::test]
async fn every_type_arrives_as_the_driver_reads_it_under_hostile_settings() {
    let fixture = Fixture::migrated().await;
    let mut work = fixture.work(&["on_everything_saved"]).await;
    let reader = fixture.database.connect().await.unwrap();
    let mut id = 0;
    for settings in HOSTILE {
        let writer = fixture.database.connect().await.unwrap();
        for values in EVERYTHING {
            id += 1;
            // The values are parsed before the setting comes, so that only the capture sees it.
            let insert = format!("PREPARE w AS INSERT INTO app.everything VALUES ({id}, {values})");
            writer
                .batch_execute(&insert)
                .await
                .unwrap_or_else(|error| panic!("{values}: {error:?}"));
            writer
                .batch_execute(&format!("{settings}; EXECUTE w; DEALLOCATE w; RESET ALL"))
                .await
                .unwrap_or_else(|error| panic!("{settings}; {values}: {error:?}"));
            let row = reader
                .query_one(
                    "SELECT * FROM app.everything WHERE id = $1",
                    &[&i64::from(id)],
                )
                .await
                .unwrap();
            let expected = EverythingSaved::Insert {
                new: everything(&row),
            };
            let Seen::OnEverythingSaved(event, _) = work.one().await else {
                panic!("another listener")
            };
            // Debug tells NaN, -0 and every digit apart, and lets NaN equal itself.
            assert_eq!(
                format!("{event:?}"),
                format!("{expected:?}"),
                "{settings}: {values}"
            );
        }
    }
    assert_eq!(work.stop().await.len(), 0);
}

#[tokio::test]
async fn nulls_and_values_of_nullable_columns_arrive() {
    let fixture = Fixture::migrated().await;
    let mut work = fixture.work(&["on_maybe_saved"]).await;
    fixture.sql("INSERT INTO app.maybe (id) VALUES (1)").await;
    fixture.sql("UPDATE app.maybe SET a_text = '', a_json = 'null', a_jsonb = 'null', a_double = 'NaN', a_char = 'x', a_numeric = 1.50").await;
    fixture
        .sql("UPDATE app.maybe SET a_text = NULL, a_json = NULL, a_jsonb = '1'")
        .await;
    let seen = work.next(3).await;
    let row = fixture
        .writer
        .query_one("SELECT * FROM app.maybe", &[])
        .await
        .unwrap();
    let [
        Seen::OnMaybeSaved(first, _),
        Seen::OnMaybeSaved(second, _),
        Seen::OnMaybeSaved(third, _),
    ] = &seen[..]
    else {
        panic!("{seen:?}")
    };
    let MaybeSaved::Insert { new: empty } = first else {
        panic!("{first:?}")
    };
    assert_eq!(
        (&empty.a_text, &empty.a_json, empty.a_double, &empty.a_date),
        (&None, &None, None, &None)
    );
    let MaybeSaved::Update { old, new } = second else {
        panic!("{second:?}")
    };
    assert_eq!(format!("{old:?}"), format!("{empty:?}"));
    assert_eq!(
        new.a_json.as_ref().map(ToString::to_string).as_deref(),
        Some("null"),
        "JSON null is not SQL NULL"
    );
    let MaybeSaved::Update { new: last, .. } = third else {
        panic!("{third:?}")
    };
    assert_eq!(format!("{last:?}"), format!("{:?}", maybe(&row)));
    work.stop().await;
}

#[tokio::test]
async fn arrays_arrive_with_their_nulls() {
    let fixture = Fixture::migrated().await;
    let mut work = fixture.work(&["on_lists_saved"]).await;
    let values = [
        "'{}','{}','{}','{}','{}','{}','{}',NULL,'{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}'",
        "'{1,NULL}','{2}','{9007199254740993}','{1.50,NULL,NaN}','{1.5,NaN}','{-0,Infinity,0.1}','{t,NULL,f}','{a,NULL,\"x,\\\"y\\\\\"}','{a}','{a,ab}','{00000000-0000-0000-0000-000000000001}', ARRAY['\\x00ff'::bytea], '{infinity,2024-02-29}','{24:00,01:02:03.5}','{2024-01-01 00:00:00}','{2024-01-01 00:00:00+05}', ARRAY[interval '1 mon -1 day', NULL], ARRAY['{\"a\":1}'::json, NULL, 'null'], ARRAY['{\"a\":1}'::jsonb, NULL, 'null']",
    ];
    for (id, values) in values.iter().enumerate() {
        let id = i64::try_from(id).unwrap();
        fixture
            .sql(&format!("INSERT INTO app.lists VALUES ({id}, {values})"))
            .await;
        let row = fixture
            .writer
            .query_one("SELECT * FROM app.lists WHERE id = $1", &[&id])
            .await
            .unwrap();
        let Seen::OnListsSaved(event, _) = work.one().await else {
            panic!("another listener")
        };
        assert_eq!(
            format!("{event:?}"),
            format!("{:?}", ListsSaved::Insert { new: lists(&row) })
        );
    }
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
