//! `passbook restore`: a dump into an empty database.

use std::fs::File;
use std::path::PathBuf;

use clap::Args;

use super::say;
use crate::app::{self, AppError, Opened};
use crate::config::DatabaseArgs;

/// What to read, and into what.
#[derive(Args, Clone, Debug)]
pub(super) struct RestoreArgs {
    /// A file that passbook dump wrote
    file: PathBuf,

    #[command(flatten)]
    database: DatabaseArgs,
}

/// Always true: a dump that cannot be restored is an error, and nothing of it is there then.
pub(super) async fn run(args: &RestoreArgs) -> Result<bool, AppError> {
    let file = args.file.as_path();
    // Before a database is created for it.
    File::open(file).map_err(|error| AppError::File {
        file: file.to_owned(),
        error,
    })?;
    let opened = Opened::open_as_owner(&args.database).await?;
    let restored = async {
        opened.restore(file).await?;
        // It may be of an older version.
        app::migrate(&opened.database).await
    };
    let restored = restored.await;
    opened.close().await?;
    for migration in restored? {
        say(&format!("applied {migration}\n"));
    }
    say(&format!(
        "restored {}; check it with: passbook verify\n",
        file.display()
    ));
    Ok(true)
}
