//! What an audit found, for Prometheus: a file for the textfile collector of its node exporter, as the run itself is over when
//! somebody could ask.

use std::time::{Duration, SystemTime};

use prometheus::{Gauge, Registry, TextEncoder};

use crate::service::audit::Report;

/// Every metric of a run that has just ended.
pub(super) fn to_metrics(report: &Report, took: Duration) -> prometheus::Result<String> {
    let finished = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let registry = Registry::new();
    for (name, help, value) in [
        (
            "passbook_verify_clean",
            "1 where the last passbook verify found no difference, else 0.",
            f64::from(u8::from(report.is_clean())),
        ),
        (
            "passbook_verify_findings",
            "Differences that it found.",
            count(report.findings_count),
        ),
        (
            "passbook_verify_entries",
            "Entries that it checked.",
            count(report.entries),
        ),
        (
            "passbook_verify_duration_seconds",
            "How long it took.",
            took.as_secs_f64(),
        ),
        (
            "passbook_verify_finished_timestamp_seconds",
            "When it ended, in seconds since 1970.",
            finished.unwrap_or_default().as_secs_f64(),
        ),
    ] {
        let gauge = Gauge::new(name, help)?;
        gauge.set(value);
        registry.register(Box::new(gauge))?;
    }
    TextEncoder::new().encode_to_string(&registry.gather())
}

/// Exact up to four thousand million, and then told as that.
fn count(number: u64) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}
