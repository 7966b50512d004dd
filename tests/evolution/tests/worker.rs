//! A worker of today on a database in which earlier programs have left notifications.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

use std::time::Duration;

use pgpubsub_evolution::pubsub::*;
use pgpubsub_runtime::tokio_postgres::Client;
use pgpubsub_runtime::{Backoff, Cx, ListenerError, TransientCx, Worker, WorkerEvent};
use pgpubsub_testkit::Database;
use tokio::sync::mpsc;

const TABLES: &str = "
    CREATE SCHEMA app;
    CREATE TABLE app.account (id bigint PRIMARY KEY, owner text NOT NULL, balance bigint NOT NULL, email text NOT NULL,
      level integer NOT NULL, note text, born date NOT NULL, tags text[] NOT NULL, extra jsonb NOT NULL,
      credit_limit bigint NOT NULL, worth bigint NOT NULL, rank integer);
    CREATE TABLE app.savings (account_id bigint PRIMARY KEY REFERENCES app.account, rate double precision NOT NULL);
    CREATE TABLE app.long (id bigint PRIMARY KEY, a_name_that_leaves_little_room_on_a_line_of_code bigint NOT NULL,
      another_name_that_is_not_quite_that_long bigint NOT NULL, name bigint NOT NULL);
    CREATE TABLE app.moved (id bigint PRIMARY KEY, y text NOT NULL, x text NOT NULL);";

/// Sends on what it gets, in the words of the test.
struct App(mpsc::UnboundedSender<String>);

macro_rules! listener {
    ($($listener:ident::$method:ident($event:ident: $ty:ty) $text:expr;)*) => {$(
        impl $listener for App {
            async fn $method(&self, $event: $ty, _: &mut Cx<'_>) -> Result<(), ListenerError> {
                self.0.send($text)?;
                Ok(())
            }
        }
    )*};
}
listener! {
    Audit::audit(event: AccountSaved) match event {
        AccountSaved::Insert { new } | AccountSaved::Update { new, .. } => {
            format!("account {} of {}: {} {:?}", new.id, new.owner, new.balance, new.pic)
        }
    };
    Count::count(event: CountEvent) match event {
        CountEvent::Reads(reads) => format!("reads of {} as {}", reads.post_id, reads.kind),
        CountEvent::Answered(answered) => format!("answer {}", answered.id),
    };
    OnAccountTouched::on_account_touched(event: AccountTouched) match event {
        AccountTouched::Insert { new } | AccountTouched::Update { new, .. } => {
            format!("touched {} {}", new.owner, new.level)
        }
    };
    OnAccountLeveled::on_account_leveled(event: AccountLeveled) format!("{} to {}", event.old.level, event.new.level);
    OnSavingsMade::on_savings_made(event: SavingsMade) format!("savings {}", event.new.account_id);
    OnLongMade::on_long_made(event: LongMade) format!("long {}", event.new.id);
    OnMovedMade::on_moved_made(event: MovedMade) format!("moved {}", event.new.y);
    OnAsked::on_asked(event: Asked) format!("asked {}", event.id);
}

impl Hear for App {
    async fn hear(&self, event: Pinged, _: &mut TransientCx) -> Result<(), ListenerError> {
        self.0.send(format!("pinged {}", event.id))?;
        Ok(())
    }
}

async fn database() -> (Database, Client) {
    let database = Database::create().await.unwrap();
    let client = database.connect().await.unwrap();
    client.batch_execute(TABLES).await.unwrap();
    let up = format!("BEGIN; {}; COMMIT", pgpubsub_evolution::UP);
    client.batch_execute(&up).await.unwrap();
    (database, client)
}

/// What an earlier program has stored.
async fn left(client: &Client, group: &str, channel: &str, op: &str, version: i32, payload: &str) {
    let insert =
        "INSERT INTO pgpubsub.notification (listener_group, channel, op, model_version, payload)
                  VALUES ($1, $2, $3, $4, $5::text::json)";
    client
        .execute(insert, &[&group, &channel, &op, &version, &payload])
        .await
        .unwrap();
}

