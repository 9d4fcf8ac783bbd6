//! Faults of the machine, for processes that are started with them: a full disk, a wrong clock (`faults.c`).

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::process;

/// Switches of the faults, and the library that obeys them.
pub(crate) struct Faults {
    directory: TempDir,
}

impl Faults {
    /// Everything is in order so far.
    pub(crate) fn new() -> Self {
        let faults = Self {
            directory: process::data_dir(),
        };
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/faults.c");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
            .arg(faults.library())
            .arg(source)
            .arg("-ldl")
            .output()
            .expect("a C compiler runs");
        assert!(compiled.status.success(), "{compiled:?}");
        faults
    }

    /// Whether files can grow.
    pub(crate) fn fill_disk(&self, full: bool) {
        let switch = self.directory.path().join("disk-full");
        if full {
            fs::write(&switch, "").expect("written");
        } else {
            fs::remove_file(&switch).expect("removed");
        }
    }

    /// How many seconds the clock is ahead.
    pub(crate) fn set_clock(&self, seconds: i64) {
        // At once: whoever reads it sees the old error or the new one.
        let next = self.directory.path().join("clock.next");
        fs::write(&next, seconds.to_string()).expect("written");
        fs::rename(next, self.directory.path().join("clock")).expect("renamed");
    }

    /// The environment of a process that is to suffer from them.
    pub(crate) fn environment(&self) -> [(&'static str, PathBuf); 2] {
        [
            ("LD_PRELOAD", self.library()),
            ("FAULTS_DIR", self.directory.path().to_owned()),
        ]
    }

    /// A directory of PostgreSQL's programs, of which `postgres` suffers from them.
    pub(crate) fn bin_dir(&self, postgres: &Path) -> PathBuf {
        let environment = self
            .environment()
            .map(|(name, value)| format!("{name}='{}'", value.display()))
            .join(" ");
        let script = format!("{environment} exec '{}' \"$@\"", postgres.display());
        wrap(self.directory.path(), postgres, &script)
    }

    fn library(&self) -> PathBuf {
        self.directory.path().join("faults.so")
    }
}

/// A directory of PostgreSQL's programs in which `postgres` lets itself be told by `alter system` that it need not be durable: what
/// the command line says of that is left out.
pub(crate) fn careless_bin_dir(directory: &Path, postgres: &Path) -> PathBuf {
    let script = format!(
        "for word; do shift
            case $word in fsync=on | synchronous_commit=on | full_page_writes=on) word=debug_pretty_print=on;; esac
            set -- \"$@\" \"$word\"
        done
        exec '{}' \"$@\"",
        postgres.display()
    );
    wrap(directory, postgres, &script)
}

/// A directory of PostgreSQL's programs with another `postgres`.
fn wrap(directory: &Path, postgres: &Path, script: &str) -> PathBuf {
    let bin_dir = directory.join("bin");
    fs::create_dir(&bin_dir).expect("a directory");
    let wrapper = bin_dir.join("postgres");
    fs::write(&wrapper, format!("#!/bin/sh\n{script}\n")).expect("written");
    for path in [&bin_dir, &wrapper] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("open to all");
    }
    let initdb = postgres.with_file_name("initdb");
    std::os::unix::fs::symlink(initdb, bin_dir.join("initdb")).expect("linked");
    bin_dir
}
