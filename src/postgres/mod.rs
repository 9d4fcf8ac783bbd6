//! The embedded default: finds, creates, starts, supervises and stops a private PostgreSQL.

mod backup;
mod error;
mod server;

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
mod run_as;
mod settings;
mod system;

#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::time::{Instant, sleep};

pub use address::Address;
pub use backup::{Clients, Restoring};
pub use error::Error;
pub use server::Server;
pub use settings::{Settings, default_data_dir};
/// For other children that must not outlive this process.
pub(crate) use system::{end_with_parent, signal};

use lock::{Attempt, Holder, Lock};
use settings::POLL_INTERVAL;

/// How long a command waits for another passbook's server to become ready; crash recovery may take its time.
const ATTACH_WAIT_MAX: Duration = Duration::from_mins(10);

/// How long a lock must be seen to be held by another `serve`: whoever has just taken it may not have written yet, and what the one
/// before wrote may still be there.
const REFUSE_AFTER: Duration = Duration::from_secs(1);

/// The command that keeps the data directory; all others pass.
const SERVE: &str = "serve";

/// The database of a command that runs beside `serve` or alone.
#[derive(Debug)]
pub struct Attached {
    address: Address,
    own: Option<Server>,
}

/// Starts PostgreSQL on the data directory for `serve`, creating the cluster when there is none, and waits until it is ready. A
/// command that has the directory is waited for, however long it takes; whoever is not willing to wait drops the future.
///
/// # Errors
///
/// [`Error::InUse`] when another `serve` has the directory; otherwise whatever keeps PostgreSQL from starting.
pub async fn start(settings: &Settings) -> Result<Server, Error> {
    let mut waited_for = None;
    let mut refused_at = Instant::now() + REFUSE_AFTER;
    loop {
        let holder = match take_lock(settings, SERVE).await? {
            Attempt::Taken(lock) => return server::start(settings.clone(), lock).await,
            Attempt::Held(holder) => holder,
        };
        let now = Instant::now();
        match holder.command.as_deref() {
            Some(command) if command != SERVE => {
                refused_at = now + REFUSE_AFTER;
                if waited_for != holder.pid {
                    waited_for = holder.pid;
                    let (pid, data_dir) = (holder.pid, settings.data_dir.display());
                    tracing::warn!(pid, "waiting for passbook {command}, which has {data_dir}");
                }
            }
            Some(_) | None if refused_at <= now => return Err(in_use(settings, holder)),
            Some(_) | None => {}
        }
        sleep(POLL_INTERVAL).await;
    }
}

/// Starts PostgreSQL for a command that needs the data directory to itself.
///
/// # Errors
///
/// [`Error::InUse`] when another passbook has the directory; otherwise as [`start`].
pub async fn start_alone(settings: &Settings, command: &'static str) -> Result<Attached, Error> {
    match take_lock(settings, command).await? {
        Attempt::Taken(lock) => Attached::start(settings, lock).await,
        Attempt::Held(holder) => Err(in_use(settings, holder)),
    }
}

/// The address of the server that another passbook runs on the data directory; when none does, starts one for a command.
///
/// # Errors
///
/// [`Error::InUse`] when the other passbook's server does not become ready in ten minutes; otherwise as [`start`].
pub async fn attach_or_start(
    settings: &Settings,
    command: &'static str,
) -> Result<Attached, Error> {
    let deadline = Instant::now() + ATTACH_WAIT_MAX;
    loop {
        let holder = match take_lock(settings, command).await? {
            Attempt::Taken(lock) => return Attached::start(settings, lock).await,
            Attempt::Held(holder) => holder,
        };
        if let Some(address) = holder.address {
            return Ok(Attached { address, own: None });
        }
        // The holder is still starting, or is stopping: then the lock is ours in a moment.
        if deadline <= Instant::now() {
            return Err(in_use(settings, holder));
        }
        sleep(POLL_INTERVAL).await;
    }
}

impl Attached {
    async fn start(settings: &Settings, lock: Lock) -> Result<Self, Error> {
        let server = server::start(settings.clone(), lock).await?;
        Ok(Self {
            address: server.address().clone(),
            own: Some(server),
        })
    }

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

async fn take_lock(settings: &Settings, command: &'static str) -> Result<Attempt, Error> {
    let data_dir = settings.data_dir.clone();
    system::off_the_runtime(move || lock::take(&home::open(&data_dir)?, command)).await
}

fn in_use(settings: &Settings, holder: Holder) -> Error {
    Error::InUse {
        data_dir: settings.data_dir.clone(),
        pid: holder.pid,
        command: holder.command,
    }
}
