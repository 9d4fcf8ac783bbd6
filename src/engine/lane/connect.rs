//! How a lane comes by a connection again, and when it gives one up.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::expiry::expire;
use super::ids::Ids;
use super::link::bounded;
use super::state::Lane;
use crate::engine::shared::Shared;
use crate::storage::lane::LaneConnection;
use crate::storage::{Connection, StorageError, connection};
use crate::telemetry::throttle::Throttle;

/// How long a lane rests between two attempts to connect, in milliseconds.
const RECONNECT_PAUSE_MS: std::ops::Range<u64> = 50..150;
/// How many commits that wait for a synchronous standby a lane may leave behind, on average.
const STUCK_MAX: usize = 2;
/// How often a lane that rests behind those looks whether they are through.
const STUCK_PAUSE: Duration = Duration::from_millis(250);
/// How old what is known of the server's durability may be when a lane writes.
const DURABILITY_AGE_MAX: Duration = Duration::from_secs(10);

static CANNOT_CONNECT: Throttle = Throttle::new();
static LOST: Throttle = Throttle::new();
static STUCK: Throttle = Throttle::new();
static APART: Throttle = Throttle::new();
static AGAIN: Throttle = Throttle::new();

/// A connection whose server has about the time that it is here.
pub(super) async fn connect(shared: &Shared) -> Result<LaneConnection, StorageError> {
    let connected = shared.database.connect_lane().await?;
    let skew = connected.skew;
    shared.stats.clock_skew.set(skew.seconds());
    skew.check()?;
    if skew.is_notable() {
        APART.say(|held_back| tracing::warn!(%skew, held_back, "the clocks are apart"));
    }
    Ok(connected)
}

impl Lane {
    /// Connects again. Whatever was remembered may be of another history by now. `false` if time is up; without a
    /// limit, if there is nothing left to work on, ever.
    pub(super) async fn reconnect(&mut self, until: Option<Instant>) -> bool {
        self.ids = Ids::default();
        let connected = tokio::select! {
            biased;
            () = expire(&self.shared, &mut self.aside, until) => return false,
            connected = connect_at_last(&self.shared) => connected,
        };
        self.shared.memory.forget_all();
        self.shared.stats.reconnects.inc();
        self.link.open(connected);
        AGAIN.say(|held_back| tracing::info!(held_back, "a lane is connected again"));
        true
    }

    /// Looks now and then whether the server still keeps what it acknowledges: a reload may have changed that.
    pub(super) async fn check_durability(&mut self) -> Result<(), StorageError> {
        if self.link.durable_at.elapsed() < DURABILITY_AGE_MAX {
            return Ok(());
        }
        let connection = self.link.connection()?;
        bounded(self.shared.database.check_durability(connection)).await?;
        self.link.durable_at = Instant::now();
        Ok(())
    }

    pub(super) fn disconnect(&mut self, why: &str) {
        if self.link.lose() {
            LOST.say(|held_back| tracing::warn!(why, held_back, "a lane lost its connection"));
        }
    }
}

/// Tries until the database lets it in.
async fn connect_at_last(shared: &Shared) -> LaneConnection {
    loop {
        match connect(shared).await {
            Ok(mut connected) => match rest(shared, &mut connected.connection).await {
                Ok(()) => return connected,
                Err(error) => CANNOT_CONNECT.say(|held_back| {
                    tracing::warn!(%error, held_back, "a lane cannot use its connection");
                }),
            },
            Err(error) => CANNOT_CONNECT.say(|held_back| {
                tracing::warn!(%error, held_back, "a lane cannot connect to the database");
            }),
        }
        sleep(Duration::from_millis(fastrand::u64(RECONNECT_PAUSE_MS))).await;
    }
}

/// Rests while too many commits wait for a synchronous standby: another batch would wait behind them, and leave one
/// more backend there. They are left alone, as `PostgreSQL` acknowledges a commit whose wait is cancelled.
async fn rest(shared: &Shared, connection: &mut Connection) -> Result<(), StorageError> {
    let stuck_max = STUCK_MAX.saturating_mul(shared.settings.lanes);
    let stuck_max = i64::try_from(stuck_max).unwrap_or(i64::MAX);
    loop {
        let commits = bounded(connection::count_stuck_commits(connection)).await?;
        if commits < stuck_max {
            return Ok(());
        }
        STUCK.say(|held_back| {
            let why = "commits wait for a synchronous standby";
            tracing::warn!(why, commits, held_back, "a lane rests");
        });
        sleep(STUCK_PAUSE).await;
    }
}
