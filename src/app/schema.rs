//! The schema of a database: brought up to date, and looked at before money goes there.

use super::error::{AppError, unusable};
use crate::storage::schema::{self, Age};
use crate::storage::{Database, connection, migrations};

/// Brings the schema up to date; says what was applied.
///
/// # Errors
/// Where the database cannot be used.
pub async fn migrate(database: &Database) -> Result<Vec<String>, AppError> {
    let migrated = async {
        let mut connection = database.connect_patient().await?;
        let applied = migrations::run(&mut connection).await;
        connection::close(connection).await;
        applied
    };
    migrated.await.map_err(|error| unusable(database, &error))
}

/// Whether everything is there that guards the ledger. Who runs the service as the owner of the tables, who can take it away, is told.
pub(super) async fn check(database: &Database) -> Result<(), AppError> {
    let asked = async {
        let mut connection = database.connect_patient().await?;
        let age = schema::fetch_age(&mut connection).await?;
        let flaws = schema::list_flaws(&mut connection).await?;
        let owns = migrations::is_owner(&mut connection).await?;
        connection::close(connection).await;
        Ok((age, flaws, owns))
    };
    let (age, flaws, owns) = asked.await.map_err(|error| unusable(database, &error))?;
    match (age, flaws.as_slice()) {
        (Age::Newer { has }, flaws) => tracing::warn!(
            schema = has,
            differences = flaws.len(),
            "the schema is newer than this program, which cannot tell whether it is whole"
        ),
        (Age::Same | Age::Older { .. }, []) => {}
        (Age::Same | Age::Older { .. }, [flaw, others @ ..]) => {
            let others = match others.len() {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            return Err(AppError::Database {
                database: database.describe(),
                reason: format!(
                    "its schema is not what guards the ledger: {} {flaw}{others}; passbook verify lists everything",
                    flaw.part
                ),
            });
        }
    }
    if owns {
        tracing::warn!(
            "the role of DATABASE_URL owns the tables, so whoever has its password can edit the history: let the service run \
             as passbook_runtime (docs/operations.md, \"Two roles\")"
        );
    }
    Ok(())
}
