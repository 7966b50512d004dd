//! Rows with a counter each, listeners that insist on its order, and workers as tasks and as processes.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pgpubsub_runtime::generated::{
    BoxFuture, Catalog, Channel, ContextFilter, DurableHandler, ListenerSpec, Subscription, Wake,
};
use pgpubsub_runtime::serde_json::Value;
use pgpubsub_runtime::{Backoff, Cx, Delivery, ListenerError, ListenerSet, Op, Retry, Worker};
use pgpubsub_testkit::Database;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_postgres::Client;

pub(crate) const DEADLINE: Duration = Duration::from_secs(120);
pub(crate) const CATALOG: Catalog = Catalog {
    storage_schema: "pgpubsub",
    channels: &[],
    listeners: &[],
    models: &[],
    scheduled: &[],
};

pub(crate) const fn ordered(name: &'static str) -> ListenerSpec {
    ListenerSpec {
        name,
        group: name,
        was: &[],
        subscriptions: &[Subscription {
            channel: Channel {
                name: "jobs",
                wire: "pgpubsub_jobs",
                delivery: Delivery::Durable,
                wake: Wake::Commit,
                function: "notify_jobs",
                version: 1,
                was: &[],
                ordered: true,
                urgent: false,
                retain: None,
            },
            ops: &[Op::Message],
        }],
        filter: &[],
        // What is broken stays where it is.
        retry: Retry {
            max: 1_000_000,
            backoff: None,
        },
        timeout: None,
    }
}

/// The same for what has a tenant in its context.
pub(crate) const fn of_tenant(filter: &'static [ContextFilter]) -> ListenerSpec {
    ListenerSpec {
        filter,
        ..ordered("work")
    }
}

/// Counters that writers raise (`item`) and listeners follow (`progress`): each must find the one before it done.
const TABLES: &str = "
    INSERT INTO pgpubsub.listener VALUES ('other', 'jobs', 'other', '{message}');
    CREATE TABLE item (key integer PRIMARY KEY, n integer NOT NULL);
    CREATE TABLE progress (listener text, key integer, n integer NOT NULL, PRIMARY KEY (listener, key));
    CREATE TABLE ledger (listener text, key integer, n integer, id bigint, at bigint GENERATED ALWAYS AS IDENTITY);
    CREATE TABLE wrong (listener text, key integer, n integer, found integer);
    CREATE TABLE broken (key integer);
    CREATE FUNCTION change(which integer, groups text[]) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE number integer;
    BEGIN
      UPDATE item SET n = n + 1 WHERE key = which RETURNING n INTO number;
      INSERT INTO pgpubsub.notification (listener_group, channel, op, model_version, payload, order_key)
        SELECT g, 'jobs', 'message', 1, json_build_object('key', which, 'n', number), format('[\"%s\"]', which) FROM unnest(groups) AS g;
      PERFORM pg_notify('pgpubsub_jobs', '');
    END $$;";

/// A database with keys from 1 on.
pub(crate) async fn database(keys: i32) -> (Database, Client) {
    let database = Database::create().await.unwrap();
    let client = database.connect().await.unwrap();
    client
        .batch_execute(include_str!("../storage.sql"))
        .await
        .unwrap();
    client.batch_execute(TABLES).await.unwrap();
    let fill = format!(
        "INSERT INTO item SELECT g, 0 FROM generate_series(1, {keys}) AS g;
         INSERT INTO progress SELECT l, key, 0 FROM item, unnest('{{work,other}}'::text[]) AS l;"
    );
    client.batch_execute(&fill).await.unwrap();
    (database, client)
}

/// Stores so many notifications of each key of a range for a group, the first of all keys first.
pub(crate) async fn store(client: &Client, group: &str, keys: (i32, i32), each: i32) {
    let (from, to) = keys;
    let store = format!(
        "INSERT INTO pgpubsub.notification (listener_group, channel, op, model_version, payload, order_key)
           SELECT '{group}', 'jobs', 'message', 1, json_build_object('key', k, 'n', i), format('[\"%s\"]', k)
           FROM generate_series(1, {each}) AS i, generate_series({from}, {to}) AS k ORDER BY i, k;
         NOTIFY pgpubsub_jobs"
    );
    client.batch_execute(&store).await.unwrap();
}

