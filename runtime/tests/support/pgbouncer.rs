//! PgBouncer in transaction mode, in front of a database.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls};

/// So many sessions of the server for everybody.
pub(crate) const POOL: usize = 2;

pub(crate) struct PgBouncer {
    keeper: Child,
    folder: PathBuf,
    config: Config,
}

impl PgBouncer {
    /// None if it is not installed, which is said.
    pub(crate) async fn start(server: &Config) -> Option<Self> {
        let Some(program) = program() else {
            println!("skipped: there is no pgbouncer");
            return None;
        };
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("pgpubsub-bouncer-{}-{count}", std::process::id());
        let folder = Path::new("/tmp").join(name);
        fs::create_dir(&folder).unwrap();
        // As root it has to become somebody else, who makes his socket there.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        let ini = folder.join("pgbouncer.ini");
        fs::write(&ini, settings(server, &folder)).unwrap();
        let user = if is_root() { "-u postgres" } else { "" };
        // It ends with this process, of whatever kind that end is: then the input of the shell ends.
        let keep = format!("{program} -q {user} \"$1\" <&- & pid=$!; read _; kill -9 $pid");
        let keeper = Command::new("sh")
            .args(["-c", &keep, "keeper"])
            .arg(&ini)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut config = Config::new();
        config
            .host_path(&folder)
            .port(6432)
            .user("anybody")
            .dbname(server.get_dbname().unwrap());
        let pooler = Self {
            keeper,
            folder,
            config,
        };
        while pooler.config.connect(NoTls).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        Some(pooler)
    }

    pub(crate) fn config(&self) -> Config {
        self.config.clone()
    }

    pub(crate) async fn connect(&self) -> Client {
        let (client, connection) = self.config.connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        drop(self.keeper.wait());
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn program() -> Option<&'static str> {
    [
        "/usr/sbin/pgbouncer",
        "/usr/bin/pgbouncer",
        "/usr/local/bin/pgbouncer",
    ]
    .into_iter()
    .find(|path| Path::new(path).exists())
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout == b"0\n"
}

fn settings(server: &Config, folder: &Path) -> String {
    let host = match &server.get_hosts()[0] {
        Host::Unix(path) => path.display().to_string(),
        Host::Tcp(host) => host.clone(),
    };
    let port = server.get_ports().first().copied().unwrap_or(5432);
    let user = server.get_user().unwrap();
    let database = server.get_dbname().unwrap();
    let password = server.get_password().map_or_else(String::new, |password| {
        format!(" password={}", String::from_utf8_lossy(password))
    });
    let folder = folder.display();
    format!(
        "[databases]\n{database} = host={host} port={port} user={user}{password}\n\
         [pgbouncer]\npool_mode = transaction\ndefault_pool_size = {POOL}\nmax_client_conn = 200\n\
         auth_type = any\nunix_socket_dir = {folder}\nlisten_port = 6432\nlogfile = {folder}/log\n"
    )
}
