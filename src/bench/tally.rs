//! What is counted of the answers: their latencies, their statuses, and what they promise.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::requests::Asked;
use super::writes::Writes;

/// The longest latency that is told from a longer one.
const LATENCY_MAX_US: u64 = 300_000_000;
/// Three digits: a latency is at most a thousandth off.
const LATENCY_DIGITS: u8 = 3;
/// The first status with which the service says that it failed itself.
const FAILURES: u16 = 500;

/// The answers of one load.
#[derive(Debug)]
pub(super) struct Tally {
    /// In microseconds. Of what was never sent, how long it had waited.
    pub latencies: Histogram<u64>,
    pub statuses: BTreeMap<u16, u64>,
    /// Requests without an answer that could be read.
    pub disconnects: u64,
    /// Requests of an open loop that were due and that nobody was free to send for too long.
    pub unsent: u64,
    /// Those of the answers below 500 that were to writes.
    pub answered_writes: u64,
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
            answered_writes: 0,
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
        self.record_latency(at.saturating_duration_since(intended));
        match status {
            Some(status) => {
                let count = self.statuses.entry(status).or_default();
                *count = count.saturating_add(1);
            }
            None => self.disconnects = self.disconnects.saturating_add(1),
        }
        if let Some(key) = asked.key {
            self.writes.note(key, asked.entries, status);
            let is_answered = status.is_some_and(|status| status < FAILURES);
            self.answered_writes = self.answered_writes.saturating_add(is_answered.into());
        }
        self.last_answer = self.last_answer.max(Some(at));
    }

    /// Takes in a request that is never sent. The answer would have taken longer than it has waited.
    pub(super) fn give_up(&mut self, waited: Duration) {
        self.record_latency(waited);
        self.unsent = self.unsent.saturating_add(1);
    }

    pub(super) fn successes(&self) -> u64 {
        let good = self.statuses.range(200..300);
        good.map(|(_, count)| count).sum()
    }

    /// Requests that the service has done its work for: those that it failed are none.
    pub(super) fn answered(&self) -> u64 {
        let answered = self.statuses.range(..FAILURES);
        answered.map(|(_, count)| count).sum()
    }

    /// All that were due, whatever became of them.
    pub(super) fn requests(&self) -> u64 {
        self.latencies.len()
    }

    fn record_latency(&mut self, latency: Duration) {
        let latency_us = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.latencies.saturating_record(latency_us);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITE: Asked = Asked::write(0, 1);

    #[test]
    fn every_request_is_in_the_figures() {
        let mut tally = Tally::new();
        let began = Instant::now();
        let mut record = |asked, status, latency: Duration| {
            tally.record(asked, status, began, began + latency);
        };
        for latency_ms in 1..=100 {
            record(WRITE, Some(200), Duration::from_millis(latency_ms));
        }
        record(Asked::READ, Some(200), Duration::ZERO);
        record(WRITE, Some(400), Duration::from_hours(1));
        record(WRITE, Some(503), Duration::ZERO);
        record(WRITE, None, Duration::ZERO);
        assert_eq!(tally.requests(), 104);
        assert_eq!(tally.successes(), 101);
        assert_eq!(tally.answered(), 102);
        assert_eq!(tally.answered_writes, 101);
        assert_eq!(tally.disconnects, 1);
        let p50_us = tally.latencies.value_at_quantile(0.5);
        assert!((48_900..=50_100).contains(&p50_us), "{p50_us}");
    }

    #[test]
    fn what_was_never_sent_has_waited_and_has_no_answer() {
        let mut tally = Tally::new();
        let began = Instant::now();
        tally.record(WRITE, Some(200), began, began + Duration::from_millis(1));
        for _ in 0..99 {
            tally.give_up(Duration::from_secs(30));
        }
        assert_eq!((tally.requests(), tally.unsent), (100, 99));
        assert_eq!((tally.answered(), tally.answered_writes), (1, 1));
        let p50_us = tally.latencies.value_at_quantile(0.5);
        assert!((29_900_000..=30_100_000).contains(&p50_us), "{p50_us}");
    }
}
