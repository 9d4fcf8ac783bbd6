//! What came out: figures of each round, their medians, and how two sides compare.

use std::collections::BTreeMap;

use serde::Serialize;

use super::case::Load;
use super::writes::Promises;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Figure {
    #[serde(rename = "requests_per_s")]
    RequestsPerS,
    #[serde(rename = "p50_ms")]
    P50,
    #[serde(rename = "p95_ms")]
    P95,
    #[serde(rename = "p99_ms")]
    P99,
    #[serde(rename = "p99.9_ms")]
    P999,
    /// Of the service and PostgreSQL together, for each answer.
    #[serde(rename = "processor_us")]
    Processor,
    #[serde(rename = "service_us")]
    Service,
    #[serde(rename = "postgres_us")]
    Postgres,
    /// For each answer.
    #[serde(rename = "wal_bytes")]
    Wal,
    /// How many writes share a transaction: the mean batch.
    #[serde(rename = "requests_per_commit")]
    PerCommit,
    /// The most that the service itself has had in memory since it started, in MiB.
    #[serde(rename = "memory_mib")]
    Memory,
}

/// Everything that a run of the benchmark found.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    pub conditions: Conditions,
    /// How each side came to its size, where it grew before it was measured.
    pub growth: Vec<Growth>,
    pub loads: Vec<LoadOutcome>,
    /// PostgreSQL alone.
    pub pgbench: Option<Series>,
    /// The audit of each side's books, where its database could be asked.
    pub books: Vec<Books>,
    /// Answers that were not as the scenario needs them.
    pub violations: Vec<String>,
    pub is_clean: bool,
}

/// What was measured, besides scenarios and loads.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Conditions {
    /// As many were opened; on an almost empty ledger beside it fewer.
    pub accounts: u64,
    /// Withdrawals that were written before.
    pub grow: u64,
    /// Some accounts were chosen far more often than others.
    pub zipf: bool,
    pub warm_up_s: f64,
    pub duration_s: f64,
    pub rounds: u32,
}

/// A side that grew.
#[derive(Clone, Debug, Serialize)]
pub struct Growth {
    pub name: String,
    /// One after the other, up to ten.
    pub tenths: Vec<Tenth>,
}

/// A tenth of the growth of a ledger, and what the ledger had become by its end.
#[derive(Clone, Debug, Serialize)]
pub struct Tenth {
    /// Entries that had been written since the ledger began to grow.
    pub entries: u64,
    /// Of all of the database, without the write-ahead log. None where the database cannot be asked.
    pub database_bytes: Option<u64>,
    /// By how much accounts, transactions and entries, with their indexes, had become larger for each of those entries.
    pub bytes_per_entry: Option<f64>,
    /// Of the requests of this tenth.
    #[serde(flatten)]
    pub measurement: Measurement,
}

/// One scenario under one load, on all sides.
#[derive(Clone, Debug, Serialize)]
pub struct LoadOutcome {
    pub scenario: &'static str,
    #[serde(flatten)]
    pub load: Load,
    pub sides: Vec<Series>,
    /// The first side against each other one, and against PostgreSQL alone.
    pub ratios: Vec<Ratio>,
    /// Sides that failed some of the requests: such figures and ratios are not about all of them.
    pub failures: Vec<Failures>,
}

/// Requests of all rounds that one side answered with 5xx, or not at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failures {
    pub name: String,
    pub failed: u64,
    /// Those that failed among them.
    pub requests: u64,
}

/// The rounds of one side.
#[derive(Clone, Debug, Serialize)]
pub struct Series {
    pub name: String,
    pub rounds: Vec<Measurement>,
    pub median: BTreeMap<Figure, f64>,
}

/// One round of one load on one side.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Measurement {
    /// Those of the warm-up are not among them.
    pub requests: u64,
    pub successes: u64,
    /// Answers 4xx, by status.
    pub refusals: BTreeMap<u16, u64>,
    /// All other answers, by status; `disconnected` and `unsent` where there was none.
    pub errors: BTreeMap<String, u64>,
    /// Of the processors' time meanwhile: what the hypervisor gave to other machines. None where that is not told.
    pub stolen_percent: Option<f64>,
    #[serde(flatten)]
    pub figures: BTreeMap<Figure, f64>,
}

/// How many times a figure of the first side is that of another, round by round.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ratio {
    pub figure: Figure,
    pub to: String,
    pub min: f64,
    pub median: f64,
    pub max: f64,
}

/// What the audit of one side found.
#[derive(Clone, Debug, Serialize)]
pub struct Books {
    pub name: String,
    pub accounts: u64,
    pub entries: u64,
    /// Every balance, version and seal follows from its entries.
    pub in_balance: bool,
    #[serde(flatten)]
    pub promises: Promises,
}

impl Figure {
    pub const ALL: [Self; 11] = [
        Self::RequestsPerS,
        Self::P50,
        Self::P95,
        Self::P99,
        Self::P999,
        Self::Processor,
        Self::Service,
        Self::Postgres,
        Self::Wal,
        Self::PerCommit,
        Self::Memory,
    ];
    pub(super) const QUANTILES: [(Self, f64); 4] = [
        (Self::P50, 0.5),
        (Self::P95, 0.95),
        (Self::P99, 0.99),
        (Self::P999, 0.999),
    ];

