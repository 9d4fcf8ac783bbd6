//! What is measured: a service of our own, started for the purpose, or one that runs already.

use std::env;
use std::fmt;
use std::fs::{self, File, Permissions};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::{TcpStream, lookup_host};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::error::Error;
use crate::postgres;
use crate::storage::{Connection, Database};

/// How long a service may take to create its database and start.
const READY_MAX: Duration = Duration::from_mins(2);
/// How long it may take to stop, its database included.
const STOP_MAX: Duration = Duration::from_mins(1);
/// How long an address of a service that runs already may take to connect.
const CONNECT_MAX: Duration = Duration::from_secs(5);
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// How many of its last lines are shown where it died.
const LOG_LINES_MAX: usize = 20;

/// What a ledger holds before it is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Accounts to choose from, where a scenario has many.
    pub accounts: u64,
    /// Withdrawals that are written over all of them.
    pub grow: u64,
}

/// A service under load.
#[derive(Clone, Debug)]
pub struct Target {
    /// What it is called in the results.
    pub name: String,
    /// Host and port, as it was named.
    pub authority: String,
    /// The one that its authority stands for.
    pub address: SocketAddr,
    /// What it is shown, if it asks for a key.
    pub secret: Option<Secret>,
    /// Its database, where that may be asked.
    pub database_url: Option<String>,
    /// Its process, where its database runs under it.
    pub process: Option<u32>,
    /// What to put into it first.
    pub size: Size,
}

/// A service of our own, with an embedded database in a directory that is removed with it.
///
/// Dropped without [`Own::stop`] it is killed, and its database ends with it.
pub struct Own {
    child: Child,
    directory: TempDir,
    name: String,
    size: Size,
}

/// An API key. It is printed nowhere.
#[derive(Clone)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

impl Target {
    /// A service that runs already, by the first of its addresses that connects.
    ///
    /// # Errors
    /// Where none does.
    pub async fn reach(
        name: &str,
        authority: &str,
        secret: Option<Secret>,
        database_url: Option<String>,
        size: Size,
    ) -> Result<Self, Error> {
        let found = match lookup_host(authority).await {
            Ok(addresses) => first_that_connects(addresses).await,
            Err(reason) => Err(reason),
        };
        let address = found.map_err(|reason| Error::Unreachable {
            authority: authority.to_owned(),
            reason,
        })?;
        Ok(Self {
            name: name.to_owned(),
            authority: authority.to_owned(),
            address,
            secret,
            database_url,
            process: None,
            size,
        })
    }

    /// Its database, where that may be asked. It is only read, so it may be one that loses money, for an experiment.
    ///
    /// # Errors
    /// Where its URL is none.
    pub(super) fn database(&self) -> Result<Option<Database>, Error> {
        let url = self.database_url.as_ref();
        Ok(url.map(|url| Database::parse(url, true)).transpose()?)
    }

    /// A connection to its database that may take its time, where that may be asked.
    ///
    /// # Errors
    /// Where the database cannot be reached.
    pub(super) async fn connect(&self) -> Result<Option<Connection>, Error> {
        Ok(match self.database()? {
            Some(database) => Some(database.connect_patient().await?),
            None => None,
        })
    }
}

