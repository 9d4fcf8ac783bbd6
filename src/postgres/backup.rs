//! PostgreSQL's own `pg_dump` and `pg_restore`, run on any server.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use percent_encoding::percent_decode_str;
use tokio::process;

use super::error::Error;
use super::{logs, programs, system};

/// Where the schema's history is kept, by which a dump of ours is known.
const HISTORY: &str = "refinery_schema_history";

/// `pg_dump` and `pg_restore` of a version that suits a server.
#[derive(Debug)]
pub struct Clients {
    bin_dir: PathBuf,
}

/// How much of a dump is restored, and over what.
#[derive(Clone, Copy, Debug)]
pub struct Restoring {
    /// Whether the tables of the dump are there already, and are to be dropped first.
    pub replaces_schema: bool,
    /// Whether the roles that the dump grants something to are there.
    pub has_roles: bool,
}

impl Clients {
    /// Those of the server's major version, or later ones, in `bin_dir` or in the usual places.
    ///
    /// # Errors
    ///
    /// [`Error::NotPrograms`] and [`Error::NoClients`].
    pub async fn find(bin_dir: Option<PathBuf>, server_version: u32) -> Result<Self, Error> {
        let choose = move || programs::choose_clients(bin_dir.as_deref(), server_version);
        let bin_dir = system::off_the_runtime(choose).await?;
        Ok(Self { bin_dir })
    }

    /// Dumps the database into a file, as of one moment, without stopping anybody. Ends early if it is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Program`] with what `pg_dump` said. The file may be there then, in part.
    pub async fn dump(&self, url: &str, file: &Path) -> Result<(), Error> {
        let (url, password) = without_password(url);
        let mut command = self.command("pg_dump", password);
        command.args(["--format=custom", "--no-owner", "--no-password", "--file"]);
        command.arg(file).arg("--dbname").arg(url);
        run(command).await.map(drop)
    }

    /// The versions of the schema that a dump was taken of; none where it is a dump of something else.
    ///
    /// # Errors
    ///
    /// [`Error::Program`] where the file is no dump, or one that only a later `pg_restore` can read.
    pub async fn schema_versions(&self, file: &Path) -> Result<Vec<i32>, Error> {
        let mut command = self.command("pg_restore", None);
        command.args(["--data-only", "--table", HISTORY, "--file=-"]);
        command.arg(file);
        let said = run(command).await?;
        let rows = said.lines().skip_while(|line| !line.starts_with("COPY "));
        let versions = rows.skip(1).map_while(|row| row.split('\t').next());
        Ok(versions.map_while(|version| version.parse().ok()).collect())
    }

    /// Restores a dump in one transaction: all of it, or nothing. Ends early, with nothing done, if it is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Program`] with what `pg_restore` said.
    pub async fn restore(&self, url: &str, file: &Path, how: Restoring) -> Result<(), Error> {
        let (url, password) = without_password(url);
        let mut command = self.command("pg_restore", password);
        command.args(["--single-transaction", "--no-owner", "--no-password"]);
        if how.replaces_schema {
            command.args(["--clean", "--if-exists"]);
        }
        if !how.has_roles {
            command.arg("--no-privileges");
        }
        command.arg("--dbname").arg(url).arg(file);
        run(command).await.map(drop)
    }

    fn command(&self, program: &str, password: Option<String>) -> Command {
        let mut command = Command::new(self.bin_dir.join(program));
        command.env("LC_ALL", "C").stdin(Stdio::null());
        if let Some(password) = password {
            command.env("PGPASSWORD", password);
        }
        command
    }
}

/// Runs a program to its end, which comes early if this process is killed. What it printed.
async fn run(mut command: Command) -> Result<String, Error> {
    let program = PathBuf::from(command.get_program());
    system::end_with_parent(&mut command, libc::SIGTERM);
    let ended = process::Command::from(command)
        .kill_on_drop(true)
        .output()
        .await;
    let output = ended.map_err(|cause| Error::Run {
        program: program.clone(),
        cause,
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let name = program.file_name().unwrap_or(OsStr::new("the program"));
    Err(Error::Program {
        program: name.to_string_lossy().into_owned(),
        reason: logs::first_complaint(&said).unwrap_or_else(|| output.status.to_string()),
    })
}

/// The URL without its password, which others could read in the list of processes; and the password.
fn without_password(url: &str) -> (String, Option<String>) {
    let whole = || (url.to_owned(), None);
    let decoded = |password| {
        percent_decode_str(password)
            .decode_utf8_lossy()
            .into_owned()
    };
    if let Some((before, after)) = url
        .split_once("?password=")
        .or(url.split_once("&password="))
    {
        let (password, after) = after.split_once('&').unwrap_or((after, ""));
        // What stands last counts.
        let (before, _) = without_password(before);
        let separator = if before.contains('?') { '&' } else { '?' };
        return (
            format!("{before}{separator}{after}"),
            Some(decoded(password)),
        );
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        return whole();
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let Some((user, password)) = authority
        .rsplit_once('@')
        .and_then(|(user_info, _)| user_info.split_once(':'))
    else {
        return whole();
    };
    let after = &rest[user.len() + ":".len() + password.len()..];
    (format!("{scheme}://{user}{after}"), Some(decoded(password)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_taken_out_of_the_url() {
        for (url, rest, password) in [
            (
                "postgres://ann:p%40ss:%2F@host:5432/books?sslmode=disable",
                "postgres://ann@host:5432/books?sslmode=disable",
                Some("p@ss:/"),
            ),
            (
                "postgresql://ann:@/books",
                "postgresql://ann@/books",
                Some(""),
            ),
            (
                "postgres://ann@host:5432/books",
                "postgres://ann@host:5432/books",
                None,
            ),
            (
                "postgres://host:5432/a:b@c",
                "postgres://host:5432/a:b@c",
                None,
            ),
            (
                "postgres:///books?host=%2Ftmp",
                "postgres:///books?host=%2Ftmp",
                None,
            ),
            (
                "postgres://host/books?password=p%26s&port=5432",
                "postgres://host/books?port=5432",
                Some("p&s"),
            ),
            (
                "postgres://ann:old@host/books?port=5432&password=new",
                "postgres://ann@host/books?port=5432&",
                Some("new"),
            ),
        ] {
            let expected = (rest.to_owned(), password.map(str::to_owned));
            assert_eq!(without_password(url), expected);
        }
    }
}
