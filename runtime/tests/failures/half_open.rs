//! Connections on which nothing comes through any more, while both ends believe in them.

use std::sync::Arc;
use std::time::Duration;

use pgpubsub_runtime::generated::{BoxFuture, DurableHandler};
use pgpubsub_runtime::serde_json::Value;
use pgpubsub_runtime::{Cx, ListenerError, ListenerSet, Op, SessionState, Worker, WorkerEvent};
use tokio::sync::{Notify, mpsc};
use tokio_postgres::Config;

use crate::ledger::{
    CATALOG, DEADLINE, EFFECTS, Running, WORK, all_done_once, at_least, database, store,
};
use crate::proxy::{Proxy, Role};

/// Longer than any test: what is found is not found by the poll.
const NEVER: Duration = Duration::from_secs(3_600);

fn idle(event: &WorkerEvent) -> Option<()> {
    matches!(event, WorkerEvent::Idle).then_some(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_open_listening_session_is_noticed_and_replaced() {
    let (database, client) = database().await;
    let proxy = Proxy::start(&database.config()).await;
    let mut worker = Running::start(proxy.config(&database.config()), |worker| {
        worker.concurrency(1).poll_interval(NEVER)
    });
    worker.until_session(SessionState::Connected).await;
    worker.until(idle).await;
    assert!(proxy.hole(Role::Listening) >= 1);
    store(&client, "quick", 10).await;
    worker.until_reconnecting("did not answer").await;
    worker.until_session(SessionState::Resynced).await;
    all_done_once(&client, 10).await;
    // And it hears.
    worker.until(idle).await;
    store(&client, "quick", 1).await;
    all_done_once(&client, 11).await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_open_consumer_is_noticed_and_replaced() {
    let (database, client) = database().await;
    let proxy = Proxy::start(&database.config()).await;
    let mut worker = Running::start(proxy.config(&database.config()), |worker| {
        worker.concurrency(1).poll_interval(NEVER)
    });
    worker.until_session(SessionState::Connected).await;
    worker.until(idle).await;
    assert!(proxy.hole(Role::Consumer) >= 1);
    store(&client, "quick", 10).await;
    worker.until_reconnecting("did not answer").await;
    all_done_once(&client, 10).await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_is_gone_for_a_while_in_the_middle_of_work_costs_nothing_but_time() {
    let (database, client) = database().await;
    let proxy = Proxy::start(&database.config()).await;
    let mut config = proxy.config(&database.config());
    config.connect_timeout(Duration::from_millis(500));
    let mut worker = Running::start(config, |worker| worker.concurrency(3));
    worker.until_session(SessionState::Connected).await;
    store(&client, "slow", 300).await;
    for part in 1..=2 {
        at_least(&client, EFFECTS, part * 40).await;
        proxy.hole_everything(true);
        worker.until_reconnecting("did not answer").await;
        proxy.hole_everything(false);
        worker.until_session(SessionState::Resynced).await;
    }
    all_done_once(&client, 300).await;
    worker.stop().await;
}

/// Writes its effect, says so, and goes on when it is told to, or when it gets a lock.
struct Hold {
    entered: mpsc::UnboundedSender<()>,
    go_on: Arc<Notify>,
}

impl DurableHandler for Hold {
    fn call<'a>(
        &'a self,
        _: Op,
        job: &'a Value,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, Result<(), ListenerError>> {
        Box::pin(async move {
            let id = cx.notification().id.to_string();
            let insert = "INSERT INTO effect VALUES ($1)";
            cx.transaction().execute(insert, &[&id]).await?;
            self.entered.send(())?;
            if job == "lock" {
                let lock = "SELECT pg_advisory_xact_lock(1)";
                cx.transaction().batch_execute(lock).await?;
            } else {
                self.go_on.notified().await;
            }
            Ok(())
        })
    }
}

struct Holding {
    worker: Running,
    entered: mpsc::UnboundedReceiver<()>,
    go_on: Arc<Notify>,
}

/// So long a worker of these tests may be silent, and its session.
const SILENCE: Duration = Duration::from_secs(2);

impl Holding {
    fn start(config: Config) -> Self {
        let (sender, entered) = mpsc::unbounded_channel();
        let go_on = Arc::new(Notify::new());
        let mut set = ListenerSet::new(CATALOG);
        let hold = Hold {
            entered: sender,
            go_on: Arc::clone(&go_on),
        };
        set.durable(WORK, hold);
        let set_up = |worker: Worker| worker.concurrency(1).dead_after(SILENCE);
        let worker = Running::with(config, set, set_up);
        Self {
            worker,
            entered,
            go_on,
        }
    }

    async fn entered(&mut self) {
        let entered = tokio::time::timeout(DEADLINE, self.entered.recv());
        entered.await.expect("no hang").unwrap();
    }
}

/// What is said of a session that swallows everything, whether the server has ended it already or not.
const LOST: &str = "did not";

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_becomes_half_open_while_a_listener_runs_is_replaced_and_it_runs_again() {
    let (database, client) = database().await;
    let proxy = Proxy::start(&database.config()).await;
    let mut holding = Holding::start(proxy.config(&database.config()));
    store(&client, "wait", 1).await;
    holding.entered().await;
    assert!(proxy.hole(Role::Consumer) >= 1);
    // Nobody tells the first one to go on.
    holding.worker.until_reconnecting(LOST).await;
    holding.entered().await;
    holding.go_on.notify_one();
    all_done_once(&client, 1).await;
    holding.worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_is_half_open_when_its_listener_ends_is_replaced_and_it_runs_again() {
    let (database, client) = database().await;
    let proxy = Proxy::start(&database.config()).await;
    let mut holding = Holding::start(proxy.config(&database.config()));
    store(&client, "wait", 1).await;
    holding.entered().await;
    assert!(proxy.hole(Role::Consumer) >= 1);
    holding.go_on.notify_one();
    holding.worker.until_reconnecting(LOST).await;
    holding.entered().await;
    holding.go_on.notify_one();
    all_done_once(&client, 1).await;
    holding.worker.stop().await;
}

const LOCKED_OUT: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'";
const LOOKED_AFTER: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pgpubsub lookout'";

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_becomes_half_open_while_a_statement_of_its_listener_runs_is_replaced_after_it()
 {
    let (database, client) = database().await;
    let proxy = Proxy::start(&database.config()).await;
    let mut holding = Holding::start(proxy.config(&database.config()));
    let locker = database.connect().await.unwrap();
    let lock = "SELECT pg_advisory_lock(1)";
    locker.batch_execute(lock).await.unwrap();
    store(&client, "lock", 1).await;
    holding.entered().await;
    at_least(&client, LOCKED_OUT, 1).await;
    assert!(proxy.hole(Role::Consumer) >= 1);
    at_least(&client, LOOKED_AFTER, 1).await;
    drop(locker);
    holding.worker.until_reconnecting(LOST).await;
    holding.entered().await;
    all_done_once(&client, 1).await;
    holding.worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_takes_long_is_not_taken_for_a_lost_connection() {
    let (database, client) = database().await;
    let mut holding = Holding::start(database.config());
    let locker = database.connect().await.unwrap();
    let lock = "SELECT pg_advisory_lock(1)";
    locker.batch_execute(lock).await.unwrap();
    store(&client, "lock", 1).await;
    holding.entered().await;
    // It was looked after it, and more than once.
    at_least(&client, LOOKED_AFTER, 1).await;
    let again = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND application_name = 'pgpubsub lookout' AND state_change > backend_start + interval '2 s'";
    at_least(&client, again, 1).await;
    drop(locker);
    all_done_once(&client, 1).await;
    assert!(holding.entered.try_recv().is_err(), "it was called once");
    holding.worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_does_not_listen_any_more_is_noticed_and_replaced() {
    let (database, client) = database().await;
    let proxy = Proxy::start(&database.config()).await;
    proxy.garble("LISTEN \"pgpubsub_jobs\"", "LISTEN \"pgpubsub_else\"");
    let mut worker = Running::start(proxy.config(&database.config()), |worker| {
        worker.concurrency(1).poll_interval(NEVER)
    });
    store(&client, "quick", 10).await;
    worker
        .until_reconnecting("does not listen to \"pgpubsub_jobs\"")
        .await;
    worker.until_session(SessionState::Resynced).await;
    all_done_once(&client, 10).await;
    worker.stop().await;
}
