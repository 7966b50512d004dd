//! `pgpubsub-gen replay`, with the real binary on a real database.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

#[path = "live/project.rs"]
#[allow(dead_code)] // Each test file uses some of it.
mod project;

use std::process::Output;
use std::time::{Duration, Instant};

use project::{Project, text};

const SCHEMA: &str = "version: 1
channels:
  said:    {retain: 7d, oldest: 2, message: {x: int}}
  shouted: {retain: 7d, message: {x: int}}
listeners:
  hear:  {channel: [said, shouted], group: ears}
  watch: {channel: said, group: eyes}
";

/// An exit code, and words on standard output, or with 2 on standard error.
fn says(output: &Output, code: i32, words: &[&str]) {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    let shown = if code == 2 { &err } else { &out };
    for word in words {
        assert!(shown.contains(word), "no {word:?} in:\n{shown}");
    }
}

/// Six that were processed in six hours, each an hour after it was written, and some that wait.
async fn filled() -> Project {
    let first = SCHEMA.replace(
        "oldest: 2, message: {x: int}",
        "message: {x: int, gone: bool}",
    );
    let project = Project::installed("", &first).await;
    project.generate(SCHEMA);
    project.migrate().await;
    project
        .execute(
            "INSERT INTO pgpubsub.processed (retention, processed_at, id, listener_group, channel, op, model_version, db_version, txid,
                 created_at, payload, context, order_key)
             SELECT 604800, timestamptz '2026-03-01 12:00Z' + n * interval '1 h', 1000 + n, CASE WHEN n < 4 THEN 'ears' ELSE 'eyes' END,
                 CASE WHEN n = 1 THEN 'shouted' ELSE 'said' END, 'message', 2, '7', '1234',
                 timestamptz '2026-03-01 11:00Z' + n * interval '1 h', json_build_object('x', n), '{\"tenant\": \"a\"}', 'k' || n
             FROM generate_series(1, 6) AS n;
             UPDATE pgpubsub.processed SET model_version = 1 WHERE channel = 'shouted'",
        )
        .await;
    project
}

fn replay(project: &Project, args: &[&str]) -> Output {
    let mut all = vec!["replay"];
    all.extend(args);
    project.on_database(&all)
}

