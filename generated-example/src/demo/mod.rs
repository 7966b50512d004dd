//! The command `demo`: real processes, a real kill, and a count at the end.

mod burst;
mod everyday;
mod verdict;
mod workers;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use pgpubsub_testkit::Database;
use tokio_postgres::Client;

use crate::{cli, migrate};
use workers::Workers;

/// A stuck demo fails after this time; one that works never waits for it.
const DEADLINE: Duration = Duration::from_secs(50);
/// How long to rest between two looks at a count.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Runs the demo; success if the count is exact.
pub(crate) async fn run(url: Option<String>, options: &cli::Demo) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let (database, place) = match url {
        Some(url) => (
            Database::create_at(&url).await,
            "the server of the given URL",
        ),
        None => (Database::create().await, "a throwaway PostgreSQL"),
    };
    let database = database.context("no database for the demo")?;
    let stage = Stage {
        client: database.connect().await?,
        started,
    };
    stage.say(&format!("a fresh database on {place}"));
    migrate::apply(&database.url(), Path::new(migrate::FOLDER)).await?;
    stage.say(
        "migrated: the application's tables, then the triggers and the storage of pgpubsub-gen",
    );

    let mut workers = Workers::new(database.url(), stage.started);
    for _ in 0..options.workers {
        workers.start()?;
    }
    workers.all_ready().await?;
    stage.say(&format!(
        "{} worker processes are listening",
        options.workers
    ));

    burst::run(&stage, &mut workers, options.authors).await?;
    let verdict = verdict::Verdict::read(&stage.client).await?;
    everyday::run(&stage, &mut workers).await?;
    let left = stage
        .count("SELECT count(*) FROM pgpubsub.notification")
        .await?;
    workers.stop().await?;
    stage.say(&format!("the workers stopped; {left} notifications left"));

    println!("{verdict}");
    Ok(if verdict.is_exact() && left == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Where the demo happens: a session of the writing side, and a clock.
struct Stage {
    client: Client,
    started: Instant,
}

impl Stage {
    /// A line with the time since the start.
    fn say(&self, what: &str) {
        say(self.started, what);
    }

    async fn count(&self, sql: &str) -> anyhow::Result<i64> {
        Ok(self
            .client
            .query_one(sql, &[])
            .await
            .with_context(|| format!("cannot count: {sql}"))?
            .get(0))
    }

    /// Waits until the count is at least `expected`.
    async fn wait_for(&self, what: &str, sql: &str, expected: i64) -> anyhow::Result<()> {
        while self.count(sql).await? < expected {
            self.rest(what).await?;
        }
        Ok(())
    }

    /// Rests before the next look; after the deadline, fails with what is known about the reason.
    async fn rest(&self, what: &str) -> anyhow::Result<()> {
        if self.started.elapsed() > DEADLINE {
            let sql = "SELECT coalesce(max(last_error), 'none') FROM pgpubsub.notification";
            let error: String = self
                .client
                .query_one(sql, &[])
                .await
                .context("cannot read the last error")?
                .get(0);
            bail!(
                "{what}: not done after {} s; last error of a listener: {error}",
                DEADLINE.as_secs()
            );
        }
        tokio::time::sleep(LOOK_AGAIN).await;
        Ok(())
    }
}

/// A line with the time since `started`.
fn say(started: Instant, what: &str) {
    println!("{:5.1} s  {what}", started.elapsed().as_secs_f64());
}
