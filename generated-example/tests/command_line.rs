//! The command line of the example, as a person or a service manager uses it.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use pgpubsub_testkit::Database;

fn example(url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_generated-example"));
    command
        .env("DATABASE_URL", url)
        .env_remove("RUST_LOG")
        .env("RUST_BACKTRACE", "0");
    command
}

async fn migrated() -> Database {
    let database = Database::create().await.expect("a database");
    let status = example(&database.url())
        .arg("migrate")
        .stdout(Stdio::null())
        .status();
    assert!(status.expect("it runs").success());
    database
}

/// The error of a command that must fail by itself; one that goes on is ended by `timeout`, which shows in the text.
fn failing(url: &str, arguments: &[&str]) -> String {
    let output = Command::new("timeout")
        .args(["30", env!("CARGO_BIN_EXE_generated-example")])
        .args(arguments)
        .env("DATABASE_URL", url)
        .env("RUST_BACKTRACE", "0")
        .output()
        .expect("it runs");
    assert!(!output.status.success());
    format!(
        "{}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn the_demo_ends_with_an_exact_count_and_success() {
    let output = Command::new(env!("CARGO_BIN_EXE_generated-example"))
        .args(["demo", "--authors", "200", "--workers", "2"])
        .env_remove("RUST_LOG")
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let last = text.lines().last();
    assert_eq!(
        last,
        Some("200 authors, 200 first posts, 0 missing, 0 twice: exact"),
        "{text}"
    );
    assert!(text.contains("KILLED worker 1 with SIGKILL"), "{text}");
}

#[tokio::test]
async fn migrating_twice_is_migrating_once() {
    let database = migrated().await;
    let status = example(&database.url())
        .arg("migrate")
        .stdout(Stdio::null())
        .status();
    assert!(status.expect("it runs").success());
}

#[tokio::test]
async fn a_worker_stops_with_success_at_sigterm() {
    let database = migrated().await;
    let mut worker = example(&database.url())
        .args(["work", "--name", "w"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let lines = BufReader::new(worker.stdout.take().expect("a pipe")).lines();
    let ready = lines
        .map_while(Result::ok)
        .any(|line| line.ends_with("w: ready"));
    assert!(ready, "it ended before it was ready");
    let pid = worker.id().to_string();
    assert!(
        Command::new("sh")
            .args(["-c", "kill -TERM $0", &pid])
            .status()
            .expect("kill")
            .success()
    );
    assert!(worker.wait().expect("its end").success());
}

#[tokio::test]
async fn a_worker_without_the_migration_says_so() {
    let database = Database::create().await.expect("a database");
    let output = failing(&database.url(), &["work"]);
    assert!(output.contains("migration"), "{output}");
}

#[tokio::test]
async fn a_name_that_no_listener_has_is_refused_with_the_nearest() {
    let database = migrated().await;
    let output = failing(&database.url(), &["work", "--only", "scan_medium"]);
    assert!(output.contains("scan_media"), "{output}");
}
