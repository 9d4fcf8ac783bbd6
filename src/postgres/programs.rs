//! Finds PostgreSQL's programs: as told, or where the systems' packages put them.

use std::cmp::Reverse;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::{Error, MAJOR_VERSION_MIN};

/// Directories whose entries are versions: parent, the entry's prefix, and where in it the programs are.
const PLACES: [(&str, &str, &str); 2] = [
    ("/usr/lib/postgresql", "", "bin"), // Debian, Ubuntu
    ("/usr", "pgsql-", "bin"),          // PostgreSQL's own packages for Red Hat
];
const PLACES_ON_MACOS: [(&str, &str, &str); 3] = [
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// What runs a server, and what makes and reads a dump. The first of each kind says its version.
const OF_A_SERVER: [&str; 2] = ["postgres", "initdb"];
const OF_A_CLIENT: [&str; 2] = ["pg_restore", "pg_dump"];

/// Programs that have been seen to run.
#[derive(Debug)]
pub(super) struct Programs {
    bin_dir: PathBuf,
    version: String,
}

/// The programs in `bin_dir`, or the first in the usual places that suit the data, if there is data.
pub(super) fn choose(
    bin_dir: Option<&Path>,
    data_version: Option<u32>,
    cluster: &Path,
) -> Result<Programs, Error> {
    let candidates = match bin_dir {
        Some(bin_dir) => vec![examine(bin_dir, OF_A_SERVER)?],
        None => usual_places()
            .iter()
            .filter_map(|place| examine(place, OF_A_SERVER).ok())
            .collect(),
    };
    let mut reason = Error::NoPrograms;
    for programs in candidates {
        let Programs { bin_dir, version } = &programs;
        let (bin_dir, version) = (bin_dir.clone(), version.clone());
        let unsuitable = match data_version {
            Some(data_version) if major(&version) != data_version => Error::OtherVersion {
                cluster: cluster.to_owned(),
                data_version,
                bin_dir,
                version,
            },
            _ if major(&version) < MAJOR_VERSION_MIN => Error::ProgramsTooOld { bin_dir, version },
            _ => return Ok(programs),
        };
        // The first place's is the one to tell: it is the one that would have been taken.
        if matches!(reason, Error::NoPrograms) {
            reason = unsuitable;
        }
    }
    Err(reason)
}

/// The directory of `pg_dump` and `pg_restore` for a server: `bin_dir`, or the first of the usual places that suits.
pub(super) fn choose_clients(
    bin_dir: Option<&Path>,
    server_version: u32,
) -> Result<PathBuf, Error> {
    let candidates: Vec<Programs> = match bin_dir {
        Some(bin_dir) => vec![examine(bin_dir, OF_A_CLIENT)?],
        None => usual_places()
            .iter()
            .filter_map(|place| examine(place, OF_A_CLIENT).ok())
            .collect(),
    };
    match suitable(&candidates, server_version) {
        Some(programs) => Ok(programs.bin_dir.clone()),
        None => Err(Error::NoClients { server_version }),
    }
}

/// Those of the server's own version, else later ones: an older one refuses the server, and a later one may use words that the
/// server does not know.
fn suitable(candidates: &[Programs], server_version: u32) -> Option<&Programs> {
    let mut candidates = candidates
        .iter()
        .filter(|programs| server_version <= major(&programs.version))
        .collect::<Vec<_>>();
    candidates.sort_by_key(|programs| major(&programs.version));
    candidates.first().copied()
}

impl Programs {
    pub(super) fn initdb(&self) -> PathBuf {
        self.bin_dir.join("initdb")
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.bin_dir.join("postgres")
    }

    /// Such as `15.18`.
    pub(super) fn version(&self) -> &str {
        &self.version
    }
}

/// The leading number: 15 of `15.18`, 18 of `18beta1`.
fn major(version: &str) -> u32 {
    let end = version.find(|letter: char| !letter.is_ascii_digit());
    version[..end.unwrap_or(version.len())].parse().unwrap_or(0)
}

fn examine(bin_dir: &Path, names: [&str; 2]) -> Result<Programs, Error> {
    let not_programs = |reason: String| Error::NotPrograms {
        bin_dir: bin_dir.to_owned(),
        reason,
    };
    for name in names {
        if !bin_dir.join(name).is_file() {
            return Err(not_programs(format!("it has no `{name}`")));
        }
    }
    // An absolute path, as the programs run in a directory of their own.
    let bin_dir = &bin_dir
        .canonicalize()
        .map_err(|error| not_programs(error.to_string()))?;
    let [program, _] = names;
    let said = output(&bin_dir.join(program), "--version").map_err(not_programs)?;
    // "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"
    match said.to_string_lossy().split_whitespace().nth(2) {
        Some(version) => Ok(Programs {
            bin_dir: bin_dir.clone(),
            version: version.to_owned(),
        }),
        None => Err(not_programs(format!(
            "`{program} --version` names no version"
        ))),
    }
}

fn usual_places() -> Vec<PathBuf> {
    let mut places: Vec<PathBuf> = PLACES.into_iter().flat_map(newest_first).collect();
    if let Ok(bin_dir) = output(Path::new("pg_config"), "--bindir") {
        places.push(PathBuf::from(bin_dir));
    }
    places.extend(PLACES_ON_MACOS.into_iter().flat_map(newest_first));
    if let Some(path) = env::var_os("PATH") {
        places.extend(env::split_paths(&path));
    }
    places
}

fn newest_first((parent, prefix, bin): (&str, &str, &str)) -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let version = name.to_str()?.strip_prefix(prefix)?.parse().ok()?;
            Some((version, entry.path().join(bin)))
        })
        .collect();
    found.sort_by_key(|(version, _)| Reverse(*version));
    found.into_iter().map(|(_, directory)| directory).collect()
}

fn output(program: &Path, argument: &str) -> Result<std::ffi::OsString, String> {
    let said = Command::new(program)
        .arg(argument)
        .output()
        .map_err(|error| error.to_string())?;
    if !said.status.success() {
        return Err(format!(
            "`{} {argument}` failed, {}",
            program.display(),
            said.status
        ));
    }
    Ok(OsStr::from_bytes(said.stdout.trim_ascii()).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_the_leading_number() {
        assert_eq!(major("15.18"), 15);
        assert_eq!(major("9.6.24"), 9);
        assert_eq!(major("19beta1"), 19);
        assert_eq!(major("devel"), 0);
    }

    #[test]
    fn clients_are_of_the_servers_version_or_the_next_later_one() {
        let all = ["18.1", "17.2", "15.18", "14.9"].map(|version| Programs {
            bin_dir: PathBuf::from("/"),
            version: version.to_owned(),
        });
        let chosen = |server| suitable(&all, server).map(Programs::version);
        assert_eq!(chosen(15), Some("15.18"));
        assert_eq!(chosen(16), Some("17.2"));
        assert_eq!(chosen(19), None);
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        let parent = tempfile::tempdir().expect("a directory");
        for version in ["9", "14", "100", "latest"] {
            fs::create_dir(parent.path().join(version)).expect("a directory");
        }
        let parent = parent.path().to_str().expect("readable");
        let found = newest_first((parent, "", "bin"));
        let expected = ["100/bin", "14/bin", "9/bin"].map(|end| Path::new(parent).join(end));
        assert_eq!(found, expected);
    }
}