/// The numbers in the payloads of a table, in order of the ids.
async fn numbers(project: &Project, table: &str) -> Vec<String> {
    let sql = format!("SELECT payload->>'x' FROM pgpubsub.{table} ORDER BY listener_group, id");
    let rows = project.client.query(&sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_dry_run_counts() {
    let project = filled().await;
    let words = [
        "1 of the channel shouted for the group ears, version 1, processed from 2026-03-01T13:00:00Z to 2026-03-01T13:00:00Z\n",
        "3 of the channel said for the group eyes, version 2, processed from 2026-03-01T16:00:00Z to 2026-03-01T18:00:00Z\n",
        "\n6 would be put back\n",
    ];
    says(&replay(&project, &["--all", "--dry-run"]), 0, &words);
    let args = ["--group", "eyes", "--dry-run", "--message-format", "json"];
    let wanted = "{\"channel\":\"said\",\"count\":3,\"first\":\"2026-03-01T16:00:00Z\",\"group\":\"eyes\",\"last\":\"2026-03-01T18:00:00Z\",\"model_version\":2,\"refused\":null}\n";
    says(&replay(&project, &args), 0, &[wanted]);
    assert_eq!(numbers(&project, "processed").await.len(), 6);
}

#[tokio::test]
async fn what_is_meant_is_put_back_once_as_it_was() {
    let project = filled().await;
    says(&replay(&project, &["1002"]), 0, &["1 put back"]);
    let sql = "SELECT id, listener_group, channel, op, model_version, db_version, txid::text, created_at = '2026-03-01 13:00Z', context,
        order_key, attempts, not_before IS NULL FROM pgpubsub.notification";
    let row = project.client.query_one(sql, &[]).await.unwrap();
    assert!(row.get::<_, i64>(0) < 1000, "a new number");
    let words: [&str; 3] = [row.get(1), row.get(2), row.get(3)];
    assert_eq!(words, ["ears", "said", "message"]);
    assert_eq!((row.get(4), row.get(10)), (2, 0));
    let words: [&str; 4] = [row.get(5), row.get(6), row.get(8), row.get(9)];
    assert_eq!(words, ["7", "1234", "{\"tenant\": \"a\"}", "k2"]);
    assert!(row.get::<_, bool>(7) && row.get::<_, bool>(11));
    let again = replay(&project, &["1002"]);
    says(&again, 2, &["no processed notification 1002 is kept"]);

    // Times are in UTC, whatever the role prefers.
    project
        .execute("DO $$ BEGIN EXECUTE format('ALTER ROLE %I IN DATABASE %I SET timezone = ''Asia/Tokyo''', current_user, current_database()); END $$")
        .await;
    let args = [
        "--channel",
        "said",
        "--processed-since",
        "2026-03-01 15:00",
        "--processed-until",
        "2026-03-01 17:00",
    ];
    says(&replay(&project, &args), 0, &["2 put back"]);
    assert_eq!(numbers(&project, "notification").await, ["2", "3", "4"]);
    let args = [
        "--all",
        "--written-since",
        "2026-03-01T16:00Z",
        "--written-until",
        "2026-03-01T18:00+01",
        "--keep-ids",
    ];
    says(&replay(&project, &args), 0, &["1 put back"]);
    let ids = "SELECT id FROM pgpubsub.notification WHERE id > 1000";
    let row = project.client.query_one(ids, &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 1005);
    assert_eq!(numbers(&project, "processed").await, ["1", "6"]);
}

#[tokio::test]
async fn many_are_put_back_in_their_order_at_a_rate() {
    let project = filled().await;
    project
        .execute(
            "TRUNCATE pgpubsub.processed;
             INSERT INTO pgpubsub.processed (retention, id, listener_group, channel, op, model_version, txid, created_at, payload)
             SELECT 604800, n, 'ears', 'said', 'message', 2, '1', now(), json_build_object('x', n) FROM generate_series(1, 2500) AS n ORDER BY random()",
        )
        .await;
    let args = ["--all", "--message-format", "json"];
    says(&replay(&project, &args), 0, &["{\"put_back\":2500}"]);
    let wanted: Vec<String> = (1..=2500).map(|n| n.to_string()).collect();
    assert_eq!(numbers(&project, "notification").await, wanted);
    assert!(numbers(&project, "processed").await.is_empty());

    project
        .execute(
            "INSERT INTO pgpubsub.processed (retention, id, listener_group, channel, op, model_version, txid, created_at, payload)
             SELECT 604800, n, 'eyes', 'said', 'message', 2, '1', now(), '{}' FROM generate_series(1, 4) AS n",
        )
        .await;
    let begun = Instant::now();
    says(
        &replay(&project, &["--all", "--rate", "10/s"]),
        0,
        &["4 put back"],
    );
    assert!(
        begun.elapsed() >= Duration::from_millis(300),
        "ten a second"
    );
}

#[tokio::test]
async fn what_nobody_would_read_is_refused() {
    let project = filled().await;
    project
        .execute("UPDATE pgpubsub.processed SET model_version = 1 WHERE id = 1004; UPDATE pgpubsub.processed SET model_version = 9 WHERE id = 1003")
        .await;
    let refused = [
        (
            &["1004"][..],
            "1 of the channel said for the group eyes have the version 1, and the schema reads 2 and newer",
        ),
        (
            &["1003"],
            "1 of the channel said for the group ears have the version 9, and the schema knows",
        ),
        (&["--group", "eyes"], "nothing was put back"),
    ];
    for (args, words) in refused {
        says(&replay(&project, args), 2, &[words]);
    }
    let args = ["--all", "--dry-run"];
    says(
        &replay(&project, &args),
        0,
        &["(refused: 1 of the channel said for the group eyes"],
    );
    assert!(numbers(&project, "notification").await.is_empty());
    project.generate(&SCHEMA.replace("  watch: {channel: said, group: eyes}\n", ""));
    says(
        &replay(&project, &["1006"]),
        2,
        &["1 of the channel said for the group eyes: the schema has no listener for them any more"],
    );
    project.generate("version: 1\nchannels: {said: {message: {x: int}}}\n");
    says(
        &replay(&project, &["1001"]),
        2,
        &["1 of the channel shouted for the group ears: the schema has no such channel any more"],
    );
    // A listener and a channel that are called otherwise now.
    let renamed = SCHEMA
        .replace("said:    {", "told:    {was: said, ")
        .replace(
            "channel: said, group: eyes",
            "channel: told, group: sight, was: eyes",
        )
        .replace("[said,", "[told,");
    project.generate(&renamed);
    says(&replay(&project, &["1006"]), 0, &["1 put back"]);
}

#[tokio::test]
async fn what_is_meant_has_to_be_said() {
    let project = filled().await;
    for args in [
        &[][..],
        &["--processed-since", "2026-03-01"],
        &["--all", "--group", "ears"],
        &["1001", "--channel", "said"],
        &["--all", "--rate", "0"],
    ] {
        says(&replay(&project, args), 2, &["For more information, try"]);
    }
    let args = ["--all", "--written-since", "yesteryear"];
    says(
        &replay(&project, &args),
        2,
        &["the database refuses: invalid input syntax"],
    );
    assert_eq!(numbers(&project, "processed").await.len(), 6);
    let plain = Project::installed("", "version: 1\nchannels: {said: {message: {x: int}}}\n").await;
    says(
        &replay(&plain, &["--all"]),
        2,
        &["there is no table pgpubsub.processed in this database: no channel keeps"],
    );
}
