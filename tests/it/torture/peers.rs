//! Peers that go away, that are rude, that send what nobody should, by the thousand.

use super::run::Run;
use crate::departures::resets;
use crate::peers::malformed::malformed;
use crate::shutdown::stops;

const VISITS: u64 = 1_000;
const REQUESTS: u64 = 1_000;
const STOPS: u64 = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_go_away_leave_nothing_behind() {
    let mut run = Run::of("peers::clients");
    let departures = resets(run.rng.u64(..), run.number(VISITS)).await;
    for (what, number, least) in [
        (
            "clients that stayed for their answer",
            departures.acknowledged,
            100,
        ),
        (
            "clients that left when their money had moved",
            departures.applied_unheard,
            50,
        ),
        ("clients that left before", departures.not_applied, 300),
        (
            "requests of clients beside them",
            departures.undisturbed,
            10,
        ),
    ] {
        assert!(least < number, "{departures:?}; {}", run.replay());
        run.count(what, number as u64);
    }
    run.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_requests_do_no_harm() {
    let mut run = Run::of("peers::malformed");
    let malformed = malformed(run.rng.u64(..), run.number(REQUESTS)).await;
    for (what, number, least) in [
        ("malformed requests", malformed.sent, 999),
        ("of them refused", malformed.refused, 100),
        ("of them harmless after all", malformed.accepted, 20),
    ] {
        assert!(least < number, "{malformed:?}; {}", run.replay());
        run.count(what, number as u64);
    }
    run.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_answers_what_is_in_flight_whoever_else_is_there() {
    let mut run = Run::of("peers::a_stop");
    let rounds = run.number(STOPS);
    let stops = stops(run.rng.u64(..), rounds).await;
    for (what, number, least) in [
        (
            "requests answered by services that were stopped",
            stops.acknowledged,
            99,
        ),
        ("requests that came too late", stops.not_applied, 1),
    ] {
        assert!(least < number, "{stops:?}; {}", run.replay());
        run.count(what, number as u64);
    }
    run.count("stops under load", rounds as u64);
    run.end();
}
