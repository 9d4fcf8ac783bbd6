//! What can keep the private PostgreSQL from running, each said in one line with its remedy.

use std::io;
use std::path::{Path, PathBuf};

/// The oldest PostgreSQL that passbook works with.
pub(super) const MAJOR_VERSION_MIN: u32 = 14;

/// Why there is no private PostgreSQL.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "no PostgreSQL was found: install version {MAJOR_VERSION_MIN} or later (`apt-get install postgresql`, or \
         `make deps`), or set PASSBOOK_PG_BIN_DIR to the directory of `initdb` and `postgres`, or set DATABASE_URL \
         to a server"
    )]
    NoPrograms,

    #[error(
        "{bin_dir} is not a directory of PostgreSQL programs ({reason}): set PASSBOOK_PG_BIN_DIR to the directory of \
         `initdb` and `postgres`, or leave it unset"
    )]
    NotPrograms { bin_dir: PathBuf, reason: String },

    #[error(
        "PostgreSQL {version} in {bin_dir} is too old: install version {MAJOR_VERSION_MIN} or later, or set \
         PASSBOOK_PG_BIN_DIR to its programs"
    )]
    ProgramsTooOld { bin_dir: PathBuf, version: String },

    #[error(
        "{cluster} holds data of PostgreSQL {data_version}, but the programs found are {version} ({bin_dir}): \
         install PostgreSQL {data_version} (`apt-get install postgresql-{data_version}`) or set PASSBOOK_PG_BIN_DIR \
         to its programs, or bring the data to a later version with pg_upgrade"
    )]
    OtherVersion {
        cluster: PathBuf,
        data_version: u32,
        bin_dir: PathBuf,
        version: String,
    },

    #[error(
        "{cluster} is not a PostgreSQL cluster (it has no readable PG_VERSION): move it away or choose another \
         data directory"
    )]
    NotACluster { cluster: PathBuf },

    #[error(
        "{data_dir} is in use by {}: stop that one first, or choose another data directory",
        holder(*pid, command.as_deref())
    )]
    InUse {
        data_dir: PathBuf,
        /// The process that holds it, when it has already written its name down.
        pid: Option<u32>,
        /// What it is doing, when it has said so.
        command: Option<String>,
    },

    #[error(
        "an earlier PostgreSQL (process {pid}) is still at work on {cluster} and does not stop: end its processes, \
         then start again"
    )]
    Predecessor { cluster: PathBuf, pid: u32 },

    #[error(
        "PostgreSQL does not run as root and there is neither a user `postgres` nor `nobody` to run it as: create \
         one (`useradd --system postgres`) or run passbook as an ordinary user"
    )]
    NoUser,

    #[error(
        "PostgreSQL runs as the user {user}, who may not enter {directory}: run `chmod o+x {directory}` or choose \
         another data directory"
    )]
    Unreachable { user: String, directory: PathBuf },

    #[error(
        "{directory} must be a directory of mode 0700 that belongs to the user {user}: remove it and start again"
    )]
    NotPrivate { directory: PathBuf, user: String },

    #[error("could not {action} {path} ({cause}): check its permissions and the disk's free space")]
    Disk {
        action: &'static str,
        path: PathBuf,
        cause: io::Error,
    },

    #[error(
        "could not create the PostgreSQL cluster {cluster} ({reason}): put this right and start again"
    )]
    Create { cluster: PathBuf, reason: String },

    #[error(
        "could not run {program} ({cause}): see that the file may be executed and that memory is free"
    )]
    Run { program: PathBuf, cause: io::Error },

    #[error(
        "PostgreSQL did not start ({status}): {reason}; put this right and start again, its log is in {log_dir}"
    )]
    NotStarted {
        status: String,
        reason: String,
        log_dir: PathBuf,
    },

    #[error(
        "PostgreSQL was not ready after {wait_s} s and was stopped: see its log in {log_dir} and start again"
    )]
    NotReady { wait_s: u64, log_dir: PathBuf },

    #[error(
        "no `pg_dump` and `pg_restore` of version {server_version}, the server's, or later were found: install them \
         (`apt-get install postgresql-client-{server_version}`) or set PASSBOOK_PG_BIN_DIR to their directory"
    )]
    NoClients { server_version: u32 },

    #[error("{program} failed: {reason}")]
    Program { program: String, reason: String },

    #[error(
        "PostgreSQL (process {pid}) could not be stopped ({reason}): end it with `kill -INT {pid}`"
    )]
    NotStopped { pid: u32, reason: String },
}

/// For `map_err` on a call that touched `path`.
pub(super) fn disk(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |cause| Error::Disk {
        action,
        path,
        cause,
    }
}

fn holder(pid: Option<u32>, command: Option<&str>) -> String {
    match (pid, command) {
        (Some(pid), Some(command)) => format!("passbook {command} (process {pid})"),
        (Some(pid), None) => format!("process {pid}"),
        (None, _) => String::from("another passbook"),
    }
}
