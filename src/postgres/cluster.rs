//! Creates the cluster, all or nothing.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::address::NAME;
use super::error::{Error, disk};
use super::home::{self, Home};
use super::logs;
use super::memory;
use super::programs::Programs;
use super::run_as::RunAs;
use super::system;

/// What the machine decides goes into the cluster's own file, where its owner may change it. What the ledger relies
/// on is said at each start, by [`server`](super::server).
///
/// The first change of a page after a checkpoint writes the whole page to the log. Withdrawals over a million accounts
/// change some other page nearly every time, so that checkpoints had better be rare: a quarter of an hour apart, or
/// some 4 GB of log.
fn owners_settings() -> String {
    let shared_buffers = memory::shared_buffers();
    format!(
        "
# Passbook's defaults. They are yours to change, and take effect when passbook starts again.
max_connections = 100
shared_buffers = {shared_buffers}MB  # a quarter of the memory there was, from 128 MB to 8 GB
max_wal_size = 8GB
checkpoint_timeout = 15min
"
    )
}

/// The major version of the data, if there is data.
pub(super) fn version(home: &Home) -> Result<Option<u32>, Error> {
    let cluster = home.cluster();
    if let Err(error) = fs::symlink_metadata(&cluster) {
        return match error.kind() {
            io::ErrorKind::NotFound => Ok(None),
            _ => Err(disk("examine", &cluster)(error)),
        };
    }
    let version = fs::read_to_string(cluster.join("PG_VERSION")).unwrap_or_default();
    match version.trim().parse() {
        Ok(version) => Ok(Some(version)),
        Err(_) => Err(Error::NotACluster { cluster }),
    }
}

/// Creates the cluster under another name and renames it when it is complete and on disk.
pub(super) fn create(home: &Home, run_as: &RunAs, programs: &Programs) -> Result<(), Error> {
    let (cluster, staging) = (home.cluster(), home.staging());
    tracing::info!("creating a PostgreSQL cluster in {}", cluster.display());
    remove_if_there(&staging)?;
    home::make_private(&staging, run_as)?;

    let mut initdb = run_as.command(&programs.initdb(), home.data_dir());
    // The locale C compares bytes: an index keeps its order whatever becomes of the system's locales.
    initdb.args(["--encoding=UTF8", "--locale=C", "--data-checksums"]);
    // Only the socket lets anybody in, and only the user gets to the socket: it lies in a private directory.
    initdb.args(["--auth-local=trust", "--auth-host=reject"]);
    initdb.args(["--username", NAME, "--no-instructions", "--pgdata"]);
    run(initdb.arg(&staging), "", home)?;

    let mut single = run_as.command(&programs.postgres(), home.data_dir());
    single.args(["--single", "-c", "exit_on_error=on", "-D"]);
    run(
        single.arg(&staging).arg("postgres"),
        &format!("create database {NAME}\n"),
        home,
    )?;

    add_owners_settings(&staging.join("postgresql.conf"))?;
    fs::rename(&staging, &cluster).map_err(disk("rename", &staging))?;
    sync_directory(home.data_dir())
}

fn remove_if_there(directory: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(disk("remove", directory)(error))
        }
        _ => Ok(()),
    }
}

/// Runs a program to its end, which comes early if this process is killed.
fn run(command: &mut Command, input: &str, home: &Home) -> Result<(), Error> {
    system::end_with_parent(command, libc::SIGTERM);
    let output = feed(command, input).map_err(|cause| Error::Run {
        program: command.get_program().into(),
        cause,
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Error::Create {
        cluster: home.cluster(),
        reason: logs::first_complaint(&said).unwrap_or_else(|| output.status.to_string()),
    })
}

fn feed(command: &mut Command, input: &str) -> io::Result<Output> {
    command.stdin(Stdio::piped());
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that has failed reads no more: what it says on the way out is the better reason.
        let _ = stdin.write_all(input.as_bytes());
    }
    child.wait_with_output()
}

fn add_owners_settings(path: &Path) -> Result<(), Error> {
    let mut file = home::open_in_users_directory(path, OpenOptions::new().append(true))?;
    file.write_all(owners_settings().as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(disk("write", path))
}

/// A rename is on disk once the directory is.
fn sync_directory(directory: &Path) -> Result<(), Error> {
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(disk("sync", directory))
}