/// Writes down what it gets, in its transaction; fails for keys in `broken`, and as often as it is told.
#[derive(Clone, Copy)]
pub(crate) struct Follow {
    pub(crate) listener: &'static str,
    /// Of a thousand.
    pub(crate) failures: u32,
}

impl DurableHandler for Follow {
    fn call<'a>(
        &'a self,
        _: Op,
        job: &'a Value,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, Result<(), ListenerError>> {
        Box::pin(async move {
            let number = |name: &str| i32::try_from(job[name].as_i64().unwrap()).unwrap();
            let (key, n) = (number("key"), number("n"));
            let id = cx.notification().id;
            let transaction = cx.transaction();
            let follow = "WITH done AS (UPDATE progress SET n = $3 WHERE listener = $1 AND key = $2 AND n = $3 - 1 RETURNING 1),
                wrong AS (INSERT INTO wrong SELECT $1, $2, $3, n FROM progress WHERE listener = $1 AND key = $2 AND n <> $3 - 1),
                noted AS (INSERT INTO ledger VALUES ($1, $2, $3, $4))
              SELECT EXISTS (SELECT FROM broken WHERE key = $2)";
            let row = transaction
                .query_one(follow, &[&self.listener, &key, &n, &id])
                .await?;
            let luck = rand::random_range(0..1000_u32);
            if row.get::<_, bool>(0) || luck < self.failures {
                return Err("told to".into());
            }
            Ok(())
        })
    }
}

/// A worker whose listeners have an order.
pub(crate) fn worker(config: tokio_postgres::Config, listeners: &[Follow]) -> Worker {
    let mut set = ListenerSet::new(CATALOG);
    for follow in listeners {
        set.durable(ordered(follow.listener), *follow);
    }
    worker_of(config, set)
}

pub(crate) fn worker_of(config: tokio_postgres::Config, set: ListenerSet) -> Worker {
    let pause = Duration::from_millis(20);
    Worker::new(config).listeners(set).backoff(Backoff {
        first: pause,
        max: pause,
    })
}

/// A worker in the background.
pub(crate) struct Running {
    stop: Arc<Notify>,
    task: JoinHandle<Result<(), pgpubsub_runtime::Error>>,
}

impl Running {
    pub(crate) fn start(worker: Worker) -> Self {
        let stop = Arc::new(Notify::new());
        let shutdown = Arc::clone(&stop);
        let task = tokio::spawn(worker.run_until(async move { shutdown.notified().await }));
        Self { stop, task }
    }

    pub(crate) async fn stop(self) {
        self.stop.notify_one();
        let ended = tokio::time::timeout(DEADLINE, self.task).await;
        ended.expect("no hang").unwrap().unwrap();
    }
}

/// A worker in a process of its own: this test program, which then is [`serve`].
pub(crate) fn process(database: &Database) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["a_worker_process", "--exact", "--ignored"])
        .env(URL, database.url())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

const URL: &str = "PGPUBSUB_TEST_ORDER_URL";

/// What a process of [`process`] does, until it is killed.
pub(crate) async fn serve() {
    let Ok(url) = std::env::var(URL) else {
        return; // Somebody runs the ignored tests.
    };
    let follow = Follow {
        listener: "work",
        failures: 50,
    };
    let worker = worker(url.parse().unwrap(), &[follow]).concurrency(3);
    worker.run_until(std::future::pending()).await.unwrap();
}

pub(crate) async fn count(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

pub(crate) async fn until(client: &Client, sql: &str, is_enough: impl Fn(i64) -> bool) -> i64 {
    let started = Instant::now();
    loop {
        let now = count(client, sql).await;
        if is_enough(now) {
            return now;
        }
        assert!(started.elapsed() < DEADLINE, "{sql}: {now}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub(crate) const WAITING: &str = "SELECT count(*) FROM pgpubsub.notification";
pub(crate) const LEDGER: &str = "SELECT count(*) FROM ledger";
pub(crate) const WRONG: &str = "SELECT count(*) FROM wrong";
