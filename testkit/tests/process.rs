//! What a cluster means to the process that started it. The tests start this very test binary again as another process.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use pgpubsub_testkit::{Cluster, Database, Options};
use tokio_postgres::config::Host;

const CHILD: &str = "PGPUBSUB_TESTKIT_CHILD";
/// A stuck run fails after this time; a run that works never waits for it.
const DEADLINE: Duration = Duration::from_secs(30);

/// This test binary, told to run the test `name` as a child.
fn child(binary: &Path, name: &str) -> Command {
    let mut command = Command::new(binary);
    command
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .env_remove("DATABASE_URL");
    command
}

/// Not a test: starts a cluster in a child, says where it is, and waits to be killed.
#[test]
fn child_that_holds_a_cluster() {
    if env::var_os(CHILD).is_none() {
        return;
    }
    let cluster = Cluster::start(&Options::default()).expect("a cluster");
    println!("\nurl {}", cluster.url());
    // Ends only with the test that started us, if that fails to kill us.
    drop(std::io::stdin().read(&mut [0]));
}

fn folder_of(url: &str) -> PathBuf {
    let config: tokio_postgres::Config = url.parse().expect("a connection string");
    match config.get_hosts() {
        [Host::Unix(folder)] => folder.clone(),
        other => panic!("not one socket: {other:?}"),
    }
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < DEADLINE, "{what}: not in time");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_killed_process_leaves_no_server_and_no_files_behind() {
    let binary = env::current_exe().expect("a path");
    let mut child = child(&binary, "child_that_holds_a_cluster")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child");
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let url = lines
        .map(|line| line.expect("text"))
        .find_map(|line| line.strip_prefix("url ").map(str::to_owned))
        .expect("the child says where its cluster is");
    let folder = folder_of(&url);
    let pid_file = fs::read_to_string(folder.join("data/postmaster.pid")).expect("the server runs");
    let server = Path::new("/proc").join(pid_file.lines().next().expect("its process id"));
    assert!(server.exists());

    child.kill().expect("SIGKILL");
    child.wait().expect("its end");

    wait_until("the server ends", || !server.exists());
    wait_until("the folder goes", || !folder.exists());
}

/// Not a test: uses a database in a child.
#[tokio::test]
async fn child_that_uses_a_database() {
    if env::var_os(CHILD).is_none() {
        return;
    }
    let database = Database::create().await.expect("a database");
    database
        .execute_sql("CREATE TABLE author (id bigint)")
        .await
        .expect("a table");
    println!("\nused {}", folder_of(&database.url()).display());
}

/// Whichever of the two this suite runs as, the other is what a colleague runs it as. Only root can become another account.
#[test]
fn an_unprivileged_process_runs_the_server_as_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = fs::metadata(folder.path()).expect("its owner").uid() == 0;
    // The build folder may be closed to other accounts.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("opened");
    let binary = folder.path().join("tests");
    fs::copy(env::current_exe().expect("a path"), &binary).expect("a copy");
    let mut command = child(&binary, "child_that_uses_a_database");
    command.current_dir("/");
    if root {
        command.uid(65534).gid(65534);
    }
    let output = command.output().expect("a child");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains("\nused /"), "{text}");
}
