//! `passbook dump`: a backup of the ledger, by `pg_dump`.

use std::path::PathBuf;

use clap::Args;

use super::draft::Draft;
use super::interrupt::unless_interrupted;
use super::say;
use crate::app::{AppError, backup};
use crate::config::DatabaseArgs;

/// Which ledger, and where to.
#[derive(Args, Clone, Debug)]
pub(super) struct DumpArgs {
    #[command(flatten)]
    database: DatabaseArgs,

    /// Where to write the dump; the file appears when it is complete
    file: PathBuf,

    /// Replace the file if there is one
    #[arg(long)]
    force: bool,
}

/// Always true: a ledger that cannot be dumped is an error.
pub(super) async fn run(args: &DumpArgs) -> Result<bool, AppError> {
    let file = &args.file;
    if !args.force && file.symlink_metadata().is_ok() {
        return Err(AppError::File {
            path: file.clone(),
            reason: "is there already: name another file, or replace it with --force".to_owned(),
        });
    }
    let draft = Draft::create(file)?;
    unless_interrupted(backup::dump(&args.database, draft.path())).await?;
    draft.publish()?;
    let bytes = file.metadata().map_or(0, |found| found.len());
    say(&format!(
        "dumped the ledger to {}, {bytes} bytes\n",
        file.display()
    ));
    Ok(true)
}
