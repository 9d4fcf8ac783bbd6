//! What the database can answer besides rows, sorted by SQLSTATE and constraint name.

use sqlx::error::DatabaseError;
use sqlx::postgres::{PgDatabaseError, PgSeverity};
use thiserror::Error;
use tokio::time::error::Elapsed;

/// `PostgreSQL`'s SQLSTATE where a table is not there.
const UNDEFINED_TABLE: &str = "42P01";

/// What is known of an answer that does not come.
const SILENT: &str = "no answer in time";

/// A row that this program cannot read: a newer one wrote it, or it is damaged. It concerns those alone who ask for it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the database holds what this program cannot read: {0}")]
pub struct Unreadable(pub String);

/// A statement that did not give its answer.
///
/// Whatever asks the database fails with it if the database does not answer. That is said here, and not at each
/// function: “Errors” says what is particular.
#[derive(Debug, Error)]
pub enum StorageError {
    #[error("{}", said(.0))]
    Database(#[from] sqlx::Error),
    /// A row that this program cannot read, if the answer cannot be given without it.
    #[error("the database holds what this program cannot read: {0}")]
    Corrupt(String),
    /// The server is not set up as money needs it.
    #[error("{0}")]
    Unfit(String),
    /// The connection is gone, or gave no answer in time.
    #[error("the connection is lost: {0}")]
    Lost(String),
}

/// Why a batch was not committed, by what is to be done about it.
#[derive(Debug, PartialEq, Eq)]
pub enum CommitError {
    /// A head was not the expected one, or the server chose this statement to break a deadlock. Nothing happened.
    HeadMoved,
    /// The database's clock was not near the time of the plan: the plan came late, or the clocks are apart. Nothing happened.
    ClockApart,
    /// A row stayed locked by someone else for longer than `lock_timeout`. Nothing happened.
    RowLocked,
    /// A key has an outcome already. Nothing happened.
    KeyTaken,
    /// A transaction of the batch has been applied before. Nothing happened now.
    TransactionApplied,
    /// Someone else opened an account under a name of the batch. Nothing happened.
    NameTaken,
    /// A user with an email of the batch exists. Nothing happened.
    EmailTaken,
    /// Somebody else was there first: with an external id, with a book of a name, with a reversal. Nothing happened.
    Taken,
    /// An id that was thought unused is used: the sequences were set back by a restore. Nothing happened.
    IdTaken,
    /// The server cannot take one of the commands. Nothing happened.
    BadData(String),
    /// The statement took too long, or was cancelled. Nothing happened.
    Cancelled,
    /// The connection leads to a server that cannot write or may lose it, or that does not know what was prepared. Nothing
    /// happened.
    WrongServer(String),
    /// The server takes no writes now: full, out of memory. Nothing happened.
    Refused(String),
    /// The connection was lost. Nobody knows yet what happened.
    Lost(String),
}

impl From<Unreadable> for StorageError {
    fn from(Unreadable(what): Unreadable) -> Self {
        Self::Corrupt(what)
    }
}

impl From<Elapsed> for StorageError {
    fn from(_: Elapsed) -> Self {
        Self::Lost(SILENT.to_owned())
    }
}

impl From<Elapsed> for CommitError {
    fn from(_: Elapsed) -> Self {
        Self::Lost(SILENT.to_owned())
    }
}

impl StorageError {
    /// Whether it is for the connection's sake, so that another one may answer.
    #[must_use]
    pub fn is_of_connection(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Database(error)) => {
                let code = error.code();
                is_fatal(&**error)
                    || matches!(
                        sort(code.as_deref().unwrap_or_default(), None, ""),
                        CommitError::Lost(_) | CommitError::WrongServer(_)
                    )
            }
            Self::Database(error) => matches!(
                error,
                sqlx::Error::Io(_)
                    | sqlx::Error::Tls(_)
                    | sqlx::Error::Protocol(_)
                    | sqlx::Error::WorkerCrashed
            ),
            Self::Unfit(_) | Self::Lost(_) => true,
            Self::Corrupt(_) => false,
        }
    }

    /// Whether a table is not there: nobody has migrated the database yet.
    #[must_use]
    pub fn lacks_schema(&self) -> bool {
        match self {
            Self::Database(error) => error
                .as_database_error()
                .and_then(DatabaseError::code)
                .is_some_and(|code| code == UNDEFINED_TABLE),
            Self::Corrupt(_) | Self::Unfit(_) | Self::Lost(_) => false,
        }
    }

    /// Sorts an error by what is to be done about it.
    #[must_use]
    pub fn into_commit_error(self) -> CommitError {
        match self {
            Self::Database(sqlx::Error::Database(error)) if is_fatal(&*error) => {
                CommitError::Lost(error.message().to_owned())
            }
            Self::Database(sqlx::Error::Database(error)) => sort(
                error.code().as_deref().unwrap_or_default(),
                error.constraint(),
                error.message(),
            ),
            Self::Database(error) => CommitError::Lost(error.to_string()),
            Self::Corrupt(message) => CommitError::BadData(message),
            Self::Unfit(message) => CommitError::WrongServer(message),
            Self::Lost(message) => CommitError::Lost(message),
        }
    }
}

