//! `passbook verify`: the audit, on the command line.

mod metrics;
mod report;

use std::fs::{self, Permissions};
use std::io::{self, IsTerminal, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;
use std::time::Duration;

use clap::Args;
use tokio::time::Instant;

use self::metrics::{Scope, Verdict};
use super::draft::Draft;
use super::say;
use crate::app::{AppError, Opened, unusable};
use crate::config::{DatabaseArgs, within};
use crate::service::audit::{
    self, AuditError, Audited, Checkpoint, Extent, JOBS_MAX, Pages, Report, Settings, Unfit,
};
use crate::storage::StorageError;

/// Connections where nobody says: more would be felt by those who write.
const JOBS_MAX_BY_DEFAULT: usize = 4;

/// Said of the command, so that nobody relies on what it cannot do. `docs/seal.md` says the same at more length.
const NOT_SEEN: &str = "\
What a full run does not see (docs/seal.md says it at more length):
  - rows that were taken away whole and leave nothing behind, and whole chains that were computed anew
  - a refusal or a change by zero that was made up, removed or given other words
  - a key that was taken off, given to or exchanged with another transaction, and a digest that was replaced
  - which of two accounts of the events interface a name belongs to, and the name of a currency that was added
  - names, emails, passwords and times of users, and sessions

With --since FILE --full, it also compares with the full run before. Accounts with their names, transactions and \
currencies must be as that run saw them, up to 72 s before it. Keep FILE from those who may write to the database.

No run sees what was made up since with the right seals.

What a run with --since does not see besides: whatever is older than the checkpoint, names without an account, and users.

Exit codes: 0 the books are in balance, 1 something is off, 2 there is no result.";

/// Which books, and how much of them.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = NOT_SEEN)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    database: DatabaseArgs,

    /// Verify only what has changed since the checkpoint in FILE, and move it on if nothing is off; a full run if there is
    /// no such file. Only a full run finds what was changed by hand behind the checkpoint
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,

    /// Verify everything, and that all is still there which the last full run saw, as the checkpoint in FILE remembers it
    #[arg(long, requires = "since")]
    full: bool,

    /// Connections to read with, 1 to 64 [default: one for each core, 4 at most]
    #[arg(long, value_name = "COUNT", value_parser = within(1, JOBS_MAX))]
    jobs: Option<usize>,

    /// Write the result to FILE as well, for the textfile collector of Prometheus' node exporter; one FILE for runs with
    /// --since and another for those without
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,

    /// Print one JSON object instead
    #[arg(long)]
    json: bool,
}

/// Whether the books are in balance.
pub(super) async fn run(args: &VerifyArgs) -> Result<bool, AppError> {
    let checkpoint = match &args.since {
        Some(path) => {
            // Whether the next checkpoint can be written is better known before than after an hour.
            drop(Draft::create(path)?);
            read(path)?
        }
        None => None,
    };
    let extent = match checkpoint {
        Some(checkpoint) if !args.full => Extent::Since(checkpoint),
        checkpoint => Extent::Everything(checkpoint),
    };
    let is_partial = matches!(extent, Extent::Since(_));
    let settings = Settings {
        jobs: args.jobs.unwrap_or_else(default_jobs),
        pages: Pages::default(),
        extent,
    };
    let opened = Opened::open(&args.database, "verify").await?;
    let started = Instant::now();
    let audited = audit::run(&opened.database, settings, |report, estimate| {
        show_progress(report, estimate, started);
    })
    .await;
    let took = started.elapsed();
    let database = opened.database.clone();
    opened.close().await?;
    if io::stderr().is_terminal() {
        // Clears the line of the progress.
        drop(write!(io::stderr(), "\r\x1b[K"));
    }
    let Audited {
        report,
        checkpoint,
        is_newer,
    } = match audited {
        Ok(audited) => audited,
        Err(error) => {
            if condemns(&error) {
                // What is wrong with the books is told before what is wrong with the file; an old file is seen by its age.
                drop(write_metrics(args, 1, 0, took));
            }
            return Err(match error {
                AuditError::Storage(error) => unusable(&database, &error),
                AuditError::Unfit(unfit) => refuse(args.since.as_deref(), &unfit),
            });
        }
    };
    if is_newer {
        // Standard output may be read by a program.
        drop(writeln!(
            io::stderr(),
            "the schema is newer than this program, so what it is made of was not checked: use the newer program"
        ));
    }
    if args.json {
        say(&report::to_json(&report, took, is_partial));
    } else {
        say(&report::to_text(&report, took, is_partial));
    }
    write_metrics(args, report.findings_count, report.entries, took)?;
    if let Some(path) = &args.since
        && report.is_clean()
    {
        write(path, &checkpoint.to_text(), 0o600)?;
    }
    Ok(report.is_clean())
}

