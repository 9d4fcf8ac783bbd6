//! The user that PostgreSQL runs as: oneself, or for root, whom PostgreSQL refuses, somebody with less power.

use std::env;
use std::fs;
use std::os::unix::fs::{MetadataExt, lchown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::error::{Error, disk};
use super::system;

/// What the programs get to see of our environment, in which there may be secrets.
const ENVIRONMENT: [&str; 4] = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR"];

#[derive(Debug)]
pub(super) enum RunAs {
    Oneself { uid: u32 },
    Lesser { name: String, uid: u32, gid: u32 },
}

/// Who is to run the cluster in this directory, which may not be there yet.
pub(super) fn choose(cluster: &Path) -> Result<RunAs, Error> {
    let uid = system::effective_uid();
    if uid != 0 {
        return Ok(RunAs::Oneself { uid });
    }
    // An existing cluster keeps its owner: PostgreSQL insists on it.
    let owner = fs::symlink_metadata(cluster)
        .ok()
        .map(|cluster| (cluster.uid(), cluster.gid()))
        .filter(|(uid, _)| *uid != 0);
    for name in [c"postgres", c"nobody"] {
        if let Some((uid, gid)) = system::user_and_group(name)
            && owner.is_none_or(|(owner, _)| owner == uid)
        {
            let name = name.to_string_lossy().into_owned();
            return Ok(RunAs::Lesser { name, uid, gid });
        }
    }
    match owner {
        Some((uid, gid)) => Ok(RunAs::Lesser {
            name: format!("#{uid}"),
            uid,
            gid,
        }),
        None => Err(Error::NoUser),
    }
}

impl RunAs {
    pub(super) fn uid(&self) -> u32 {
        match self {
            Self::Oneself { uid } | Self::Lesser { uid, .. } => *uid,
        }
    }

    /// For messages.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Oneself { .. } => "who runs passbook",
            Self::Lesser { name, .. } => name,
        }
    }

    /// Gives the user something that we have created.
    pub(super) fn own(&self, path: &Path) -> Result<(), Error> {
        match self {
            Self::Oneself { .. } => Ok(()),
            Self::Lesser { uid, gid, .. } => {
                lchown(path, Some(*uid), Some(*gid)).map_err(disk("change the owner of", path))
            }
        }
    }

    /// Whether the user can get to the directory through all that are above it.
    pub(super) fn check_reach(&self, directory: &Path) -> Result<(), Error> {
        let Self::Lesser { name, uid, gid } = self else {
            return Ok(());
        };
        for directory in directory.ancestors() {
            let found = fs::metadata(directory).map_err(disk("examine", directory))?;
            let may_enter = match (found.uid() == *uid, found.gid() == *gid) {
                (true, _) => 0o100,
                (false, true) => 0o010,
                (false, false) => 0o001,
            };
            if found.mode() & may_enter == 0 {
                return Err(Error::Unreachable {
                    user: name.clone(),
                    directory: directory.to_owned(),
                });
            }
        }
        Ok(())
    }

    /// A command that runs as the user, in a directory that it can enter.
    pub(super) fn command(&self, program: &Path, directory: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(directory).stdin(Stdio::null());
        command.env_clear().env("LC_ALL", "C");
        for name in ENVIRONMENT {
            if let Some(value) = env::var_os(name) {
                command.env(name, value);
            }
        }
        if let Self::Lesser { uid, gid, .. } = self {
            // std also takes root's other groups away.
            command.uid(*uid).gid(*gid);
        }
        command
    }
}
