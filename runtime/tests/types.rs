//! Column types against PostgreSQL: text and wire agree.

#![allow(clippy::unwrap_used)] // A test may panic.

use std::fmt::Display;
use std::str::FromStr;

use pgpubsub_runtime::types::{PgDate, PgInterval, PgNumeric, PgTime, PgTimestamp, PgTimestampTz};
use pgpubsub_testkit::Database;
use tokio_postgres::Client;
use tokio_postgres::types::{FromSqlOwned, ToSql};

/// The server's `to_json` text parses to what the wire says, and goes back to the server unchanged.
async fn check<T>(client: &Client, sql: &str, values: &[&str])
where
    T: FromStr + Display + PartialEq + std::fmt::Debug + FromSqlOwned + ToSql + Sync,
    T::Err: std::fmt::Debug,
{
    for value in values {
        let select = format!(
            "SELECT '{value}'::{sql}, to_json('{value}'::{sql}) #>> '{{}}', $1::{sql} = '{value}'::{sql}"
        );
        let text = format!("SELECT to_json('{value}'::{sql}) #>> '{{}}'");
        let text: String = client.query_one(&text, &[]).await.unwrap().get(0);
        let parsed: T = text.parse().unwrap();
        let row = client.query_one(&select, &[&parsed]).await.unwrap();
        assert_eq!(row.get::<_, T>(0), parsed, "{sql} {value}");
        assert_eq!(parsed.to_string(), text, "{sql} {value}");
        assert!(row.get::<_, bool>(2), "{sql} {value}");
    }
}

#[tokio::test]
async fn text_and_wire_agree_over_the_whole_range() {
    let database = Database::create().await.unwrap();
    let client = database.connect().await.unwrap();
    client
        .batch_execute("SET timezone = 'UTC'; SET intervalstyle = 'iso_8601'")
        .await
        .unwrap();
    let dates = [
        "2000-01-01",
        "1999-12-31",
        "2024-02-29",
        "4713-01-01 BC",
        "0001-12-31 BC",
        "5874897-12-31",
        "infinity",
        "-infinity",
    ];
    check::<PgDate>(&client, "date", &dates).await;
    check::<PgTime>(
        &client,
        "time",
        &["00:00:00", "24:00:00", "12:34:56.000001"],
    )
    .await;
    let moments = [
        "2026-01-31 12:34:56.5",
        "4713-01-01 00:00:00 BC",
        "294276-12-31 23:59:59.999999",
        "1969-12-31 23:59:59.9",
        "infinity",
        "-infinity",
    ];
    check::<PgTimestamp>(&client, "timestamp", &moments).await;
    check::<PgTimestampTz>(&client, "timestamptz", &moments).await;
    check::<PgInterval>(
        &client,
        "interval",
        &[
            "P1Y2M-3DT4H5M6.7S",
            "0",
            "-1 year 2 mons 3 days -04:05:06.000001",
            "-0.5 s",
        ],
    )
    .await;
    let wide = format!("{}.{}", "9".repeat(60), "1230".repeat(10));
    let numbers = [
        "0",
        "0.00",
        "-1.50",
        "10000",
        "0.00001",
        "100000000.0001",
        "-0.0000000120",
        "NaN",
        wide.as_str(),
    ];
    check::<PgNumeric>(&client, "numeric", &numbers).await;
}
