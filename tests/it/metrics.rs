//! What the service tells Prometheus, and that the alerts and the dashboard ask for nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use reqwest::Method;
use tempfile::TempDir;

use crate::support::Bank;
use crate::support::bank::at_once;
use crate::support::process::run;

const ALERTS: &str = include_str!("../../deploy/prometheus/alerts.yml");
const DASHBOARD: &str = include_str!("../../deploy/grafana/passbook.json");

/// Names by which one may know a metric of ours; `up` and the like are Prometheus's own.
const PREFIXES: [&str; 3] = ["passbook_", "http_server_", "process_"];

/// The value of each series, as it is written.
async fn scrape(bank: &Bank) -> BTreeMap<String, String> {
    let reply = bank.get("/metrics").await;
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.headers["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let lines = reply.text.lines().filter(|line| !line.starts_with('#'));
    let series = lines.map(|line| line.rsplit_once(' ').expect("a value"));
    series
        .map(|(series, value)| (series.to_owned(), value.to_owned()))
        .collect()
}

#[tokio::test]
async fn what_happens_is_counted_under_its_name() {
    let bank = Bank::open_with(&["--lanes", "1"]).await;
    let user = bank.user("100").await;
    assert_eq!(user.change_once("key", "-1").await.status, 200);
    assert_eq!(user.change_once("key", "-1").await.status, 200);
    assert_eq!(user.change("-1000").await.status, 400);
    at_once((0..20).map(|_| user.change("1"))).await;
    bank.post(
        "/event",
        r#"{"type":"withdraw","origin":"nobody","amount":1}"#,
    )
    .await;
    bank.get("/nowhere").await;
    bank.send(
        Method::from_bytes(b"BREW").expect("a method"),
        "/event",
        &[],
        None,
    )
    .await;
    let series = scrape(&bank).await;
    let route = |method: &str, route: &str, status: u16| {
        format!(
            r#"http_server_request_duration_seconds_count{{http_request_method="{method}",http_response_status_code="{status}",http_route="{route}"}}"#
        )
    };
    for (name, value) in [
        ("passbook_replays_total".to_owned(), "1"),
        (
            r#"passbook_refusals_total{reason="insufficient_funds"}"#.to_owned(),
            "1",
        ),
        (
            r#"passbook_refusals_total{reason="account_not_found"}"#.to_owned(),
            "1",
        ),
        ("passbook_commands_total".to_owned(), "25"),
        ("passbook_lanes_connected".to_owned(), "1"),
        ("passbook_queue_depth".to_owned(), "0"),
        ("passbook_batch_size_sum".to_owned(), "25"),
        ("passbook_queue_wait_seconds_count".to_owned(), "25"),
        // The one that asks.
        ("http_server_active_requests".to_owned(), "1"),
        (route("PUT", "/api/users/{id}/balance", 200), "22"),
        (route("PUT", "/api/users/{id}/balance", 400), "1"),
        (route("POST", "/event", 404), "1"),
        (route("GET", "", 404), "1"),
        (route("_OTHER", "/event", 405), "1"),
    ] {
        assert_eq!(
            series.get(&name).map(String::as_str),
            Some(value),
            "{name} in {series:#?}"
        );
    }
    bank.close().await;
}

#[tokio::test]
async fn a_replay_and_a_taken_email_are_no_conflicts() {
    let bank = Bank::open_with(&["--lanes", "1"]).await;
    let user = bank.user("100").await;
    for status in [201, 409] {
        let someone = r#"{"email":"someone@example.org"}"#;
        assert_eq!(bank.post("/api/users", someone).await.status, status);
        assert_eq!(user.change_once("key", "-1").await.status, 200);
    }
    let series = scrape(&bank).await;
    assert_eq!(series["passbook_replays_total"], "1");
    assert_eq!(series["passbook_conflicts_total"], "0");
    bank.close().await;
}

#[tokio::test]
async fn a_route_is_told_without_the_expressions_of_its_parts() {
    let bank = Bank::open().await;
    bank.get("/api/accounts/").await;
    let series = scrape(&bank).await;
    let told = series
        .keys()
        .any(|name| name.contains(r#"http_route="/api/accounts""#));
    assert!(told, "{series:#?}");
    bank.close().await;
}

#[tokio::test]
async fn the_busiest_accounts_are_named() {
    let bank = Bank::open().await;
    let [quiet, busy] = [bank.user("100").await, bank.user("100").await];
    assert_eq!(quiet.change("1").await.status, 200);
    for _ in 0..5 {
        assert_eq!(busy.change_once("once", "1").await.status, 200);
        assert_eq!(busy.change("1").await.status, 200);
    }
    let told = bank.get("/admin/hot-accounts?limit=1").await.json();
    let id = busy.account().await;
    assert_eq!(told["accounts"].as_array().map(Vec::len), Some(1), "{told}");
    let hot = &told["accounts"][0];
    assert_eq!(hot["id"].as_i64(), Some(id));
    // The opening, one under a key, and five without.
    assert_eq!(
        (hot["changesMin"].as_i64(), hot["changesMax"].as_i64()),
        (Some(7), Some(7))
    );
    assert_eq!(bank.get("/admin/hot-accounts?limit=0").await.status, 400);
    bank.close().await;
}

/// Words of a text that look like metrics of ours.
fn names(text: &str) -> BTreeSet<&str> {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let words = text.split(|letter| !is_word(letter));
    words
        .filter(|word| PREFIXES.iter().any(|prefix| word.starts_with(prefix)))
        .collect()
}

#[tokio::test]
async fn alerts_and_dashboard_ask_for_metrics_that_exist() {
    let bank = Bank::open().await;
    bank.user("1").await;
    // A refusal and a fault, so that the labelled ones are there.
    bank.post(
        "/event",
        r#"{"type":"withdraw","origin":"nobody","amount":1}"#,
    )
    .await;
    let exposed: Vec<String> = scrape(&bank).await.into_keys().collect();
    // The audit has an end, so it leaves a file.
    let kept = TempDir::new().expect("a directory");
    let file = kept.path().join("passbook.prom");
    let path = file.to_str().expect("a path of text");
    let url = bank.database_url.as_str();
    let verified = run(&["verify", "--metrics", path, "--database-url", url]);
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
    let audit = fs::read_to_string(file).expect("a file");
    assert!(audit.contains("\npassbook_verify_clean 1\n"), "{audit}");
    let exposed = exposed.join("\n") + &bank.get("/metrics").await.text + &audit;
    let exposed = names(&exposed);
    for (file, text) in [("alerts.yml", ALERTS), ("passbook.json", DASHBOARD)] {
        let asked = names(text);
        assert!(5 < asked.len(), "{file} asks for something");
        for name in asked {
            assert!(
                exposed.contains(name),
                "{file} asks for {name}, which nobody tells"
            );
        }
    }
    bank.close().await;
}
