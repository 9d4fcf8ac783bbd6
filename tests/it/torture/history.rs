//! What clients asked for and what they were told, to be held against the database.

use std::time::{Duration, Instant};

use serde::Serialize;

/// Money to be moved. Its amount is nobody else's, so the entries that it leaves are known by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Asked {
    pub(super) amount: u64,
    /// The account that the money leaves.
    pub(super) origin: Option<String>,
    pub(super) destination: Option<String>,
    pub(super) key: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Told {
    /// The money has moved; the answer's body.
    Done(String),
    /// There was not enough of it; the answer's body.
    Refused(String),
    /// 503, with the words that nothing was applied.
    NothingApplied,
    /// 503, with the words that the outcome is not known, or no answer at all.
    Unknown(String),
    /// What may never be answered.
    Wrong(String),
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Operation {
    pub(super) asked: Asked,
    pub(super) told: Told,
    /// Since the history began.
    pub(super) began: Duration,
    pub(super) ended: Duration,
}

/// Operations in the order in which they ended, of one clock.
pub(super) struct History {
    began: Instant,
    pub(super) operations: Vec<Operation>,
}

impl History {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            operations: Vec::new(),
        }
    }

    pub(super) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// A line for each operation.
    pub(super) fn to_lines(&self) -> String {
        let lines = self
            .operations
            .iter()
            .map(|operation| serde_json::to_string(operation).expect("plain values") + "\n");
        lines.collect()
    }
}

impl Asked {
    /// What it is, for the report.
    pub(super) fn kind(&self) -> &'static str {
        match (&self.origin, &self.destination) {
            (_, Some(name)) if name.starts_with("new-") => "openings",
            (Some(_), Some(_)) => "transfers",
            (Some(_), None) => "withdrawals",
            (None, _) => "deposits",
        }
    }

    /// As the `events` dialect spells it.
    pub(super) fn body(&self) -> String {
        let amount = self.amount;
        match (&self.origin, &self.destination) {
            (Some(origin), Some(destination)) => format!(
                r#"{{"type":"transfer","origin":"{origin}","destination":"{destination}","amount":{amount}}}"#
            ),
            (Some(origin), None) => {
                format!(r#"{{"type":"withdraw","origin":"{origin}","amount":{amount}}}"#)
            }
            (None, Some(destination)) => {
                format!(r#"{{"type":"deposit","destination":"{destination}","amount":{amount}}}"#)
            }
            (None, None) => unreachable!("money comes from somewhere or goes somewhere"),
        }
    }
}
