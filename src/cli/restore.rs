//! `passbook restore`: a ledger from a backup, by `pg_restore`.

use std::path::PathBuf;

use clap::Args;

use super::interrupt::unless_interrupted;
use super::say;
use crate::app::{AppError, backup};
use crate::config::DatabaseArgs;

/// Which dump, and where to.
#[derive(Args, Clone, Debug)]
pub(super) struct RestoreArgs {
    #[command(flatten)]
    database: DatabaseArgs,

    /// What `passbook dump` wrote
    file: PathBuf,
}

/// Always true: a dump that cannot be restored is an error. The audit is left to `passbook verify`, which works beside live
/// traffic: whoever restores a large ledger may want to serve before it has ended.
pub(super) async fn run(args: &RestoreArgs) -> Result<bool, AppError> {
    let restored = unless_interrupted(backup::restore(&args.database, &args.file)).await?;
    let mut text = format!("restored the ledger from {}\n", args.file.display());
    for migration in restored.applied {
        text.push_str(&format!("applied {migration}\n"));
    }
    if !restored.has_runtime_role {
        text.push_str(
            "the role passbook_runtime could not be created: have migrations/V10__runtime_role.sql, \
             V27__runtime_grants.sql and V29__access_grants.sql run by somebody who may\n",
        );
    }
    text.push_str("now run: passbook verify\n");
    say(&text);
    Ok(true)
}
