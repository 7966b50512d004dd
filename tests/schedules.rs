//! When schedules fire, and that each occurrence fires once, on a real PostgreSQL.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

#[path = "golden/runs.rs"]
#[allow(dead_code)] // Each test uses some of it.
mod runs;
#[path = "golden/schemas.rs"]
#[allow(dead_code)] // Each test uses some of them.
mod schemas;
#[path = "golden/session.rs"]
#[allow(dead_code)] // Each test uses some of it.
mod session;

use pgpubsub_gen::diagnostic::Sources;
use pgpubsub_gen::history::History;
use pgpubsub_gen::model::Schema;
use pgpubsub_testkit::Database;
use session::{catalogue, down, first, session, up};
use tokio_postgres::Client;

async fn migrated() -> (Database, Client) {
    let (database, client) = session("").await;
    up(&client, &first(&schemas::schedules())).await;
    (database, client)
}

async fn run(client: &Client, sql: &str) {
    let result = client.batch_execute(sql).await;
    result.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

/// What a query of one text column finds.
async fn texts(client: &Client, sql: &str) -> Vec<String> {
    let rows = client.query(sql, &[]).await;
    let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    rows.iter().map(|row| row.get(0)).collect()
}

const FIRE: &str = "SELECT r ->> 'channel' || CASE WHEN r ->> 'skipped' = 'true' THEN ' skipped' ELSE '' END || coalesce(' ' || (r ->> 'error'), '')
    FROM json_array_elements(pgpubsub.fire_schedules() -> 'results') AS r ORDER BY 1";

/// Says that the occurrence of that time ago is due.
async fn due(client: &Client, channel: &str, ago: &str) {
    run(
        client,
        &format!("UPDATE pgpubsub.schedule SET next_at = clock_timestamp() - interval '{ago}' WHERE channel = '{channel}'"),
    )
    .await;
}

#[tokio::test]
async fn a_wall_clock_that_jumps_loses_and_doubles_nothing() {
    let (_database, client) = migrated().await;
    let (berlin, howe) = ("Europe/Berlin", "Australia/Lord_Howe");
    for (cron, zone, after, occurrences) in [
        // Half past two does not come on 29 March: three o'clock is the next that does. Once, however many do not.
        (
            "30 2 * * *",
            berlin,
            "2026-03-28 00:00",
            "2026-03-28 01:30, 2026-03-29 01:00, 2026-03-30 00:30",
        ),
        (
            "0,15,30,45 2 * * *",
            berlin,
            "2026-03-29 00:00",
            "2026-03-29 01:00, 2026-03-30 00:00",
        ),
        (
            "30 2,3 * * *",
            berlin,
            "2026-03-29 00:00",
            "2026-03-29 01:00, 2026-03-29 01:30, 2026-03-30 00:30",
        ),
        // It comes twice on 25 October.
        (
            "30 2 * * *",
            berlin,
            "2026-10-24 12:00",
            "2026-10-25 00:30, 2026-10-26 01:30",
        ),
        (
            "0,30 1,2,3 * * *",
            berlin,
            "2026-10-25 00:10",
            "2026-10-25 00:30, 2026-10-25 02:00, 2026-10-25 02:30",
        ),
        // In the second of the hours, as after a change of the schedule.
        (
            "30 2,3 * * *",
            berlin,
            "2026-10-25 01:10",
            "2026-10-25 02:30, 2026-10-26 01:30",
        ),
        // Each hour is each hour that passes.
        (
            "0 * * * *",
            berlin,
            "2026-03-29 00:00",
            "2026-03-29 01:00, 2026-03-29 02:00",
        ),
        (
            "0,30 * * * *",
            berlin,
            "2026-10-24 23:45",
            "2026-10-25 00:00, 2026-10-25 00:30, 2026-10-25 01:00, 2026-10-25 01:30, 2026-10-25 02:00",
        ),
        // Half an hour, both ways.
        (
            "45 1 * * *",
            howe,
            "2026-04-04 00:00",
            "2026-04-04 14:45, 2026-04-05 15:15",
        ),
        (
            "15 2 * * *",
            howe,
            "2026-10-03 00:00",
            "2026-10-03 15:30, 2026-10-04 15:15",
        ),
        // An hour that comes twice, and midnight between.
        (
            "30 * * * *",
            "America/St_Johns",
            "2010-11-07 01:45",
            "2010-11-07 02:00, 2010-11-07 03:00, 2010-11-07 04:00",
        ),
        // Midnight does not come.
        (
            "0 0 * * *",
            "America/Santiago",
            "2026-09-05 12:00",
            "2026-09-06 04:00, 2026-09-07 03:00",
        ),
        (
            "0 * 6 9 *",
            "America/Santiago",
            "2026-09-05 12:00",
            "2026-09-06 04:00, 2026-09-06 05:00",
        ),
        // A whole day does not.
        (
            "0 12 30 12 *",
            "Pacific/Apia",
            "2011-12-01 00:00",
            "2011-12-30 10:00, 2012-12-29 22:00",
        ),
        (
            "0 12 * * *",
            "Pacific/Apia",
            "2011-12-29 21:00",
            "2011-12-29 22:00, 2011-12-30 10:00, 2011-12-30 22:00",
        ),
        (
            "0 * 30 12 *",
            "Pacific/Apia",
            "2011-12-01 00:00",
            "2012-12-29 10:00",
        ),
        (
            "5 * * * *",
            "Asia/Kathmandu",
            "2026-01-01 00:00",
            "2026-01-01 00:20, 2026-01-01 01:20",
        ),
    ] {
        chain(
            &client,
            &format!("'{cron}', '{zone}', NULL"),
            after,
            occurrences,
        )
        .await;
    }
}

#[tokio::test]
async fn days_are_those_of_the_calendar() {
    let (_database, client) = migrated().await;
    for (cron, after, occurrences) in [
        (
            "* * * * *",
            "2026-01-01 12:00:30",
            "2026-01-01 12:01, 2026-01-01 12:02",
        ),
        ("0 3 * * *", "2026-01-01 03:00", "2026-01-02 03:00"),
        (
            "0 3 * * *",
            "2026-01-01 02:59:59.999999",
            "2026-01-01 03:00",
        ),
        ("59 23 31 12 *", "2026-12-31 23:59", "2027-12-31 23:59"),
        ("0 0 29 2 *", "2096-03-01 00:00", "2104-02-29 00:00"),
        (
            "0 0 31 * *",
            "2026-01-31 00:00",
            "2026-03-31 00:00, 2026-05-31 00:00",
        ),
        ("0 9 * * 1,2,3,4,5", "2026-11-13 09:00", "2026-11-16 09:00"),
        ("0 0 * * 0", "2026-11-13 09:00", "2026-11-15 00:00"),
        // The 13th, and each Friday.
        (
            "0 0 13 * 5",
            "2026-11-20 00:00",
            "2026-11-27 00:00, 2026-12-04 00:00, 2026-12-11 00:00, 2026-12-13 00:00",
        ),
        (
            "0 * 1 1 *",
            "2026-01-01 22:30",
            "2026-01-01 23:00, 2027-01-01 00:00",
        ),
        (
            "5,10 1,22 * 6 *",
            "2026-06-30 22:05",
            "2026-06-30 22:10, 2027-06-01 01:05",
        ),
    ] {
        chain(
            &client,
            &format!("'{cron}', 'UTC', NULL"),
            after,
            occurrences,
        )
        .await;
    }
    for (every, after, occurrences) in [
        (
            "15 minutes",
            "2026-01-01 12:07",
            "2026-01-01 12:15, 2026-01-01 12:30",
        ),
        ("15 minutes", "2026-01-01 12:15", "2026-01-01 12:30"),
        (
            "1 hour",
            "2026-03-29 00:30",
            "2026-03-29 01:00, 2026-03-29 02:00",
        ),
        (
            "7 days",
            "2026-11-25 12:00",
            "2026-11-26 00:00, 2026-12-03 00:00",
        ),
    ] {
        chain(
            &client,
            &format!("NULL, NULL, '{every}'"),
            after,
            occurrences,
        )
        .await;
    }
}

/// Each occurrence follows from the one before; whatever the time zone of the session.
async fn chain(client: &Client, schedule: &str, after: &str, occurrences: &str) {
    let mut after = format!("{after}+00");
    for wanted in occurrences.split(", ") {
        for zone in ["UTC", "America/New_York"] {
            run(client, &format!("SET timezone = '{zone}'")).await;
            let next = format!(
                "SELECT to_char(pgpubsub.next_occurrence({schedule}, '{after}') AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')"
            );
            assert_eq!(
                texts(client, &next).await,
                [wanted],
                "{schedule} after {after}"
            );
        }
        after = format!("{wanted}+00");
    }
}

#[tokio::test]
async fn an_occurrence_sends_one_message_with_its_time() {
    let (_database, client) = migrated().await;
    assert!(texts(&client, FIRE).await.is_empty());
    run(
        &client,
        "BEGIN; SET LOCAL pgpubsub.context = '{\"tenant\": 1}'",
    )
    .await;
    due(&client, "nightly", "2 days").await;
    due(&client, "working", "5 seconds").await;
    assert_eq!(texts(&client, FIRE).await, ["nightly", "working"]);
    assert!(texts(&client, FIRE).await.is_empty());
    let sent = "SELECT channel || ' ' || payload::text || ' ' || coalesce(order_key, '-') FROM pgpubsub.notification ORDER BY 1";
    assert_eq!(
        texts(&client, sent).await,
        [
            "nightly {} -",
            r#"working {"mood":"it's","names":["it's \\"],"page":1,"size":5} ["1"]"#
        ]
    );
    let planned = "SELECT DISTINCT (n.context::json ->> 'scheduled_at')::timestamptz = s.last_at AND s.next_at > clock_timestamp()
        FROM pgpubsub.notification n JOIN pgpubsub.schedule s USING (channel)";
    let row = client.query_one(planned, &[]).await.unwrap();
    assert!(row.get::<_, bool>(0));
    let context = "SELECT current_setting('pgpubsub.context')";
    assert_eq!(texts(&client, context).await, ["{\"tenant\": 1}"]);
    run(&client, "COMMIT").await;
}

#[tokio::test]
async fn what_was_missed_is_fired_once_or_not_at_all() {
    let (_database, client) = migrated().await;
    due(&client, "beat", "3 days").await;
    due(&client, "working", "3 days").await;
    assert_eq!(texts(&client, FIRE).await, ["beat", "working skipped"]);
    assert!(texts(&client, FIRE).await.is_empty());
    let sent = "SELECT channel FROM pgpubsub.notification";
    assert_eq!(texts(&client, sent).await, ["beat"]);
    let next = "SELECT bool_and(next_at > clock_timestamp())::text FROM pgpubsub.schedule";
    assert_eq!(texts(&client, next).await, ["true"]);
}

#[tokio::test]
async fn who_comes_second_finds_nothing_and_who_dies_leaves_it() {
    let (database, client) = migrated().await;
    let other = database.connect().await.unwrap();
    run(&other, "SET lock_timeout = '1ms'").await;
    due(&client, "beat", "1 second").await;
    for ended in ["ROLLBACK", "COMMIT"] {
        run(&client, "BEGIN").await;
        assert_eq!(texts(&client, FIRE).await, ["beat"]);
        assert!(texts(&other, FIRE).await.is_empty());
        run(&client, ended).await;
    }
    assert!(texts(&other, FIRE).await.is_empty());
    assert_eq!(
        texts(&client, "SELECT channel FROM pgpubsub.notification").await,
        ["beat"]
    );
}

#[tokio::test]
async fn one_that_fails_stays_due_and_the_others_fire() {
    let (_database, client) = migrated().await;
    run(
        &client,
        "ALTER FUNCTION pgpubsub.notify_beat(text, int4, json) RENAME TO gone",
    )
    .await;
    due(&client, "beat", "2 seconds").await;
    due(&client, "nightly", "1 second").await;
    let fired = texts(&client, FIRE).await;
    assert!(
        fired[0].starts_with("beat function pgpubsub.notify_beat"),
        "{fired:?}"
    );
    assert_eq!(fired[1], "nightly");
    run(
        &client,
        "ALTER FUNCTION pgpubsub.gone(text, int4, json) RENAME TO notify_beat",
    )
    .await;
    assert_eq!(texts(&client, FIRE).await, ["beat"]);
}

#[tokio::test]
async fn anybody_may_fire_what_is_due_and_nothing_else() {
    let (database, client) = migrated().await;
    due(&client, "beat", "1 second").await;
    let role = format!("nobody_{}", std::process::id());
    run(&client, &format!("CREATE ROLE {role}; SET ROLE {role}")).await;
    assert_eq!(texts(&client, FIRE).await, ["beat"]);
    for refused in [
        "SELECT FROM pgpubsub.schedule",
        "SELECT pgpubsub.next_occurrence('* * * * *', 'UTC', NULL, now())",
    ] {
        assert!(client.batch_execute(refused).await.is_err(), "{refused}");
    }
    run(&client, &format!("RESET ROLE; DROP ROLE {role}")).await;
    drop(database);
}

fn edited(edits: &[(&str, &str)]) -> Schema {
    let mut text = include_str!("golden/schedules.yaml").to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    let loaded = pgpubsub_gen::schema::load_text(&Sources::new("schema.yaml", text));
    loaded.ok().unwrap().schema
}

const NEXT: &str = "SELECT channel || ' ' || coalesce(cron, every::text) || ' ' || (next_at <= clock_timestamp())::text FROM pgpubsub.schedule ORDER BY 1";

#[tokio::test]
async fn a_changed_time_holds_from_now_on_and_loses_nothing_that_is_due() {
    let (_database, client) = session("").await;
    let before = first(&schemas::schedules());
    up(&client, &before).await;
    let history = runs::after(&before, &History::default());
    let as_before = catalogue(&client).await;
    due(&client, "beat", "1 second").await;
    due(&client, "working", "1 second").await;
    let kept = "SELECT next_at::text FROM pgpubsub.schedule WHERE channel IN ('nightly', 'night')";
    run(&client, "UPDATE pgpubsub.schedule SET next_at = next_at + interval '7 days' WHERE channel = 'nightly'").await;
    let nightly = texts(&client, kept).await;

    // Another time, another name, another message, and one that is new.
    let schema = edited(&[
        ("  nightly:", "  night:\n    was: nightly"),
        ("every: 15m", "every: 1h"),
        ("*/30 8-17", "*/20 8-17"),
        ("  working:", "  office:"),
        ("was: worked", "was: working"),
        ("message: {}", "message: {n: \"int = 5\"}"),
        (
            "message: {n: int}",
            "message: {n: \"int?\"}\n    schedule: \"@yearly\"",
        ),
    ]);
    let after = runs::files(&schema, &history);
    up(&client, &after).await;
    assert_eq!(
        texts(&client, NEXT).await,
        [
            "beat 01:00:00 true",
            "night 0 3 * * * false",
            "office 0,20,40 8,9,10,11,12,13,14,15,16,17 * * 1,2,3,4,5 true",
            "plain 0 0 1 1 * false",
        ]
    );
    assert_eq!(texts(&client, kept).await, nightly);
    assert_eq!(texts(&client, FIRE).await, ["beat", "office"]);
    run(&client, "DELETE FROM pgpubsub.notification").await;

    // Back again.
    down(&client, &after).await;
    assert_eq!(catalogue(&client).await, as_before);
    assert_eq!(texts(&client, NEXT).await.len(), 3);

    // Without any, nothing is left of it.
    let history = runs::after(&after, &history);
    let none = edited(&[
        ("  nightly:", "  night:\n    was: nightly"),
        ("    schedule: \"0 3 * * *\"\n", ""),
        ("    schedule: {every: 15m}\n", ""),
        (
            "    schedule:\n      cron:     \"*/30 8-17 * * mon-fri\"\n      timezone: Europe/Berlin\n      missed:   skip\n      with:     {size: 5, names: [\"it's \\\\\"], mood: \"it's\"}\n",
            "",
        ),
        ("  working:", "  office:"),
        ("was: worked", "was: working"),
    ]);
    up(&client, &after).await;
    up(&client, &runs::files(&none, &history)).await;
    let left = "SELECT relname::text FROM pg_class WHERE relname = 'schedule' UNION ALL SELECT proname::text FROM pg_proc WHERE proname IN ('fire_schedules', 'next_occurrence', 'wall_clock')";
    assert!(texts(&client, left).await.is_empty());
}
