//! A running server that this process is in charge of, from start to stop.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use super::address::{Address, NAME, PORT};
use super::error::{Error, disk};
use super::home::{self, Home};
use super::lock::Lock;
use super::postmaster::{self, Exit, Postmaster};
use super::programs::{self, Programs};
use super::run_as::{self, RunAs};
use super::settings::{POLL_INTERVAL, Settings};
use super::{cluster, logs, pidfile, predecessor, system};

/// Crash recovery reads back the write-ahead log, which may take minutes.
const READY_WAIT_MAX: Duration = Duration::from_mins(10);
const PROGRESS_INTERVAL: Duration = Duration::from_secs(5);

/// How long each way of stopping is given; the gentlest must write a checkpoint.
const FAST_STOP_WAIT_MAX: Duration = Duration::from_secs(30);
const IMMEDIATE_STOP_WAIT_MAX: Duration = Duration::from_secs(10);
const KILL_WAIT_MAX: Duration = Duration::from_secs(10);

/// How long to rest between two attempts to start a server that ended, at first and at most: a full disk stays full for a while.
const RESTART_PAUSE_MIN: Duration = Duration::from_millis(100);
const RESTART_PAUSE_MAX: Duration = Duration::from_secs(2);

/// What the ledger relies on, said on the command line because there it beats every file and `alter system`.
const PROMISES: &[&str] = &[
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    // Nobody but the user gets in.
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "timezone=UTC",
    "log_timezone=UTC",
    // Customers' data stays out of the log: no statements, and no details such as the key that was there already.
    "log_statement=none",
    "log_min_error_statement=panic",
    "log_min_duration_statement=-1",
    "log_error_verbosity=terse",
    // The log cannot grow without end: see `logs`.
    "log_destination=stderr",
    "logging_collector=on",
    "log_filename=postgres-%Y-%m-%d_%H%M%S.log",
    "log_rotation_age=1d",
];

/// A PostgreSQL that this process is in charge of.
///
/// Dropping it tells the server to stop but does not wait; [`Server::stop`] does.
#[derive(Debug)]
pub struct Server {
    address: Address,
    readied: Readied,
    started: SystemTime,
    postmaster: Postmaster,
    pruning: AbortHandle,
}

/// All that is needed to start the server.
#[derive(Debug)]
struct Readied {
    lock: Arc<Lock>,
    run_as: RunAs,
    programs: Programs,
    socket_dir: String,
}

/// Starts the server on the locked data directory and waits until it is ready.
pub(super) async fn start(settings: Settings, lock: Lock) -> Result<Server, Error> {
    let began = Instant::now();
    let readied = system::off_the_runtime(move || make_ready(&settings, lock)).await?;
    predecessor::wait_out(readied.lock.home()).await?;
    let server = Server::launch(readied)?;
    server.wait_until_ready().await?;
    let (version, data_dir) = (server.address.version(), server.address.data_dir());
    let start_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(
        version,
        start_ms,
        "PostgreSQL is ready in {}",
        data_dir.display()
    );
    Ok(server)
}

impl Server {
    fn launch(readied: Readied) -> Result<Self, Error> {
        let (postmaster, started) = launch(&readied)?;
        let home = readied.lock.home();
        let version = readied.programs.version();
        Ok(Self {
            address: Address::new(home.data_dir(), &readied.socket_dir, version),
            pruning: tokio::spawn(logs::keep_pruned(home.log_dir())).abort_handle(),
            started,
            postmaster,
            readied,
        })
    }

    /// Where the database is.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Starts the server again whenever it ends without having been told to, for as long as it is polled: what was committed is
    /// recovered from the write-ahead log. Attempts that fail are repeated, as what is wrong may pass.
    pub async fn supervise(&mut self) {
        loop {
            let exit = self.postmaster.wait().await;
            if exit.was_told_to {
                return;
            }
            tracing::error!(
                status = describe(exit),
                reason = logs::reason_since(self.started, &self.readied.lock.home().log_dir()),
                "PostgreSQL ended unexpectedly; it is started again"
            );
            self.turn_others_away();
            let mut pause = RESTART_PAUSE_MIN;
            while let Err(error) = self.restart().await {
                tracing::error!(%error, "PostgreSQL could not be started again; another attempt follows");
                sleep(pause).await;
                pause = (pause * 2).min(RESTART_PAUSE_MAX);
            }
        }
    }

    async fn restart(&mut self) -> Result<(), Error> {
        let began = Instant::now();
        predecessor::wait_out(self.readied.lock.home()).await?;
        (self.postmaster, self.started) = launch(&self.readied)?;
        self.wait_until_ready().await?;
        let start_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(start_ms, "PostgreSQL is ready again");
        Ok(())
    }

