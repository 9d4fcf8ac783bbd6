//! The clock of the database beside that of the service: how far a statement may be from the time of its plan.

use std::fmt::{self, Display, Formatter};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::Row;

use super::{Connection, StorageError};

/// How much earlier than the time of its plan a batch statement may be, by the database's clock.
pub const EARLY_MAX: Duration = Duration::from_secs(5);
/// How much later than the time of its plan a batch statement may look at the database's clock. The commit comes after that, so
/// it may be later: by what is left of the transaction's time, and by as long as it waits for a standby or the disk.
pub const LATE_MAX: Duration = Duration::from_secs(10);
/// How far the clocks may be apart where a lane connects. It leaves statements some time on their way on both sides.
pub const SKEW_MAX: Duration = Duration::from_millis(4_500);
/// How far they may be apart without a word.
const QUIET_MAX: Duration = Duration::from_millis(500);

/// The part of the batch statement for which every insert waits. Where the heads are the expected ones, and every lock was waited
/// for, it looks at the clock: far from `$1`, the time of the plan, it takes the root of -1. That raises 2201F, so what comes late
/// is no conflict. The clock is volatile, so nothing of this is known before it runs.
pub(super) const SURE: &str = "sure as (
    select case expected.one when 1 then sqrt(
        2 * (clock_timestamp() between $1::timestamptz - interval '5 s' and $1::timestamptz + interval '10 s')::int - 1
    )::int end as one
    from expected
)";

/// How far the clocks were apart when they were compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skew {
    /// How far the database's clock is ahead.
    database_ahead: TimeDelta,
    /// By how much that may be wrong: what was asked and answered took its time.
    error_max: TimeDelta,
}

impl Skew {
    /// Compares the database's clock with the middle of asking for it.
    pub(super) async fn measure(connection: &mut Connection) -> Result<Self, StorageError> {
        // Not prepared, so that it is one exchange.
        const SQL: &str = "select clock_timestamp()";
        let (before, asked) = (Utc::now(), Instant::now());
        let row = sqlx::raw_sql(SQL).fetch_one(connection).await?;
        let took = asked.elapsed();
        Ok(Self::between(before, row.try_get(0)?, took))
    }

    fn between(before: DateTime<Utc>, database: DateTime<Utc>, took: Duration) -> Self {
        let half = TimeDelta::from_std(took / 2).unwrap_or(TimeDelta::MAX);
        Self {
            database_ahead: database - before - half,
            error_max: half,
        }
    }

    /// How far the database's clock is ahead, in seconds.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.database_ahead.as_seconds_f64()
    }

    /// Whether the operator should hear of it.
    #[must_use]
    pub fn is_notable(self) -> bool {
        self.is_beyond(QUIET_MAX)
    }

    /// # Errors
    /// If the clocks are too far apart to write, however long the question was on its way.
    pub fn check(self) -> Result<(), StorageError> {
        if self.is_beyond(SKEW_MAX) {
            return Err(StorageError::Unfit(format!(
                "{self}, and at most {} s are allowed: set the clock that is wrong",
                SKEW_MAX.as_secs_f64()
            )));
        }
        Ok(())
    }

    fn is_beyond(self, limit: Duration) -> bool {
        let surely = self.database_ahead.abs() - self.error_max;
        TimeDelta::from_std(limit).is_ok_and(|limit| limit < surely)
    }
}

impl Display for Skew {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let apart = self.database_ahead.abs();
        let way = if self.database_ahead < TimeDelta::zero() {
            "ahead of"
        } else {
            "behind"
        };
        let tenths = apart.subsec_millis() / 100;
        write!(formatter, "this machine's clock is ")?;
        if apart < TimeDelta::days(2) {
            write!(formatter, "{}.{tenths} s", apart.num_seconds())?;
        } else {
            write!(formatter, "{} days", apart.num_days())?;
        }
        write!(formatter, " {way} the database's")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As measured when the database's clock is so many milliseconds ahead, and the answer took so many.
    fn skew(ahead: i64, took: u64) -> Skew {
        let before = DateTime::UNIX_EPOCH;
        let took = Duration::from_millis(took);
        let database = before + TimeDelta::milliseconds(ahead) + took / 2;
        Skew::between(before, database, took)
    }

    #[test]
    fn the_statement_has_the_bounds_that_are_documented() {
        let early = format!("$1::timestamptz - interval '{} s'", EARLY_MAX.as_secs());
        let late = format!("$1::timestamptz + interval '{} s'", LATE_MAX.as_secs());
        assert!(SURE.contains(&early) && SURE.contains(&late), "{SURE}");
        assert!(SKEW_MAX < EARLY_MAX && SKEW_MAX < LATE_MAX);
    }

    #[test]
    fn clocks_that_are_near_pass_and_others_do_not_either_way() {
        for (ahead, took, passes) in [
            (0, 0, true),
            (4_500, 0, true),
            (-4_500, 0, true),
            (4_501, 0, false),
            (-4_501, 0, false),
            // What took four seconds may be wrong by two.
            (6_500, 4_000, true),
            (-6_501, 4_000, false),
        ] {
            let skew = skew(ahead, took);
            assert_eq!(skew.check().is_ok(), passes, "{ahead} {took}");
        }
        assert!(!skew(500, 0).is_notable() && skew(-501, 0).is_notable());
        assert!((skew(-1_500, 20).seconds() + 1.5).abs() < 1e-9);
    }

    #[test]
    fn the_line_says_which_way_and_how_much() {
        let said = |ahead| skew(ahead, 0).check().expect_err("apart").to_string();
        assert_eq!(
            said(-10_040),
            "this machine's clock is 10.0 s ahead of the database's, and at most 4.5 s are allowed: set the clock that is wrong"
        );
        assert!(said(86_400_000 * 3_650).contains("is 3650 days behind the database's"));
    }
}
