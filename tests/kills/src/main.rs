//! A worker process, to be killed: `pgpubsub-kills URL BATCH`. The end of its standard input stops it in the orderly way.

mod listeners;

use std::error::Error;
use std::time::Duration;

use pgpubsub_kills::pubsub;
use pgpubsub_runtime::{Backoff, Worker};
use tokio::io::AsyncReadExt as _;

use listeners::App;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, batch] = arguments.as_slice() else {
        return Err("usage: pgpubsub-kills URL BATCH".into());
    };
    let app = App::connect(url.parse()?).await?;
    let worker = Worker::new(url.parse()?)
        .listeners(pubsub::Listeners::all(app))
        .concurrency(2)
        .batch(batch.parse()?)
        // What a killed process had claimed is free at once, but nobody rings for it.
        .poll_interval(Duration::from_millis(100))
        .backoff(Backoff {
            first: Duration::from_millis(5),
            max: Duration::from_millis(20),
        });
    worker.run_until(end_of_input()).await?;
    Ok(())
}

async fn end_of_input() {
    let mut ignored = [0; 64];
    // An error is an end, too.
    while matches!(tokio::io::stdin().read(&mut ignored).await, Ok(read) if read > 0) {}
}
