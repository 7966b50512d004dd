//! Promises about workers that are silent.

#![allow(clippy::unwrap_used)] // A test may panic.

#[allow(dead_code)] // Each test uses some of it.
#[path = "support/proxy.rs"]
mod proxy;
mod support;

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pgpubsub_runtime::generated::{BoxFuture, DurableHandler};
use pgpubsub_runtime::serde_json::Value;
use pgpubsub_runtime::{Cx, ListenerError, ListenerSet, Op, Worker, who_holds};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{Notify, mpsc};
use tokio_postgres::{Client, Config};

use proxy::Proxy;
use support::{
    CATALOG, DEADLINE, EFFECTS, Running, WAITING, WORK, Work, count, database, store, until,
};

/// After which a silent worker of these tests is dead.
const SILENCE: Duration = Duration::from_secs(2);
/// What is stated: the bound, and time for a slow machine to notice and take over.
const STATED: Duration = Duration::from_secs(20);

/// Writes its effect, says so, and goes on when it is told to.
struct Hold {
    entered: mpsc::UnboundedSender<()>,
    go_on: Arc<Notify>,
    calls: Arc<AtomicUsize>,
    /// With the transaction for itself.
    exclusively: bool,
}

impl DurableHandler for Hold {
    fn call<'a>(
        &'a self,
        _: Op,
        _: &'a Value,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, Result<(), ListenerError>> {
        Box::pin(async move {
            self.calls.fetch_add(1, Ordering::SeqCst);
            let insert = "INSERT INTO effect VALUES ('first')";
            if self.exclusively {
                let inner = cx.transaction_mut().transaction().await?;
                inner.execute(insert, &[]).await?;
                self.entered.send(())?;
                self.go_on.notified().await;
                inner.commit().await?;
            } else {
                cx.transaction().execute(insert, &[]).await?;
                self.entered.send(())?;
                self.go_on.notified().await;
            }
            cx.transaction().batch_execute("SELECT 1").await?;
            Ok(())
        })
    }
}

/// A worker whose listener holds a notification.
struct Holding {
    entered: mpsc::UnboundedReceiver<()>,
    go_on: Arc<Notify>,
    calls: Arc<AtomicUsize>,
    stop: Arc<Notify>,
    task: tokio::task::JoinHandle<Result<(), pgpubsub_runtime::Error>>,
}

impl Holding {
    fn start(config: Config, exclusively: bool) -> Self {
        let (sender, entered) = mpsc::unbounded_channel();
        let (go_on, calls, stop) = (Arc::default(), Arc::default(), Arc::new(Notify::new()));
        let mut set = ListenerSet::new(CATALOG);
        let hold = Hold {
            entered: sender,
            go_on: Arc::clone(&go_on),
            calls: Arc::clone(&calls),
            exclusively,
        };
        set.durable(WORK, hold);
        let worker = Worker::new(config)
            .listeners(set)
            .concurrency(1)
            .dead_after(SILENCE);
        let stopped = Arc::clone(&stop);
        let task = tokio::spawn(worker.run_until(async move { stopped.notified().await }));
        Self {
            entered,
            go_on,
            calls,
            stop,
            task,
        }
    }

    async fn stop(self) {
        self.stop.notify_one();
        self.task.await.unwrap().unwrap();
    }
}

/// Waits until another worker has done what the silent one holds.
async fn taken_over(client: &Client, database: &pgpubsub_testkit::Database) {
    let silent_since = Instant::now();
    let other = Running::start(database, &Work::default(), |worker| {
        worker.poll_interval(Duration::from_millis(100))
    });
    until(client, WAITING, 0).await;
    let took = silent_since.elapsed();
    assert!(took < STATED, "{took:?}");
    other.stop().await;
}

#[tokio::test]
async fn what_a_worker_behind_a_dead_network_holds_is_done_by_another_and_once_even_if_it_comes_back()
 {
    let (database, client) = database().await;
    store(&client, "work", &[("any", 1)]).await;
    let proxy = Proxy::start(&database.config()).await;
    let mut holding = Holding::start(proxy.config(&database.config()), false);
    holding.entered.recv().await.unwrap();
    proxy.swallow(true);
    taken_over(&client, &database).await;

    // The dead one comes back, and believes that it has done it.
    proxy.swallow(false);
    holding.go_on.notify_one();
    store(&client, "work", &[("any", 1)]).await;
    holding.entered.recv().await.unwrap();
    holding.go_on.notify_one();
    until(&client, WAITING, 0).await;
    assert_eq!(count(&client, EFFECTS).await, 2);
    holding.stop().await;
}

#[tokio::test]
async fn what_a_process_that_stands_still_holds_is_done_by_another_and_once_even_if_it_goes_on() {
    let (database, client) = database().await;
    store(&client, "work", &[("any", 1)]).await;
    let mut process = Process::start(&database.url());
    process.says("holds").await;
    process.signal("STOP").await;
    taken_over(&client, &database).await;
    process.signal("CONT").await;
    process.go_on().await;
    process.says("ended").await;
    assert_eq!(count(&client, EFFECTS).await, 1);
}

/// It is alive for the server although it sends nothing: three times as long as would be its death.
const LONG: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
    AND application_name = 'pgpubsub consumer' AND state LIKE 'idle in transaction%' AND xact_start < now() - interval '6 seconds'";

