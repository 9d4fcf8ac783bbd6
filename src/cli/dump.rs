//! `passbook dump`: a backup of the database in one file.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::say;
use crate::app::{AppError, Opened};
use crate::config::DatabaseArgs;

/// What to write, and of what.
#[derive(Args, Clone, Debug)]
pub(super) struct DumpArgs {
    /// The file to write, in PostgreSQL's custom format, which `passbook restore` reads
    file: PathBuf,

    /// Replace the file if it is there
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    database: DatabaseArgs,
}

/// Always true: a dump that cannot be written is an error. The file is there when it is whole, and not before.
pub(super) async fn run(args: &DumpArgs) -> Result<bool, AppError> {
    let file = args.file.as_path();
    if file.exists() && !args.force {
        return Err(AppError::FileTaken(file.to_owned()));
    }
    let mut partial = OsString::from(file);
    partial.push(".partial");
    let partial = Path::new(&partial);
    let opened = Opened::open_as_owner(&args.database).await?;
    let dumped = opened.dump(partial).await;
    opened.close().await?;
    let kept = dumped.and_then(|()| {
        keep(partial, file).map_err(|error| AppError::File {
            file: file.to_owned(),
            error,
        })
    });
    if kept.is_err() {
        // It may not even have been begun.
        drop(fs::remove_file(partial));
    }
    let size = kept?;
    say(&format!("dumped {size} bytes to {}\n", file.display()));
    Ok(true)
}

/// Gives the file its name once all of it is on disk.
fn keep(partial: &Path, file: &Path) -> io::Result<u64> {
    let written = File::open(partial)?;
    written.sync_all()?;
    fs::rename(partial, file)?;
    let directory = file
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(written.metadata()?.len())
}
