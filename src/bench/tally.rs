//! What is counted of the answers: their latencies, their statuses, and what they promise.

use std::collections::BTreeMap;
use std::time::Instant;

use hdrhistogram::Histogram;

use super::requests::Asked;
use super::writes::Writes;

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
    pub writes: Writes,
    /// Ids of the users that were opened, where that was asked.
    pub opened: Vec<i64>,
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
            writes: Writes::default(),
            opened: Vec::new(),
        }
    }

    /// Takes an answer into the figures; one to a request without any counts with the time that it took to fail.
    pub(super) fn record(
        &mut self,
        asked: Asked,
        status: Option<u16>,
        intended: Instant,
        at: Instant,
    ) {
        let latency = at.saturating_duration_since(intended);
        let latency_us = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.latencies.saturating_record(latency_us);
        match status {
            Some(status) => {
                let count = self.statuses.entry(status).or_default();
                *count = count.saturating_add(1);
            }
            None => self.disconnects = self.disconnects.saturating_add(1),
        }
        if let Some(key) = asked.key {
            self.writes.note(key, asked.entries, status);
        }
        self.last_answer = self.last_answer.max(Some(at));
    }

    pub(super) fn successes(&self) -> u64 {
        let good = self.statuses.range(200..300);
        good.map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const WRITE: Asked = Asked {
        key: Some(0),
        entries: 1,
        opens: false,
    };

    #[test]
    fn every_answer_is_in_the_figures() {
        let mut tally = Tally::new();
        let began = Instant::now();
        let mut record = |status, latency| {
            tally.record(WRITE, status, began, began + latency);
        };
        for latency_ms in 1..=100 {
            record(Some(200), Duration::from_millis(latency_ms));
        }
        record(Some(400), Duration::from_hours(1));
        record(None, Duration::ZERO);
        assert_eq!(tally.latencies.len(), 102);
        assert_eq!(tally.successes(), 100);
        assert_eq!(tally.disconnects, 1);
        let p50_us = tally.latencies.value_at_quantile(0.5);
        assert!((49_900..=51_100).contains(&p50_us), "{p50_us}");
    }
}
