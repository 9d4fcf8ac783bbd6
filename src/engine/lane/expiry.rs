//! What runs out of time before a lane can work on it.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::aside::Aside;
use crate::engine::queue::{Pending, answer_all};
use crate::engine::shared::Shared;
use crate::ledger::Fault;

/// How often a lane without a connection looks who has waited too long.
const EXPIRY_PAUSE: Duration = Duration::from_millis(100);

/// Tells those who have waited too long, while a lane has no connection, until time is up; without a limit, until there
/// is nothing left to work on, ever.
pub(super) async fn expire(shared: &Shared, aside: &mut Aside, until: Option<Instant>) {
    let is_over = |aside: &Aside| match until {
        Some(until) => until <= Instant::now(),
        None => shared.queue.is_finished() && aside.is_empty(),
    };
    while !is_over(aside) {
        tell(shared, shared.queue.expire());
        for batch in aside.expire(Instant::now()) {
            batch.fail(Fault::Unavailable);
        }
        sleep(EXPIRY_PAUSE).await;
    }
}

/// Tells the callers of commands that have waited too long.
pub(super) fn tell(shared: &Shared, expired: Vec<Pending>) {
    shared.stats.expired.inc_by(expired.len() as u64);
    let is_away = shared.stats.connected.get() == 0;
    let fault = if is_away {
        Fault::Unavailable
    } else {
        Fault::Overloaded
    };
    answer_all(expired.into_iter().map(|pending| (pending, Err(fault))));
}