impl Own {
    /// Starts this program's `serve` with these flags, on any free port, with nothing else set but where PostgreSQL's
    /// programs are. It has a new directory in `parent`, or where temporary files are; it is to be filled to a size.
    ///
    /// # Errors
    /// Where the directory cannot be made, or the program not be run.
    pub fn start(
        name: &str,
        flags: &[String],
        size: Size,
        parent: Option<&Path>,
    ) -> Result<Self, Error> {
        let parent = parent.map_or_else(env::temp_dir, Path::to_path_buf);
        let directory = make_directory(&parent).map_err(|reason| Error::Directory {
            directory: parent,
            reason,
        })?;
        let open = |file: PathBuf| File::create(file).map_err(Error::Start);
        let stdout = open(said(directory.path()))?;
        let stderr = open(log(directory.path()))?;
        let program = env::current_exe().map_err(Error::Start)?;
        let mut command = std::process::Command::new(program);
        for (variable, _) in env::vars_os() {
            if is_setting(&variable.to_string_lossy()) {
                command.env_remove(variable);
            }
        }
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(directory.path().join("data"))
            .args(flags)
            // Where there is no .env, and away from the Ctrl-C of our terminal: we stop it ourselves.
            .current_dir(directory.path())
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr);
        // This thread is the main one, which lives as long as the program.
        postgres::end_with_parent(&mut command, libc::SIGTERM);
        let child = Command::from(command).kill_on_drop(true).spawn();
        Ok(Self {
            child: child.map_err(Error::Start)?,
            directory,
            name: name.to_owned(),
            size,
        })
    }

    /// Waits until it listens.
    ///
    /// # Errors
    /// Where it ends instead, or takes longer than two minutes.
    pub async fn ready(&mut self) -> Result<Target, Error> {
        let deadline = Instant::now() + READY_MAX;
        loop {
            // Before what it said, so that the last words of one that ended are not missed.
            let ended = self.child.try_wait().map_err(Error::Start)?;
            let text = fs::read_to_string(said(self.directory.path())).unwrap_or_default();
            if let Some(address) = listening(&text) {
                return self.reach(address).await;
            }
            if let Some(status) = ended {
                return Err(self.died(status));
            }
            if deadline <= Instant::now() {
                return Err(Error::NotReady(READY_MAX.as_secs(), self.last_lines()));
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    /// Resolves when the service ends by itself, to say so.
    pub async fn exited(&mut self) -> Error {
        match self.child.wait().await {
            Ok(status) => self.died(status),
            Err(error) => Error::Start(error),
        }
    }

    /// Stops the service and its database, and removes the directory.
    ///
    /// # Errors
    /// Where the directory cannot be removed.
    pub async fn stop(mut self) -> Result<(), Error> {
        if let Some(pid) = self.child.id() {
            // It may be gone already.
            drop(postgres::signal(pid, libc::SIGTERM));
            if timeout(STOP_MAX, self.child.wait()).await.is_err() {
                tracing::warn!(pid, "the service did not stop in time, and is killed");
                drop(self.child.kill().await);
            }
        }
        remove(self.directory).await
    }

    async fn reach(&self, address: SocketAddr) -> Result<Target, Error> {
        let settings = postgres::Settings {
            data_dir: self.directory.path().join("data"),
            bin_dir: None,
        };
        let attached = postgres::attach_or_start(&settings, "bench").await?;
        let database_url = attached.address().url().to_owned();
        attached.stop().await?;
        Ok(Target {
            name: self.name.clone(),
            authority: address.to_string(),
            address,
            secret: None,
            database_url: Some(database_url),
            process: self.child.id(),
            size: self.size,
        })
    }

    fn died(&self, status: std::process::ExitStatus) -> Error {
        Error::Died {
            status: status.to_string(),
            log: self.last_lines(),
        }
    }

    fn last_lines(&self) -> String {
        let text = fs::read_to_string(log(self.directory.path())).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let first = lines.len().saturating_sub(LOG_LINES_MAX);
        lines.get(first..).unwrap_or_default().join("\n")
    }
}

/// Whether a service would take a variable of the environment for a setting, and it is not where PostgreSQL's programs are.
fn is_setting(variable: &str) -> bool {
    let is_ours = ["PASSBOOK_", "OTEL_"]
        .iter()
        .any(|prefix| variable.starts_with(prefix));
    (is_ours && variable != "PASSBOOK_PG_BIN_DIR")
        || ["DATABASE_URL", "RUST_LOG"].contains(&variable)
}

/// The last complaint, where none does.
async fn first_that_connects(
    addresses: impl Iterator<Item = SocketAddr>,
) -> io::Result<SocketAddr> {
    let mut reason = io::Error::other("it has no address");
    for address in addresses {
        match timeout(CONNECT_MAX, TcpStream::connect(address)).await {
            Ok(Ok(_)) => return Ok(address),
            Ok(Err(error)) => reason = error,
            Err(late) => reason = late.into(),
        }
    }
    Err(reason)
}

fn make_directory(parent: &Path) -> io::Result<TempDir> {
    let directory = tempfile::Builder::new()
        .prefix("passbook-bench-")
        .tempdir_in(parent)?;
    // Root's PostgreSQL runs as another user; what matters lies in closed directories.
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755))?;
    Ok(directory)
}

/// A PostgreSQL whose service died has its last moments yet, in which it may still write.
async fn remove(directory: TempDir) -> Result<(), Error> {
    let directory = directory.keep();
    let deadline = Instant::now() + STOP_MAX;
    loop {
        match fs::remove_dir_all(&directory) {
            Ok(()) => return Ok(()),
            Err(reason) if deadline <= Instant::now() => {
                return Err(Error::Directory { directory, reason });
            }
            Err(_) => sleep(POLL_INTERVAL).await,
        }
    }
}

fn said(directory: &Path) -> PathBuf {
    directory.join("serve.out")
}

fn log(directory: &Path) -> PathBuf {
    directory.join("serve.log")
}

/// The address in what `serve` says once it listens.
fn listening(text: &str) -> Option<SocketAddr> {
    let line = text.lines().find(|line| line.contains("listening on"))?;
    let mut words = line.split_whitespace();
    words
        .find_map(|word| word.strip_prefix("http://"))?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_what_serve_says() {
        let text =
            "passbook 0.1.0\n  listening on  http://127.0.0.1:4711 (open to this machine only)\n";
        assert_eq!(listening(text), "127.0.0.1:4711".parse().ok());
        assert_eq!(listening("passbook 0.1.0\n"), None);
    }

    /// A name may have an address of each family, and the service may listen on one of them.
    #[tokio::test]
    async fn the_first_address_that_connects_is_taken() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let there = listener.local_addr().expect("an address");
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let away = nobody.local_addr().expect("an address");
        drop(nobody);
        let found = first_that_connects([away, there].into_iter()).await;
        assert_eq!(found.expect("one listens"), there);
        assert!(first_that_connects([away].into_iter()).await.is_err());
        assert!(first_that_connects([].into_iter()).await.is_err());
    }

    #[test]
    fn nothing_that_is_set_around_the_benchmark_reaches_its_service() {
        for variable in [
            "PASSBOOK_LANES",
            "OTEL_TRACES_SAMPLER",
            "DATABASE_URL",
            "RUST_LOG",
        ] {
            assert!(is_setting(variable), "{variable}");
        }
        for variable in ["PASSBOOK_PG_BIN_DIR", "PATH", "HOME"] {
            assert!(!is_setting(variable), "{variable}");
        }
    }
}
