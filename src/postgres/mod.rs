//! The embedded default: finds, creates, starts, supervises and stops a private PostgreSQL.

mod backup;
mod error;
mod server;

mod account;
mod address;
mod cluster;
mod home;
mod lock;
mod logs;
mod memory;
mod pidfile;
mod postmaster;
mod predecessor;
mod programs;
mod system;

#[cfg(test)]
mod tests;

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Instant, sleep};

pub use address::Address;
pub use backup::{Clients, Restoring};
pub use error::Error;
pub use server::Server;
/// For other children that must not outlive this process.
pub(crate) use system::{end_with_parent, signal};

use lock::Attempt;

/// The oldest PostgreSQL that passbook works with.
const MAJOR_VERSION_MIN: u32 = 14;

/// How long a command waits for another passbook's server to become ready; crash recovery may take its time.
const ATTACH_WAIT_MAX: Duration = Duration::from_mins(10);

const POLL_INTERVAL: Duration = Duration::from_millis(15);

/// Where the private PostgreSQL lives and whose programs run it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Everything is under this directory; it is created when missing.
    pub data_dir: PathBuf,
    /// The directory of `initdb` and `postgres`; searched for in the usual places when `None`.
    pub bin_dir: Option<PathBuf>,
}

/// The database of a command that runs beside `serve` or alone.
#[derive(Debug)]
pub struct Attached {
    address: Address,
    own: Option<Server>,
}

/// Starts PostgreSQL on the data directory, creating the cluster when there is none, and waits until it is ready.
///
/// # Errors
///
/// [`Error::InUse`] when another passbook has the directory; otherwise whatever keeps PostgreSQL from starting.
pub async fn start(settings: &Settings) -> Result<Server, Error> {
    match take_lock(settings).await? {
        Attempt::Taken(lock) => server::start(settings.clone(), lock).await,
        Attempt::Held(holder) => Err(Error::InUse {
            data_dir: settings.data_dir.clone(),
            pid: holder.pid,
        }),
    }
}

/// The same as [`start`] for a command that needs the data directory to itself.
///
/// # Errors
///
/// As [`start`].
pub async fn start_alone(settings: &Settings) -> Result<Attached, Error> {
    let server = start(settings).await?;
    Ok(Attached {
        address: server.address().clone(),
        own: Some(server),
    })
}

/// The address of the server that another passbook runs on the data directory; when none does, starts one.
///
/// # Errors
///
/// [`Error::InUse`] when the other passbook's server does not become ready in ten minutes; otherwise as [`start`].
pub async fn attach_or_start(settings: &Settings) -> Result<Attached, Error> {
    let deadline = Instant::now() + ATTACH_WAIT_MAX;
    loop {
        let holder = match take_lock(settings).await? {
            Attempt::Taken(lock) => {
                let server = server::start(settings.clone(), lock).await?;
                return Ok(Attached {
                    address: server.address().clone(),
                    own: Some(server),
                });
            }
            Attempt::Held(holder) => holder,
        };
        if let Some(address) = holder.address {
            return Ok(Attached { address, own: None });
        }
        // The holder is still starting, or is stopping: then the lock is ours in a moment.
        if deadline <= Instant::now() {
            return Err(Error::InUse {
                data_dir: settings.data_dir.clone(),
                pid: holder.pid,
            });
        }
        sleep(POLL_INTERVAL).await;
    }
}

/// `/var/lib/passbook` for root, else `$XDG_DATA_HOME/passbook`, else `~/.local/share/passbook`.
#[must_use]
pub fn default_data_dir() -> PathBuf {
    if system::effective_uid() == 0 {
        return PathBuf::from("/var/lib/passbook");
    }
    users_data_dir(env::var_os("XDG_DATA_HOME"), env::home_dir())
}

impl Attached {
    /// Where the database is.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Stops the server if it was started for it; leaves another passbook's alone.
    ///
    /// # Errors
    ///
    /// As [`Server::stop`].
    pub async fn stop(self) -> Result<(), Error> {
        match self.own {
            Some(server) => server.stop().await,
            None => Ok(()),
        }
    }
}

async fn take_lock(settings: &Settings) -> Result<Attempt, Error> {
    let data_dir = settings.data_dir.clone();
    system::off_the_runtime(move || lock::take(&home::open(&data_dir)?)).await
}

fn users_data_dir(xdg_data_home: Option<OsString>, home: Option<PathBuf>) -> PathBuf {
    xdg_data_home
        .map(PathBuf::from)
        // The XDG specification says to ignore a relative path.
        .filter(|directory| directory.is_absolute())
        .or_else(|| home.map(|home| home.join(".local/share")))
        .unwrap_or_default()
        .join("passbook")
}
