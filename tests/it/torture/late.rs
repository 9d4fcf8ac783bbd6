//! Packets that come when nobody waits for them any more: a minute late, or in the shortest run as soon as they are too late.

use std::time::Duration;

use super::run::Run;
use crate::late::{HELD, LATE, hold_back};
use crate::support::bank::at_once;

/// How late they come in a run that may take its time.
const MINUTES_LATE: Duration = Duration::from_secs(80);
/// How often at most, as each turn takes that long.
const TURNS_MAX: u64 = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_packets() {
    let mut run = Run::of("late");
    let turns = run.times(1).min(TURNS_MAX);
    for turn in 0..turns {
        if turns == 1 {
            let (way, message) = HELD[run.rng.usize(0..HELD.len())];
            hold_back(way, message, LATE).await;
            run.count("packets that came late", 1);
        } else {
            at_once(HELD.map(|(way, message)| hold_back(way, message, MINUTES_LATE))).await;
            run.count("packets that came a minute late", HELD.len() as u64);
        }
        run.progress(turn + 1, turns);
    }
    run.end();
}
