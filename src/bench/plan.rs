//! What is to be measured, and how often.

use std::time::Duration;

use super::case::Case;
use super::pgbench::Baseline;

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct Plan {
    /// One after the other in each round. More than one scenario only where all are over users.
    pub cases: Vec<Case>,
    /// A few of them far more often than the others.
    pub zipf: bool,
    /// Time under load before each measurement.
    pub warm_up: Duration,
    pub duration: Duration,
    /// How often everything is measured, all sides in turns.
    pub rounds: u32,
    /// PostgreSQL alone, in turns with the services.
    pub baseline: Option<Baseline>,
}
