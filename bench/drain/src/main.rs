//! How fast a backlog is drained, next to the same SQL by hand; see README.md.

mod backlog;
mod child;
mod decay;
mod drain;
mod one;
mod order;
mod raw;
mod worker;

use std::io::Read as _;

use pgpubsub_bench_bed::{Result, Server};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if let ["child", rest @ ..] = words.as_slice() {
        return child::main(rest).await;
    }
    if let ["one", who, url, batch, count] = words.as_slice() {
        return one::run(who, url, batch.parse()?, count.parse()?).await;
    }
    let server = Server::start()?;
    if let ["server"] = words.as_slice() {
        println!("{}", server.url());
        // Until whoever asked for it is gone.
        std::io::stdin().read_to_end(&mut Vec::new())?;
        return Ok(());
    }
    let (database, client) = server.database().await?;
    backlog::create(&client).await?;
    let url = database.url();
    match words.as_slice() {
        ["drain", count, repetitions] => {
            drain::run(&client, &url, count.parse()?, repetitions.parse()?).await
        }
        ["decay", count] => decay::run(&database, &client, count.parse()?).await,
        ["order", count, repetitions] => {
            order::run(&client, &url, count.parse()?, repetitions.parse()?).await
        }
        ["memory", count] => decay::memory(&client, &url, count.parse()?).await,
        _ => Err("usage: drain COUNT REPETITIONS | decay COUNT | memory COUNT | order COUNT REPETITIONS | one WHO URL BATCH COUNT | server".into()),
    }
}
