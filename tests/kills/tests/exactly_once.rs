//! Whatever a worker dies of and wherever: each effect in a transaction happens exactly once, and nothing is left over.
//!
//! The long form: `PGPUBSUB_KILLS=1000 cargo test --release -p pgpubsub-kills`.

mod support;

use std::time::{Duration, Instant};

use pgpubsub_kills::MIGRATION;
use pgpubsub_runtime::failpoint;
use pgpubsub_testkit::Database;
use rand::Rng as _;
use support::ledger::{Verdict, kept, quarantined, ticks, verdict, waiting};
use support::workers::{RANDOM, Workers};
use tokio_postgres::Client;

const ITEMS: i64 = 10_000;
const WORKERS: usize = 4;
/// So little left to do that a worker might not come by its failpoint.
const LITTLE: i64 = 100;
/// A run that stands still fails after this time; one that moves never waits for it.
const STANDS_STILL: Duration = Duration::from_secs(60);

/// The schedule fires all the time, and each move of its row is noted in the transaction that moves it.
const OFTEN: &str = "
    UPDATE pgpubsub.schedule SET every = '20 milliseconds';
    CREATE FUNCTION app.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO app.fired VALUES (OLD.next_at); RETURN NULL; END';
    CREATE TRIGGER note AFTER UPDATE OF last_at ON pgpubsub.schedule FOR EACH ROW EXECUTE FUNCTION app.note();";
const NO_MORE: &str = "UPDATE pgpubsub.schedule SET next_at = 'infinity'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn effects_happen_exactly_once_though_workers_are_killed_at_every_point() {
    let kills =
        std::env::var("PGPUBSUB_KILLS").map_or(100, |kills| kills.parse().expect("a number"));
    let database = Database::create().await.expect("a database");
    let client = database.connect().await.expect("a session");
    for sql in [include_str!("../src/tables.sql"), MIGRATION, OFTEN] {
        client.batch_execute(sql).await.expect("the tables");
    }

    let mut workers = Workers::start(&database.url(), WORKERS);
    let written = write_until(&client, &mut workers, kills).await;
    let died = workers.deaths.clone();
    workers.stop_killing().await;
    client.batch_execute(NO_MORE).await.expect("an end");
    drain(&client, &database.url()).await;

    let effects = [
        "first",
        "second",
        "retried",
        "slice",
        "outside",
        "afterwards",
    ];
    let mut verdicts = Vec::new();
    for effect in effects {
        verdicts.push(verdict(&client, effect).await);
    }
    support::say(&format!("{written} items, {}\n", died.table()));
    for (effect, found) in effects.iter().zip(&verdicts) {
        support::say(&format!("{effect:10} {found:?}\n"));
    }

    let (fired, wrong) = ticks(&client).await;
    support::say(&format!("{fired} ticks\n"));
    assert!(fired > 0);
    assert_eq!(wrong, 0, "of {fired} ticks");

    let exact = Verdict {
        missing: 0,
        twice: 0,
    };
    assert_eq!(verdicts[..4], [exact; 4], "effects in transactions");
    assert_eq!(
        quarantined(&client).await,
        0,
        "nothing was tried a thousand times"
    );
    // What is kept was processed, once; also where the effect itself was not in the transaction.
    for group in [
        "ledger",
        "fails_at_first",
        "in_slices",
        "outside",
        "afterwards",
    ] {
        assert_eq!(kept(&client, group).await, exact, "kept of {group}");
    }
    // What is not in the transaction shows that kills hit, and that the ledger shows it.
    let [outside, afterwards] = [verdicts[4], verdicts[5]];
    assert!(outside.missing == 0 && outside.twice > 0, "{outside:?}");
    assert!(afterwards.missing > 0, "{afterwards:?}");
    let least = kills / 50;
    for point in failpoint::ALL.iter().chain([&RANDOM]) {
        assert!(
            died.at(point) > least,
            "too few kills {point}: {}",
            died.table()
        );
    }
}

/// Writes while workers die, in statements of one row up to a thousand; returns the number of items.
async fn write_until(client: &Client, workers: &mut Workers, kills: usize) -> i64 {
    let write = client
        .prepare("INSERT INTO app.item (name) SELECT 'item ' || n FROM generate_series(1, $1::bigint) AS n")
        .await
        .expect("a statement");
    let mut written = 0;
    let mut last = (Instant::now(), 0);
    loop {
        workers.check();
        let died = workers.deaths.count();
        if died != last.1 {
            last = (Instant::now(), died);
        }
        assert!(
            last.0.elapsed() < STANDS_STILL,
            "nobody dies any more: {}",
            workers.deaths.table()
        );
        if died >= kills && written >= ITEMS {
            return written;
        }
        // As far as the kills are, so that every one of them has work to disturb.
        let due = ITEMS * i64::try_from(died + WORKERS).expect("few")
            / i64::try_from(kills).expect("few");
        if written < due.min(ITEMS) || waiting(client, LITTLE).await < LITTLE {
            let rows = rand::rng()
                .random_range(1_i64..=10)
                .pow(rand::rng().random_range(0..=3));
            client.execute(&write, &[&rows]).await.expect("items");
            written += rows;
        } else {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Lets workers that nobody kills finish.
async fn drain(client: &Client, url: &str) {
    let workers = Workers::start_unharmed(url, WORKERS);
    let (mut left, mut moved) = (i64::MAX, Instant::now());
    while left > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let now = waiting(client, i64::MAX).await;
        if now != left {
            (left, moved) = (now, Instant::now());
        }
        assert!(moved.elapsed() < STANDS_STILL, "{left} are left over");
    }
    workers.stop().await;
}
