//! Backups: PostgreSQL's own `pg_dump` and `pg_restore`, run to their end.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use percent_encoding::percent_decode_str;

use super::error::Error;
use super::{logs, programs, system};

/// Writes a dump of a database to a file, in PostgreSQL's custom format.
///
/// # Errors
/// Where the program is not found, or what it says when it fails. The file may be there in part then.
pub async fn dump(url: &str, bin_dir: Option<&Path>, file: &Path) -> Result<(), Error> {
    let mut command = command("pg_dump", url, bin_dir)?;
    command.args(["--format=custom", "--no-owner", "--no-password", "--file"]);
    command.arg(file);
    run(command).await
}

/// Restores a dump into an empty database, whole or not at all.
///
/// # Errors
/// Where the program is not found, or what it says when it fails. Nothing is restored then.
pub async fn restore(url: &str, bin_dir: Option<&Path>, file: &Path) -> Result<(), Error> {
    let mut command = command("pg_restore", url, bin_dir)?;
    command.args([
        "--single-transaction",
        "--exit-on-error",
        "--no-owner",
        "--no-password",
    ]);
    command.arg(file);
    run(command).await
}

fn command(name: &'static str, url: &str, bin_dir: Option<&Path>) -> Result<Command, Error> {
    let mut command = Command::new(programs::find(name, bin_dir)?);
    let (url, password) = without_password(url);
    // Everybody may read the arguments of a process.
    command.arg("--dbname").arg(url);
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    command.env("LC_ALL", "C").stdin(Stdio::null());
    Ok(command)
}

async fn run(mut command: Command) -> Result<(), Error> {
    system::end_with_parent(&mut command, libc::SIGTERM);
    let program = command.get_program().to_owned();
    let outcome = system::off_the_runtime(move || {
        command.output().map_err(|cause| Error::Run {
            program: command.get_program().into(),
            cause,
        })
    });
    let output = outcome.await?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Error::Tool {
        name: Path::new(&program)
            .file_name()
            .unwrap_or(OsStr::new("the program"))
            .to_string_lossy()
            .into_owned(),
        reason: logs::first_complaint(&said).unwrap_or_else(|| output.status.to_string()),
    })
}

/// The URL as others may see it, and the password that stood in it.
fn without_password(url: &str) -> (String, Option<String>) {
    let parts = || {
        let (scheme, rest) = url.split_once("://")?;
        let authority = rest.split(['/', '?']).next()?;
        let (login, _) = authority.rsplit_once('@')?;
        let (user, password) = login.split_once(':')?;
        let rest = rest.get(login.len()..)?;
        Some((format!("{scheme}://{user}{rest}"), password))
    };
    match parts() {
        Some((url, password)) => {
            let password = percent_decode_str(password).decode_utf8_lossy();
            (url, Some(password.into_owned()))
        }
        None => (url.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_taken_out_of_the_url() {
        for (url, open, password) in [
            (
                "postgres://a:p%40b@h:1/d?x=y:z@w",
                "postgres://a@h:1/d?x=y:z@w",
                Some("p@b"),
            ),
            ("postgres://a@h/d", "postgres://a@h/d", None),
            ("postgres://h:5432/d", "postgres://h:5432/d", None),
            ("postgresql://a:@h", "postgresql://a@h", Some("")),
        ] {
            let (told, secret) = without_password(url);
            assert_eq!(
                (told.as_str(), secret.as_deref()),
                (open, password),
                "{url}"
            );
        }
    }
}
