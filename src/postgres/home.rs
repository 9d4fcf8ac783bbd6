//! The data directory and what lies where in it.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::address::SOCKET_FILE;
use super::error::{Error, disk};
use super::run_as::RunAs;
use super::system;

/// What a Unix socket's path may be long: macOS allows this, Linux four more.
const SOCKET_PATH_BYTES_MAX: usize = 103;

/// An existing data directory, by its absolute path without symbolic links.
#[derive(Clone, Debug)]
pub(super) struct Home {
    data_dir: PathBuf,
}

/// The data directory, which is created if need be.
pub(super) fn open(data_dir: &Path) -> Result<Home, Error> {
    if !data_dir.exists() {
        // Root's is open to all because PostgreSQL runs as another user; what matters lies in closed directories.
        let mode = if system::effective_uid() == 0 {
            0o755
        } else {
            0o700
        };
        DirBuilder::new()
            .recursive(true)
            .mode(mode)
            .create(data_dir)
            .and_then(|()| fs::set_permissions(data_dir, Permissions::from_mode(mode)))
            .map_err(disk("create", data_dir))?;
    }
    let data_dir = data_dir.canonicalize().map_err(disk("open", data_dir))?;
    Ok(Home { data_dir })
}

impl Home {
    pub(super) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    pub(super) fn cluster(&self) -> PathBuf {
        self.data_dir.join("postgres")
    }

    /// Where a cluster is put together before it gets its name.
    pub(super) fn staging(&self) -> PathBuf {
        self.data_dir.join("postgres.new")
    }

    pub(super) fn log_dir(&self) -> PathBuf {
        self.data_dir.join("log")
    }

    pub(super) fn lock_file(&self) -> PathBuf {
        self.data_dir.join("passbook.lock")
    }

    /// `run` in the data directory, or a place whose name is short and plain enough for a socket.
    ///
    /// The hash need not be the same in the next release: who attaches reads the directory from the lock file.
    pub(super) fn socket_dir(&self) -> String {
        let run = self.data_dir.join("run");
        if let Some(run) = run.to_str()
            && run.len() + "/".len() + SOCKET_FILE.len() <= SOCKET_PATH_BYTES_MAX
            // psql would take it for a list of hosts.
            && !run.contains(',')
        {
            return run.to_owned();
        }
        let mut hasher = DefaultHasher::new();
        self.data_dir.hash(&mut hasher);
        format!("/tmp/passbook-{:016x}", hasher.finish())
    }
}

/// Sees to it that the directory is there, is the user's and is closed to everybody else.
pub(super) fn make_private(directory: &Path, run_as: &RunAs) -> Result<(), Error> {
    match DirBuilder::new().mode(0o700).create(directory) {
        Ok(()) => return run_as.own(directory),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(disk("create", directory)(error)),
    }
    // One that was there before is only believed after a look, without following a link: in /tmp anybody could
    // have put it there.
    let found = fs::symlink_metadata(directory).map_err(disk("examine", directory))?;
    let is_closed = found.mode() & 0o777 == 0o700;
    if found.is_dir() && found.uid() == run_as.uid() && is_closed {
        return Ok(());
    }
    Err(Error::NotPrivate {
        directory: directory.to_owned(),
        user: run_as.name().to_owned(),
    })
}

/// Opens a file for writing in a directory that belongs to the user.
///
/// We may be root and the user is not: a symbolic link of its making must not lead us elsewhere.
pub(super) fn open_in_users_directory(
    path: &Path,
    options: &mut OpenOptions,
) -> Result<File, Error> {
    options
        .write(true)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
        .map_err(disk("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_long_or_has_a_comma_gets_its_socket_in_tmp() {
        let short = Home {
            data_dir: PathBuf::from("/var/lib/passbook"),
        };
        assert_eq!(short.socket_dir(), "/var/lib/passbook/run");
        let long = Home {
            data_dir: PathBuf::from(format!("/var/{}", "x".repeat(100))),
        };
        assert!(long.socket_dir().starts_with("/tmp/passbook-"));
        let list = Home {
            data_dir: PathBuf::from("/var/a,b"),
        };
        assert!(list.socket_dir().starts_with("/tmp/passbook-"));
        assert_ne!(list.socket_dir(), long.socket_dir());
    }
}
