//! Several scenarios in one run, on a ledger that has grown, beside one that has not.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;

use super::{
    SHORT, assert_adds_up, assert_is_drawn, bench, bench_at, count, figure, is_empty, list, rounds,
    serve,
};
use crate::support::postgres;
use crate::support::process::{self, path_of, run};

const SCENARIOS: [&str; 4] = ["spread", "hot", "reads", "history"];

/// The entries of a side, by its name.
fn books<'v>(outcome: &'v Value, name: &str) -> &'v Value {
    let mut books = list(outcome, "books").iter();
    let found = books.find(|books| books["name"] == name);
    found.unwrap_or_else(|| panic!("books of {name}: {outcome}"))
}

#[test]
fn a_ledger_that_grew_is_measured_beside_an_empty_one() {
    let temp_dir = process::data_dir();
    let plots = TempDir::new().expect("a directory");
    let plot = plots.path().join("growth.svg");
    let plot_path = plot.to_str().expect("a path of text");
    let scenarios = SCENARIOS.join(",");
    let args = [&scenarios, "--concurrency", "1,4", "--duration", "200ms"];
    let sides = ["--grow", "2005", "--against", "empty", "--rounds", "2"];
    let places = ["--temp-dir", path_of(&temp_dir), "--plot", plot_path];
    let (outcome, code) = bench(&[&args[..], &sides, &places].concat());
    assert_eq!(code, Some(0), "{outcome}");
    assert_adds_up(&outcome);
    assert_eq!(rounds(&outcome).len(), 4 * 2 * 2 * 2, "{outcome}");

    let measured = list(&outcome, "loads").iter().map(|load| {
        for ratio in list(load, "ratios") {
            assert_eq!(ratio["to"], "empty", "{outcome}");
        }
        assert_ne!(list(load, "ratios").len(), 0, "{outcome}");
        let scenario = load["scenario"].as_str().expect("a scenario");
        (scenario, count(load, "connections"))
    });
    let asked = SCENARIOS.map(|scenario| [(scenario, 1), (scenario, 4)]);
    assert_eq!(measured.collect::<Vec<_>>(), asked.concat());

    let [growth] = &list(&outcome, "growth")[..] else {
        panic!("one side grew: {outcome}");
    };
    assert_eq!(growth["name"], "passbook");
    assert_is_a_curve(growth, 2005);

    // What is read adds nothing to either; the grown one has its growth besides what both measured.
    let written = |name| count(books(&outcome, name), "added");
    assert!(2005 + 40 < written("passbook"), "{outcome}");
    assert_eq!(list(&outcome, "books").len(), 2, "{outcome}");
    assert!(is_empty(temp_dir.path()), "nothing is left");
    let captions = SCENARIOS.join(", ");
    let svg = fs::read_to_string(plot).expect("a plot");
    let latency = format!("{captions}: latency");
    let named = [
        latency.as_str(),
        "growth of passbook: disk",
        "history empty",
    ];
    assert_is_drawn(&svg, &named);
}

/// Ten parts that add up to the whole, each with its figures and what the disk then held.
fn assert_is_a_curve(growth: &Value, whole: u64) {
    let tenths = list(growth, "tenths");
    assert_eq!(tenths.len(), 10, "{growth}");
    let mut before = 0;
    let mut database_bytes = 0;
    for tenth in tenths {
        let entries = count(tenth, "entries");
        assert_eq!(entries - before, count(tenth, "successes"), "{growth}");
        before = entries;
        assert_eq!(tenth["errors"], serde_json::json!({}), "{growth}");
        for name in ["requests_per_s", "p50_ms", "p99_ms"] {
            assert!(0.0 < figure(tenth, name), "{name}: {growth}");
        }
        assert!(database_bytes <= count(tenth, "database_bytes"), "{growth}");
        database_bytes = count(tenth, "database_bytes");
    }
    assert_eq!(before, whole, "{growth}");
    // Its amount, balance, seal, key and digest alone are more than a hundred bytes.
    let last = &tenths[tenths.len() - 1];
    let bytes_per_entry = figure(last, "bytes_per_entry");
    assert!((100.0..5_000.0).contains(&bytes_per_entry), "{growth}");
}

/// Also where nothing but one account is measured.
#[tokio::test]
async fn what_a_ledger_grows_by_is_spread_over_all_accounts() {
    let url = postgres::create_database().await;
    let (passbook, flags) = serve(&url);
    let args = ["hot", "--grow", "2000", "--concurrency", "1"];
    let (outcome, code) = bench_at(&flags, &[&args[..], &["--duration", "100ms"]].concat());
    assert_eq!(code, Some(0), "{outcome}");
    assert_adds_up(&outcome);
    // The mean is 50 for each of the 40.
    let grown = "select count(*) from accounts where 10 < version";
    let mut connection = PgConnection::connect(&url).await.expect("a connection");
    let grown: i64 = sqlx::query_scalar(grown)
        .fetch_one(&mut connection)
        .await
        .expect("a count");
    connection.close().await.expect("closed");
    assert_eq!(grown, 40, "{outcome}");
    passbook.stop();
    postgres::drop_database(&url).await;
}

#[test]
fn a_growth_is_a_table_of_its_own() {
    let temp_dir = process::data_dir();
    let args = ["bench", "spread", "--grow", "7", "--concurrency", "1"];
    let places = ["--duration", "100ms", "--temp-dir", path_of(&temp_dir)];
    let output = run(&[&args[..], &places, &SHORT].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (growth, rest) = text
        .split_once("spread: 40 accounts, 0.1 s")
        .expect("both tables");
    assert!(growth.contains("bytes/entry"), "{text}");
    let rows = growth.lines().filter_map(|line| {
        let entries = line.split_whitespace().next()?;
        entries.parse::<u64>().ok()
    });
    assert_eq!(rows.collect::<BTreeSet<u64>>(), (1..=7).collect(), "{text}");
    assert!(rest.contains("nothing lost, nothing twice"), "{text}");
}
