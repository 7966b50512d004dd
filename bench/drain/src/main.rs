//! How fast a backlog is drained, next to the same SQL by hand; see README.md.

mod order;
mod raw;
mod worker;

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use pgpubsub_runtime::tokio_postgres::{Client, Error, Statement, Transaction};
use pgpubsub_testkit::{Cluster, Database, Options};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Counts what is committed; writes a line for each tenth.
#[derive(Clone)]
struct Progress(Arc<Mutex<State>>);

struct State {
    done: usize,
    step: usize,
    next: usize,
    last: u128,
}

impl Progress {
    fn new(step: usize) -> Self {
        let last = now();
        Self(Arc::new(Mutex::new(State {
            done: 0,
            step,
            next: step,
            last,
        })))
    }

    fn add(&self, count: usize) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.done += count;
        state.last = now();
        if state.done >= state.next {
            state.next += state.step;
            println!("at {} {}", state.done, state.last);
        }
    }
}

/// Microseconds.
fn now() -> u128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros())
}

/// The prepared INSERT of this process, which has one session that works.
async fn effect(transaction: &Transaction<'_>) -> std::result::Result<Statement, Error> {
    static EFFECT: OnceLock<Statement> = OnceLock::new();
    if let Some(statement) = EFFECT.get() {
        return Ok(statement.clone());
    }
    let statement = transaction
        .prepare("INSERT INTO effect VALUES ($1)")
        .await?;
    Ok(EFFECT.get_or_init(|| statement).clone())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["drain", count, repetitions] => drain(count.parse()?, repetitions.parse()?).await,
        ["decay", count] => decay(count.parse()?).await,
        ["order", count, repetitions] => order::run_all(count.parse()?, repetitions.parse()?).await,
        ["child", who, url, batch, listener, step] => {
            child(
                who,
                url,
                batch.parse()?,
                *listener == "insert",
                step.parse()?,
            )
            .await
        }
        _ => Err("usage: drain COUNT REPETITIONS | decay COUNT | order COUNT REPETITIONS".into()),
    }
}

/// One process that drains.
async fn child(who: &str, url: &str, batch: usize, insert: bool, step: usize) -> Result<()> {
    println!("start {}", now());
    let progress = Progress::new(step);
    match who {
        "raw" | "raw-savepoints" => {
            let batch = i64::try_from(batch)?;
            let savepoints = who == "raw-savepoints";
            raw::drain(url.parse()?, batch, insert, savepoints, progress.clone()).await?;
        }
        _ => {
            let ordered = who == "worker-ordered";
            worker::drain(url.parse()?, batch, insert, ordered, progress.clone()).await?;
        }
    }
    let state = progress.0.lock().unwrap_or_else(PoisonError::into_inner);
    println!("end {} {}", state.done, state.last);
    Ok(())
}

/// What a process wrote.
struct Ran {
    start: u128,
    end: u128,
    done: usize,
    /// Rate of each step.
    steps: Vec<f64>,
}

fn run(
    who: &str,
    url: &str,
    batch: usize,
    listener: &str,
    step: usize,
    processes: usize,
) -> Result<Ran> {
    let program = std::env::current_exe()?;
    let arguments = [
        "child",
        who,
        url,
        &batch.to_string(),
        listener,
        &step.to_string(),
    ]
    .map(str::to_owned);
    let children: Vec<_> = (0..processes)
        .map(|_| {
            Command::new(&program)
                .args(&arguments)
                .stdout(Stdio::piped())
                .spawn()
        })
        .collect::<std::result::Result<_, _>>()?;
    let mut ran = Ran {
        start: u128::MAX,
        end: 0,
        done: 0,
        steps: Vec::new(),
    };
    for child in children {
        let output = child.wait_with_output()?;
        let mut previous: (usize, u128) = (0, 0);
        for line in String::from_utf8(output.stdout)?.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                ["start", at] => {
                    previous.1 = at.parse()?;
                    ran.start = ran.start.min(previous.1);
                }
                ["at", done, at] => {
                    let (done, at): (usize, u128) = (done.parse()?, at.parse()?);
                    let took = (at - previous.1).max(1) as f64 / 1e6;
                    ran.steps.push((done - previous.0) as f64 / took);
                    previous = (done, at);
                }
                ["end", done, at] => {
                    ran.done += done.parse::<usize>()?;
                    ran.end = ran.end.max(at.parse()?);
                }
                _ => return Err(format!("{who} wrote: {line}").into()),
            }
        }
    }
    Ok(ran)
}

