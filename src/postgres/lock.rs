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

/// What the lock file says about who holds it; nothing while whoever took it has not written yet.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) pid: Option<u32>,
    /// What it is doing; none where it is of an earlier release, which did not say.
    pub(super) command: Option<String>,
    /// Its server, as long as that is ready.
    pub(super) address: Option<Address>,
}

/// The data directory is ours until this is dropped or the process ends.
#[derive(Debug)]
pub(super) struct Lock {
    home: Home,
    path: PathBuf,
    command: &'static str,
    /// std opens files close-on-exec: were the server to inherit it, a killed passbook would keep its lock.
    file: File,
}

/// Takes the lock for a command if it is free; does not wait.
pub(super) fn take(home: &Home, command: &'static str) -> Result<Attempt, Error> {
    let path = home.lock_file();
    let mut options = OpenOptions::new();
    options.read(true).create(true).mode(0o644);
    let file = home::open_in_users_directory(&path, &mut options)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return read(&file, home).map_err(disk("read", &path)),
        Err(TryLockError::Error(error)) => return Err(disk("lock", &path)(error)),
    }
    let lock = Lock {
        home: home.clone(),
        path,
        command,
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
        let (pid, command) = (process::id(), self.command);
        self.write(&format!("{pid}\n{version}\n{socket_dir}\n{command}\n"))
    }

    /// From here on others wait.
    pub(super) fn say_not_ready(&self) -> Result<(), Error> {
        self.write(&format!("{}\n{}\n", process::id(), self.command))
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
        // The next one to take it has not written at once, and must not be taken for this one.
        let _ = self.file.set_len(0);
        // Closing would do it, were it not for a child that is between fork and exec on another thread and shares
        // the open file. Nobody can act on a failure, and the closing follows.
        let _ = self.file.unlock();
    }
}

fn read(file: &File, home: &Home) -> io::Result<Attempt> {
    let text = io::read_to_string(file)?;
    Ok(Attempt::Held(parse(&text, home)))
}

/// A process id, version and directory of its server once that is ready, and the command, which earlier releases did not write.
fn parse(text: &str, home: &Home) -> Holder {
    // A line without an end is still being written.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let lines: Vec<&str> = whole.lines().collect();
    let (pid, server, command) = match lines[..] {
        [pid] => (pid, None, None),
        [pid, command] => (pid, None, Some(command)),
        [pid, version, socket_dir] => (pid, Some((version, socket_dir)), None),
        [pid, version, socket_dir, command, ..] => {
            (pid, Some((version, socket_dir)), Some(command))
        }
        [] => ("", None, None),
    };
    Holder {
        pid: pid.parse().ok(),
        command: command.map(str::to_owned),
        address: server
            .map(|(version, socket_dir)| Address::new(home.data_dir(), socket_dir, version)),
    }
}

#[cfg(test)]
mod tests {
    use std::env;

    use super::*;

    #[test]
    fn what_an_earlier_release_wrote_is_read_and_it_reads_what_this_one_writes() {
        let home = home::open(&env::temp_dir()).expect("a directory");
        let read = |text| {
            let holder = parse(text, &home);
            let version = holder.address.map(|address| address.version().to_owned());
            (holder.pid, version, holder.command)
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(read(""), (None, None, None));
        assert_eq!(read("12"), (None, None, None));
        assert_eq!(read("12\n"), (Some(12), None, None));
        assert_eq!(read("12\n15.1\n/run\n"), (Some(12), some("15.1"), None));
        assert_eq!(read("12\nverify\n"), (Some(12), None, some("verify")));
        // The first three lines are those that it knows, and two are fewer than it takes for an address.
        assert_eq!(
            read("12\n15.1\n/run\nverify\n"),
            (Some(12), some("15.1"), some("verify"))
        );
    }
}
