//! Two services on one database that write the same accounts, while one or the other is killed, or gives way to a new one.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::check::check;
use super::clients::{Clients, World};
use super::run::Run;
use crate::support::postgres;
use crate::support::process::{self, Passbook};

const CLIENTS: u64 = 24;
/// Moves between two changes.
const MOVES: u64 = 150;
/// How long both write one account, at least and at most.
const SATURATION_MIN: Duration = Duration::from_secs(2);
const SATURATION_MAX: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_services() {
    let mut run = Run::of("services");
    let database_url = postgres::create_database().await;
    let mut services = [serve(&database_url), serve(&database_url)];
    let world = World::new(urls(&services));
    world.endow().await;
    let turns = run.times(1);
    for turn in 0..turns {
        let clients = Clients::start(&world, CLIENTS, &mut run.rng, World::wish);
        for change in ["KILL", "TERM", "KILL", "TERM"] {
            world.goes_on(MOVES).await;
            sleep(Duration::from_millis(run.rng.u64(0..30))).await;
            let place = run.rng.usize(0..2);
            if change == "TERM" {
                // Rolling: the next one serves before the last one stops.
                let old = std::mem::replace(&mut services[place], serve(&database_url));
                world.move_to(urls(&services));
                end(old, &mut run);
            } else {
                services[place].signal(change);
                let old = std::mem::replace(&mut services[place], serve(&database_url));
                world.move_to(urls(&services));
                drop(old);
            }
            run.count(format!("services ended by {change}"), 1);
        }
        world.goes_on(MOVES).await;
        let history = clients.stop().await;
        check(&mut run, &world, history, &database_url).await;
        run.progress(turn + 1, turns);
    }
    saturate(&world, &mut run, &database_url).await;
    for service in services {
        end(service, &mut run);
    }
    let verified = process::run(&["verify", "--database-url", &database_url]);
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
    postgres::drop_database(&database_url).await;
    run.end();
}

/// Both write one account for a while, and neither starves the other.
async fn saturate(world: &Arc<World>, run: &mut Run, database_url: &str) {
    let length = u32::try_from(run.times(1)).unwrap_or(u32::MAX);
    let time = SATURATION_MIN.saturating_mul(length).min(SATURATION_MAX);
    let clients = Clients::start(world, CLIENTS, &mut run.rng, World::wish_of_one);
    sleep(time).await;
    let history = clients.stop().await;
    let waits = history
        .operations
        .iter()
        .map(|operation| operation.ended.saturating_sub(operation.began));
    let longest = waits.max().expect("something was asked");
    run.raise(
        "ms at most for an answer of two services on one account",
        u64::try_from(longest.as_millis()).expect("short"),
    );
    run.count("seconds of two services on one account", time.as_secs());
    run.count(
        "moves of two services on one account",
        history.operations.len() as u64,
    );
    check(run, world, history, database_url).await;
}

fn serve(database_url: &str) -> Passbook {
    let runtime_url = postgres::as_runtime(database_url);
    Passbook::serve(&["--database-url", &runtime_url, "--owner-url", database_url])
}

fn urls(services: &[Passbook]) -> Vec<String> {
    services.iter().map(|service| service.url.clone()).collect()
}

/// Stops a service, which says in the end how often it lost in a row.
fn end(service: Passbook, run: &mut Run) {
    service.signal("TERM");
    let ended = service.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let (_, rest) = ended
        .stderr
        .rsplit_once("longest_streak: ")
        .expect("it tells what it counted");
    let digits = rest
        .split(|letter: char| !letter.is_ascii_digit())
        .next()
        .expect("a number");
    run.raise(
        "lost rounds in a row at most",
        digits.parse().expect("a number"),
    );
}
