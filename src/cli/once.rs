//! Commands that ask a database one thing, and say what came of it.

use super::say;
use crate::app::{AppError, Opened, unusable};
use crate::config::DatabaseArgs;
use crate::storage::{Connection, StorageError, connection};

/// Asks the database of a command, which is called by its name, and says the answer. Always true: what cannot be done is an
/// error.
pub(super) async fn ask(
    args: &DatabaseArgs,
    command: &'static str,
    question: impl AsyncFnOnce(&mut Connection) -> Answer,
) -> Result<bool, AppError> {
    let opened = Opened::open(args, command).await?;
    let failed = |error: StorageError| unusable(&opened.database, &error);
    let answered = async {
        let mut connection = opened.database.connect_patient().await.map_err(failed)?;
        let answered = question(&mut connection).await.map_err(failed);
        connection::close(connection).await;
        answered?
    };
    let answered = answered.await;
    opened.close().await?;
    say(&answered?);
    Ok(true)
}

/// What is to be said, or why it was not done.
pub(super) type Answer = Result<Result<String, AppError>, StorageError>;
