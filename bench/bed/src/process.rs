//! A process of this very program, killed when it is dropped.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::Result;

pub struct Process {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts this program with other arguments.
    ///
    /// # Errors
    /// The system has no process to spare.
    pub fn start(arguments: &[&str]) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().ok_or("no output")?;
        Ok(Self {
            child,
            output: BufReader::new(output),
        })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line that it writes; empty at its end.
    ///
    /// # Errors
    /// The pipe is broken.
    pub fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    /// Closes its input, and waits for its end; what it still writes, by lines.
    ///
    /// # Errors
    /// It ended with a failure.
    pub fn finish(mut self) -> Result<Vec<String>> {
        drop(self.child.stdin.take());
        let mut lines = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            lines.push(line);
        }
        let status = self.child.wait()?;
        if !status.success() {
            return Err(format!("a process ended with {status}").into());
        }
        Ok(lines)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