/// Works until so many attempts were made, good or bad.
async fn work(database: &Database, attempts: usize) -> Vec<String> {
    let (sender, mut told) = mpsc::unbounded_channel();
    let (observe, mut events) = mpsc::unbounded_channel();
    let worker = Worker::new(database.config())
        .listeners(Listeners::all(App(sender)))
        .backoff(Backoff {
            first: Duration::from_secs(600),
            max: Duration::from_secs(600),
        })
        .on_event(move |event| drop(observe.send(event)));
    let shutdown = async move {
        let mut made = 0;
        while made < attempts {
            let event = events.recv().await;
            if let Some(WorkerEvent::Delivered { .. } | WorkerEvent::Failed { .. }) = event {
                made += 1;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), worker.run_until(shutdown))
        .await
        .expect("no hang")
        .unwrap();
    let mut all = Vec::new();
    while let Ok(one) = told.try_recv() {
        all.push(one);
    }
    all.sort();
    all
}

#[tokio::test]
async fn what_earlier_programs_left_is_processed_beside_what_todays_write() {
    let (database, client) = database().await;
    let customer = r#"{"id": 1, "customer_name": "Ann", "balance": "12.50", "email": null, "pic": 5,
        "credit_limit": null, "worth": null, "rank": null}"#;
    let account = r#"{"id": 2, "owner": "Bea", "balance": 7, "level": 3}"#;
    // Of the listener `check`, which is called `audit` now.
    let new = |row: &str| format!(r#"{{"new": {row}}}"#);
    left(
        &client,
        "check",
        "account_saved",
        "insert",
        2,
        &new(customer),
    )
    .await;
    left(
        &client,
        "audit",
        "account_saved",
        "insert",
        4,
        &new(account),
    )
    .await;
    // Of a channel that has another name now, and of its own listener.
    left(
        &client,
        "on_account_poked",
        "account_poked",
        "insert",
        2,
        &new(customer),
    )
    .await;
    left(
        &client,
        "counting",
        "views",
        "message",
        1,
        r#"{"post": 7, "sort": "page", "seen": true}"#,
    )
    .await;
    left(&client, "counting", "replied", "message", 1, r#"{"id": 8}"#).await;
    client
        .batch_execute(
            "INSERT INTO app.account VALUES (3, 'Cay', 1, '', 1, NULL, '2000-01-01', '{}', '{}', 1, 1, NULL)",
        )
        .await
        .unwrap();
    Reads::new(9).notify(&client).await.unwrap();
    let seen = work(&database, 8).await;
    assert_eq!(
        seen,
        [
            "account 1 of Ann: 1250 Some(5)",
            "account 2 of Bea: 7 None",
            "account 3 of Cay: 1 None",
            "answer 8",
            "reads of 7 as page",
            "reads of 9 as any",
            "touched Ann 1",
            "touched Cay 1",
        ]
    );
    let left = "SELECT count(*) FROM pgpubsub.notification";
    let left: i64 = client.query_one(left, &[]).await.unwrap().get(0);
    assert_eq!(left, 0);
}

#[tokio::test]
async fn what_is_older_than_the_oldest_version_stays_with_an_error_that_names_it() {
    let (database, client) = database().await;
    let row = r#"{"new": {"id": 1, "name": "Ann"}}"#;
    left(&client, "audit", "account_saved", "insert", 1, row).await;
    // Newer than this program, before and after what it can read.
    left(&client, "audit", "account_saved", "insert", 6, row).await;
    assert!(work(&database, 1).await.is_empty());
    let rows = client
        .query(
            "SELECT model_version, attempts, last_error FROM pgpubsub.notification ORDER BY 1",
            &[],
        )
        .await
        .unwrap();
    let rows: Vec<(i32, i32, Option<String>)> = rows
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect();
    let error = "the payload does not decode: it has version 1, and this program reads version 2 and newer ones; run an older program on it";
    assert_eq!(rows, [(1, 1, Some(error.to_owned())), (6, 0, None)]);
}
