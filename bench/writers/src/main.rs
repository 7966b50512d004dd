//! What a durable channel costs those who write, and an idle worker costs the machine; see README.md.

mod bulk;
mod generated;
mod idle;
mod singles;
mod variant;

use pgpubsub_bench_bed::{Result, Server};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["work", way, url] => generated::work(way, url).await,
        ["listen", url] => variant::listen(url).await,
        ["singles", seconds, repetitions] => {
            singles::run(&Server::start()?, seconds.parse()?, repetitions.parse()?).await
        }
        ["bulk", rows, repetitions] => {
            bulk::run(&Server::start()?, rows.parse()?, repetitions.parse()?).await
        }
        ["idle", seconds] => idle::run(&Server::start()?, seconds.parse()?).await,
        _ => {
            Err("usage: singles SECONDS REPETITIONS | bulk ROWS REPETITIONS | idle SECONDS".into())
        }
    }
}
