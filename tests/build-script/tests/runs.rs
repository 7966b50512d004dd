//! What a build script generates runs like what the command line writes, on the same migrations.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

use std::collections::BTreeMap;
use std::time::Duration;

use pgpubsub_build_script::pubsub::{
    AuthorCreated, CountReads, CreateFirstPost, Listeners, PostReads,
};
use pgpubsub_runtime::{Cx, ListenerError, Worker, WorkerEvent};
use pgpubsub_testkit::Database;
use tokio::sync::mpsc;

struct App;

impl CreateFirstPost for App {
    async fn create_first_post(
        &self,
        event: AuthorCreated,
        cx: &mut Cx<'_>,
    ) -> Result<(), ListenerError> {
        let sql = "INSERT INTO app.post (author_id, content) VALUES ($1, $2)";
        let welcome = format!("Welcome, {}", event.new.name);
        cx.transaction()
            .execute(sql, &[&event.new.id, &welcome])
            .await?;
        Ok(())
    }
}

impl CountReads for App {
    async fn count_reads(&self, event: PostReads, cx: &mut Cx<'_>) -> Result<(), ListenerError> {
        let sql = "INSERT INTO app.post_reads_per_day (date, reads) VALUES ($1, $2)";
        for (date, reads) in event.per_day {
            cx.transaction().execute(sql, &[&date, &reads]).await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn the_channels_of_the_example_run_from_a_build_script() {
    let database = Database::create().await.unwrap();
    let client = database.connect().await.unwrap();
    let migrations = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../generated-example/migrations"
    );
    database.migrate(migrations).await.unwrap();
    client
        .batch_execute("INSERT INTO app.author (name) VALUES ('Ada')")
        .await
        .unwrap();
    let day = "2026-01-31".parse().unwrap();
    let reads = PostReads {
        per_day: BTreeMap::from([(day, 3)]),
        ..PostReads::new(1)
    };
    reads.notify(&client).await.unwrap();

    let (sender, mut events) = mpsc::unbounded_channel();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let worker = Worker::new(database.config())
        .listeners(Listeners::new().create_first_post(App).count_reads(App))
        .on_event(move |event| {
            let _ = sender.send(event);
        });
    let worker = tokio::spawn(worker.run_until(async {
        let _ = stopped.await;
    }));
    let mut delivered = 0;
    while delivered < 2 {
        let event = tokio::time::timeout(Duration::from_secs(30), events.recv())
            .await
            .unwrap();
        delivered += usize::from(matches!(event.unwrap(), WorkerEvent::Delivered { .. }));
    }
    let _ = stop.send(());
    worker.await.unwrap().unwrap();

    let row = client
        .query_one("SELECT content FROM app.post", &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, String>(0), "Welcome, Ada");
    let row = client
        .query_one("SELECT reads FROM app.post_reads_per_day", &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, i64>(0), 3);
}
