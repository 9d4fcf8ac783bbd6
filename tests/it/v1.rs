//! The native API, `/v1`: a file for each subject.

mod accounts;
mod amendments;
mod books;
mod conditions;
mod currencies;
mod dialects;
mod expiry;
mod holds;
mod keys;
mod limits;
mod lists;
mod problems;
mod protocol;
mod random;
mod replays;
mod reversal;
mod skew;
mod story;
mod sweeping;
mod transactions;
mod users;

use reqwest::Method;
use serde_json::Value;

use crate::support::{Bank, Reply};

/// A problem (RFC 9457) that says everything that each of them has to say, and its code.
#[track_caller]
pub(crate) fn assert_problem(reply: &Reply, what: &str) -> String {
    let kind = reply.headers["content-type"].as_str();
    assert_eq!(kind, "application/problem+json", "{what}: {reply:?}");
    assert_eq!(reply.headers["cache-control"], "no-store", "{what}");
    let problem = reply.json();
    assert_eq!(problem["status"], reply.status, "{what}: {reply:?}");
    let text = |name: &str| {
        let text = problem[name].as_str().filter(|text| !text.is_empty());
        text.unwrap_or_else(|| panic!("{what}: no {name}: {reply:?}"))
    };
    let code = text("code");
    assert_eq!(text("type"), format!("/problems/{code}"), "{what}");
    assert_eq!(text("request_id").len(), 36, "{what}");
    assert!(!text("title").is_empty() && !text("detail").is_empty());
    code.to_owned()
}

/// The texts of a member, of each object in a list.
fn texts(list: &Value, name: &str) -> Vec<String> {
    let items = list.as_array().expect("a list").iter();
    items
        .map(|item| item[name].as_str().expect("a text").to_owned())
        .collect()
}

/// A refusal of such a status and code, with all that each problem has to say.
#[track_caller]
fn assert_refused(reply: &Reply, status: u16, code: &str, what: &str) {
    assert_eq!(reply.status, status, "{what}: {reply:?}");
    assert_eq!(assert_problem(reply, what), code, "{what}: {reply:?}");
}

/// A refusal that was decided on an account at a version, and says what it had then.
#[track_caller]
fn assert_seen(reply: &Reply, account: &str, [version, balance, available]: [&str; 3]) {
    let problem = reply.json();
    let seen = ["account", "balance", "available"].map(|name| problem[name].as_str());
    assert_eq!(seen, [account, balance, available].map(Some), "{reply:?}");
    assert_eq!(problem["version"].to_string(), version, "{reply:?}");
    assert!(problem["at"].as_str().is_some_and(|at| at.ends_with('Z')));
}

/// What every `POST` refuses of any request before it looks at what is asked: each with its input.
#[expect(clippy::too_many_lines, reason = "a table")]
async fn assert_strict(bank: &Bank, path: &str, valid: &Value) {
    let valid = valid.to_string();
    let large = format!("{{\"reference\":\"{}\"}}", "x".repeat(64 * 1024));
    let json = "application/json";
    for (what, field, value, body, status, code) in [
        (
            "no key",
            "Accept",
            json,
            &*valid,
            400,
            "idempotency_key_missing",
        ),
        (
            "an odd key",
            "Idempotency-Key",
            "a b",
            &valid,
            400,
            "idempotency_key_invalid",
        ),
        (
            "no JSON",
            "Idempotency-Key",
            "k",
            "{",
            400,
            "malformed_json",
        ),
        (
            "a mark",
            "Idempotency-Key",
            "k",
            "\u{feff}{}",
            400,
            "malformed_json",
        ),
        (
            "an array",
            "Idempotency-Key",
            "k",
            "[]",
            400,
            "validation_failed",
        ),
        (
            "unknown",
            "Idempotency-Key",
            "k",
            r#"{"odd":1}"#,
            400,
            "validation_failed",
        ),
        ("large", "Idempotency-Key", "k", &large, 413, "too_large"),
        (
            "another form",
            "Accept",
            "text/html",
            &valid,
            406,
            "not_acceptable",
        ),
        (
            "no session",
            "Authorization",
            "Bearer x",
            &valid,
            401,
            "unauthenticated",
        ),
        (
            "no book",
            "Passbook-Book",
            "nowhere",
            &valid,
            403,
            "forbidden",
        ),
        (
            "no name of a book",
            "Passbook-Book",
            "-",
            &valid,
            403,
            "forbidden",
        ),
    ] {
        let asked = bank.ask(Method::POST, path).with(field, value);
        let reply = asked.with("If-Match", "*").body(body).send().await;
        assert_refused(&reply, status, code, &format!("{path}: {what}"));
        if status == 401 {
            let challenge = &reply.headers["www-authenticate"];
            assert_eq!(challenge, "Bearer error=\"invalid_token\"");
        }
    }
    let query = format!("{path}?odd=1");
    let reply = bank.change(Method::POST, &query).body(&valid).send().await;
    assert_refused(&reply, 400, "validation_failed", &query);
    let text = bank.client.post(bank.url(path)).header("If-Match", "*");
    let text = text.header("Idempotency-Key", "k").body(valid.clone());
    let text = text.header("Content-Type", "text/plain").send().await;
    let reply = Reply::of(text.expect("an answer")).await;
    assert_refused(&reply, 415, "unsupported_media_type", path);
    assert_eq!(reply.headers["accept"], json);
}
