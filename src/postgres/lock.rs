//! The lock file: one passbook at a time runs a server on a data directory, and tells the others where it is.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process;

use super::address::Address;
use super::error::{Error, disk};
use super::home::{self, Home};

/// What became of the attempt to take the lock.
#[derive(Debug)]
pub(super) enum Attempt {
    Taken(Lock),
    Held(Holder),
}

/// What the lock file says about who holds it.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) pid: Option<u32>,
    /// Its server, as long as that is ready.
    pub(super) address: Option<Address>,
}

/// The data directory is ours until this is dropped or the process ends.
#[derive(Debug)]
pub(super) struct Lock {
    home: Home,
    path: PathBuf,
    /// std opens files close-on-exec: were the server to inherit it, a killed passbook would keep its lock.
    file: File,
}

/// Takes the lock if it is free; does not wait.
pub(super) fn take(home: &Home) -> Result<Attempt, Error> {
    let path = home.lock_file();
    let mut options = OpenOptions::new();
    options.read(true).create(true).mode(0o644);
    let file = home::open_in_accounts_directory(&path, &mut options)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return read(&file, home).map_err(disk("read", &path)),
        Err(TryLockError::Error(error)) => return Err(disk("lock", &path)(error)),
    }
    let lock = Lock {
        home: home.clone(),
        path,
        file,
    };
    lock.say_not_ready()?;
    Ok(Attempt::Taken(lock))
}

impl Lock {
    pub(super) fn home(&self) -> &Home {
        &self.home
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// From here on others may attach.
    pub(super) fn say_ready(&self, version: &str, socket_dir: &str) -> Result<(), Error> {
        self.write(&format!("{}\n{version}\n{socket_dir}\n", process::id()))
    }

    /// From here on others wait.
    pub(super) fn say_not_ready(&self) -> Result<(), Error> {
        self.write(&format!("{}\n", process::id()))
    }

    fn write(&self, text: &str) -> Result<(), Error> {
        self.file
            .set_len(0)
            .and_then(|()| self.file.write_all_at(text.as_bytes(), 0))
            .map_err(disk("write", &self.path))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing would do it, were it not for a child that is between fork and exec on another thread and shares
        // the open file. Nobody can act on a failure, and the closing follows.
        let _ = self.file.unlock();
    }
}

fn read(file: &File, home: &Home) -> io::Result<Attempt> {
    let text = io::read_to_string(file)?;
    let mut lines = text.lines();
    let pid = lines.next().and_then(|line| line.parse().ok());
    let address = match (lines.next(), lines.next()) {
        (Some(version), Some(socket_dir)) if text.ends_with('\n') => {
            Some(Address::new(home.data_dir(), socket_dir, version))
        }
        _ => None,
    };
    Ok(Attempt::Held(Holder { pid, address }))
}
