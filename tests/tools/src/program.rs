//! Tools that are programs.

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;

use tokio::process::Command;

use crate::{Error, Tool};

/// A program in the folder `tools` beside what cargo builds, where `scripts/tools.sh` puts it.
pub(crate) fn fetched(tool: Tool, name: &str) -> Result<PathBuf, Error> {
    let here = env::current_exe().map_err(|error| Error::of(tool)(&error))?;
    here.ancestors()
        .map(|folder| folder.join("tools").join(name))
        .find(|program| program.is_file())
        .ok_or_else(|| {
            let message = format!("`{name}` is not in target/tools: see scripts/tools.sh");
            Error::new(tool, message)
        })
}

/// Runs a program to its end; what it said is the error if it failed.
pub(crate) async fn run<S: AsRef<OsStr>>(
    tool: Tool,
    program: impl AsRef<OsStr>,
    arguments: &[S],
) -> Result<(), Error> {
    let mut command = Command::new(program);
    command.args(arguments).kill_on_drop(true);
    // What a developer has set for programs of the same kind must not change what a test does.
    for (name, _) in env::vars_os() {
        let name_text = name.to_string_lossy();
        if name_text.starts_with("PG") || name_text.starts_with("DBMATE_") {
            command.env_remove(&name);
        }
    }
    let output = command
        .output()
        .await
        .map_err(|error| Error::of(tool)(&error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(Error::new(
        tool,
        format!("{}\n{}", output.status, String::from_utf8_lossy(&said)),
    ))
}
