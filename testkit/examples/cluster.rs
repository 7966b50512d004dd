//! A PostgreSQL to play with: prints its URL and takes it away when standard input ends.

use std::io::{Read, stdin};

use pgpubsub_testkit::{Cluster, Options};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cluster = Cluster::start(&Options::default())?;
    println!("{}", cluster.url());
    stdin().read_to_end(&mut Vec::new())?;
    cluster.stop()?;
    Ok(())
}
