//! Ten times what the service can take: what it refuses had no effect, it stays within its limits, and is back at once.

use std::fs;
use std::time::{Duration, Instant};

use reqwest::Client;
use tokio::time::sleep;

use super::check::check;
use super::clients::{Clients, World};
use super::history::Told;
use super::run::Run;
use crate::support::postgres;
use crate::support::process::Passbook;

/// Requests that may wait; the clients have ten times as many in flight.
const QUEUE_MAX: u64 = 60;
const CLIENTS: u64 = 600;
const TIME_MIN: Duration = Duration::from_secs(1);
const TIME_MAX: Duration = Duration::from_secs(20);
/// Between two looks at the service's health.
const LOOK: Duration = Duration::from_millis(20);
/// What the service may hold in memory: with room for a thousand connections, not for a backlog.
const RESIDENT_MB_MAX: u64 = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overload() {
    let mut run = Run::of("overload");
    let database_url = postgres::create_database().await;
    let runtime_url = postgres::as_runtime(&database_url);
    let queue_max = QUEUE_MAX.to_string();
    let flags = [
        "--database-url",
        &runtime_url,
        "--owner-url",
        &database_url,
        "--queue-max",
        &queue_max,
        // Slower than the clients, however slow these are: batches are for the other runs.
        "--lanes",
        "1",
        "--batch-size-max",
        "1",
    ];
    let passbook = Passbook::serve(&flags);
    let world = World::new(vec![passbook.url.clone()]);
    world.endow().await;
    // Ten times the shortest run is as much memory as it will ever take.
    let turns = run.times(1).div_ceil(5);
    for turn in 0..turns {
        let clients = Clients::start(&world, CLIENTS, &mut run.rng, World::wish);
        let time = TIME_MIN.saturating_mul(u32::try_from(run.times(1)).unwrap_or(u32::MAX));
        watch(&passbook.url, time.min(TIME_MAX), &mut run).await;
        let history = clients.stop().await;
        let refused = history
            .operations
            .iter()
            .filter(|operation| operation.told == Told::NothingApplied);
        assert_ne!(refused.count(), 0, "it was too much");
        check(&mut run, &world, history, &database_url).await;
        run.progress(turn + 1, turns);
    }
    for _ in 0..20 {
        let told = world.ask(world.wish(&mut run.rng)).await;
        assert!(
            matches!(told, Told::Done(_) | Told::Refused(_)),
            "at once: {told:?}"
        );
    }
    let resident = resident_mb(passbook.pid());
    run.raise("MB resident at most", resident);
    assert!(resident < RESIDENT_MB_MAX, "{resident} MB");
    passbook.stop();
    postgres::drop_database(&database_url).await;
    run.end();
}

/// The service says that it is healthy all the while.
async fn watch(url: &str, time: Duration, run: &mut Run) {
    let client = Client::new();
    let until = Instant::now() + time;
    while Instant::now() < until {
        let asked = Instant::now();
        let health = client
            .get(format!("{url}/api/health"))
            .send()
            .await
            .expect("an answer");
        assert_eq!(health.status(), 200);
        let waited = u64::try_from(asked.elapsed().as_millis()).expect("short");
        run.raise("ms at most until health was answered", waited);
        sleep(LOOK).await;
    }
}

/// The most memory that the process has had.
fn resident_mb(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("a size");
    let kb: u64 = line
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .expect("a number");
    kb / 1024
}
