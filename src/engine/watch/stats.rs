//! What the engine counts, as Prometheus metrics.

use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{
    Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
};

use crate::ledger::Fault;

/// Upper bounds of batch sizes, in commands; the largest batch is one of them.
const BATCH_SIZES: [f64; 12] = [
    1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 10_000.0,
];
/// Upper bounds of waits, in seconds, up to those after which a caller is told so.
const WAITS: [f64; 14] = [
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0,
];

/// What a metric is called, and what it says.
type Name = (&'static str, &'static str);

const COMMANDS: Name = (
    "passbook_commands_total",
    "Commands that the ledger answered, accepted or refused.",
);
const REFUSALS: Name = (
    "passbook_refusals_total",
    "Commands that a rule refused, by the rule; replayed refusals as well.",
);
const FAULTS: Name = (
    "passbook_faults_total",
    "Commands that got no answer from the ledger, by what is known of their effect.",
);
const REPLAYS: Name = (
    "passbook_replays_total",
    "Answers that had been given before under the same key.",
);
const BATCHES: Name = ("passbook_batches_total", "Batches that were committed.");
const BATCH_SIZE: Name = (
    "passbook_batch_size",
    "Commands in a batch that was committed.",
);
const BATCH_DURATION: Name = (
    "passbook_batch_duration_seconds",
    "Time from when a lane takes a batch until it is committed, retries and rests included.",
);
const QUEUE_WAIT: Name = (
    "passbook_queue_wait_seconds",
    "Time that a command waits until a lane takes it.",
);
const CONFLICTS: Name = (
    "passbook_conflicts_total",
    "Batches planned again because another writer was first.",
);
const LONGEST_STREAK: Name = (
    "passbook_conflict_streak_max",
    "The most conflicts in a row that a batch has had since the start.",
);
const LOCK_FIRSTS: Name = (
    "passbook_lock_firsts_total",
    "Batches that locked their accounts before they were planned.",
);
const SET_ASIDE: Name = (
    "passbook_set_aside_total",
    "Commands that waited for a row that somebody else held locked.",
);
const SPLITS: Name = (
    "passbook_splits_total",
    "Batches split because of one bad command, or a statement that took too long.",
);
const LOOKS: Name = (
    "passbook_looks_total",
    "Times that the database was asked what had become of a batch after a connection was lost.",
);
const RECONNECTS: Name = (
    "passbook_reconnects_total",
    "Connections of lanes that were made again.",
);
const EXPIRED: Name = (
    "passbook_expired_total",
    "Commands that waited too long and were dropped, with nothing applied.",
);
const OVERLOADED: Name = (
    "passbook_overloaded_total",
    "Commands turned away because too many waited, with nothing applied.",
);
const CONNECTED: Name = (
    "passbook_lanes_connected",
    "Lanes that have a connection to the database.",
);
const CLOCK_SKEW: Name = (
    "passbook_database_clock_skew_seconds",
    "How far the database's clock was ahead of the service's when a lane last connected, or tried to.",
);
const WAITING: Name = ("passbook_queue_depth", "Commands that wait for a lane.");

pub(in crate::engine) struct Stats {
    registry: Registry,
    pub commands: IntCounter,
    pub refusals: IntCounterVec,
    pub faults: IntCounterVec,
    pub replays: IntCounter,
    pub batches: IntCounter,
    pub batch_size: Histogram,
    pub batch_duration: Histogram,
    pub queue_wait: Histogram,
    pub conflicts: IntCounter,
    pub longest_streak: IntGauge,
    pub lock_firsts: IntCounter,
    pub set_aside: IntCounter,
    pub splits: IntCounter,
    pub looks: IntCounter,
    pub reconnects: IntCounter,
    pub expired: IntCounter,
    pub overloaded: IntCounter,
    pub connected: IntGauge,
    pub clock_skew: Gauge,
    waiting: IntGauge,
}

/// What the engine has counted since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Commands that got an answer from the ledger.
    pub commands: u64,
    /// Batches that were committed.
    pub batches: u64,
    /// Answers that had been given before.
    pub replays: u64,
    /// Batches planned again because another writer was first.
    pub conflicts: u64,
    /// The most conflicts in a row that a batch has had.
    pub longest_streak: i64,
    /// Batches that locked their accounts before they planned.
    pub lock_firsts: u64,
    /// Commands that waited for a row that somebody else had locked.
    pub set_aside: u64,
    /// Batches split because of one bad command, or a statement that took too long.
    pub splits: u64,
    /// Times that the database was asked what had become of a batch.
    pub looks: u64,
    /// Connections that were made again.
    pub reconnects: u64,
    /// Commands that waited too long and were dropped.
    pub expired: u64,
    /// Commands refused because too many waited.
    pub overloaded: u64,
    /// Commands that wait in the queue now.
    pub waiting: usize,
}

