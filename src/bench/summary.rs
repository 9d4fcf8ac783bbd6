//! The figures of one load, from what was counted and what was used meanwhile.

use std::collections::BTreeMap;
use std::time::Instant;

use super::outcome::{Figure, Measurement};
use super::processes::ProcessorTime;
use super::tally::Tally;
use crate::storage::statistics::Counters;

/// What had been used at one moment.
#[derive(Clone, Copy, Default)]
pub(super) struct Usage {
    pub processor: Option<ProcessorTime>,
    pub counters: Option<Counters>,
}

/// What became of the requests of a load that began then: how fast they were answered, and how long they took.
pub(super) fn summarise(tally: &Tally, began: Instant) -> Measurement {
    let statuses = || tally.statuses.iter();
    let refusals = statuses().filter(|(status, _)| (400..500).contains(*status));
    let errors = statuses()
        .filter(|(status, _)| !(200..300).contains(*status) && !(400..500).contains(*status));
    let mut errors: BTreeMap<String, u64> = errors
        .map(|(status, count)| (status.to_string(), *count))
        .collect();
    for (name, count) in [
        ("disconnected", tally.disconnects),
        ("unsent", tally.unsent),
    ] {
        if 0 < count {
            errors.insert(name.to_owned(), count);
        }
    }
    let mut measurement = Measurement {
        requests: tally.requests(),
        successes: tally.successes(),
        refusals: refusals.map(|(status, count)| (*status, *count)).collect(),
        errors,
        stolen_percent: None,
        figures: BTreeMap::new(),
    };
    if let Some(last) = tally.last_answer {
        let seconds = last.saturating_duration_since(began).as_secs_f64();
        if 0.0 < seconds {
            let per_s = tally.answered() as f64 / seconds;
            measurement.figures.insert(Figure::RequestsPerS, per_s);
        }
    }
    if 0 < tally.requests() {
        for (figure, quantile) in Figure::QUANTILES {
            let latency_us = tally.latencies.value_at_quantile(quantile) as f64;
            measurement.figures.insert(figure, latency_us / 1_000.0);
        }
    }
    measurement
}

/// What an answer took, where that can be known.
pub(super) fn costs(before: Usage, after: Usage, tally: &Tally) -> BTreeMap<Figure, f64> {
    let mut figures = BTreeMap::new();
    if tally.answered() == 0 {
        return figures;
    }
    let answered = tally.answered() as f64;
    if let (Some(before), Some(after)) = (before.processor, after.processor) {
        let service = after.service_us.saturating_sub(before.service_us) as f64;
        let postgres = after.postgres_us.saturating_sub(before.postgres_us) as f64;
        figures.insert(Figure::Service, service / answered);
        figures.insert(Figure::Postgres, postgres / answered);
        figures.insert(Figure::Processor, (service + postgres) / answered);
    }
    if let (Some(before), Some(after)) = (before.counters, after.counters) {
        let wal_bytes = after.wal_bytes.saturating_sub(before.wal_bytes) as f64;
        let commits = after.transactions.saturating_sub(before.transactions) as f64;
        figures.insert(Figure::Wal, wal_bytes / answered);
        if 0 < tally.answered_writes && 0.0 < commits {
            let per_commit = tally.answered_writes as f64 / commits;
            figures.insert(Figure::PerCommit, per_commit);
        }
    }
    figures
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::requests::Asked;
    use super::*;

    const WRITE: Asked = Asked::write(0, 1);

    /// So many requests of a kind that were all answered alike, each after a second.
    fn answered(requests: &[(u64, Asked, Option<u16>)]) -> (Tally, Instant) {
        let (mut tally, began) = (Tally::new(), Instant::now());
        for (count, asked, status) in requests {
            for _ in 0..*count {
                tally.record(*asked, *status, began, began + Duration::from_secs(1));
            }
        }
        (tally, began)
    }

    /// What was used where 300 bytes were logged and ten transactions committed.
    fn costs_of(tally: &Tally) -> [Option<f64>; 2] {
        let used = |wal_bytes, transactions| Usage {
            counters: Some(Counters {
                wal_bytes,
                transactions,
            }),
            processor: None,
        };
        let costs = costs(used(0, 0), used(300, 10), tally);
        [Figure::Wal, Figure::PerCommit].map(|figure| costs.get(&figure).copied())
    }

    #[test]
    fn what_failed_is_counted_and_is_no_throughput() {
        let (mut tally, began) = answered(&[
            (20, WRITE, Some(200)),
            (10, WRITE, Some(400)),
            (40, WRITE, Some(503)),
            (5, WRITE, None),
        ]);
        for _ in 0..25 {
            tally.give_up(Duration::from_secs(30));
        }
        let measurement = summarise(&tally, began);
        assert_eq!(measurement.requests, 100);
        let errors = [("503", 40), ("disconnected", 5), ("unsent", 25)];
        let errors = errors.map(|(name, count)| (name.to_owned(), count));
        assert_eq!(measurement.errors, BTreeMap::from(errors));
        let figure = |figure| measurement.figures.get(&figure).copied();
        assert_eq!(figure(Figure::RequestsPerS), Some(30.0));
        let p99_ms = figure(Figure::P99).expect("a latency");
        assert!((29_900.0..30_100.0).contains(&p99_ms), "{p99_ms}");
        assert_eq!(costs_of(&tally), [Some(10.0), Some(3.0)]);
    }

    #[test]
    fn commits_are_shared_by_writes_alone() {
        let (half, _) = answered(&[(50, WRITE, Some(200)), (50, Asked::READ, Some(200))]);
        assert_eq!(costs_of(&half), [Some(3.0), Some(5.0)]);
        let (none, _) = answered(&[(100, Asked::READ, Some(200))]);
        assert_eq!(costs_of(&none), [Some(3.0), None]);
        let (failed, _) = answered(&[(100, WRITE, Some(503))]);
        assert_eq!(costs_of(&failed), [None, None]);
    }
}
