//! What is counted of the answers: their latencies, their statuses, and the entries that they promise.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// The longest latency that is told from a longer one.
const LATENCY_MAX_US: u64 = 300_000_000;
/// Three digits: a latency is at most a thousandth off.
const LATENCY_DIGITS: u8 = 3;

/// The answers of one load.
#[derive(Debug)]
pub(super) struct Tally {
    /// In microseconds.
    pub latencies: Histogram<u64>,
    pub statuses: BTreeMap<u16, u64>,
    /// Requests without an answer that could be read.
    pub disconnects: u64,
    /// Requests of an open loop that were due and that nobody was free to send for too long.
    pub unsent: u64,
    pub last_answer: Option<Instant>,
    pub effects: Effects,
    /// Ids of the users that were opened, where that was asked.
    pub opened: Vec<i64>,
}

/// What must have become of the journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Effects {
    /// Entries of requests that were answered as done, each key once.
    pub acknowledged: u64,
    /// Entries of requests whose answer does not say whether they were done.
    pub unknown: u64,
}

impl Tally {
    pub(super) fn new() -> Self {
        let latencies = Histogram::new_with_bounds(1, LATENCY_MAX_US, LATENCY_DIGITS);
        Self {
            latencies: latencies.expect("the bounds are in order"),
            statuses: BTreeMap::new(),
            disconnects: 0,
            unsent: 0,
            last_answer: None,
            effects: Effects::default(),
            opened: Vec::new(),
        }
    }

    /// Takes an answer into the figures; one to a request without any counts with the time that it took to fail.
    pub(super) fn record(&mut self, status: Option<u16>, latency: Duration, at: Instant) {
        let latency_us = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.latencies.saturating_record(latency_us);
        match status {
            Some(status) => {
                let count = self.statuses.entry(status).or_default();
                *count = count.saturating_add(1);
            }
            None => self.disconnects = self.disconnects.saturating_add(1),
        }
        self.last_answer = self.last_answer.max(Some(at));
    }

    pub(super) fn successes(&self) -> u64 {
        let good = self.statuses.range(200..300);
        good.map(|(_, count)| count).sum()
    }
}

impl Effects {
    pub(super) fn add(&mut self, other: Self) {
        self.acknowledged = self.acknowledged.saturating_add(other.acknowledged);
        self.unknown = self.unknown.saturating_add(other.unknown);
    }

    /// What a request with so many entries has done, by its answer. A 503 may mean that nothing was applied, or that the
    /// outcome is unknown; a replay has been counted before.
    pub(super) fn of(entries: u64, status: Option<u16>, is_replayed: bool) -> Self {
        match status {
            Some(200..300) if is_replayed => Self::default(),
            Some(200..300) => Self {
                acknowledged: entries,
                unknown: 0,
            },
            Some(status) if status < 500 => Self::default(),
            Some(_) | None => Self {
                acknowledged: 0,
                unknown: entries,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_promises_its_entries_once_and_only_if_it_says_so() {
        let effects = |status, is_replayed| {
            let Effects {
                acknowledged,
                unknown,
            } = Effects::of(2, status, is_replayed);
            (acknowledged, unknown)
        };
        assert_eq!(effects(Some(200), false), (2, 0));
        assert_eq!(effects(Some(201), false), (2, 0));
        assert_eq!(effects(Some(201), true), (0, 0));
        assert_eq!(effects(Some(400), false), (0, 0));
        assert_eq!(effects(Some(503), false), (0, 2));
        assert_eq!(effects(None, false), (0, 2));
    }

    #[test]
    fn every_answer_is_in_the_figures() {
        let mut tally = Tally::new();
        let at = Instant::now();
        for latency_ms in 1..=100 {
            tally.record(Some(200), Duration::from_millis(latency_ms), at);
        }
        tally.record(Some(400), Duration::from_hours(1), at);
        tally.record(None, Duration::ZERO, at);
        assert_eq!(tally.latencies.len(), 102);
        assert_eq!(tally.successes(), 100);
        assert_eq!(tally.disconnects, 1);
        let p50_us = tally.latencies.value_at_quantile(0.5);
        assert!((49_900..=51_100).contains(&p50_us), "{p50_us}");
    }
}
