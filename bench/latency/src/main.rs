//! How long a notification takes from its commit to its listener, next to the same SQL by hand; see README.md.

mod raw;
mod statistics;
mod worker;
mod writer;

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pgpubsub_runtime::tokio_postgres::Client;
use pgpubsub_testkit::{Cluster, Database, Options};

use crate::statistics::{Row, row};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// When the listener was entered for which notification: its number, that time, and its `created_at`.
#[derive(Clone, Default)]
struct Entries(Arc<Mutex<Vec<(i64, i64, i64)>>>);

impl Entries {
    fn add(&self, number: i64, created_at: i64) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.push((number, now(), created_at));
    }
}

/// Microseconds of the clock that all processes and the server share.
fn now() -> i64 {
    micros(SystemTime::now())
}

fn micros(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// How it is published: by a NOTIFY at the door, or at each commit.
const WAYS: [(&str, &str); 3] = [
    ("raw", "publish_commit"),
    ("commit", "publish_commit"),
    ("door", "publish_door"),
];

const FUNCTIONS: &str = "
    CREATE FUNCTION store(number bigint) RETURNS void LANGUAGE sql AS $$
      INSERT INTO pgpubsub.notification (listener_group, channel, op, model_version, payload)
      VALUES ('work', 'jobs', 'message', 1, json_build_object('number', number)) $$;
    CREATE FUNCTION publish_commit(number bigint) RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM store(number);
      PERFORM pg_notify('pgpubsub_jobs', '');
      RETURN true;
    END $$;
    CREATE FUNCTION publish_door(number bigint) RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM store(number);
      IF NOT pg_try_advisory_xact_lock_shared('6908058684047904866') THEN
        PERFORM pg_notify('pgpubsub_jobs', '');
        RETURN true;
      END IF;
      RETURN false;
    END $$;";

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["listen", way, url] => listen(way, url).await,
        [seconds, repetitions] => measure(seconds.parse()?, repetitions.parse()?).await,
        _ => Err("usage: SECONDS REPETITIONS".into()),
    }
}

/// A process that listens until its input ends.
async fn listen(way: &str, url: &str) -> Result<()> {
    let entries = Entries::default();
    let (end, ended) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        std::io::stdin().lines().for_each(drop);
        _ = end.send(());
    });
    let config = url.parse()?;
    match way {
        "raw" => raw::listen(config, entries.clone(), ended).await?,
        _ => worker::listen(config, way == "door", entries.clone(), ended).await?,
    }
    let entries = entries.0.lock().unwrap_or_else(PoisonError::into_inner);
    let mut output = std::io::stdout().lock();
    for (number, entered, created_at) in entries.iter() {
        writeln!(output, "{number} {entered} {created_at}")?;
    }
    Ok(())
}

/// A process that listens, once it is ready.
fn start(way: &str, url: &str) -> Result<(Child, BufReader<std::process::ChildStdout>)> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["listen", way, url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut output = BufReader::new(child.stdout.take().ok_or("no output")?);
    let mut line = String::new();
    output.read_line(&mut line)?;
    if line.trim_end() != "ready" {
        return Err(format!("{way} is not ready: {line}").into());
    }
    Ok((child, output))
}

async fn server() -> Result<(Cluster, Database, Client)> {
    let settings = [
        ("shared_buffers", "256MB"),
        ("max_wal_size", "4GB"),
        ("checkpoint_timeout", "30min"),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let cluster = Cluster::start(&Options {
        fsync: true,
        settings: settings.into(),
    })?;
    let database = Database::create_on(&cluster).await?;
    let client = database.connect().await?;
    client
        .batch_execute(include_str!("../../../runtime/tests/storage.sql"))
        .await?;
    client.batch_execute(FUNCTIONS).await?;
    Ok((cluster, database, client))
}

/// Every rate, in all ways in turns.
async fn measure(seconds: u64, repetitions: usize) -> Result<()> {
    let (_cluster, database, client) = server().await?;
    println!("{}", statistics::TITLE);
    for rate in [100, 1000] {
        let mut rows: HashMap<&str, Vec<Row>> = HashMap::new();
        for _ in 0..repetitions {
            for (way, function) in WAYS {
                client
                    .batch_execute("TRUNCATE pgpubsub.notification; CHECKPOINT")
                    .await?;
                let measured = once(&database, way, function, rate, seconds).await?;
                println!("{rate:5}  {way:7}  {}", measured.text());
                std::io::stdout().flush()?;
                rows.entry(way).or_default().push(measured);
            }
        }
        for (way, _) in WAYS {
            let all = Row::medians(&rows[way]);
            println!("{rate:5}  {way:7}  {}  median of the runs", all.text());
        }
    }
    Ok(())
}

async fn once(
    database: &Database,
    way: &str,
    function: &str,
    rate: u32,
    seconds: u64,
) -> Result<Row> {
    let (mut child, output) = start(way, &database.url())?;
    let time = Duration::from_secs(seconds);
    let written = writer::write(&database.config(), function, rate, time).await?;
    // What was written last is delivered by then, or it counts as lost.
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(child.stdin.take());
    let mut entries = HashMap::new();
    for line in output.lines() {
        let line = line?;
        let mut words = line.split(' ').map(str::parse::<i64>);
        let mut next = || -> Result<i64> { Ok(words.next().ok_or("a short line")??) };
        let (number, entered, created_at) = (next()?, next()?, next()?);
        if entries.insert(number, (entered, created_at)).is_some() {
            return Err(format!("{way} got {number} twice").into());
        }
    }
    child.wait()?;
    row(&written, &entries, seconds)
}
