//! Writers at full speed while migrations of every kind are applied: no write fails, none waits longer than the lock timeout,
//! and the channel that is there all the time carries each event exactly once.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

#[path = "golden/runs.rs"]
#[allow(dead_code)] // Each test uses some of it.
mod runs;
#[path = "golden/session.rs"]
#[allow(dead_code)] // Each test uses some of it.
mod session;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use pgpubsub_gen::diagnostic::{Format, Sources};
use pgpubsub_gen::history::History;
use pgpubsub_gen::model::Schema;
use pgpubsub_gen::schema;
use pgpubsub_testkit::Database;
use runs::{after, ends_with, files};
use session::session;
use tokio::task::JoinHandle;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

const TABLES: &str = "CREATE SCHEMA app;
    CREATE TABLE app.item (id bigint PRIMARY KEY, n int NOT NULL DEFAULT 0, t text, old_name int);
    CREATE TABLE app.part (id bigint, n int NOT NULL DEFAULT 0, PRIMARY KEY (id)) PARTITION BY RANGE (id);
    CREATE TABLE app.part_1 PARTITION OF app.part DEFAULT;
    CREATE TABLE app.other (id bigint PRIMARY KEY, n int NOT NULL DEFAULT 0);";
const LOCK_TIMEOUT: Duration = Duration::from_millis(500);
/// What a busy machine may add to a wait.
const SLACK: Duration = Duration::from_secs(2);
const WRITERS: i64 = 4;

fn parse(text: &str) -> Schema {
    let text = text.replace("LIFE", "version: 1\ngenerate: {migrations: {lock_timeout: 500ms}}\ndefaults: {allow: [W0001, W0002, W0003, W0004, W0005, W0006, W0007]}\n");
    let sources = Sources::new("schema.yaml", text.as_str());
    match schema::load_text(&sources) {
        Ok(loaded) => loaded.schema,
        Err(mistakes) => panic!(
            "{}",
            mistakes.render(&sources, Format::Text { colour: false })
        ),
    }
}