    /// Stops the server, waits until it is gone and gives the data directory free.
    ///
    /// Sessions are broken off. A server that takes longer than 30 s to write its checkpoint is stopped without; the
    /// next start then recovers from the write-ahead log.
    ///
    /// # Errors
    ///
    /// [`Error::NotStopped`] when the server does not even react to SIGKILL, or may not be signalled.
    pub async fn stop(self) -> Result<(), Error> {
        self.turn_others_away();
        let ways = [
            (libc::SIGINT, FAST_STOP_WAIT_MAX),
            (libc::SIGQUIT, IMMEDIATE_STOP_WAIT_MAX),
            (libc::SIGKILL, KILL_WAIT_MAX),
        ];
        let pid = self.postmaster.pid();
        for (signal, wait_max) in ways {
            self.postmaster
                .signal(signal)
                .map_err(|error| Error::NotStopped {
                    pid,
                    reason: error.to_string(),
                })?;
            if timeout(wait_max, self.postmaster.wait()).await.is_ok() {
                return Ok(());
            }
            let wait_s = wait_max.as_secs();
            tracing::warn!(pid, signal, wait_s, "PostgreSQL has not stopped");
        }
        Err(Error::NotStopped {
            pid,
            reason: String::from("it does not react to SIGKILL"),
        })
    }

    /// Nobody shall attach to a server that is stopping; that it stops is more important than that this succeeds.
    fn turn_others_away(&self) {
        if let Err(error) = self.readied.lock.say_not_ready() {
            tracing::warn!("{error}");
        }
    }

    async fn wait_until_ready(&self) -> Result<(), Error> {
        let home = self.readied.lock.home();
        let (cluster, log_dir) = (home.cluster(), home.log_dir());
        let began = Instant::now();
        let mut progress_due = began + PROGRESS_INTERVAL;
        while began.elapsed() < READY_WAIT_MAX {
            if let Some(exit) = self.postmaster.exit() {
                return Err(Error::NotStarted {
                    status: describe(exit),
                    reason: logs::reason_since(self.started, &log_dir),
                    log_dir,
                });
            }
            // The file may still be the one of the server before.
            let file = pidfile::read(&cluster);
            if file.is_some_and(|file| file.pid == self.postmaster.pid() && file.is_ready) {
                let (version, socket_dir) = (self.address.version(), self.address.socket_dir());
                return self
                    .readied
                    .lock
                    .say_ready(version, &socket_dir.to_string_lossy());
            }
            if progress_due <= Instant::now() {
                progress_due += PROGRESS_INTERVAL;
                let waited_s = began.elapsed().as_secs();
                tracing::info!(
                    waited_s,
                    "PostgreSQL is still starting, perhaps recovering from a crash"
                );
            }
            sleep(POLL_INTERVAL).await;
        }
        Err(Error::NotReady {
            wait_s: READY_WAIT_MAX.as_secs(),
            log_dir,
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.pruning.abort();
        if self.postmaster.exit().is_some() {
            return;
        }
        self.turn_others_away();
        if let Err(error) = self.postmaster.signal(libc::SIGINT) {
            let pid = self.postmaster.pid();
            tracing::warn!(pid, %error, "could not tell PostgreSQL to stop");
        }
    }
}

fn make_ready(settings: &Settings, lock: Lock) -> Result<Readied, Error> {
    let home = lock.home();
    let run_as = run_as::choose(&home.cluster())?;
    run_as.check_reach(home.data_dir())?;
    run_as.own(lock.path())?;
    let data_version = cluster::version(home)?;
    let programs = programs::choose(settings.bin_dir.as_deref(), data_version, &home.cluster())?;
    let socket_dir = home.socket_dir();
    home::make_private(Path::new(&socket_dir), &run_as)?;
    home::make_private(&home.log_dir(), &run_as)?;
    if data_version.is_none() {
        cluster::create(home, &run_as, &programs)?;
    }
    Ok(Readied {
        lock: Arc::new(lock),
        run_as,
        programs,
        socket_dir,
    })
}

fn launch(readied: &Readied) -> Result<(Postmaster, SystemTime), Error> {
    let started = SystemTime::now();
    let command = command(readied)?;
    let program = readied.programs.postgres();
    let postmaster = postmaster::spawn(command, Arc::clone(&readied.lock))
        .map_err(|cause| Error::Run { program, cause })?;
    Ok((postmaster, started))
}

fn command(readied: &Readied) -> Result<Command, Error> {
    let home = readied.lock.home();
    let mut command = readied
        .run_as
        .command(&readied.programs.postgres(), home.data_dir());
    command.arg("-D").arg(home.cluster());
    for setting in PROMISES {
        command.args(["-c", setting]);
    }
    command.args(["-c", &format!("cluster_name={NAME}")]);
    command.args(["-c", &format!("port={PORT}")]);
    command.args(["-c", &format!("log_rotation_size={}", logs::FILE_SIZE_MAX)]);
    // A list, in which a name may need quotes.
    let quoted = readied.socket_dir.replace('"', "\"\"");
    command.args(["-c", &format!("unix_socket_directories=\"{quoted}\"")]);
    let mut log_directory = OsString::from("log_directory=");
    log_directory.push(home.log_dir());
    command.arg("-c").arg(log_directory);
    send_output_to_startup_file(&mut command, home)?;
    Ok(command)
}

fn send_output_to_startup_file(command: &mut Command, home: &Home) -> Result<(), Error> {
    let path = home.log_dir().join(logs::STARTUP_FILE);
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).mode(0o600);
    let file = home::open_in_users_directory(&path, &mut options)?;
    let copy = file.try_clone().map_err(disk("open", &path))?;
    command.stdout(file).stderr(copy);
    Ok(())
}

fn describe(exit: Exit) -> String {
    match exit.status {
        Some(status) => status.to_string(),
        None => String::from("its exit status is unknown"),
    }
}
