//! The benchmark: clients that put a service under load over HTTP, and what that costs.

#![expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures about speed, not money"
)]

mod case;
mod error;
mod outcome;
mod plan;
pub mod plot;
mod progress;
mod scenario;
mod target;

mod growth;
mod side;

mod client;
mod load;
mod pgbench;
mod popularity;
mod processes;
mod requests;
mod summary;
mod tally;
mod writes;

use std::time::Duration;

pub use self::case::{Case, Load, Scenario};
pub use self::error::Error;
pub use self::outcome::{
    Books, Conditions, Failures, Figure, Growth, LoadOutcome, Measurement, Outcome, Ratio, Series,
    Tenth,
};
pub use self::pgbench::Baseline;
pub use self::plan::Plan;
pub use self::progress::{Progress, Watch};
pub use self::target::{Own, Secret, Size, Target};
pub use self::writes::Promises;

use self::pgbench::Pgbench;
use self::side::Side;

/// Measures all targets, in turns, and audits their books.
///
/// # Errors
/// Where a target cannot be prepared, or goes away.
pub async fn run(plan: &Plan, targets: &[Target], watch: &Watch<'_>) -> Result<Outcome, Error> {
    let mut sides = Vec::new();
    for target in targets {
        sides.push(Side::prepare(plan, target, watch).await?);
    }
    let pgbench = match (plan.baseline, targets.first()) {
        (Some(baseline), Some(target)) => {
            Some(Pgbench::prepare(baseline, target, target.size.accounts).await?)
        }
        (None, _) | (_, None) => None,
    };
    let mut outcome = Outcome::new(plan, targets);
    for side in &mut sides {
        outcome.growth.extend(side.grow(watch).await?);
    }
    for round in 0..plan.rounds {
        // Every other round the other way round, so that nobody is always first, or last.
        if is_backwards(round) {
            measure_baseline(round, plan, pgbench.as_ref(), &mut outcome, watch).await?;
            measure_round(round, plan, &mut sides, &mut outcome, watch).await?;
        } else {
            measure_round(round, plan, &mut sides, &mut outcome, watch).await?;
            measure_baseline(round, plan, pgbench.as_ref(), &mut outcome, watch).await?;
        }
    }
    for side in sides {
        outcome.books.extend(side.audit(watch).await?);
    }
    outcome.conclude();
    Ok(outcome)
}

/// Every case on every side.
async fn measure_round(
    round: u32,
    plan: &Plan,
    sides: &mut [Side<'_>],
    outcome: &mut Outcome,
    watch: &Watch<'_>,
) -> Result<(), Error> {
    for (case, load) in plan.cases.iter().zip(&mut outcome.loads) {
        let mut turns: Vec<(&mut Side<'_>, &mut Series)> =
            sides.iter_mut().zip(&mut load.sides).collect();
        if is_backwards(round) {
            turns.reverse();
        }
        for (side, series) in turns {
            let round = step(round, plan.rounds);
            let step = format!("{}, {}, {round}", load.scenario, load.load);
            let (measurement, violation) = side.measure(*case, &step, watch).await?;
            series.add(measurement);
            outcome.violations.extend(violation);
        }
    }
    Ok(())
}

/// PostgreSQL alone, where that was asked: its load is its own, and the same for every case.
async fn measure_baseline(
    round: u32,
    plan: &Plan,
    pgbench: Option<&Pgbench>,
    outcome: &mut Outcome,
    watch: &Watch<'_>,
) -> Result<(), Error> {
    if let (Some(pgbench), Some(series)) = (pgbench, &mut outcome.pgbench) {
        watch(Progress {
            side: &series.name,
            step: &step(round, plan.rounds),
            completed: 0,
            elapsed: Duration::ZERO,
        });
        series.add(pgbench.measure(plan.warm_up, plan.duration).await?);
    }
    Ok(())
}

fn is_backwards(round: u32) -> bool {
    round % 2 == 1
}

fn step(round: u32, rounds: u32) -> String {
    format!("round {} of {rounds}", round.saturating_add(1))
}

impl Conditions {
    /// What holds of all of it.
    fn of(plan: &Plan, target: Option<&Target>) -> Self {
        let scenarios = plan.cases.iter().map(|case| case.scenario);
        let size = target.map(|target| target.size).unwrap_or_default();
        let opened = scenarios.map(|scenario| scenario.accounts(size));
        Self {
            accounts: opened.max().unwrap_or_default(),
            grow: size.grow,
            zipf: plan.zipf,
            warm_up_s: plan.warm_up.as_secs_f64(),
            duration_s: plan.duration.as_secs_f64(),
            rounds: plan.rounds,
        }
    }
}

impl Outcome {
    /// Of nothing yet.
    fn new(plan: &Plan, targets: &[Target]) -> Self {
        let names = targets.iter().map(|target| Series::new(&target.name));
        let names: Vec<Series> = names.collect();
        let load = |case: &Case| LoadOutcome {
            scenario: case.scenario.name(),
            load: case.load,
            sides: names.clone(),
            ratios: Vec::new(),
            failures: Vec::new(),
        };
        Self {
            conditions: Conditions::of(plan, targets.first()),
            growth: Vec::new(),
            loads: plan.cases.iter().map(load).collect(),
            pgbench: plan.baseline.map(|baseline| Series::new(baseline.name())),
            books: Vec::new(),
            violations: Vec::new(),
            is_clean: true,
        }
    }

    fn conclude(&mut self) {
        for load in &mut self.loads {
            let Some((first, others)) = load.sides.split_first() else {
                continue;
            };
            let others = others.iter().chain(&self.pgbench);
            load.ratios = others.flat_map(|other| Ratio::all(first, other)).collect();
            load.failures = load.sides.iter().filter_map(Failures::of).collect();
        }
        self.is_clean = self.violations.is_empty() && self.books.iter().all(Books::is_clean);
    }
}
