//! Worker processes, each of which dies in a way of its own and is replaced at once.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pgpubsub_runtime::failpoint;
use rand::Rng as _;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Killed from outside at a random moment.
pub(crate) const RANDOM: &str = "at random";

const SIGKILL: i32 = 9;
/// The latest moment of a random kill, after the start of the process, which takes some of it.
const LATEST: Duration = Duration::from_millis(300);
/// By then a process has come by its failpoint, or found nothing to do.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many have died where.
#[derive(Clone, Default)]
pub(crate) struct Deaths(Arc<Mutex<BTreeMap<String, usize>>>);

impl Deaths {
    pub(crate) fn count(&self) -> usize {
        self.lock().values().sum()
    }

    pub(crate) fn at(&self, point: &str) -> usize {
        self.lock().get(point).copied().unwrap_or_default()
    }

    pub(crate) fn table(&self) -> String {
        let places: Vec<String> = self
            .lock()
            .iter()
            .map(|(point, count)| format!("{count} {point}"))
            .collect();
        format!("{} kills: {}", self.count(), places.join(", "))
    }

    fn add(&self, point: &str) {
        *self.lock().entry(point.to_owned()).or_default() += 1;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Processes that die and are replaced.
pub(crate) struct Workers {
    pub(crate) deaths: Deaths,
    stop: watch::Sender<bool>,
    slots: JoinSet<()>,
}

impl Workers {
    pub(crate) fn start(url: &str, count: usize) -> Self {
        let (deaths, (stop, _)) = (Deaths::default(), watch::channel(false));
        let mut slots = JoinSet::new();
        for slot in 0..count {
            let (url, deaths, stopped) = (url.to_owned(), deaths.clone(), stop.subscribe());
            slots.spawn(async move { keep_dying(&url, slot, &deaths, stopped).await });
        }
        Self {
            deaths,
            stop,
            slots,
        }
    }

    /// Fails if a process ended in another way than by SIGKILL.
    pub(crate) fn check(&mut self) {
        if let Some(ended) = self.slots.try_join_next() {
            ended.expect("a process dies as it was told");
        }
    }

    /// No process runs any more when it returns.
    pub(crate) async fn stop_killing(mut self) {
        self.stop.send_replace(true);
        while let Some(ended) = self.slots.join_next().await {
            ended.expect("a process dies as it was told");
        }
    }

    /// Processes that live until they are told to stop.
    pub(crate) fn start_unharmed(url: &str, count: usize) -> Unharmed {
        let start = |_| command(url).spawn().expect("a worker process");
        Unharmed((0..count).map(start).collect())
    }
}

pub(crate) struct Unharmed(Vec<Child>);

impl Unharmed {
    pub(crate) async fn stop(self) {
        for mut child in self.0 {
            drop(child.stdin.take());
            let output = child.wait_with_output().await.expect("its end");
            assert!(output.status.success(), "{}", said(&output));
        }
    }
}

/// Starts one process after the other, each to die at another place than the one before.
async fn keep_dying(url: &str, slot: usize, deaths: &Deaths, mut stopped: watch::Receiver<bool>) {
    let places = failpoint::ALL.len() + 1;
    // Slots begin at different places, so that all are hit early.
    let mut turn = slot * places / 2 + slot;
    while !*stopped.borrow() {
        let place = failpoint::ALL.get(turn % places).copied();
        turn += 1;
        let mut process = command(url);
        let time = match place {
            Some(point) => {
                process.env(
                    "PGPUBSUB_FAILPOINT",
                    format!("{point}:{}", probability(point)),
                );
                PATIENCE
            }
            None => LATEST.mul_f64(rand::rng().random_range(0.0..=1.0)),
        };
        let mut child = process.spawn().expect("a worker process");
        // Waiting would close it, which asks the process to stop.
        let _input = child.stdin.take();
        tokio::select! {
            _ = child.wait() => {}
            () = tokio::time::sleep(time) => {}
            _ = stopped.changed() => {}
        }
        // No error if it is dead already.
        child.start_kill().expect("a kill");
        let output = child.wait_with_output().await.expect("its end");
        assert_eq!(output.status.signal(), Some(SIGKILL), "{}", said(&output));
        let died = match place {
            Some(point) if said(&output) == format!("failpoint: {point}") => point,
            _ => {
                assert_eq!(said(&output), "");
                RANDOM
            }
        };
        deaths.add(died);
    }
}

/// Some places are passed once a batch, some for each notification; a process shall sometimes get far and sometimes not.
fn probability(point: &str) -> f64 {
    match point {
        failpoint::IN_THE_LISTENER | failpoint::AFTER_ITS_EFFECT => {
            rand::rng().random_range(0.005..0.1)
        }
        // Of several workers one fires.
        failpoint::AFTER_FIRING => rand::rng().random_range(0.2..1.0),
        _ => rand::rng().random_range(0.05..0.5),
    }
}

fn command(url: &str) -> Command {
    // A transaction for each notification; batches; and large ones, before which a worker is careful for longer than most live.
    let batch = ["1", "5", "100"][rand::rng().random_range(0..3)];
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgpubsub-kills"));
    command
        .args([url, batch])
        .env_remove("PGPUBSUB_FAILPOINT")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}
