//! Worker processes: this very program with `work`.

use std::env;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use super::say;
use crate::work::READY;

/// How long to wait for a line of a worker, or for its end.
const PATIENCE: Duration = Duration::from_secs(20);

/// The running workers, and what they say.
pub(super) struct Workers {
    url: String,
    started: Instant,
    hired: usize,
    running: Vec<Running>,
    says: UnboundedSender<String>,
    said: UnboundedReceiver<String>,
}

struct Running {
    name: String,
    child: Child,
    /// Its end tells the worker to stop, even if it is we who were killed.
    input: ChildStdin,
}

impl Workers {
    pub(super) fn new(url: String, started: Instant) -> Self {
        let (says, said) = unbounded_channel();
        Self {
            url,
            started,
            hired: 0,
            running: Vec::new(),
            says,
            said,
        }
    }

    pub(super) fn count(&self) -> usize {
        self.running.len()
    }

    /// Starts one more. Its lines are shown as they come.
    pub(super) fn start(&mut self) -> anyhow::Result<()> {
        self.hired += 1;
        let name = format!("worker {}", self.hired);
        let program = env::current_exe().context("cannot find this program")?;
        let mut child = Command::new(program)
            .args(["work", "--stop-at-eof", "--name", &name])
            // Not an argument: arguments are visible to everybody on the machine, and a URL may hold a password.
            .env("DATABASE_URL", &self.url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start a worker")?;
        let input = child
            .stdin
            .take()
            .context("the worker has no standard input")?;
        let output = child
            .stdout
            .take()
            .context("the worker has no standard output")?;
        let (says, started) = (self.says.clone(), self.started);
        tokio::spawn(async move {
            let mut lines = BufReader::new(output).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let line = line.trim_start().trim_start_matches("INFO ").to_owned();
                if !line.ends_with(READY) {
                    say(started, &format!("    {line}"));
                }
                // The demo may be over, and nobody listening.
                drop(says.send(line));
            }
        });
        self.running.push(Running { name, child, input });
        Ok(())
    }

    /// Waits until each running worker has said that it is listening.
    pub(super) async fn all_ready(&mut self) -> anyhow::Result<()> {
        self.wait_for_lines(self.count(), |line| line.ends_with(READY))
            .await
    }

    /// Kills the first worker with SIGKILL and starts another in its place. Returns both names.
    pub(super) async fn replace_first(&mut self) -> anyhow::Result<(String, String)> {
        ensure!(!self.running.is_empty(), "no worker to kill");
        let mut first = self.running.remove(0);
        first
            .child
            .kill()
            .await
            .with_context(|| format!("cannot kill {}", first.name))?;
        self.start()?;
        let fresh = self.running.last().map(|worker| worker.name.clone());
        Ok((first.name, fresh.context("no worker was started")?))
    }

    /// Waits for the given number of lines that match.
    pub(super) async fn wait_for_lines(
        &mut self,
        mut lines: usize,
        matches: impl Fn(&str) -> bool,
    ) -> anyhow::Result<()> {
        while lines > 0 {
            let next = timeout(PATIENCE, self.said.recv())
                .await
                .context("a worker is silent")?;
            lines -= usize::from(next.is_some_and(|line| matches(&line)));
        }
        Ok(())
    }

    /// Asks all to stop and waits for it.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        let (inputs, children): (Vec<_>, Vec<_>) = self
            .running
            .into_iter()
            .map(|worker| (worker.input, (worker.name, worker.child)))
            .unzip();
        drop(inputs);
        for (name, mut child) in children {
            let status = timeout(PATIENCE, child.wait())
                .await
                .with_context(|| format!("{name} does not stop"))?;
            let status = status.with_context(|| format!("cannot wait for {name}"))?;
            if !status.success() {
                bail!("{name} ended with {status}");
            }
        }
        Ok(())
    }
}