async fn server() -> Result<(Cluster, Database, Client)> {
    let settings = [
        ("shared_buffers", "1GB"),
        ("max_wal_size", "8GB"),
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
    client
        .batch_execute("DROP TABLE effect; CREATE TABLE effect (id bigint NOT NULL)")
        .await?;
    Ok((cluster, database, client))
}

async fn fill(client: &Client, count: usize) -> Result<()> {
    let fill = format!(
        "TRUNCATE pgpubsub.notification; TRUNCATE effect;
         INSERT INTO pgpubsub.notification (listener_group, channel, op, model_version, payload)
         SELECT 'work', 'jobs', 'message', 1, json_build_object('new', json_build_object('id', g, 'name', 'item name ' || g, 'qty', g,
           'created_at', now(), 'price', 12.34, 'attrs', json_build_object('colour', 'red', 'size', 42, 'tags', '[\"a\", \"b\", \"c\"]'::json),
           'ref', gen_random_uuid(), 'active', true, 'note', repeat('x', 300)))
         FROM generate_series(1, {count}) AS g"
    );
    client.batch_execute(&fill).await?;
    client.batch_execute("CHECKPOINT").await?;
    Ok(())
}

fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or("?").to_owned()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// Every combination, by hand and by the worker in turns.
async fn drain(count: usize, repetitions: usize) -> Result<()> {
    let (_cluster, database, client) = server().await?;
    println!("listener  batch  processes  who  median/s (min-max)  ratio to raw  load");
    for listener in ["none", "insert"] {
        let variants: &[&str] = match listener {
            "none" => &["raw", "worker"],
            _ => &["raw", "raw-savepoints", "worker"],
        };
        for batch in [1, 10, 100, 1000] {
            for processes in [1, 2] {
                // As many as make a run of about a second.
                let count = match (listener, batch) {
                    (_, 1) => count / 20,
                    ("insert", _) => count / 5,
                    (_, 10) => count / 3,
                    _ => count,
                };
                let mut rates = vec![Vec::new(); variants.len()];
                for _ in 0..repetitions {
                    for (who, rates) in variants.iter().zip(&mut rates) {
                        fill(&client, count).await?;
                        let ran =
                            run(who, &database.url(), batch, listener, usize::MAX, processes)?;
                        if ran.done != count {
                            return Err(format!("{who} did {} of {count}", ran.done).into());
                        }
                        rates.push(count as f64 / ((ran.end - ran.start) as f64 / 1e6));
                    }
                }
                let raw = median(rates[0].clone());
                for (who, rates) in variants.iter().zip(&rates) {
                    let least = rates.iter().copied().fold(f64::MAX, f64::min);
                    let most = rates.iter().copied().fold(0.0, f64::max);
                    let rate = median(rates.clone());
                    let (ratio, load) = (rate / raw, load());
                    println!(
                        "{listener:8}  {batch:5}  {processes}  {who:14}  {rate:.0} ({least:.0}-{most:.0})  {ratio:.2}  {load}"
                    );
                }
                std::io::stdout().flush()?;
            }
        }
    }
    Ok(())
}

/// The rate of each tenth, without and with a snapshot that is held elsewhere.
async fn decay(count: usize) -> Result<()> {
    let (_cluster, database, client) = server().await?;
    for held in [false, true] {
        for who in ["raw", "worker"] {
            fill(&client, count).await?;
            let holder = database.connect().await?;
            if held {
                holder.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pgpubsub.notification").await?;
            }
            let began = Instant::now();
            let ran = run(who, &database.url(), 100, "none", count / 10, 1)?;
            let steps: Vec<String> = ran.steps.iter().map(|rate| format!("{rate:.0}")).collect();
            let snapshot = if held { "snapshot held" } else { "no snapshot" };
            let last = ran.steps.last().copied().unwrap_or_default()
                / ran.steps.first().copied().unwrap_or(1.0);
            println!(
                "{snapshot}, {who}: {} in {:.1} s, tenths {}, last/first {last:.2}, load {}",
                ran.done,
                began.elapsed().as_secs_f64(),
                steps.join(" "),
                load()
            );
        }
    }
    Ok(())
}
