//! Why the program could not do what it was asked.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;

use crate::config::NotPort;
use crate::http::server::TlsError;
use crate::storage::{Database, StorageError};
use crate::telemetry::traces;
use crate::{bench, postgres};

/// One clear line each.
#[derive(Debug, Error)]
pub enum AppError {
    #[error(transparent)]
    Postgres(#[from] postgres::Error),
    #[error("cannot use the database {database}: {reason}")]
    Database { database: String, reason: String },
    #[error("there is a currency {0} already: passbook currencies lists them")]
    CurrencyTaken(String),
    #[error("there is an open book {0} already: passbook books lists them")]
    BookTaken(String),
    #[error("{0}")]
    Keys(String),
    #[error("interrupted: nothing was done")]
    Interrupted,
    #[error("{} {reason}", path.display())]
    File { path: PathBuf, reason: String },
    #[error("cannot listen on {listen}: {error}{}", hint(error))]
    Listen {
        listen: SocketAddr,
        error: io::Error,
    },
    #[error(
        "{0} is open to the network, and PASSBOOK_AUTH is open, so that everybody there could move money: set \
         PASSBOOK_AUTH=required, listen on 127.0.0.1, or say --i-know-this-is-open"
    )]
    Open(SocketAddr),
    #[error(transparent)]
    Port(#[from] NotPort),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Traces(#[from] traces::Error),
    #[error(transparent)]
    Bench(#[from] bench::Error),
    #[error("{0}")]
    Contradiction(String),
    #[error("the demo data could not be written: {0}")]
    Demo(String),
}

/// What is wrong with a database, in one line.
#[must_use]
pub fn unusable(database: &Database, error: &StorageError) -> AppError {
    AppError::Database {
        database: database.describe(),
        reason: if error.lacks_schema() {
            "it has no schema yet: run passbook migrate".to_owned()
        } else {
            error.to_string()
        },
    }
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            " (another program listens there; choose another with PASSBOOK_LISTEN)"
        }
        io::ErrorKind::PermissionDenied => {
            " (a port below 1024 needs privileges; choose another with PASSBOOK_LISTEN)"
        }
        _ => "",
    }
}
