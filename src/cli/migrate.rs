//! `passbook migrate`: brings the schema up to date.

use super::say;
use crate::app::{self, AppError, Opened};
use crate::config::DatabaseArgs;

/// Always true: a schema that is up to date already is fine.
pub(super) async fn run(args: &DatabaseArgs) -> Result<bool, AppError> {
    let opened = Opened::open_as_owner(args, "migrate").await?;
    let applied = app::migrate(&opened.database).await;
    opened.close().await?;
    match applied? {
        applied if applied.is_empty() => say("the schema is up to date\n"),
        applied => applied
            .iter()
            .for_each(|migration| say(&format!("applied {migration}\n"))),
    }
    Ok(true)
}
