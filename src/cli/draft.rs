//! A file that gets its name when it is complete.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::app::AppError;

/// A file under a temporary name beside its own. Without [`Draft::publish`] it is removed.
pub(super) struct Draft {
    name: PathBuf,
    path: PathBuf,
}

impl Draft {
    /// An empty file, readable to its owner alone.
    ///
    /// # Errors
    /// Where the directory is not there, or may not be written to.
    pub(super) fn create(path: &Path) -> Result<Self, AppError> {
        let name = path
            .file_name()
            .ok_or_else(|| failed(path, &io::Error::from(io::ErrorKind::IsADirectory)))?;
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.part", std::process::id()));
        let draft = path.with_file_name(hidden);
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)
            .map_err(|error| failed(path, &error))?;
        Ok(Self {
            name: path.to_owned(),
            path: draft,
        })
    }

    /// Where to write.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its name, in place of what had it. It is on disk then.
    ///
    /// # Errors
    /// Where the disk or the directory refuses.
    pub(super) fn publish(self) -> Result<(), AppError> {
        let directory = match self.name.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        File::open(&self.path)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&self.path, &self.name))
            .and_then(|()| File::open(directory)?.sync_all())
            .map_err(|error| failed(&self.name, &error))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Not there any more where it was published.
        drop(fs::remove_file(&self.path));
    }
}

fn failed(path: &Path, error: &io::Error) -> AppError {
    AppError::File {
        path: path.to_owned(),
        reason: format!("cannot be written: {error}"),
    }
}