#[tokio::test]
async fn a_listener_that_is_quiet_for_longer_is_not_interrupted() {
    for exclusively in [false, true] {
        let (database, client) = database().await;
        store(&client, "work", &[("any", 1)]).await;
        let mut holding = Holding::start(database.config(), exclusively);
        holding.entered.recv().await.unwrap();
        until(&client, LONG, 1).await;
        holding.go_on.notify_one();
        until(&client, WAITING, 0).await;
        assert_eq!(count(&client, EFFECTS).await, 1);
        assert_eq!(holding.calls.load(Ordering::SeqCst), 1);
        holding.stop().await;
    }
}

#[tokio::test]
async fn a_listener_whose_session_is_lost_is_cancelled_and_its_consumer_goes_on() {
    let (database, client) = database().await;
    store(&client, "work", &[("any", 1)]).await;
    let mut holding = Holding::start(database.config(), false);
    holding.entered.recv().await.unwrap();
    let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'pgpubsub consumer'";
    assert_eq!(count(&client, kill).await, 1);
    // The only consumer, although nobody has told the listener to go on.
    let again = tokio::time::timeout(DEADLINE, holding.entered.recv());
    again.await.expect("in time").unwrap();
    holding.go_on.notify_one();
    until(&client, WAITING, 0).await;
    assert_eq!(count(&client, EFFECTS).await, 1);
    holding.stop().await;
}

#[tokio::test]
async fn sessions_say_what_they_are_for_unless_the_application_has_named_them() {
    let (database, client) = database().await;
    let names = "SELECT count(DISTINCT application_name) FROM pg_stat_activity WHERE datname = current_database()
                 AND application_name IN ('pgpubsub consumer', 'pgpubsub listening')";
    let running = Running::start(&database, &Work::default(), |worker| worker);
    until(&client, names, 2).await;
    running.stop().await;
    let mut config = database.config();
    config.application_name("mine");
    let holding = Holding::start(config, false);
    let named = "SELECT least(count(*), 2) FROM pg_stat_activity WHERE application_name = 'mine'";
    until(&client, named, 2).await;
    until(&client, names, 0).await;
    holding.stop().await;
}

#[tokio::test]
async fn who_holds_a_notification_can_be_told() {
    let (database, client) = database().await;
    store(&client, "work", &[("any", 1)]).await;
    store(&client, "other", &[("any", 1)]).await;
    let id = "SELECT id FROM pgpubsub.notification WHERE listener_group = ";
    let held = count(&client, &format!("{id}'work'")).await;
    let waiting = count(&client, &format!("{id}'other'")).await;
    let proxy = Proxy::start(&database.config()).await;
    let mut holding = Holding::start(proxy.config(&database.config()), false);
    holding.entered.recv().await.unwrap();
    let holder = who_holds(&client, &CATALOG, held).await.unwrap().unwrap();
    assert_eq!(
        holder.application_name.as_deref(),
        Some("pgpubsub consumer")
    );
    assert!(holder.since.is_some() && holder.state_since >= holder.since);
    // Not by the session of another role, and not where nobody does.
    let strange = "BEGIN; CREATE ROLE pgpubsub_test_holder;
        GRANT USAGE ON SCHEMA pgpubsub TO pgpubsub_test_holder;
        GRANT SELECT ON pgpubsub.notification TO pgpubsub_test_holder;
        SET LOCAL ROLE pgpubsub_test_holder";
    client.batch_execute(strange).await.unwrap();
    let seen = who_holds(&client, &CATALOG, held).await.unwrap().unwrap();
    assert_eq!((seen.pid, seen.state), (holder.pid, None));
    client.batch_execute("ROLLBACK").await.unwrap();
    for id in [waiting, held + waiting] {
        assert_eq!(who_holds(&client, &CATALOG, id).await.unwrap(), None);
    }

    // What it is for: the end of a session that nobody hears of any more.
    proxy.swallow(true);
    let end = "SELECT pg_terminate_backend($1)";
    client.execute(end, &[&holder.pid]).await.unwrap();
    let free =
        "SELECT count(*) FROM (SELECT FROM pgpubsub.notification FOR UPDATE SKIP LOCKED) AS n";
    until(&client, free, 2).await;
    assert_eq!(who_holds(&client, &CATALOG, held).await.unwrap(), None);
    holding.task.abort();
}

/// This program once more, as a worker.
struct Process {
    child: Child,
    output: tokio::io::Lines<BufReader<tokio::process::ChildStdout>>,
}

const URL: &str = "PGPUBSUB_TEST_WORKER_OF";

impl Process {
    fn start(url: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "worker_process", "--ignored", "--nocapture"])
            .env(URL, url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, output }
    }

    async fn says(&mut self, word: &str) {
        let said = async {
            while let Some(line) = self.output.next_line().await.unwrap() {
                if line.contains(word) {
                    return;
                }
            }
            panic!("it has ended without saying {word}");
        };
        tokio::time::timeout(DEADLINE, said).await.expect("in time");
    }

    async fn go_on(&mut self) {
        let input = self.child.stdin.as_mut().unwrap();
        input.write_all(b"\n").await.unwrap();
    }

    async fn signal(&self, signal: &str) {
        let pid = self.child.id().unwrap().to_string();
        let sent = Command::new("kill")
            .args(["-s", signal, &pid])
            .status()
            .await
            .unwrap();
        assert!(sent.success());
    }
}

/// Not a test: what [`Process`] runs.
#[tokio::test]
#[ignore = "started by another test"]
async fn worker_process() {
    let Ok(url) = std::env::var(URL) else { return };
    let mut holding = Holding::start(url.parse().unwrap(), false);
    holding.entered.recv().await.unwrap();
    println!("holds");
    let read = || std::io::stdin().read_line(&mut String::new());
    tokio::task::spawn_blocking(read).await.unwrap().unwrap();
    holding.go_on.notify_one();
    holding.stop().await;
    println!("ended");
}
