//! A PostgreSQL cluster in a temporary folder.

use std::env;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use crate::Error;
use crate::account::Account;
use crate::address::socket_url;
use crate::binaries;
use crate::keeper::Keeper;

/// Longest folder in which a socket `.s.PGSQL.5432` still fits into the 107 bytes of a socket's path.
const LONGEST_FOLDER: usize = 90;

/// How a cluster is set up.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Flush to disk, as in production. Off by default: a throwaway cluster survives no power failure, and tests run faster.
    pub fsync: bool,
    /// Further settings of `postgresql.conf`, as name and value: `("max_connections", "20")`.
    pub settings: Vec<(String, String)>,
}

/// How a server is shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// Sessions are told that they end, transactions are rolled back.
    Fast,
    /// As if the processes were killed: recovery follows at the next start.
    Immediate,
}

/// A running PostgreSQL server of its own: superuser `postgres`, no password, unix socket only.
///
/// Dropping it stops the server and removes its files. So does the end of this process, of whatever kind.
#[derive(Debug)]
pub struct Cluster {
    keeper: Keeper,
    folder: PathBuf,
}

impl Cluster {
    /// Makes and starts a cluster; takes about a second, and blocks.
    ///
    /// # Errors
    /// If there are no server binaries, or the server does not start.
    pub fn start(options: &Options) -> Result<Self, Error> {
        Self::make(options, None)
    }

    /// Makes and starts a standby that follows this server: a copy of it, read-only until [`Cluster::promote`].
    ///
    /// # Errors
    /// If this server cannot be copied, or the standby does not start.
    pub fn standby(&self, options: &Options) -> Result<Self, Error> {
        Self::make(options, Some(&self.folder))
    }

    fn make(options: &Options, primary: Option<&Path>) -> Result<Self, Error> {
        let bin = binaries::folder()?;
        let folder = tempfile::Builder::new()
            .prefix("pgpubsub-")
            .tempdir_in(place_for_folders())
            .map_err(Error::io("make a temporary folder"))?;
        let account = owner_for(folder.path())?;
        let settings = settings(options, folder.path());
        let keeper = Keeper::start(&bin, folder.path(), &settings, account, primary)?;
        // From here on the keeper removes it.
        Ok(Self {
            keeper,
            folder: folder.keep(),
        })
    }

    /// URL of the database `postgres`, for tokio-postgres, psql and sqlx.
    pub fn url(&self) -> String {
        socket_url(&self.folder, "postgres")
    }

    /// The folder of its socket, `.s.PGSQL.5432`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Stops the server and keeps its files, for [`Cluster::start_again`]. Blocks.
    ///
    /// # Errors
    /// If it does not stop, or has stopped before.
    pub fn shut_down(&self, how: Shutdown) -> Result<(), Error> {
        self.keeper.tell(match how {
            Shutdown::Fast => "fast",
            Shutdown::Immediate => "immediate",
        })
    }

    /// Starts the server that was shut down. Blocks until it accepts connections.
    ///
    /// # Errors
    /// If it does not start, or runs.
    pub fn start_again(&self) -> Result<(), Error> {
        self.keeper.tell("start")
    }

    /// Makes a standby a primary. Blocks until it accepts writes.
    ///
    /// # Errors
    /// If it is none.
    pub fn promote(&self) -> Result<(), Error> {
        self.keeper.tell("promote")
    }

    /// Stops the server and removes its files; returns when both are done.
    ///
    /// # Errors
    /// If the process that does it cannot be waited for.
    pub fn stop(mut self) -> Result<(), Error> {
        self.keeper.stop()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Nobody is left to tell; the keeper is at work either way.
        drop(self.keeper.stop());
    }
}

/// The temporary folder of this machine, or `/tmp` where that is too deep for a socket or closed to the account of the server.
fn place_for_folders() -> PathBuf {
    let place = env::temp_dir();
    let open_to_all =
        fs::metadata(&place).is_ok_and(|metadata| metadata.permissions().mode() & 0o003 == 0o003);
    let fits = place.as_os_str().as_bytes().len() + "/pgpubsub-123456".len() <= LONGEST_FOLDER;
    if open_to_all && fits {
        place
    } else {
        PathBuf::from("/tmp")
    }
}

/// As root: the account that must run the server, to which the folder now belongs.
fn owner_for(folder: &Path) -> Result<Option<Account>, Error> {
    // We have just made the folder, so its owner is who we are.
    let owner = fs::metadata(folder)
        .map_err(Error::io("read the temporary folder"))?
        .uid();
    if owner != 0 {
        return Ok(None);
    }
    let account = Account::unprivileged()?;
    chown(folder, Some(account.uid), Some(account.gid))
        .map_err(Error::io("give the temporary folder away"))?;
    Ok(Some(account))
}

/// The lines for `postgresql.conf`.
fn settings(options: &Options, folder: &Path) -> String {
    let on_off = if options.fsync { "on" } else { "off" };
    let folder = folder.to_string_lossy();
    let own = [
        ("listen_addresses", ""),
        ("port", "5432"),
        ("unix_socket_directories", folder.as_ref()),
        ("fsync", on_off),
        ("full_page_writes", on_off),
        // Tests run side by side, each with workers and sessions of its own.
        ("max_connections", "200"),
        ("shared_buffers", "64MB"),
        ("max_prepared_transactions", "20"),
    ];
    let asked = options
        .settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    // The last line of a name wins.
    let lines: Vec<String> = own
        .into_iter()
        .chain(asked)
        .map(|(name, value)| format!("{name} = '{}'", value.replace('\'', "''")))
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_quoted_and_comes_after_our_own() {
        let options = Options {
            settings: vec![("port".into(), "it's".into())],
            ..Options::default()
        };
        let lines = settings(&options, Path::new("/tmp/x"));
        assert!(lines.ends_with("port = 'it''s'"), "{lines}");
        assert!(lines.contains("fsync = 'off'"), "{lines}");
    }
}