/// What the database said. sqlx would add "at line 412", which is a line of PostgreSQL's own source.
pub(super) fn said(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => {
            format!("error returned from database: {}", error.message())
        }
        error => error.to_string(),
    }
}

/// Whether the server ended the session with the error. A PANIC in the middle of a commit may leave it committed.
fn is_fatal(error: &dyn DatabaseError) -> bool {
    error
        .try_downcast_ref::<PgDatabaseError>()
        .is_some_and(|error| matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic))
}

/// SQLSTATE (PostgreSQL's manual, appendix A) and constraint name to what is to be done.
fn sort(code: &str, constraint: Option<&str>, message: &str) -> CommitError {
    match (code, constraint) {
        // The batch statement divides by zero where a head moved; see `batch`.
        ("22012" | "40001" | "40P01", _) => CommitError::HeadMoved,
        // The batch statement takes the root of -1 where it is late; see `clock`.
        ("2201F", _) => CommitError::ClockApart,
        ("55P03", _) => CommitError::RowLocked,
        ("23505", Some("transactions_idempotency_key")) => CommitError::KeyTaken,
        ("23505", Some("transactions_pkey")) => CommitError::TransactionApplied,
        ("23505", Some("account_names_pkey")) => CommitError::NameTaken,
        ("23505", Some("users_email")) => CommitError::EmailTaken,
        ("23505", Some("external_ids_pkey" | "books_open_name" | "transactions_reverses")) => {
            CommitError::Taken
        }
        // Which of the tables notices a taken id first is open.
        ("23505", Some("accounts_pkey" | "users_pkey" | "books_pkey" | "entries_pkey")) => {
            CommitError::IdTaken
        }
        ("57014", _) => CommitError::Cancelled,
        // Read-only; a prepared statement or a plan that this server does not have.
        ("25006" | "26000" | "0A000", _) => CommitError::WrongServer(format!("{code} {message}")),
        (code, _) if is_disconnect(code) => CommitError::Lost(message.to_owned()),
        (code, constraint) if code.starts_with("22") || code.starts_with("23") => {
            CommitError::BadData(format!(
                "{code} {} {message}",
                constraint.unwrap_or_default()
            ))
        }
        (code, _) => CommitError::Refused(format!("{code} {message}")),
    }
}

/// Class 08 and the server going down. 57P03 and 53300 refuse a connection that is being made.
fn is_disconnect(code: &str) -> bool {
    code.starts_with("08") || code.starts_with("57P")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_connection_is_told_from_what_is_wrong_with_a_question() {
        let lost = std::io::Error::other("lost");
        for error in [
            StorageError::Database(sqlx::Error::Io(lost)),
            StorageError::Database(sqlx::Error::Protocol("m".into())),
            StorageError::Unfit("a standby".into()),
            StorageError::Lost("no answer in time".into()),
        ] {
            assert!(error.is_of_connection(), "{error}");
        }
        for error in [
            StorageError::Database(sqlx::Error::PoolTimedOut),
            StorageError::Database(sqlx::Error::RowNotFound),
            StorageError::Corrupt("m".into()),
        ] {
            assert!(!error.is_of_connection(), "{error}");
        }
    }

    #[test]
    fn each_sqlstate_is_sorted_by_what_is_to_be_done() {
        for (code, constraint, sorted) in [
            ("22012", None, CommitError::HeadMoved),
            ("2201F", None, CommitError::ClockApart),
            ("40001", None, CommitError::HeadMoved),
            ("40P01", None, CommitError::HeadMoved),
            ("55P03", None, CommitError::RowLocked),
            (
                "23505",
                Some("transactions_idempotency_key"),
                CommitError::KeyTaken,
            ),
            (
                "23505",
                Some("transactions_pkey"),
                CommitError::TransactionApplied,
            ),
            ("23505", Some("account_names_pkey"), CommitError::NameTaken),
            ("23505", Some("users_email"), CommitError::EmailTaken),
            ("23505", Some("external_ids_pkey"), CommitError::Taken),
            ("23505", Some("books_open_name"), CommitError::Taken),
            ("23505", Some("transactions_reverses"), CommitError::Taken),
            ("23505", Some("accounts_pkey"), CommitError::IdTaken),
            ("23505", Some("entries_pkey"), CommitError::IdTaken),
            ("57014", None, CommitError::Cancelled),
            ("57P01", None, CommitError::Lost("m".into())),
            ("57P02", None, CommitError::Lost("m".into())),
            ("08006", None, CommitError::Lost("m".into())),
            ("23514", Some("c"), CommitError::BadData("23514 c m".into())),
            ("22003", None, CommitError::BadData("22003  m".into())),
            ("25006", None, CommitError::WrongServer("25006 m".into())),
            ("26000", None, CommitError::WrongServer("26000 m".into())),
            ("53100", None, CommitError::Refused("53100 m".into())),
            ("42P01", None, CommitError::Refused("42P01 m".into())),
        ] {
            assert_eq!(sort(code, constraint, "m"), sorted, "{code}");
        }
    }
}
