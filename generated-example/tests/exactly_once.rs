//! The promise of durable delivery with real processes: each notification takes effect exactly once,
//! however often a worker dies.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pgpubsub_testkit::Database;
use tokio_postgres::Client;

const AUTHORS: i64 = 10_000;
const WORKERS: usize = 4;
/// A stuck run fails after this time; a run that works never waits for it.
const DEADLINE: Duration = Duration::from_secs(240);

/// A worker process of the example, killed when the test ends.
struct WorkerProcess(Child);

impl WorkerProcess {
    fn start(url: &str) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_generated-example"))
            .args([
                "--database-url",
                url,
                "work",
                "--only",
                "create_first_post",
                "--concurrency",
                "2",
            ])
            .env("RUST_LOG", "off")
            .stdout(Stdio::null())
            .spawn()
            .expect("a worker process");
        Self(child)
    }
}

impl Drop for WorkerProcess {
    /// SIGKILL: no clean-up of any kind runs in the worker.
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A moment by chance, so that kills meet every point: in a claim, in a listener, between removal and commit.
fn moment(at_most: u64) -> Duration {
    Duration::from_millis(RandomState::new().hash_one(()) % at_most)
}

async fn waiting(client: &Client) -> i64 {
    let sql =
        "SELECT count(*) FROM pgpubsub.notification WHERE listener_group = 'create_first_post'";
    count(client, sql).await
}

async fn count(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.expect(sql).get(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_notifications_take_effect_exactly_once_while_workers_are_killed() {
    let database = Database::create().await.expect("a database");
    let url = database.url();
    let migrated = Command::new(env!("CARGO_BIN_EXE_generated-example"))
        .args(["--database-url", &url, "migrate"])
        .stdout(Stdio::null())
        .status()
        .expect("the example runs");
    assert!(migrated.success());
    let client = database.connect().await.expect("a session");

    // A tenth waits before the first worker starts, the rest is written while they work and die.
    let batch = AUTHORS / 100;
    let authors = "INSERT INTO app.author (name) SELECT 'author ' || n FROM generate_series(1, $1::bigint) AS n";
    for _ in 0..10 {
        client.execute(authors, &[&batch]).await.expect("authors");
    }
    let mut workers: Vec<WorkerProcess> =
        (0..WORKERS).map(|_| WorkerProcess::start(&url)).collect();
    let started = Instant::now();
    let (mut written, mut kills, mut next_kill) = (10 * batch, 0, started + moment(400));
    loop {
        assert!(started.elapsed() < DEADLINE, "not done in time");
        if Instant::now() >= next_kill {
            workers[kills % WORKERS] = WorkerProcess::start(&url);
            kills += 1;
            next_kill = Instant::now() + moment(200);
        }
        if written < AUTHORS {
            client.execute(authors, &[&batch]).await.expect("authors");
            written += batch;
        } else if waiting(&client).await == 0 {
            break;
        }
        tokio::time::sleep(moment(60)).await;
    }
    assert!(
        kills >= 10,
        "the run was over before workers could be killed: {kills}"
    );

    assert_eq!(
        count(&client, "SELECT count(*) FROM app.author").await,
        AUTHORS
    );
    assert_eq!(
        count(&client, "SELECT count(*) FROM app.post").await,
        AUTHORS,
        "effects, after {kills} kills"
    );
    assert_eq!(
        count(&client, "SELECT count(DISTINCT author_id) FROM app.post").await,
        AUTHORS
    );
}
