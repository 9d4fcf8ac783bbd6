//! The database that a command works on, for as long as it does.

use super::error::AppError;
use super::settings::{self, OWNER_URL, RUNTIME_URL, parse, set};
use crate::config::DatabaseArgs;
use crate::postgres::{self, Attached};
use crate::storage::Database;

/// A database, and the server that was started for it.
pub struct Opened {
    pub database: Database,
    attached: Option<Attached>,
}

impl Opened {
    /// Finds the database of a command, which is called by its name on the command line: the given one, the one that a running
    /// service has, or the embedded one, started for the command's own duration.
    ///
    /// # Errors
    /// Where there is none to be had.
    pub async fn open(args: &DatabaseArgs, command: &'static str) -> Result<Self, AppError> {
        if let Some(url) = set(args.database_url.as_ref()) {
            return Self::at(url, RUNTIME_URL, args);
        }
        let settings = settings::embedded(args);
        let attached = postgres::attach_or_start(&settings, command).await?;
        Self::attached(attached, args)
    }

    /// The same as the role that owns the tables.
    ///
    /// # Errors
    /// Where there is none to be had.
    pub async fn open_as_owner(
        args: &DatabaseArgs,
        command: &'static str,
    ) -> Result<Self, AppError> {
        match set(args.owner_url.as_ref()) {
            Some(owner) => Self::at(owner, OWNER_URL, args),
            None => Self::open(args, command).await,
        }
    }

    /// As the role that owns the tables, with an embedded PostgreSQL that nobody else uses.
    ///
    /// # Errors
    /// Where there is none to be had.
    pub async fn open_alone(args: &DatabaseArgs, command: &'static str) -> Result<Self, AppError> {
        if set(args.database_url.as_ref()).is_some() {
            return Self::open_as_owner(args, command).await;
        }
        let settings = settings::embedded(args);
        let attached = postgres::start_alone(&settings, command).await?;
        Self::attached(attached, args)
    }

    fn at(url: &str, setting: &str, args: &DatabaseArgs) -> Result<Self, AppError> {
        Ok(Self {
            database: parse(url, setting, args)?,
            attached: None,
        })
    }

    fn attached(attached: Attached, args: &DatabaseArgs) -> Result<Self, AppError> {
        let url = attached.address().url();
        Ok(Self {
            database: parse(url, RUNTIME_URL, args)?,
            attached: Some(attached),
        })
    }

    /// # Errors
    /// Where an embedded PostgreSQL that was started for the command does not stop cleanly.
    pub async fn close(self) -> Result<(), AppError> {
        match self.attached {
            Some(attached) => Ok(attached.stop().await?),
            None => Ok(()),
        }
    }
}
