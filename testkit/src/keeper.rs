//! The shell process that starts a server and outlives us to stop it.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::Error;
use crate::account::Account;

const SCRIPT: &str = include_str!("keeper.sh");

/// Holds the pipe whose end stops the server.
#[derive(Debug)]
pub(crate) struct Keeper(Child);

impl Keeper {
    /// Makes and starts a cluster in `folder`, which the keeper removes in the end. Returns when the server accepts connections.
    pub(crate) fn start(
        bin: &Path,
        folder: &Path,
        settings: &str,
        account: Option<Account>,
    ) -> Result<Self, Error> {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", SCRIPT, "pgpubsub-testkit"])
            .arg(bin)
            .arg(folder)
            .arg(settings);
        // The current folder may be closed to the account; initdb and the server would refuse.
        command
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        // A group of its own: a signal to the group of the tests must reach the tests only.
        command.process_group(0).env("LC_ALL", "C");
        for name in ["PGDATA", "PGPORT", "PGHOST", "PGOPTIONS"] {
            command.env_remove(name);
        }
        if let Some(account) = account {
            command.uid(account.uid).gid(account.gid);
        }
        let mut child = command.spawn().map_err(Error::io("start /bin/sh"))?;
        let mut output = BufReader::new(child.stdout.take().expect("its output is a pipe"));
        let mut log = String::new();
        output
            .read_line(&mut log)
            .map_err(Error::io("read what the server says"))?;
        if log == "ready\n" {
            return Ok(Self(child));
        }
        output
            .read_to_string(&mut log)
            .map_err(Error::io("read what the server says"))?;
        child.wait().map_err(Error::io("wait for /bin/sh"))?;
        Err(Error::NotStarted { log })
    }

    /// Stops the server, removes its folder, and returns when that is done.
    pub(crate) fn stop(&mut self) -> Result<(), Error> {
        drop(self.0.stdin.take());
        self.0
            .wait()
            .map(drop)
            .map_err(Error::io("wait for the server to stop"))
    }
}
