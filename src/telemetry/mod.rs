//! Logs, on standard error; traces, to a collector.

mod collector;
pub mod throttle;
pub mod traces;

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// Starts logging. `filter` is a level, or levels by module.
///
/// # Errors
/// Where the filter cannot be read; in words for whoever wrote it.
pub fn start(filter: &str, json: bool) -> Result<(), String> {
    if let Some(directive) = meaningless(filter) {
        return Err(format!(
            "RUST_LOG (--log) cannot be read: {directive} is no level; what another library logs is said as in {directive}=debug"
        ));
    }
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

/// A directive that is neither a level nor a module of ours. It would turn a library's log on that nobody has, and all others off.
fn meaningless(filter: &str) -> Option<&str> {
    let mut directives = filter.split(',').map(str::trim);
    directives.find(|directive| {
        let is_plain = !directive.is_empty() && !directive.contains(['=', '[', ']', '{', '}']);
        let is_ours = *directive == "passbook" || directive.starts_with("passbook::");
        is_plain && !is_ours && directive.parse::<LevelFilter>().is_err()
    })
}
