//! Files as they are in a commit.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, anyhow, bail};

/// A commit, branch or tag of the repository that a folder is in.
pub(super) struct Reference<'r> {
    folder: &'r Path,
    name: &'r str,
}

impl<'r> Reference<'r> {
    /// Finds it.
    pub(super) fn new(folder: &'r Path, name: &'r str) -> anyhow::Result<Self> {
        // git would take it for an option.
        if name.is_empty() || name.starts_with('-') {
            bail!("`{name}` is neither a file nor a commit, branch or tag");
        }
        let reference = Self { folder, name };
        if reference.run(["rev-parse", "--git-dir"])?.is_none() {
            bail!(
                "there is no file {name}, and {} is not in a git repository, where it could be a commit, branch or tag",
                folder.display()
            );
        }
        let commit = format!("{name}^{{commit}}");
        if reference
            .run(["rev-parse", "--verify", "--quiet", &commit])?
            .is_none()
        {
            bail!(
                "`{name}` is neither a file nor a commit, branch or tag of the repository of {}",
                folder.display()
            );
        }
        Ok(reference)
    }

    /// Text of a file by its path from the folder; `None` if the commit has no such file.
    pub(super) fn text(&self, path: &str) -> anyhow::Result<Option<String>> {
        let object = format!("{}:./{path}", self.name);
        let Some(bytes) = self.run(["show", &object])? else {
            return Ok(None);
        };
        let text = String::from_utf8(bytes)
            .map_err(|_| anyhow!("{path} is not UTF-8 in `{}`", self.name))?;
        Ok(Some(
            text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned(),
        ))
    }

    /// What git prints; `None` if it says no.
    fn run<A: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = A>,
    ) -> anyhow::Result<Option<Vec<u8>>> {
        let output = Command::new("git")
            .arg("-C")
            .arg(self.folder)
            .args(args)
            .stdin(Stdio::null())
            .output()
            .context("cannot run git, which has the schema of before; or give a file")?;
        Ok(output.status.success().then_some(output.stdout))
    }
}
