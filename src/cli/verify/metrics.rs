//! What an audit came to, for Prometheus: a file for the textfile collector of its node exporter, as the run itself is over when
//! somebody could ask.

use std::time::{Duration, SystemTime};

use prometheus::{Gauge, Opts, Registry, TextEncoder};

/// A run that has just ended and can say whether the books are in balance.
pub(super) struct Verdict {
    pub(super) scope: Scope,
    pub(super) findings: u64,
    pub(super) entries: u64,
    pub(super) took: Duration,
}

/// Which of the two audits it was, each with a file and a rhythm of its own: by what was asked for, so that the first run with
/// a checkpoint to come counts with those that go on from it.
#[derive(Clone, Copy)]
pub(super) enum Scope {
    Full,
    Since,
}

/// Every metric of the run.
pub(super) fn to_metrics(verdict: &Verdict) -> prometheus::Result<String> {
    let Verdict {
        scope,
        findings,
        entries,
        took,
    } = verdict;
    let finished = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let registry = Registry::new();
    for (name, help, value) in [
        (
            "passbook_verify_clean",
            "1 if the last passbook verify found no difference, else 0.",
            f64::from(u8::from(*findings == 0)),
        ),
        (
            "passbook_verify_findings",
            "Differences that it found.",
            count(*findings),
        ),
        (
            "passbook_verify_entries",
            "Entries that it checked.",
            count(*entries),
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
        let gauge = Gauge::with_opts(Opts::new(name, help).const_label("scope", scope.name()))?;
        gauge.set(value);
        registry.register(Box::new(gauge))?;
    }
    TextEncoder::new().encode_to_string(&registry.gather())
}

impl Scope {
    fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Since => "since",
        }
    }
}

/// Exact up to four thousand million, and then told as that.
fn count(number: u64) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}
