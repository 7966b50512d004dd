//! What the generator makes of `schema.yaml`, and a worker process for each way of waking it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pgpubsub_bench_bed::Result;
use pgpubsub_runtime::{Worker, WorkerEvent};
use tokio::io::AsyncReadExt as _;

struct App;

macro_rules! ways {
    ($($way:ident),*) => {
        $(
            #[allow(dead_code)] // of which only the listener is used
            mod $way {
                include!(concat!(env!("OUT_DIR"), "/", stringify!($way), ".rs"));

                impl Nothing for super::App {
                    async fn nothing(
                        &self,
                        _: ItemWritten,
                        _: &mut pgpubsub_runtime::Cx<'_>,
                    ) -> std::result::Result<(), pgpubsub_runtime::ListenerError> {
                        Ok(())
                    }
                }
            }
        )*

        /// The migration of a way of waking.
        pub(crate) fn migration(way: &str) -> &'static str {
            match way {
                $(stringify!($way) => include_str!(concat!(env!("OUT_DIR"), "/", stringify!($way), ".up.sql")),)*
                _ => unreachable!("{way} is not generated"),
            }
        }

        fn with_listeners(worker: Worker, way: &str) -> Result<Worker> {
            match way {
                $(stringify!($way) => Ok(worker.listeners($way::Listeners::all(App))),)*
                _ => Err(format!("no such way: {way}").into()),
            }
        }
    };
}

ways!(door, commit, poll, statement);

/// A worker with its default settings, until standard input ends. Writes `idle` when it is so for the first time, and in the
/// end what it has delivered.
pub(crate) async fn work(way: &str, url: &str) -> Result<()> {
    let delivered = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&delivered);
    let said = std::sync::Once::new();
    let worker =
        with_listeners(Worker::new(url.parse()?), way)?.on_event(move |event| match event {
            WorkerEvent::Delivered { .. } => drop(count.fetch_add(1, Ordering::Relaxed)),
            WorkerEvent::Idle => said.call_once(|| println!("idle")),
            _ => {}
        });
    worker.run_until(end_of_input()).await?;
    println!("{}", delivered.load(Ordering::Relaxed));
    Ok(())
}

async fn end_of_input() {
    let mut ignored = [0; 64];
    // An error is an end, too.
    while matches!(tokio::io::stdin().read(&mut ignored).await, Ok(read) if read > 0) {}
}
