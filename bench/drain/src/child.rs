//! Processes that drain, and what they write of it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use pgpubsub_bench_bed::{Process, Result, peak_memory, resident_memory};

use crate::{raw, worker};

/// What a process is to do.
#[derive(Clone, Copy)]
pub(crate) struct Task {
    pub(crate) who: Who,
    pub(crate) batch: usize,
    /// The listener writes a row.
    pub(crate) insert: bool,
    /// Consumers of a worker.
    pub(crate) concurrency: usize,
    /// How many there are between two lines that it writes.
    pub(crate) step: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Raw,
    /// With a savepoint around each effect.
    RawSavepoints,
    Worker,
    /// Whose channel has an order.
    WorkerOrdered,
    /// One effect for a batch.
    RawSlices,
    /// Whose listener receives batches.
    WorkerSlices,
}

impl Who {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::RawSavepoints => "raw-savepoints",
            Self::Worker => "worker",
            Self::WorkerOrdered => "worker-ordered",
            Self::RawSlices => "raw-slices",
            Self::WorkerSlices => "worker-slices",
        }
    }

    pub(crate) fn from_name(name: &str) -> Result<Self> {
        let all = [
            Self::Raw,
            Self::RawSavepoints,
            Self::Worker,
            Self::WorkerOrdered,
            Self::RawSlices,
            Self::WorkerSlices,
        ];
        let who = all.into_iter().find(|who| who.name() == name);
        who.ok_or_else(|| format!("nobody is called {name}").into())
    }
}

/// What processes have done together.
pub(crate) struct Ran {
    pub(crate) done: usize,
    pub(crate) seconds: f64,
    /// The rates of all processes after the first batch of each, together. A worker is careful with that: one at a time.
    pub(crate) steady: f64,
    /// Rate of each step.
    pub(crate) rates: Vec<f64>,
    /// Memory after each step, in bytes.
    pub(crate) memory: Vec<u64>,
    pub(crate) peak_memory: u64,
}

/// Counts what is committed; writes a line for each step.
#[derive(Clone)]
pub(crate) struct Progress(Arc<Mutex<State>>);

struct State {
    done: usize,
    /// When these are done, it has got going.
    first: usize,
    step: usize,
    next: usize,
    last: u128,
}

impl Progress {
    fn new(first: usize, step: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            done: 0,
            first,
            step,
            next: step,
            last: now(),
        })))
    }

    pub(crate) fn add(&self, count: usize) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = state.done;
        state.done += count;
        state.last = now();
        if before < state.first && state.done >= state.first {
            println!("going {} {}", state.done, state.last);
        }
        if state.done >= state.next {
            state.next += state.step;
            let memory = resident_memory(std::process::id()).unwrap_or_default();
            println!("at {} {} {memory}", state.done, state.last);
        }
    }
}

/// Microseconds.
fn now() -> u128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros())
}

/// Drains in processes of their own.
pub(crate) fn drain(url: &str, task: Task, processes: usize) -> Result<Ran> {
    let (batch, step) = (task.batch.to_string(), task.step.to_string());
    let concurrency = task.concurrency.to_string();
    let listener = if task.insert { "insert" } else { "none" };
    let arguments = [
        "child",
        task.who.name(),
        url,
        &batch,
        listener,
        &concurrency,
        &step,
    ];
    let children: Vec<Process> = (0..processes)
        .map(|_| Process::start(&arguments))
        .collect::<Result<_>>()?;
    let (mut start, mut end) = (u128::MAX, 0_u128);
    let mut ran = Ran {
        done: 0,
        seconds: 0.0,
        steady: 0.0,
        rates: Vec::new(),
        memory: Vec::new(),
        peak_memory: 0,
    };
    for child in children {
        let mut previous: (usize, u128) = (0, 0);
        let mut going = None;
        for line in child.finish()? {
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                ["start", at] => {
                    previous.1 = at.parse()?;
                    start = start.min(previous.1);
                }
                ["going", done, at] => going = Some((done.parse::<usize>()?, at.parse::<u128>()?)),
                ["at", done, at, memory] => {
                    let (done, at): (usize, u128) = (done.parse()?, at.parse()?);
                    let took = (at - previous.1).max(1) as f64 / 1e6;
                    ran.rates.push((done - previous.0) as f64 / took);
                    ran.memory.push(memory.parse()?);
                    previous = (done, at);
                }
                ["end", done, at, memory] => {
                    let (done, at): (usize, u128) = (done.parse()?, at.parse()?);
                    ran.done += done;
                    end = end.max(at);
                    if let Some((before, since)) = going {
                        ran.steady += (done - before) as f64 / (at - since).max(1) as f64 * 1e6;
                    }
                    ran.peak_memory = ran.peak_memory.max(memory.parse()?);
                }
                _ => return Err(format!("{} wrote: {line}", task.who.name()).into()),
            }
        }
    }
    ran.seconds = end.saturating_sub(start) as f64 / 1e6;
    Ok(ran)
}

/// One of these processes.
pub(crate) async fn main(words: &[&str]) -> Result<()> {
    let [who, url, batch, listener, concurrency, step] = words else {
        return Err("a child has six arguments".into());
    };
    let task = Task {
        who: Who::from_name(who)?,
        batch: batch.parse()?,
        insert: *listener == "insert",
        concurrency: concurrency.parse()?,
        step: step.parse()?,
    };
    println!("start {}", now());
    let progress = Progress::new(task.batch, task.step);
    let config = url.parse()?;
    match task.who {
        Who::Raw | Who::RawSavepoints | Who::RawSlices => {
            raw::drain(config, task, progress.clone()).await?;
        }
        Who::Worker | Who::WorkerOrdered | Who::WorkerSlices => {
            worker::drain(config, task, progress.clone()).await?;
        }
    }
    let state = progress.0.lock().unwrap_or_else(PoisonError::into_inner);
    let memory = peak_memory(std::process::id())?;
    println!("end {} {} {memory}", state.done, state.last);
    Ok(())
}
