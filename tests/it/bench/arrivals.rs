//! Open loops, and services that do not keep up with what arrives.

use serde_json::json;

use super::{SHORT, assert_adds_up, bench, bench_at, count, figure, list, rounds, serve};
use crate::support::postgres;
use crate::support::process::{Passbook, run};

/// What waits to be sent has begun: one connection cannot keep up with what arrives, and says so.
#[tokio::test]
async fn in_an_open_loop_a_latency_counts_from_when_the_request_was_due() {
    let url = postgres::create_database().await;
    let (passbook, flags) = serve(&url);
    let args = ["spread", "--rate", "20000", "--concurrency", "1"];
    let (outcome, code) = bench_at(&flags, &[&args[..], &["--duration", "50ms"]].concat());
    assert_eq!(code, Some(0), "{outcome}");
    assert_adds_up(&outcome);
    let round = rounds(&outcome)[0];
    assert_eq!(count(round, "requests"), 1_000, "all that arrived");
    let alone_ms = 1_000.0 / figure(round, "requests_per_s");
    assert!(100.0 * alone_ms < figure(round, "p50_ms"), "{outcome}");
    passbook.stop();
    postgres::drop_database(&url).await;
}

/// Of 256 connections most are used for the first time after the service would have closed them.
#[tokio::test]
async fn a_connection_that_lay_unused_is_not_taken_for_a_refusal() {
    let url = postgres::create_database().await;
    let (passbook, flags) = serve(&url);
    let args = ["spread", "--rate", "10", "--duration", "7s"];
    let (outcome, code) = bench_at(&flags, &args);
    assert_eq!(code, Some(0), "{outcome}");
    assert_adds_up(&outcome);
    let round = rounds(&outcome)[0];
    assert_eq!(count(round, "requests"), 70, "all that arrived");
    assert_eq!(round["refusals"], json!({}), "{outcome}");
    passbook.stop();
    postgres::drop_database(&url).await;
}

/// A service with room for few fails the others, which it did no work for.
#[tokio::test]
async fn requests_that_failed_are_told_beside_the_figures() {
    let url = postgres::create_database().await;
    let passbook = Passbook::serve(&["--database-url", &url, "--queue-max", "8"]);
    let target = ["--url", &passbook.url, "--database-url", &url];
    let args = ["hot", "--concurrency", "64", "--duration", "300ms"];
    let (outcome, code) = bench(&[&args[..], &target].concat());
    assert_eq!(code, Some(0), "{outcome}");
    assert_eq!(outcome["is_clean"], true, "{outcome}");
    let round = rounds(&outcome)[0];
    let [failures] = &list(&list(&outcome, "loads")[0], "failures")[..] else {
        panic!("one side failed some: {outcome}");
    };
    assert_eq!(failures["name"], "passbook", "{outcome}");
    assert_eq!(count(failures, "requests"), count(round, "requests"));
    let failed = count(&round["errors"], "503");
    assert_eq!(count(failures, "failed"), failed, "{outcome}");
    let done = count(round, "successes") + failed;
    assert_eq!(count(round, "requests"), done, "{outcome}");

    let output = run(&[&["bench"], &args[..], &target, &SHORT].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("FAILED hot, 64 connections: "), "{text}");
    passbook.stop();
    postgres::drop_database(&url).await;
}