fn default_jobs() -> usize {
    available_parallelism().map_or(1, |cores| usize::from(cores).min(JOBS_MAX_BY_DEFAULT))
}

/// Whether the books themselves are why there is no report. All else is a mistake of whoever asked, or a database that does not
/// answer: that says nothing about the books, and the last verdict grows old until somebody looks.
fn condemns(error: &AuditError) -> bool {
    match error {
        AuditError::Unfit(Unfit::OtherHistory { .. })
        | AuditError::Storage(StorageError::Corrupt(_)) => true,
        AuditError::Unfit(Unfit::Unreadable(_) | Unfit::OtherDatabase | Unfit::Early(_))
        | AuditError::Storage(
            StorageError::Database(_) | StorageError::Unfit(_) | StorageError::Lost(_),
        ) => false,
    }
}

/// One line that is written over, and only where a person is watching.
fn show_progress(report: &Report, estimate: u64, started: Instant) {
    if !io::stderr().is_terminal() {
        return;
    }
    let entries = report.entries;
    let of = if entries < estimate {
        format!(" of about {estimate}")
    } else {
        String::new()
    };
    let rate = report::per_second(entries, started.elapsed());
    drop(write!(
        io::stderr(),
        "\r\x1b[K{entries}{of} entries, {} transactions, {rate} entries/s …",
        report.transactions
    ));
}

/// The checkpoint in the file; none where there is no file yet.
fn read(path: &Path) -> Result<Option<Checkpoint>, AppError> {
    match fs::read_to_string(path) {
        Ok(text) => match Checkpoint::parse(&text) {
            Ok(checkpoint) => Ok(Some(checkpoint)),
            Err(unfit) => Err(refuse(Some(path), &unfit)),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(AppError::File {
            path: path.to_owned(),
            reason: format!("cannot be read: {error}"),
        }),
    }
}

/// The verdict, if somebody wants it in a file.
fn write_metrics(
    args: &VerifyArgs,
    findings: u64,
    entries: u64,
    took: Duration,
) -> Result<(), AppError> {
    let Some(path) = &args.metrics else {
        return Ok(());
    };
    let verdict = Verdict {
        scope: if args.since.is_some() && !args.full {
            Scope::Since
        } else {
            Scope::Full
        },
        findings,
        entries,
        took,
    };
    let text = metrics::to_metrics(&verdict).map_err(|error| unwritable(path, &error))?;
    // Prometheus runs as somebody else.
    write(path, &text, 0o644)
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), AppError> {
    let draft = Draft::create(path)?;
    fs::write(draft.path(), text)
        .and_then(|()| fs::set_permissions(draft.path(), Permissions::from_mode(mode)))
        .map_err(|error| unwritable(path, &error))?;
    draft.publish()
}

fn unwritable(path: &Path, error: &dyn std::fmt::Display) -> AppError {
    AppError::File {
        path: path.to_owned(),
        reason: format!("cannot be written: {error}"),
    }
}

fn refuse(path: Option<&Path>, unfit: &Unfit) -> AppError {
    AppError::File {
        path: path.unwrap_or(Path::new("")).to_owned(),
        reason: format!(
            "is no checkpoint to go on from: {unfit}; name another file, or remove this one for a full run"
        ),
    }
}
