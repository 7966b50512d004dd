//! The shell process that starts a server and outlives us to stop it.

use std::io::{BufRead, BufReader, Read, Write as _};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::Error;
use crate::account::Account;

const SCRIPT: &str = include_str!("keeper.sh");

/// Holds the pipe whose end stops the server.
#[derive(Debug)]
pub(crate) struct Keeper {
    child: Child,
    /// Where it is told what to do, and where it answers.
    line: Mutex<Option<(ChildStdin, BufReader<ChildStdout>)>>,
}

impl Keeper {
    /// Makes and starts a cluster in `folder`, which the keeper removes in the end; a copy of the server behind the socket in
    /// `primary`, if there is one. Returns when the server accepts connections.
    pub(crate) fn start(
        bin: &Path,
        folder: &Path,
        settings: &str,
        account: Option<Account>,
        primary: Option<&Path>,
    ) -> Result<Self, Error> {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", SCRIPT, "pgpubsub-testkit"])
            .arg(bin)
            .arg(folder)
            .arg(settings)
            .arg(primary.unwrap_or(Path::new("")));
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
            let input = child.stdin.take().expect("its input is a pipe");
            return Ok(Self {
                child,
                line: Mutex::new(Some((input, output))),
            });
        }
        output
            .read_to_string(&mut log)
            .map_err(Error::io("read what the server says"))?;
        child.wait().map_err(Error::io("wait for /bin/sh"))?;
        Err(Error::NotStarted { log })
    }

    /// Has it do something with the server, a word of the script, and waits until that is done.
    pub(crate) fn tell(&self, word: &'static str) -> Result<(), Error> {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((input, output)) = line.as_mut() else {
            return Err(Error::NotDone { what: word });
        };
        writeln!(input, "{word}").map_err(Error::io("tell the keeper of the server"))?;
        let mut answer = String::new();
        output
            .read_line(&mut answer)
            .map_err(Error::io("read what the keeper of the server says"))?;
        match answer.as_str() {
            "done\n" => Ok(()),
            _ => Err(Error::NotDone { what: word }),
        }
    }

    /// Stops the server, removes its folder, and returns when that is done.
    pub(crate) fn stop(&mut self) -> Result<(), Error> {
        drop(
            self.line
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        self.child
            .wait()
            .map(drop)
            .map_err(Error::io("wait for the server to stop"))
    }
}
