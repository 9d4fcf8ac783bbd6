//! What every test stands on: a PostgreSQL, a bank on a database of its own, the verbs of its clients.

pub(crate) mod ask;
pub(crate) mod bank;
pub(crate) mod collector;
pub(crate) mod faults;
pub(crate) mod locked;
pub(crate) mod native;
pub(crate) mod newer;
pub(crate) mod peer;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod tls;
pub(crate) mod wishes;

use std::time::{Duration, Instant};

pub(crate) use bank::{Bank, Reply};
pub(crate) use locked::Locked;

/// Waits until the condition holds; a test that waits in vain says what for.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds().await {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
