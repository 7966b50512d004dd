//! `pgpubsub-gen quarantine`, with the real binary on a real database.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

#[path = "live/project.rs"]
#[allow(dead_code)] // Each test file uses some of it.
mod project;

use std::process::Output;
use std::time::{Duration, Instant};

use project::{Project, SCHEMA, TABLES, text};
use serde_json::Value;

/// An exit code, and words on standard output, or with 2 on standard error.
fn says(output: &Output, code: i32, words: &[&str]) {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    let shown = if code == 2 { &err } else { &out };
    for word in words {
        assert!(shown.contains(word), "no {word:?} in:\n{shown}");
    }
}

/// Six in quarantine: two channels, two groups.
async fn filled() -> Project {
    let project = Project::installed(TABLES, SCHEMA).await;
    project
        .execute(
            "INSERT INTO pgpubsub.quarantine
             SELECT n, CASE WHEN n < 4 THEN 'ears' ELSE 'eyes' END, CASE WHEN n < 6 THEN 'said' ELSE 'shouted' END, 'message', 1,
                 '7', '1234', '2026-01-31 12:00:00.123456+00', json_build_object('x', n), '{\"tenant\": \"a\"}', 20,
                 E'no\\nluck', 'failed 20 times'
             FROM generate_series(1, 6) AS n",
        )
        .await;
    project
}

fn quarantine(project: &Project, args: &[&str]) -> Output {
    let mut all = vec!["quarantine"];
    all.extend(args);
    project.on_database(&all)
}