    /// What it is called in a table, with its unit.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::RequestsPerS => "requests/s",
            Self::P50 => "p50 ms",
            Self::P95 => "p95 ms",
            Self::P99 => "p99 ms",
            Self::P999 => "p99.9 ms",
            Self::Processor => "processor µs",
            Self::Service => "service µs",
            Self::Postgres => "PostgreSQL µs",
            Self::Wal => "WAL bytes",
            Self::PerCommit => "per commit",
            Self::Memory => "peak MiB",
        }
    }
}

impl Series {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            rounds: Vec::new(),
            median: BTreeMap::new(),
        }
    }

    pub(super) fn add(&mut self, measurement: Measurement) {
        self.rounds.push(measurement);
        for figure in Figure::ALL {
            let values = self.rounds.iter();
            let values = values.filter_map(|round| round.figures.get(&figure).copied());
            if let Some((_, median, _)) = spread(values.collect()) {
                self.median.insert(figure, median);
            }
        }
    }

    /// The most that other machines took of the processors' time in one round, in per cent.
    #[must_use]
    pub fn stolen_percent_max(&self) -> Option<f64> {
        let stolen = self.rounds.iter().filter_map(|round| round.stolen_percent);
        stolen.max_by(f64::total_cmp)
    }
}

impl Failures {
    /// None where nothing failed.
    pub(super) fn of(side: &Series) -> Option<Self> {
        let rounds = || side.rounds.iter();
        let failed = rounds().flat_map(|round| round.errors.values()).sum();
        (0 < failed).then(|| Self {
            name: side.name.clone(),
            failed,
            requests: rounds().map(|round| round.requests).sum(),
        })
    }
}

impl Ratio {
    /// Of each figure that both sides have in the same rounds.
    pub(super) fn all(side: &Series, other: &Series) -> Vec<Self> {
        let of = |figure: Figure| {
            let rounds = side.rounds.iter().zip(&other.rounds);
            let ratios = rounds.filter_map(|(ours, theirs)| {
                let (ours, theirs) = (ours.figures.get(&figure)?, theirs.figures.get(&figure)?);
                (0.0 < *theirs).then(|| ours / theirs)
            });
            let (min, median, max) = spread(ratios.collect())?;
            let to = other.name.clone();
            Some(Self {
                figure,
                to,
                min,
                median,
                max,
            })
        };
        Figure::ALL.into_iter().filter_map(of).collect()
    }
}

impl Books {
    /// Nothing lost, nothing twice, and everything follows from the entries.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.in_balance && self.promises.are_kept()
    }
}

/// The least, the median and the most; of two in the middle their mean.
fn spread(mut values: Vec<f64>) -> Option<(f64, f64, f64)> {
    values.sort_by(f64::total_cmp);
    let (min, max) = (*values.first()?, *values.last()?);
    let middle = values.len() / 2;
    let above = *values.get(middle)?;
    let median = if values.len() % 2 == 1 {
        above
    } else {
        f64::midpoint(*values.get(middle.checked_sub(1)?)?, above)
    };
    Some((min, median, max))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(name: &str, rates: &[f64]) -> Series {
        let mut series = Series::new(name);
        for rate in rates {
            let figures = BTreeMap::from([(Figure::RequestsPerS, *rate)]);
            series.add(Measurement {
                figures,
                ..Measurement::default()
            });
        }
        series
    }

    #[test]
    fn a_median_is_in_the_middle() {
        assert_eq!(spread(vec![3.0, 1.0, 2.0]), Some((1.0, 2.0, 3.0)));
        assert_eq!(spread(vec![4.0, 1.0, 2.0, 3.0]), Some((1.0, 2.5, 4.0)));
        assert_eq!(spread(vec![]), None);
    }

    #[test]
    fn sides_are_compared_round_by_round() {
        let (ours, theirs) = (
            series("a", &[10.0, 40.0, 90.0]),
            series("b", &[10.0, 10.0, 30.0]),
        );
        let ratio = Ratio {
            figure: Figure::RequestsPerS,
            to: "b".to_owned(),
            min: 1.0,
            median: 3.0,
            max: 4.0,
        };
        assert_eq!(Ratio::all(&ours, &theirs), [ratio]);
    }

    #[test]
    fn the_most_that_was_stolen_is_that_of_one_round() {
        let mut side = series("a", &[1.0]);
        assert_eq!(side.stolen_percent_max(), None);
        for percent in [3.0, 40.0, 12.0] {
            side.add(Measurement {
                stolen_percent: Some(percent),
                ..Measurement::default()
            });
        }
        assert_eq!(side.stolen_percent_max(), Some(40.0));
    }

    #[test]
    fn failures_of_all_rounds_are_told() {
        let mut side = Series::new("a");
        for (status, failed) in [("503", 2), ("unsent", 3)] {
            side.add(Measurement {
                requests: 10,
                successes: 10 - failed,
                errors: BTreeMap::from([(status.to_owned(), failed)]),
                ..Measurement::default()
            });
        }
        let failures = Failures {
            name: "a".to_owned(),
            failed: 5,
            requests: 20,
        };
        assert_eq!(Failures::of(&side), Some(failures));
        assert_eq!(Failures::of(&series("b", &[1.0])), None);
    }
}
