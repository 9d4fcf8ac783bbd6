//! Parses the command line, runs it, and exits.

use std::process::ExitCode;

use passbook::cli;
use tokio::runtime;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Before anything reads the environment, and before there is a second thread.
    match dotenvy::from_path(".env") {
        Ok(()) => {}
        Err(error) if error.not_found() => {}
        // Its text is a setting's value, and that may be a password.
        Err(dotenvy::Error::LineParse(..)) => {
            return cli::failed(
                &".env cannot be read: a line is not NAME=value; a value with blanks needs quotes",
            );
        }
        Err(error) => return cli::failed(&format!(".env cannot be read: {error}")),
    }
    let cli = cli::parse();
    // A connection is an open file; the usual limit of 1024 would refuse the thousandth client.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        return cli::failed(&format!("cannot raise the limit of open files: {error}"));
    }
    // HTTP and the lanes have threads of their own.
    match runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(cli::run(cli)),
        Err(error) => cli::failed(&format!("cannot start threads: {error}")),
    }
}