async fn count(project: &Project, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM pgpubsub.{table}");
    project.client.query_one(&sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn it_is_looked_at() {
    let project = filled().await;
    let line = "1 message of the channel said for the group ears, written 2026-01-31T12:00:00.123456Z, here since 2";
    says(
        &quarantine(&project, &["list"]),
        0,
        &[line, ": failed 20 times: no luck\n", "\n6 in quarantine\n"],
    );
    says(
        &quarantine(&project, &["list", "--group", "eyes", "--limit", "2"]),
        0,
        &["3 in quarantine; the first 2 are shown, see --limit"],
    );
    says(
        &quarantine(&project, &["list", "--channel", "nothing"]),
        0,
        &["0 in quarantine"],
    );
    let output = quarantine(&project, &["list", "--message-format", "json"]);
    says(&output, 0, &[]);
    let records: Vec<Value> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(records.len(), 6);
    assert_eq!(records[5]["channel"], "shouted");
    assert_eq!(records[5]["attempts"], 20);
    says(
        &quarantine(&project, &["show", "2"]),
        0,
        &[
            "id: 2\nchannel: said\ngroup: ears\n",
            "last error: no\n  luck\n",
            "context: {\"tenant\": \"a\"}\npayload: {\"x\" : 2}\n",
        ],
    );
    says(
        &quarantine(&project, &["show", "2", "--message-format", "json"]),
        0,
        &["\"payload\":\"{\\\"x\\\" : 2}\""],
    );
    says(
        &quarantine(&project, &["show", "99"]),
        2,
        &["there is no notification 99 in quarantine"],
    );
}

#[tokio::test]
async fn it_is_put_back_and_removed() {
    let project = filled().await;
    says(&quarantine(&project, &["redrive", "2"]), 0, &["1 put back"]);
    let sql = "SELECT id, listener_group, attempts, last_error, txid::text, created_at = '2026-01-31 12:00:00.123456+00',
        not_before IS NULL, context FROM pgpubsub.notification";
    let row = project.client.query_one(sql, &[]).await.unwrap();
    assert_eq!((row.get(0), row.get(2)), (2_i64, 0_i32));
    assert_eq!((row.get(1), row.get(3)), ("ears", "no\nluck"));
    assert_eq!((row.get(4), row.get(7)), ("1234", "{\"tenant\": \"a\"}"));
    assert!(row.get::<_, bool>(5) && row.get::<_, bool>(6));
    for id in ["2", "-2"] {
        says(
            &quarantine(&project, &["redrive", id]),
            2,
            &[&format!("there is no such notification {id} in quarantine")],
        );
    }

    let args = ["redrive", "--channel", "said", "--group", "eyes"];
    says(&quarantine(&project, &args), 0, &["2 put back"]);
    says(
        &quarantine(&project, &["purge", "--channel", "shouted"]),
        0,
        &["1 removed"],
    );
    let begun = Instant::now();
    let args = [
        "redrive",
        "--all",
        "--rate",
        "5/s",
        "--message-format",
        "json",
    ];
    says(&quarantine(&project, &args), 0, &["{\"put_back\":2}"]);
    assert!(
        begun.elapsed() >= Duration::from_millis(350),
        "five a second"
    );
    assert_eq!(count(&project, "notification").await, 5);
    assert_eq!(count(&project, "quarantine").await, 0);
    says(
        &quarantine(&project, &["purge", "--all"]),
        0,
        &["0 removed"],
    );
}

/// Channels that fold.
const FOLDING: &str = r#"version: 1
channels:
  offer: {message: {who: string, n: int}, expires: true, priority: true, dedup: {key: who, keep: last}}
  calm:  {message: {who: string, n: int}, dedup: {key: who, debounce: 1h, at_most: 2h}}
listeners:
  hear: {channel: [offer, calm]}
"#;

/// What waits, in order.
async fn waiting(project: &Project) -> Vec<String> {
    let sql = "SELECT concat_ws(' ', channel, payload ->> 'n', priority, CASE WHEN expires_at > now() THEN 'expires' END,
                   CASE WHEN not_before > now() THEN 'later' END)
               FROM pgpubsub.notification ORDER BY created_at";
    let rows = project.client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn what_is_put_back_folds_if_it_is_worth_it() {
    let project = Project::installed("", FOLDING).await;
    let send = |n: i32| {
        format!(
            r#"SELECT pgpubsub.notify_offer('{{"who": "a", "n": {n}}}', options => '{{"priority": 3, "expires_after": 3600}}');
               SELECT pgpubsub.notify_calm('{{"who": "a", "n": {n}}}')"#
        )
    };
    let give_up = "WITH w AS (DELETE FROM pgpubsub.notification RETURNING *)
        INSERT INTO pgpubsub.quarantine (id, listener_group, channel, op, model_version, txid, created_at, payload, attempts, reason,
            expires_at, priority, dedup_key, order_key)
        SELECT id, listener_group, channel, op, model_version, txid, created_at, payload, 1, 'told to',
            expires_at, priority, dedup_key, order_key FROM w";
    project.execute(&send(1)).await;
    project.execute(give_up).await;
    says(
        &quarantine(&project, &["redrive", "--all"]),
        0,
        &["2 put back"],
    );
    assert_eq!(waiting(&project).await, ["offer 1 3 expires", "calm 1"]);
    // The payload goes to what is worth delivering. A burst that begins is not cut short by what is due at once.
    project.execute(&send(2)).await;
    assert_eq!(
        waiting(&project).await,
        ["offer 2 3 expires", "calm 1", "calm 2 later"]
    );

    project.execute(give_up).await;
    project
        .execute("UPDATE pgpubsub.quarantine SET expires_at = now() - interval '1 s' WHERE channel = 'offer'")
        .await;
    let shown = quarantine(
        &project,
        &["list", "--channel", "offer", "--message-format", "json"],
    );
    says(
        &shown,
        0,
        &[
            r#""priority":3"#,
            r#""expires_at":"2"#,
            r#""order_key":null"#,
        ],
    );
    says(
        &quarantine(&project, &["redrive", "--channel", "offer"]),
        0,
        &["1 put back"],
    );
    assert_eq!(
        waiting(&project).await,
        ["offer 2 3"],
        "delivered, as somebody wants it"
    );
    project.execute(&send(3)).await;
    assert_eq!(
        waiting(&project).await,
        ["offer 2 3", "offer 3 3 expires", "calm 3 later"]
    );
}

#[tokio::test]
async fn tables_of_an_earlier_generator_get_what_they_lack() {
    let project = Project::installed("", FOLDING).await;
    for table in ["notification", "quarantine"] {
        let drop = format!(
            "ALTER TABLE pgpubsub.{table} DROP expires_at, DROP priority, DROP dedup_key, DROP order_key"
        );
        project.execute(&drop).await;
    }
    project
        .execute("ALTER TABLE pgpubsub.storage DROP settings")
        .await;
    // Indexes go with their columns.
    assert_eq!(
        project.states(),
        [
            "outdated storage pgpubsub",
            "outdated storage pgpubsub",
            "outdated storage pgpubsub",
            "missing index pgpubsub.notification_dedup",
            "missing index pgpubsub.notification_urgent",
        ]
    );
    project.migrate().await;
    project.is_clean();
}

#[tokio::test]
async fn what_is_meant_has_to_be_said() {
    let project = filled().await;
    for args in [
        &["redrive"][..],
        &["purge"],
        &["purge", "--all", "--channel", "said"],
        &["purge", "1", "--group", "ears"],
        &["redrive", "--all", "--rate", "0"],
        &["redrive", "--all", "--rate", "fast"],
    ] {
        says(
            &quarantine(&project, args),
            2,
            &["For more information, try"],
        );
    }
    assert_eq!(count(&project, "quarantine").await, 6);
    let empty = Project::new(TABLES, SCHEMA).await;
    says(
        &quarantine(&empty, &["list"]),
        2,
        &["there is no table pgpubsub.quarantine in this database"],
    );
}
