//! Where the private PostgreSQL lives, and how often it is looked after.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::system;

/// How often it is looked whether something has happened that is waited for.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(15);

/// Where the private PostgreSQL lives and whose programs run it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Everything is under this directory; it is created when missing.
    pub data_dir: PathBuf,
    /// The directory of `initdb` and `postgres`; searched for in the usual places when `None`.
    pub bin_dir: Option<PathBuf>,
}

/// `/var/lib/passbook` for root, else `$XDG_DATA_HOME/passbook`, else `~/.local/share/passbook`.
#[must_use]
pub fn default_data_dir() -> PathBuf {
    if system::effective_uid() == 0 {
        return PathBuf::from("/var/lib/passbook");
    }
    users_data_dir(env::var_os("XDG_DATA_HOME"), env::home_dir())
}

pub(super) fn users_data_dir(xdg_data_home: Option<OsString>, home: Option<PathBuf>) -> PathBuf {
    xdg_data_home
        .map(PathBuf::from)
        // The XDG specification says to ignore a relative path.
        .filter(|directory| directory.is_absolute())
        .or_else(|| home.map(|home| home.join(".local/share")))
        .unwrap_or_default()
        .join("passbook")
}