impl Stats {
    pub(in crate::engine) fn new() -> Self {
        let registry = Registry::new();
        let counter = |(name, help): Name| register(&registry, IntCounter::new(name, help));
        let gauge = |(name, help): Name| register(&registry, IntGauge::new(name, help));
        let labelled = |(name, help): Name, label: &str| {
            register(
                &registry,
                IntCounterVec::new(Opts::new(name, help), &[label]),
            )
        };
        let histogram = |(name, help): Name, buckets: &[f64]| {
            let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
            register(&registry, Histogram::with_opts(options))
        };
        let faults = labelled(FAULTS, "fault");
        for fault in Fault::ALL {
            // There from the start, so that the first one is seen as a change.
            faults.with_label_values(&[fault.name()]);
        }
        Self {
            faults,
            commands: counter(COMMANDS),
            refusals: labelled(REFUSALS, "reason"),
            replays: counter(REPLAYS),
            batches: counter(BATCHES),
            batch_size: histogram(BATCH_SIZE, &BATCH_SIZES),
            batch_duration: histogram(BATCH_DURATION, &WAITS),
            queue_wait: histogram(QUEUE_WAIT, &WAITS),
            conflicts: counter(CONFLICTS),
            longest_streak: gauge(LONGEST_STREAK),
            lock_firsts: counter(LOCK_FIRSTS),
            set_aside: counter(SET_ASIDE),
            splits: counter(SPLITS),
            looks: counter(LOOKS),
            reconnects: counter(RECONNECTS),
            expired: counter(EXPIRED),
            overloaded: counter(OVERLOADED),
            connected: gauge(CONNECTED),
            clock_skew: register(&registry, Gauge::new(CLOCK_SKEW.0, CLOCK_SKEW.1)),
            waiting: gauge(WAITING),
            registry,
        }
    }

    /// Every metric as it stands, with so many commands waiting.
    pub(in crate::engine) fn gather(&self, waiting: usize) -> Vec<MetricFamily> {
        self.waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
        self.registry.gather()
    }

    pub(in crate::engine) fn counts(&self, waiting: usize) -> Counts {
        Counts {
            commands: self.commands.get(),
            batches: self.batches.get(),
            replays: self.replays.get(),
            conflicts: self.conflicts.get(),
            longest_streak: self.longest_streak.get(),
            lock_firsts: self.lock_firsts.get(),
            set_aside: self.set_aside.get(),
            splits: self.splits.get(),
            looks: self.looks.get(),
            reconnects: self.reconnects.get(),
            expired: self.expired.get(),
            overloaded: self.overloaded.get(),
            waiting,
        }
    }
}

fn register<C: Collector + Clone + 'static>(
    registry: &Registry,
    metric: prometheus::Result<C>,
) -> C {
    let metric = metric.expect("the names of metrics are well-formed");
    let registered = registry.register(Box::new(metric.clone()));
    registered.expect("no two metrics have one name");
    metric
}

#[cfg(test)]
mod tests {
    use prometheus::TextEncoder;

    use super::*;

    #[test]
    fn each_count_is_shown_as_what_it_is() {
        let stats = Stats::new();
        assert_eq!(stats.counts(0), Counts::default());
        let counters = [
            &stats.commands,
            &stats.batches,
            &stats.replays,
            &stats.conflicts,
            &stats.lock_firsts,
            &stats.set_aside,
            &stats.splits,
            &stats.looks,
            &stats.reconnects,
            &stats.expired,
            &stats.overloaded,
        ];
        for (number, counter) in (1..).zip(counters) {
            counter.inc_by(number);
        }
        stats.longest_streak.set(-12);
        let counts = Counts {
            commands: 1,
            batches: 2,
            replays: 3,
            conflicts: 4,
            lock_firsts: 5,
            set_aside: 6,
            splits: 7,
            looks: 8,
            reconnects: 9,
            expired: 10,
            overloaded: 11,
            longest_streak: -12,
            waiting: 13,
        };
        assert_eq!(stats.counts(13), counts);
    }

    #[test]
    fn every_metric_is_there_from_the_start_but_refusals_by_rules_that_refused_nothing() {
        let stats = Stats::new();
        let shown = |waiting| {
            let text = TextEncoder::new().encode_to_string(&stats.gather(waiting));
            text.expect("a text")
        };
        let start = shown(7);
        for name in [
            COMMANDS.0,
            REPLAYS.0,
            BATCHES.0,
            "passbook_batch_size_count",
            "passbook_batch_duration_seconds_count",
            "passbook_queue_wait_seconds_count",
            CONFLICTS.0,
            LONGEST_STREAK.0,
            LOCK_FIRSTS.0,
            SET_ASIDE.0,
            SPLITS.0,
            LOOKS.0,
            RECONNECTS.0,
            EXPIRED.0,
            OVERLOADED.0,
            CONNECTED.0,
            CLOCK_SKEW.0,
        ] {
            assert!(start.contains(&format!("\n{name} 0\n")), "{name}: {start}");
        }
        for fault in Fault::ALL {
            let series = format!("\npassbook_faults_total{{fault=\"{}\"}} 0\n", fault.name());
            assert!(start.contains(&series), "{series}: {start}");
        }
        assert!(start.contains("\npassbook_queue_depth 7\n"), "{start}");
        assert!(!start.contains(REFUSALS.0), "{start}");
        stats.refusals.with_label_values(&["email_taken"]).inc();
        let later = shown(8);
        assert!(later.contains("\npassbook_refusals_total{reason=\"email_taken\"} 1\n"));
        assert!(later.contains("\npassbook_queue_depth 8\n"));
    }
}
