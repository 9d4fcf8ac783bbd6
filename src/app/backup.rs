//! Dumps the ledger into a file, and restores one from it.

use std::fs::File;
use std::path::Path;

use super::error::{AppError, unusable};
use super::opened::Opened;
use super::schema::migrate;
use super::settings;
use crate::config::DatabaseArgs;
use crate::postgres::{self, Clients, Restoring};
use crate::storage::{Connection, Database, StorageError, connection, restore as storage};

/// What a restore did besides.
#[derive(Debug)]
pub struct Restored {
    /// Migrations that are newer than the dump.
    pub applied: Vec<String>,
    /// Whether the role of the service was there, or could be created, and has its privileges.
    pub has_runtime_role: bool,
}

/// Writes all of the ledger, as of one moment, to a file that is there. Stops nobody.
///
/// # Errors
/// Where the database or `pg_dump` cannot be used; the file may hold a part then.
pub async fn dump(args: &DatabaseArgs, file: &Path) -> Result<(), AppError> {
    let opened = Opened::open_as_owner(args, "dump").await?;
    let dumped = dump_from(&opened, args, file).await;
    opened.close().await?;
    dumped
}

async fn dump_from(opened: &Opened, args: &DatabaseArgs, file: &Path) -> Result<(), AppError> {
    let database = &opened.database;
    let mut connection = connect(database).await?;
    let clients = clients(database, &mut connection, args).await?;
    let contents = storage::fetch_contents(&mut connection).await;
    let contents = contents.map_err(|error| unusable(database, &error))?;
    connection::close(connection).await;
    if !contents.has_schema {
        return Err(refuse(
            database,
            "it holds no ledger, so there is nothing to dump",
        ));
    }
    Ok(clients.dump(database.url(), file).await?)
}

/// Restores what [`dump`] wrote into a database without a ledger, and brings the schema up to date.
///
/// # Errors
/// Where the file is no such dump, the database holds a ledger or is in use, or `pg_restore` fails: nothing is restored then.
pub async fn restore(args: &DatabaseArgs, file: &Path) -> Result<Restored, AppError> {
    // Before a database is created for it.
    File::open(file).map_err(|error| unreadable(file, &error))?;
    let opened = Opened::open_alone(args, "restore").await?;
    let restored = restore_into(&opened, args, file).await;
    opened.close().await?;
    restored
}

async fn restore_into(
    opened: &Opened,
    args: &DatabaseArgs,
    file: &Path,
) -> Result<Restored, AppError> {
    let database = &opened.database;
    let mut connection = connect(database).await?;
    let clients = clients(database, &mut connection, args).await?;
    let dumped = clients
        .schema_versions(file)
        .await
        .map_err(|error| match error {
            postgres::Error::Program { reason, .. } => unreadable(file, &reason),
            error => error.into(),
        })?;
    if dumped.is_empty() {
        return Err(unreadable(file, &"it is not a dump of a Passbook ledger"));
    }
    let replaces_schema = check_target(database, &mut connection, &dumped).await?;
    let has_runtime_role = find_or_create_role(database, &mut connection).await?;
    connection::close(connection).await;
    let how = Restoring {
        replaces_schema,
        has_roles: has_runtime_role,
    };
    clients.restore(database.url(), file, how).await?;
    let applied = migrate(database).await?;
    Ok(Restored {
        applied,
        has_runtime_role,
    })
}

/// Whether the database has a schema, which may be replaced, as there is nothing in it.
async fn check_target(
    database: &Database,
    connection: &mut Connection,
    dumped: &[i32],
) -> Result<bool, AppError> {
    let failed = |error: StorageError| unusable(database, &error);
    let contents = storage::fetch_contents(connection).await.map_err(failed)?;
    if 0 < contents.others {
        let reason = "another passbook is connected to it: stop that one first";
        return Err(refuse(database, reason));
    }
    if !contents.has_schema {
        return Ok(false);
    }
    if storage::holds_ledger(connection).await.map_err(failed)? {
        let reason = "it holds a ledger already, which is never overwritten: name a new data directory (--data-dir) or an \
                      empty database (--database-url)";
        return Err(refuse(database, reason));
    }
    let versions = storage::list_schema_versions(connection).await;
    let is_newer = |version: &i32| !dumped.contains(version);
    if versions.map_err(failed)?.iter().any(is_newer) {
        let reason = "its schema is newer than the dump's: name a new data directory (--data-dir) or an empty database \
                      (--database-url), which is migrated after the restore";
        return Err(refuse(database, reason));
    }
    Ok(true)
}

/// Before the dump grants it anything.
async fn find_or_create_role(
    database: &Database,
    connection: &mut Connection,
) -> Result<bool, AppError> {
    let failed = |error: StorageError| unusable(database, &error);
    let is_there = storage::has_runtime_role(connection).await;
    if is_there.map_err(failed)? {
        return Ok(true);
    }
    let created = storage::create_runtime_role(connection).await;
    created.map_err(failed)
}

async fn connect(database: &Database) -> Result<Connection, AppError> {
    let connected = database.connect_patient().await;
    connected.map_err(|error| unusable(database, &error))
}

/// The programs that suit the server.
async fn clients(
    database: &Database,
    connection: &mut Connection,
    args: &DatabaseArgs,
) -> Result<Clients, AppError> {
    let version = connection::fetch_server_version(connection).await;
    let version = version.map_err(|error| unusable(database, &error))? / 10_000;
    let bin_dir = settings::embedded(args).bin_dir;
    Ok(Clients::find(bin_dir, u32::try_from(version).unwrap_or_default()).await?)
}

fn refuse(database: &Database, reason: &str) -> AppError {
    AppError::Database {
        database: database.describe(),
        reason: reason.to_owned(),
    }
}

fn unreadable(file: &Path, reason: &dyn std::fmt::Display) -> AppError {
    AppError::File {
        path: file.to_owned(),
        reason: format!("cannot be restored: {reason}"),
    }
}
