//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Authors, posts and media on generated publish/subscribe code.
#[derive(Debug, Parser)]
pub(crate) struct Cli {
    /// Where the database is, as a postgresql:// URL.
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        global = true,
        value_name = "URL"
    )]
    pub(crate) database_url: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// The database of the commands that cannot bring their own.
    pub(crate) fn database_url(&self) -> anyhow::Result<String> {
        self.database_url
            .clone()
            .context("no database: give --database-url or set DATABASE_URL")
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Apply the migrations: the application's tables, then those of pgpubsub-gen.
    Migrate {
        /// The folder of the migrations.
        #[arg(long, default_value = crate::migrate::FOLDER)]
        dir: PathBuf,
    },
    /// Run listeners until SIGTERM or ctrl-c.
    Work(Work),
    /// Show it all in under a minute: several workers, a burst of authors, one worker killed in the middle.
    Demo(Demo),
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Work {
    /// Only these listeners, channels or groups; all if absent.
    #[arg(long, value_name = "NAME", num_args = 1..)]
    pub(crate) only: Vec<String>,
    /// How many notifications are processed at the same time.
    #[arg(long, default_value_t = 4, value_name = "N")]
    pub(crate) concurrency: usize,
    /// Leave what was stored before the start.
    #[arg(long)]
    pub(crate) no_recovery: bool,
    /// What to do after a listener has failed.
    #[arg(long, value_enum, default_value_t = OnFailure::CarryOn)]
    pub(crate) on_failure: OnFailure,
    /// Longest time between two looks at the stored notifications, such as 500ms or 5s.
    #[arg(long, default_value = "5s", value_parser = duration, value_name = "TIME")]
    pub(crate) poll_interval: Duration,
    /// How the process calls itself in its log lines.
    #[arg(long, default_value = "worker", value_name = "NAME")]
    pub(crate) name: String,
    /// Stop when standard input ends too: a parent that dies takes its workers along.
    #[arg(long, hide = true)]
    pub(crate) stop_at_eof: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum OnFailure {
    /// Record the failure, try again later, go on with the next notification.
    CarryOn,
    /// Record the failure and end the process with an error.
    Exit,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Demo {
    /// How many authors are written.
    #[arg(long, default_value_t = 2000, value_name = "N", value_parser = clap::value_parser!(i64).range(20..=1_000_000))]
    pub(crate) authors: i64,
    /// How many worker processes share the work.
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u16).range(2..=16))]
    pub(crate) workers: u16,
}

/// `500ms`, `5s`, `1.5s`, `2min`.
fn duration(text: &str) -> anyhow::Result<Duration> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number
        .parse()
        .context("a number and a unit, such as 500ms or 5s")?;
    let seconds = match unit {
        "ms" => number / 1000.0,
        "s" => number,
        "min" => number * 60.0,
        _ => bail!("unit `{unit}` is none of ms, s, min"),
    };
    if seconds <= 0.0 {
        bail!("must be longer than nothing");
    }
    Duration::try_from_secs_f64(seconds).context("out of range")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_duration_needs_a_number_and_a_unit() {
        assert_eq!(
            duration("500ms").expect("valid"),
            Duration::from_millis(500)
        );
        assert_eq!(
            duration("1.5s").expect("valid"),
            Duration::from_millis(1500)
        );
        for wrong in ["", "5", "s", "5h", "0s", "-1s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
