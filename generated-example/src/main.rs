//! A small application on generated code: authors, posts and media that react to each other.

mod cli;
mod demo;
mod listeners;
mod migrate;
// Made for a module that others may reach; here it is the whole program that uses it.
#[allow(unreachable_pub)]
mod pubsub;
mod work;

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let cli = cli::Cli::parse();
    match cli.command {
        cli::Command::Migrate { ref dir } => migrate::run(&cli.database_url()?, dir).await?,
        cli::Command::Work(ref options) => work::run(&cli.database_url()?, options).await?,
        cli::Command::Demo(ref options) => return demo::run(cli.database_url, options).await,
    }
    Ok(ExitCode::SUCCESS)
}
