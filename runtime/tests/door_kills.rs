//! Processes that sleep at the doors of two groups, and die at any time: no wake-up is lost.

#![allow(clippy::unwrap_used)] // A test may panic.

#[path = "support/door.rs"]
mod support;

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use pgpubsub_runtime::{ListenerSet, Worker};
use pgpubsub_testkit::Database;
use tokio::process::{Child, Command};
use tokio_postgres::Client;

use support::{CATALOG, COPY, DONE, LEFT, Note, WORK, count, database, publish, until};

const URL: &str = "PGPUBSUB_TEST_WORKER_URL";
const NAME: &str = "PGPUBSUB_TEST_WORKER_NAME";
const GROUPS: &str = "PGPUBSUB_TEST_WORKER_GROUPS";

/// What the processes serve.
const PROCESSES: [&str; 4] = ["work copy", "work", "copy", "work copy"];
const ROUNDS: usize = 40;
const WRITERS: u64 = 6;
const DIFFERENT: &str = "SELECT count(*) FROM (SELECT DISTINCT listener, payload FROM done) AS d";
/// At least so many of each writer in a round.
const EACH: u64 = 12;

/// Not a test by itself: what [`whoever_is_killed_the_others_are_woken`] starts.
#[tokio::test]
#[ignore = "is a process of another test"]
async fn a_worker_process() {
    let Ok(url) = std::env::var(URL) else { return };
    let groups = std::env::var(GROUPS).unwrap();
    let mut set = ListenerSet::new(CATALOG);
    set.durable(WORK, Note);
    set.durable(COPY, Note);
    let mut config: tokio_postgres::Config = url.parse().unwrap();
    config.application_name(std::env::var(NAME).unwrap());
    let worker = Worker::new(config)
        .listeners(set)
        .only(groups.split(' '))
        .concurrency(2)
        .poll_interval(Duration::from_secs(600));
    worker.run_until(std::future::pending()).await.unwrap();
}

struct Process {
    name: String,
    child: Child,
}

impl Process {
    async fn start(database: &Database, client: &Client, name: String, groups: &str) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_worker_process", "--ignored"])
            .env(URL, database.url())
            .env(NAME, &name)
            .env(GROUPS, groups)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let process = Self { name, child };
        // Two consumers and the one that listens; what they have done by then is left to chance.
        wait(client, &process.sessions(), |sessions| sessions >= 3).await;
        process
    }

    fn sessions(&self) -> String {
        let name = &self.name;
        format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}'")
    }

    /// SIGKILL; returns when the server has ended its sessions.
    async fn kill(mut self, client: &Client) {
        self.child.kill().await.unwrap();
        wait(client, &self.sessions(), |sessions| sessions == 0).await;
    }
}

async fn wait(client: &Client, sql: &str, enough: impl Fn(i64) -> bool) {
    let start = std::time::Instant::now();
    loop {
        let there = count(client, sql).await;
        if enough(there) {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{there}: {sql}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The same run again for the same start.
struct Chance(u64);

impl Chance {
    fn upto(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// Writes at random times, sometimes in vain, at least once after `last`.
async fn write(
    mut client: Client,
    mut chance: Chance,
    last: Arc<AtomicBool>,
    committed: Arc<AtomicI64>,
) -> (Client, Chance) {
    static NUMBER: AtomicI64 = AtomicI64::new(0);
    let mut written = 0;
    loop {
        let is_last = written >= EACH && last.load(Ordering::SeqCst);
        tokio::time::sleep(Duration::from_micros(chance.upto(30) * chance.upto(1_000))).await;
        let transaction = client.transaction().await.unwrap();
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        publish(transaction.client(), &format!("{{\"n\": {number}}}")).await;
        tokio::time::sleep(Duration::from_micros(chance.upto(3) * chance.upto(2_000))).await;
        written += 1;
        if chance.upto(4) == 0 && !is_last {
            transaction.rollback().await.unwrap();
        } else {
            transaction.commit().await.unwrap();
            committed.fetch_add(1, Ordering::SeqCst);
        }
        if is_last {
            return (client, chance);
        }
    }
}

/// Nobody polls in the time of this test, and a round begins no process before its end: what is lost stays lost.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_killed_the_others_are_woken() {
    let (database, client) = database().await;
    let mut started = 0;
    let mut processes = Vec::new();
    for groups in PROCESSES {
        started += 1;
        let name = format!("worker {started}");
        processes.push(Process::start(&database, &client, name, groups).await);
    }
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        writers.push((database.connect().await.unwrap(), Chance(writer)));
    }
    let mut chance = Chance(4_711);
    let committed = Arc::new(AtomicI64::new(0));
    for round in 0..ROUNDS {
        let last = Arc::new(AtomicBool::new(false));
        let tasks: Vec<_> = writers
            .drain(..)
            .map(|(client, chance)| {
                tokio::spawn(write(client, chance, last.clone(), committed.clone()))
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(chance.upto(150))).await;
        let victim = usize::try_from(chance.upto(PROCESSES.len() as u64)).unwrap();
        let (groups, process) = (PROCESSES[victim], processes.remove(victim));
        process.kill(&client).await;
        last.store(true, Ordering::SeqCst);
        for task in tasks {
            writers.push(task.await.unwrap());
        }
        let wanted = committed.load(Ordering::SeqCst) * 2;
        let took = until(&client, DONE, wanted, Duration::from_secs(30)).await;
        println!("round {round}: {wanted}, the last after {took:?}");
        assert_eq!(count(&client, LEFT).await, 0);
        assert_eq!(count(&client, DIFFERENT).await, wanted, "exactly once");
        started += 1;
        let name = format!("worker {started}");
        let fresh = Process::start(&database, &client, name, groups).await;
        processes.insert(victim, fresh);
    }
}
