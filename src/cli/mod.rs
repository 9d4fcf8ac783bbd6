//! The command line: what the program can be asked to do.

mod bench;
mod books;
mod currencies;
mod draft;
mod dump;
mod health;
mod interrupt;
mod keys;
mod migrate;
mod once;
mod restore;
mod serve;
mod verify;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use self::bench::BenchArgs;
use self::books::BooksArgs;
use self::currencies::CurrenciesArgs;
use self::dump::DumpArgs;
use self::keys::KeysArgs;
use self::restore::RestoreArgs;
use self::verify::VerifyArgs;
use crate::config::{self, DatabaseArgs, HealthArgs, LogArgs, LogFormat, ServeArgs};
use crate::telemetry;

/// The books are not in balance, or the service is not healthy.
const EXIT_BAD: u8 = 1;
/// The program could not do what it was asked.
const EXIT_FAILED: u8 = 2;

/// A banking ledger with a REST interface on plain PostgreSQL
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 110, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(flatten)]
    logs: LogArgs,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Every setting is also an environment variable, and is read from .env in the working directory; .env.example lists them.
Start with: passbook serve";

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the ledger over HTTP, on an embedded PostgreSQL unless DATABASE_URL says otherwise
    Serve(Box<ServeArgs>),
    /// Bring the database's schema up to date, and exit (serve does so as well)
    Migrate(DatabaseArgs),
    /// Recompute every balance, version and seal from the entries; exit code 1 if anything is off
    Verify(VerifyArgs),
    /// Write a backup of the ledger to a file, beside live traffic
    Dump(DumpArgs),
    /// Restore a backup into a database without a ledger: all of it, or nothing
    Restore(RestoreArgs),
    /// List the registry of currencies, or add one to it
    Currencies(CurrenciesArgs),
    /// List the open books, or open one
    Books(BooksArgs),
    /// Make, rotate, list or revoke the API keys of services
    Keys(KeysArgs),
    /// Put a service under load over HTTP, measure it, and audit its books
    Bench(Box<BenchArgs>),
    /// Ask a running service whether it is healthy; exit code 1 if it is not
    Health(HealthArgs),
}

/// What the program is asked to do, by its arguments and the environment. It exits with clap's words if that is
/// nothing it knows.
#[must_use]
pub fn parse() -> Cli {
    let matches = config::without_empty(Cli::command()).get_matches();
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// Runs the command, and says how it ended.
pub async fn run(cli: Cli) -> ExitCode {
    if let Err(error) = telemetry::start(&cli.logs.filter, cli.logs.log_format == LogFormat::Json) {
        return failed(&error);
    }
    let ended = match cli.command {
        Command::Serve(args) => serve::run(&args).await,
        Command::Migrate(args) => migrate::run(&args).await,
        Command::Verify(args) => verify::run(&args).await,
        Command::Dump(args) => dump::run(&args).await,
        Command::Restore(args) => restore::run(&args).await,
        Command::Currencies(args) => currencies::run(&args).await,
        Command::Books(args) => books::run(&args).await,
        Command::Keys(args) => keys::run(&args).await,
        Command::Bench(args) => bench::run(&args).await,
        Command::Health(args) => health::run(&args).await,
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(EXIT_BAD),
        Err(error) => failed(&error),
    }
}

/// One clear line on standard error.
pub fn failed(error: &dyn std::fmt::Display) -> ExitCode {
    // Where standard error is closed there is nobody to tell.
    drop(writeln!(io::stderr(), "passbook: {error}"));
    ExitCode::from(EXIT_FAILED)
}

/// Lines for whoever started the program. A closed pipe (`passbook verify | head -1`) is no reason to fail.
fn say(lines: &str) {
    let mut stdout = io::stdout().lock();
    drop(
        stdout
            .write_all(lines.as_bytes())
            .and_then(|()| stdout.flush()),
    );
}
