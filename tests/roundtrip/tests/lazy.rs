//! Generated listeners that receive lazily: the payload stays where it is until they load it.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

mod support;

use pgpubsub_roundtrip::pubsub::{Album, Albums, CATALOG, Listeners, Shelves, ShelvesEvent, Tock};
use pgpubsub_runtime::quarantine::{self, Filter};
use pgpubsub_runtime::{Cx, Lazy, ListenerError, Worker, set_context};
use support::Fixture;
use tokio::sync::oneshot;

/// Loads what the context says, and writes down what it got to know.
struct Looks;

impl Albums for Looks {
    async fn albums(&self, event: Lazy<Album>, cx: &mut Cx<'_>) -> Result<(), ListenerError> {
        let is_wanted = cx.notification().context.get("load").is_some();
        let (title, size) = if is_wanted {
            let album = event.load(cx).await?;
            (album.title, i64::try_from(album.scan.len())?)
        } else {
            ("not looked at".to_owned(), 0)
        };
        let sql = "INSERT INTO app.looked (title, size) VALUES ($1, $2)";
        cx.transaction().execute(sql, &[&title, &size]).await?;
        Ok(())
    }
}

impl Shelves for Looks {
    async fn shelves(
        &self,
        event: Lazy<ShelvesEvent>,
        cx: &mut Cx<'_>,
    ) -> Result<(), ListenerError> {
        let (title, size) = match event.load(cx).await? {
            ShelvesEvent::Album(album) => (album.title, 0),
            ShelvesEvent::Tock(Tock { who, n }) => (who, n),
        };
        let sql = "INSERT INTO app.looked (title, size) VALUES ($1, $2)";
        cx.transaction().execute(sql, &[&title, &size]).await?;
        Ok(())
    }
}

async fn with_looked() -> Fixture {
    let fixture = Fixture::migrated().await;
    fixture
        .sql("CREATE TABLE app.looked (at bigint GENERATED ALWAYS AS IDENTITY, title text, size bigint)")
        .await;
    fixture
}

/// Of a size that is stored apart from its row.
async fn send(fixture: &Fixture, albums: i64, load: bool) {
    // A session of its own, which hands in its counts when it ends.
    let mut writer = fixture.database.connect().await.unwrap();
    writer
        .batch_execute("SET application_name = 'pgpubsub sender'")
        .await
        .unwrap();
    let transaction = writer.transaction().await.unwrap();
    if load {
        let context = pgpubsub_runtime::Context::new().with("load", "yes");
        set_context(&transaction, &context).await.unwrap();
    }
    for n in 0..albums {
        // Nothing that could be compressed.
        let scan: String = (0..2_000)
            .map(|part| format!("{:x}", hash(n * 10_000 + part)))
            .collect();
        let title = format!("album {n}");
        Album { title, scan }.notify(&transaction).await.unwrap();
    }
    transaction.commit().await.unwrap();
}

fn hash(n: i64) -> u64 {
    n.unsigned_abs()
        .wrapping_add(1)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .rotate_left(31)
        .wrapping_mul(0xD6E8_FEB8_6659_FD93)
}

async fn drain(fixture: &Fixture, listeners: Listeners, group: &str) {
    let (stop, stopped) = oneshot::channel::<()>();
    let worker = Worker::new(fixture.database.config())
        .listeners(listeners)
        .concurrency(1);
    let worker = tokio::spawn(worker.run_until(async {
        let _ = stopped.await;
    }));
    let waiting =
        format!("SELECT count(*) FROM pgpubsub.notification WHERE listener_group = '{group}'");
    fixture.until(&waiting, 0).await;
    let _ = stop.send(());
    worker.await.unwrap().unwrap();
}

/// How often a value was looked up that is stored apart from its row.
async fn looked_up(fixture: &Fixture) -> i64 {
    // A session hands in its counts when it ends.
    let ended = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgpubsub %'
                 AND datname = current_database()";
    fixture.until(ended, 0).await;
    fixture
        .count(
            "SELECT s.idx_scan FROM pg_stat_all_indexes AS s JOIN pg_class AS c ON c.reltoastrelid = s.relid
             WHERE c.oid = 'pgpubsub.notification'::regclass",
        )
        .await
}

#[tokio::test]
async fn a_payload_that_is_not_loaded_is_not_read() {
    const MANY: i64 = 120;
    let fixture = with_looked().await;
    send(&fixture, MANY, false).await;
    let before = looked_up(&fixture).await;
    drain(&fixture, Listeners::new().albums(Looks), "albums").await;
    // Once to remove it.
    assert_eq!(looked_up(&fixture).await - before, MANY);
    let unseen = "SELECT count(*) FROM app.looked WHERE title = 'not looked at'";
    assert_eq!(fixture.count(unseen).await, MANY);

    send(&fixture, MANY, true).await;
    let before = looked_up(&fixture).await;
    drain(&fixture, Listeners::new().albums(Looks), "albums").await;
    assert_eq!(looked_up(&fixture).await - before, 2 * MANY);
    let seen =
        "SELECT count(DISTINCT title) FROM app.looked WHERE title LIKE 'album %' AND size > 20000";
    assert_eq!(fixture.count(seen).await, MANY);
}

#[tokio::test]
async fn what_does_not_decode_fails_whoever_loads_it() {
    let fixture = with_looked().await;
    fixture
        .sql(
            "INSERT INTO pgpubsub.notification (listener_group, channel, op, model_version, payload, context)
             VALUES ('albums', 'album', 'message', 1, '{\"title\": 7}', NULL),
                    ('albums', 'album', 'message', 1, '{\"title\": 7}', '{\"load\": \"yes\"}'),
                    ('albums', 'album', 'message', 1, '{\"title\": \"fine\", \"scan\": \"\"}', '{\"load\": \"yes\"}')",
        )
        .await;
    drain(&fixture, Listeners::new().albums(Looks), "albums").await;
    let rows = fixture
        .writer
        .query("SELECT title FROM app.looked ORDER BY title", &[]);
    let titles: Vec<String> = rows.await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(titles, ["fine", "not looked at"]);
    let all = Filter::default();
    let there = quarantine::list(&fixture.writer, &CATALOG, &all, 10)
        .await
        .unwrap();
    assert_eq!(there.len(), 1);
    assert_eq!(there[0].attempts, 2);
    let error = there[0].last_error.as_deref().unwrap();
    assert!(error.contains("title: expected"), "{error}");
}

#[tokio::test]
async fn a_lazy_event_of_several_channels_is_one_of_them_and_keeps_the_order_of_its_key() {
    const EACH: i64 = 120;
    let fixture = with_looked().await;
    for n in 1..=EACH {
        for who in ["a", "b"] {
            let who = who.to_owned();
            Tock { who, n }.notify(&fixture.writer).await.unwrap();
        }
    }
    send(&fixture, 3, false).await;
    drain(&fixture, Listeners::new().shelves(Looks), "shelves").await;
    for who in ["a", "b"] {
        let sql = format!("SELECT size FROM app.looked WHERE title = '{who}' ORDER BY at");
        let rows = fixture.writer.query(&sql, &[]).await.unwrap();
        let heard: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(heard, (1..=EACH).collect::<Vec<_>>());
    }
    let albums = "SELECT count(*) FROM app.looked WHERE title LIKE 'album %'";
    assert_eq!(fixture.count(albums).await, 3);
}
