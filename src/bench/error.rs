//! Why a measurement could not be made.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::postgres;
use crate::service::audit::AuditError;
use crate::storage::StorageError;

/// One clear line each; where the service died, its last lines follow.
#[derive(Debug, Error)]
pub enum Error {
    #[error("cannot reach a service at http://{authority}: {reason}")]
    Unreachable {
        authority: String,
        reason: io::Error,
    },
    #[error("the service could not be started: {0}")]
    Start(io::Error),
    #[error("the service ended by itself, {status}; its last lines:\n{log}")]
    Died { status: String, log: String },
    #[error("the service was not ready in {0} s; its last lines:\n{1}")]
    NotReady(u64, String),
    #[error("cannot use the directory {directory}: {reason}")]
    Directory {
        directory: PathBuf,
        reason: io::Error,
    },
    #[error("cannot start a thread for the load: {0}")]
    Thread(io::Error),
    #[error("the load broke off")]
    BrokenOff,
    #[error("cannot prepare the accounts: {0}")]
    Preparation(String),
    #[error("cannot read the database: {0}")]
    Database(#[from] StorageError),
    #[error("cannot audit the books: {0}")]
    Audit(#[from] AuditError),
    #[error(transparent)]
    Postgres(#[from] postgres::Error),
    #[error("pgbench: {0}")]
    Pgbench(String),
    #[error("cannot write {path}: {reason}")]
    Plot { path: PathBuf, reason: String },
}