/// Schemas one after the other; `kept` and `kept_part` are in all of them, in ever other forms.
const LIFE: &[(&str, &str)] = &[
    ("everything is new", "LIFE
models:
  item: {table: app.item, columns: {id: bigint pk, n: int}}
  part: {table: app.part, partitioned: true, columns: {id: bigint pk, n: int}}
channels:
  kept: {on: item, after: [insert, update, delete]}
  kept_part: {on: part, after: [insert, update, delete]}
"),
    ("a column is captured", "LIFE
models:
  item: {table: app.item, columns: {id: bigint pk, n: int, t: text?}}
  part: {table: app.part, partitioned: true, columns: {id: bigint pk, n: int}}
channels:
  kept: {on: item, after: [insert, update, delete]}
  kept_part: {on: part, after: [insert, update, delete]}
"),
    ("a condition comes into the trigger, others come beside", "LIFE
models:
  item: {table: app.item, columns: {id: bigint pk, n: int, t: text?}}
  part: {table: app.part, partitioned: true, columns: {id: bigint pk, n: int}}
channels:
  kept: {on: item, after: [insert, update, delete], when: {insert: new.id > 0}}
  kept_part: {on: part, after: [insert, update, delete]}
  beside: {on: item, after: save}
  before: {on: part, before: [insert, update, delete]}
"),
    ("statements instead of rows", "LIFE
models:
  item: {table: app.item, columns: {id: bigint pk, n: int, t: text?}}
  part: {table: app.part, partitioned: true, columns: {id: bigint pk, n: int}}
channels:
  kept: {on: item, after: [insert, update, delete], level: statement}
  kept_part: {on: part, after: [insert, update, delete], level: statement}
  beside: {on: item, after: save}
  before: {on: part, before: [insert, update, delete]}
"),
    ("rows again, a condition in the function", "LIFE
models:
  item: {table: app.item, columns: {id: bigint pk, n: int, t: text?}}
  part: {table: app.part, partitioned: true, columns: {id: bigint pk, n: int}}
channels:
  kept: {on: item, after: [insert, update, delete], when: {insert: new.id > 0}, condition_in: function, payload: {new: [id]}}
  kept_part: {on: part, after: [insert, update, delete]}
  beside: {on: item, after: save, level: statement}
  before: {on: part, before: delete}
"),
    ("at the end of the transaction, once like this", "LIFE
models:
  item: {table: app.item, columns: {id: bigint pk, n: int}}
  part: {table: app.part, partitioned: true, columns: {id: bigint pk, n: int}}
channels:
  kept: {on: item, after: [insert, update, delete], deferred: true}
  kept_part: {on: part, after: [insert, update, delete], deferred: true}
  before: {on: item, before: delete}
"),
    ("and once like that", "LIFE
models:
  item: {table: app.item, columns: {id: bigint pk, n: int}}
  part: {table: app.part, partitioned: true, columns: {id: bigint pk, n: int}}
channels:
  kept: {on: item, after: [insert, update, delete], deferred: true, when: {insert: new.id > 0}}
  kept_part: {on: part, after: [insert, update, delete], deferred: true, ignorable: true}
"),
    ("in replication, too, and by another group", "LIFE
models:
  item: {table: app.item, columns: {id: bigint pk, n: int}}
  part: {table: app.part, partitioned: true, columns: {id: bigint pk, n: int}}
channels:
  kept: {on: item, after: [insert, update, delete], fire: always}
  kept_part: {on: part, after: [insert, update, delete], fire: always}
listeners:
  on_kept: {channel: kept}
  second: {channel: kept}
  on_kept_part: {channel: kept_part}
"),
];

/// Schemas in which names change: of the channel, and of a column that only it captures.
const RENAMED: [&str; 3] = [
    "LIFE
models:
  item: {table: app.item, columns: {id: bigint pk, old_name: int?}}
channels:
  kept: {on: item, after: [insert, update, delete]}
",
    "LIFE
models:
  item: {table: app.item, columns: {id: bigint pk, old_name: int?}}
channels:
  kept_on: {on: item, after: [insert, update, delete], was: kept}
",
    "LIFE
models:
  item: {table: app.item, columns: {id: bigint pk, new_name: {type: int?, was: old_name}}}
channels:
  kept_on: {on: item, after: [insert, update, delete], was: kept}
",
];

/// One session that inserts, updates and deletes rows of its own.
struct Writer {
    writes: Arc<AtomicI64>,
    task: JoinHandle<Duration>,
}

fn writer(database: &Database, number: i64, stop: &Arc<AtomicBool>) -> Writer {
    let writes = Arc::new(AtomicI64::new(0));
    let (config, stop, count) = (database.config(), Arc::clone(stop), Arc::clone(&writes));
    let task = tokio::spawn(async move {
        let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        let mut longest = Duration::ZERO;
        let mut id = number;
        while !stop.load(Ordering::Relaxed) {
            id += WRITERS;
            for table in ["item", "part"] {
                for write in [
                    format!("INSERT INTO app.{table} (id) VALUES ({id})"),
                    format!("UPDATE app.{table} SET n = n + 1 WHERE id = {id}"),
                    format!("DELETE FROM app.{table} WHERE id = {id}"),
                ] {
                    let begin = Instant::now();
                    client
                        .batch_execute(&write)
                        .await
                        .unwrap_or_else(|error| panic!("{write}: {error:?}"));
                    longest = longest.max(begin.elapsed());
                }
            }
            count.fetch_add(1, Ordering::Relaxed);
        }
        drop(client);
        drop(connection.await);
        longest
    });
    Writer { writes, task }
}

/// As a deployer does: again, if a lock was not to be had in time.
async fn apply(client: &Client, text: &str, what: &str) -> u32 {
    let mut tries = 1;
    loop {
        match client.batch_execute(&format!("BEGIN;{text};COMMIT")).await {
            Ok(()) => return tries,
            Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) && tries < 50 => {
                client.batch_execute("ROLLBACK").await.unwrap();
                tries += 1;
            }
            Err(error) => panic!("{what}: {error:?}\n{text}"),
        }
    }
}

/// Waits until every writer has gone round once more.
async fn rounds(writers: &[Writer]) {
    for writer in writers {
        let now = writer.writes.load(Ordering::Relaxed);
        while writer.writes.load(Ordering::Relaxed) < now + 2 && !writer.task.is_finished() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_do_not_notice_migrations() {
    let (database, client) = session(TABLES).await;
    let mut history = History::default();
    let first = files(&parse(LIFE[0].1), &history);
    for up in ends_with(&first, ".up.sql") {
        apply(&client, up, LIFE[0].0).await;
    }
    history = after(&first, &history);
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<Writer> = (0..WRITERS)
        .map(|number| writer(&database, number, &stop))
        .collect();

    // There and back, and there again.
    let mut downs: Vec<(String, &str)> = Vec::new();
    for (what, schema) in &LIFE[1..] {
        rounds(&writers).await;
        let next = files(&parse(schema), &history);
        let (ups, mut back) = (ends_with(&next, ".up.sql"), ends_with(&next, ".down.sql"));
        assert!(!ups.is_empty(), "{what}");
        for up in &ups {
            apply(&client, up, what).await;
            rounds(&writers).await;
        }
        for down in &back {
            apply(&client, down, what).await;
            rounds(&writers).await;
        }
        for up in &ups {
            apply(&client, up, what).await;
        }
        back.reverse();
        downs.extend(back.into_iter().map(|down| (down.to_owned(), *what)));
        history = after(&next, &history);
    }
    for (down, what) in downs.iter().rev() {
        apply(&client, down, what).await;
        rounds(&writers).await;
    }
    stop.store(true, Ordering::Relaxed);
    let mut total = 0;
    for writer in writers {
        let longest = writer.task.await.unwrap();
        assert!(
            longest < LOCK_TIMEOUT + SLACK,
            "a write waited for {longest:?}"
        );
        total += writer.writes.load(Ordering::Relaxed);
    }
    println!("{total} rounds of six writes");
    for channel in ["kept", "kept_part"] {
        for op in ["insert", "update", "delete"] {
            let sql = "SELECT count(*), count(DISTINCT coalesce(payload -> 'new' ->> 'id', payload -> 'old' ->> 'id')) \
                FROM pgpubsub.notification WHERE channel = $1 AND op = $2 AND listener_group = 'on_' || $1";
            let row = client.query_one(sql, &[&channel, &op]).await.unwrap();
            assert_eq!(
                (row.get::<_, i64>(0), row.get::<_, i64>(1)),
                (total, total),
                "{channel} {op}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renamed_channels_and_columns_lose_and_double_nothing() {
    let (database, client) = session(TABLES).await;
    let [first, channel, column] = RENAMED;
    let mut history = History::default();
    let next = files(&parse(first), &history);
    for up in ends_with(&next, ".up.sql") {
        apply(&client, up, "first").await;
    }
    history = after(&next, &history);
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<Writer> = (0..WRITERS)
        .map(|number| writer(&database, number, &stop))
        .collect();
    rounds(&writers).await;
    let next = files(&parse(channel), &history);
    for up in ends_with(&next, ".up.sql") {
        apply(&client, up, "channel").await;
        rounds(&writers).await;
    }
    history = after(&next, &history);
    // A column goes to its new name in the transaction in which the function learns it.
    let next = files(&parse(column), &history);
    let [up] = ends_with(&next, ".up.sql")[..] else {
        panic!("one file")
    };
    let alter = "ALTER TABLE app.item RENAME old_name TO new_name;";
    apply(&client, &format!("{alter}\n{up}"), "column").await;
    rounds(&writers).await;
    // As a tool applies it afterwards.
    apply(&client, up, "column again").await;
    rounds(&writers).await;
    stop.store(true, Ordering::Relaxed);
    let mut total = 0;
    for writer in writers {
        writer.task.await.unwrap();
        total += writer.writes.load(Ordering::Relaxed);
    }
    for op in ["insert", "update", "delete"] {
        let sql = "SELECT count(*), count(DISTINCT coalesce(payload -> 'new' ->> 'id', payload -> 'old' ->> 'id')), \
            count(DISTINCT channel) FROM pgpubsub.notification WHERE op = $1";
        let row = client.query_one(sql, &[&op]).await.unwrap();
        let counts: (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
        assert_eq!(counts, (total, total, 2), "{op}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_transaction_holds_up_the_migration_and_no_writer_for_longer_than_the_timeout() {
    let (database, client) = session(TABLES).await;
    let first = files(&parse(LIFE[0].1), &History::default());
    let next = files(&parse(LIFE[2].1), &after(&first, &History::default()));
    for up in ends_with(&first, ".up.sql") {
        apply(&client, up, LIFE[0].0).await;
    }
    let long = database.connect().await.unwrap();
    long.batch_execute("BEGIN; INSERT INTO app.item (id) VALUES (-1)")
        .await
        .unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<Writer> = (0..2)
        .map(|number| writer(&database, number, &stop))
        .collect();
    rounds(&writers).await;
    // The quiet part and the other table get through, that of the long transaction does not.
    let mut refused = 0;
    for up in ends_with(&next, ".up.sql") {
        if let Err(error) = client.batch_execute(&format!("BEGIN;{up};COMMIT")).await {
            assert_eq!(
                error.code(),
                Some(&SqlState::LOCK_NOT_AVAILABLE),
                "{error:?}"
            );
            assert!(up.contains("-- Locks \"app\".\"item\""), "{up}");
            client.batch_execute("ROLLBACK").await.unwrap();
            refused += 1;
        }
    }
    assert_eq!(refused, 1);
    rounds(&writers).await;
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        let longest = writer.task.await.unwrap();
        assert!(
            longest < LOCK_TIMEOUT + SLACK,
            "a write waited for {longest:?}"
        );
    }
    long.batch_execute("COMMIT").await.unwrap();
    for up in ends_with(&next, ".up.sql") {
        apply(&client, up, LIFE[2].0).await;
    }
}

/// What `pgpubsub-gen unlock` prints, before and after the ALTER TABLE.
fn unlock(folder: &std::path::Path, column: &str) -> (String, String) {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_pgpubsub-gen"))
        .args(["unlock", column])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let (before, after) = text.split_once("-- After it:").unwrap();
    (before.to_owned(), after.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_column_in_a_condition_changes_its_type_and_goes_without_a_failed_write_or_a_lost_event()
{
    let (database, client) = session(TABLES).await;
    let folder = tempfile::tempdir().unwrap();
    let generate = |columns: &str, channel: &str| {
        let text = format!(
            "version: 1\ndefaults: {{allow: [W0001, W0005, W0007]}}\nmodels:\n  item: {{table: app.item, columns: {{id: bigint pk, {columns}}}}}\nchannels:\n  kept: {{on: item, after: [insert, update, delete]}}\n  counted: {{on: item, {channel}}}\n"
        );
        std::fs::write(folder.path().join("schema.yaml"), text).unwrap();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_pgpubsub-gen"))
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let mut names: Vec<_> = std::fs::read_dir(folder.path().join("migrations"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.to_string_lossy().ends_with(".up.sql"))
            .collect();
        names.sort();
        names
    };
    let mut applied = 0;
    let ups = generate("n: int", "after: update, changed: {any: [n]}");
    for up in &ups {
        apply(&client, &std::fs::read_to_string(up).unwrap(), "first").await;
        applied += 1;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<Writer> = (0..2)
        .map(|number| writer(&database, number, &stop))
        .collect();
    rounds(&writers).await;
    let alter = "ALTER TABLE app.item ALTER n TYPE bigint";
    let blocked = client
        .batch_execute(&format!("BEGIN; {alter}; COMMIT"))
        .await;
    assert!(blocked.is_err(), "the trigger blocks it");
    client.batch_execute("ROLLBACK").await.unwrap();

    let (before, after) = unlock(folder.path(), "item.n");
    apply(&client, &format!("{before};{alter};{after}"), "retype").await;
    rounds(&writers).await;
    let ups = generate("n: bigint", "after: update, changed: {any: [n]}");
    for up in &ups[applied..] {
        apply(
            &client,
            &std::fs::read_to_string(up).unwrap(),
            "the new type",
        )
        .await;
        applied += 1;
    }
    rounds(&writers).await;
    // Dropped: first from the schema, then from the table.
    let ups = generate("t: text?", "after: insert");
    for up in &ups[applied..] {
        apply(
            &client,
            &std::fs::read_to_string(up).unwrap(),
            "without the column",
        )
        .await;
    }
    rounds(&writers).await;
    apply(
        &client,
        "ALTER TABLE app.item RENAME old_name TO unused",
        "another column",
    )
    .await;
    rounds(&writers).await;
    stop.store(true, Ordering::Relaxed);
    let mut total = 0;
    for writer in writers {
        writer.task.await.unwrap();
        total += writer.writes.load(Ordering::Relaxed);
    }
    client.batch_execute("ALTER TABLE app.item DROP n; INSERT INTO app.item (id) VALUES (-1); DELETE FROM app.item WHERE id = -1").await.unwrap();
    let sql = "SELECT count(*) FROM pgpubsub.notification WHERE channel = 'kept' AND op = $1";
    for op in ["insert", "update", "delete"] {
        let found: i64 = client.query_one(sql, &[&op]).await.unwrap().get(0);
        let last = i64::from(op != "update");
        assert_eq!(found, total + last, "{op}");
    }
}
