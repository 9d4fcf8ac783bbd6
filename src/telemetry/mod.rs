//! Logs, on standard error; traces, to a collector.

mod collector;
pub mod throttle;
pub mod traces;

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

/// Starts logging. `filter` is a level, or levels by module.
///
/// # Errors
/// Where the filter cannot be read; in words for whoever wrote it.
pub fn start(filter: &str, json: bool) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| format!("RUST_LOG (--log) cannot be read: {error}"))?;
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    // Logging may have been started already where several services live in one process.
    let started = if json {
        logs.json().try_init()
    } else {
        logs.with_target(false).try_init()
    };
    drop(started);
    Ok(())
}
