//! The command `work`: one process that runs listeners.

use std::io::IsTerminal;

use anyhow::Context;
use pgpubsub_runtime::{OnFailure, Shutdown, Worker, WorkerEvent};
use tokio::io::AsyncReadExt;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::cli;
use crate::listeners::App;
use crate::pubsub::Listeners;

/// How the log line of a worker that has begun to listen ends.
pub(crate) const READY: &str = ": ready";

/// Runs listeners until the process is asked to stop; what it was doing then is finished or left to others. If it is asked a
/// second time, all of it is left to others.
pub(crate) async fn run(url: &str, options: &cli::Work) -> anyhow::Result<()> {
    log_to_stdout();
    let config = url.parse().context("the database URL is not valid")?;
    let on_failure = match options.on_failure {
        cli::OnFailure::CarryOn => OnFailure::CarryOn,
        cli::OnFailure::Exit => OnFailure::Exit,
    };
    let name = options.name.clone();
    let mut worker = Worker::new(config)
        .listeners(Listeners::all(App::new(&options.name)))
        .concurrency(options.concurrency)
        .recovery(!options.no_recovery)
        .poll_interval(options.poll_interval)
        .on_failure(on_failure)
        .on_event(move |event| {
            if matches!(event, WorkerEvent::Listening) {
                tracing::info!("{name}{READY}");
            }
        });
    if !options.only.is_empty() {
        worker = worker.only(options.only.iter().map(String::as_str));
    }
    let shutdown = Shutdown::new();
    ask_to_stop(&shutdown, options.stop_at_eof)?;
    worker.run(shutdown).await.context("the worker ended")
}

/// At each SIGTERM and ctrl-c, and at the end of standard input if that was asked for.
fn ask_to_stop(shutdown: &Shutdown, at_eof: bool) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for ctrl-c")?;
    let signals = shutdown.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            signals.request();
        }
    });
    if at_eof {
        let eof = shutdown.clone();
        tokio::spawn(async move {
            end_of_input().await;
            // The same wish as a signal that came before, and no hurry.
            if !eof.is_requested() {
                eof.request();
            }
        });
    }
    Ok(())
}

async fn end_of_input() {
    let mut ignored = [0; 64];
    // An error is an end, too.
    while matches!(tokio::io::stdin().read(&mut ignored).await, Ok(read) if read > 0) {}
}

/// Log lines of `RUST_LOG`'s choice; `info` if it says nothing.
fn log_to_stdout() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::stdout().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(colours)
        .with_target(false)
        .without_time()
        .init();
}
