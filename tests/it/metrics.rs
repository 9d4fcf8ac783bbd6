//! What the service tells Prometheus.

mod deploy;

use std::collections::BTreeMap;

use reqwest::Method;

use crate::support::Bank;
use crate::support::bank::at_once;

/// The value of each series of the service.
async fn scrape(bank: &Bank) -> BTreeMap<String, String> {
    let reply = bank.get("/metrics").await;
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.headers["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    series(&reply.text)
}

/// The value of each series of a text, as it is written.
fn series(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
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
