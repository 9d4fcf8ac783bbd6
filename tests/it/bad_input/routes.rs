//! What no client should send, to every operation of every dialect: taken from the list of routes, so that a new one is covered
//! without being remembered.

use std::collections::BTreeSet;

use passbook::http::operations;
use reqwest::Method;
use serde_json::Value;

use super::corpus::{FIELDS, SANE, broken_bodies, odd_queries, odd_values};
use super::state;
use crate::methods::{allowed, is_native};
use crate::support::{Bank, Reply};
use crate::v1::assert_problem;

/// Operations that take no body, and so do not look at one.
const WITHOUT_BODY: [&str; 3] = ["/reset", "/api/accountGeneration", "/api/signout"];

/// A request that somebody sends who is up to no good.
struct Probe {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, Vec<u8>)>,
    body: Vec<u8>,
}

impl Probe {
    async fn send(&self, bank: &Bank) -> Reply {
        let mut head = format!(
            "{} {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n",
            self.method, self.path
        )
        .into_bytes();
        for (name, value) in &self.headers {
            head.extend_from_slice(format!("{name}: ").as_bytes());
            head.extend_from_slice(value);
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(format!("Content-Length: {}\r\n\r\n", self.body.len()).as_bytes());
        bank.send_bytes(&[head, self.body.clone()].concat()).await
    }

    fn name(&self) -> String {
        let body = String::from_utf8_lossy(&self.body);
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(_, value)| String::from_utf8_lossy(value))
            .collect();
        let text = format!("{} {} {headers:?} {body}", self.method, self.path);
        text.chars().take(300).collect()
    }

    /// Never a failure of the service, and a refusal in the shape of whoever the path belongs to.
    fn check(&self, reply: &Reply) {
        let what = self.name();
        assert!((200..500).contains(&reply.status), "{what}: {reply:?}");
        if reply.status < 400 || self.method == "HEAD" {
            return;
        }
        if is_native(&self.path) {
            assert_problem(reply, &what);
            return;
        }
        assert_eq!(reply.headers["content-type"], "application/json", "{what}");
        let json: Value = serde_json::from_str(&reply.text)
            .unwrap_or_else(|error| panic!("{what}: {error}: {reply:?}"));
        let shape: BTreeSet<&str> = match &json {
            Value::Object(fields) => fields.keys().map(String::as_str).collect(),
            Value::Number(zero) if zero.to_string() == "0" => BTreeSet::from(["0"]),
            _ => panic!("{what}: {reply:?}"),
        };
        let expected: &[&[&str]] = if self.path.starts_with("/api") {
            &[&["success", "error"], &["success", "errors"], &["message"]]
        } else {
            &[&["0"], &["error"], &["error", "CurrentVersion"]]
        };
        let is_expected = expected
            .iter()
            .any(|names| shape == names.iter().copied().collect());
        assert!(is_expected, "{what}: {reply:?}");
    }
}

/// The path with a value for each part in braces.
fn fill(pattern: &str, value: &str) -> String {
    pattern.replace("{id}", value).replace("{code}", value)
}

fn writes() -> impl Iterator<Item = (&'static str, &'static str)> {
    operations().filter(|(method, _)| *method != "GET")
}

/// A session for the dialect that asks for one; without it, the probes would not get past the door.
async fn session(bank: &Bank) -> Vec<u8> {
    let body = r#"{"name":"a","email":"probe@example.org","password":"Secret12"}"#;
    let reply = bank.post("/api/signup", body).await;
    let cookie = reply.headers.get("set-cookie").expect("a cookie");
    cookie
        .split(';')
        .next()
        .expect("a value")
        .as_bytes()
        .to_vec()
}

#[tokio::test]
async fn every_operation_refuses_a_body_that_is_no_object() {
    let bank = Bank::open_with(&["--allow-reset"]).await;
    bank.user("1000").await;
    let cookie = session(&bank).await;
    let before = state(&bank).await;
    for (method, path) in writes() {
        let takes_body = !WITHOUT_BODY.iter().any(|path_| path.starts_with(path_));
        for body in broken_bodies() {
            let probe = Probe {
                method,
                path: fill(path, "1"),
                headers: vec![
                    ("Content-Type", b"application/json".to_vec()),
                    ("Cookie", cookie.clone()),
                ],
                body,
            };
            if takes_body {
                let reply = probe.send(&bank).await;
                probe.check(&reply);
                assert_eq!(reply.status, 400, "{}: {reply:?}", probe.name());
            }
        }
        let probe = Probe {
            method,
            path: fill(path, "1"),
            headers: vec![
                ("Content-Type", b"application/json".to_vec()),
                ("Cookie", cookie.clone()),
            ],
            body: vec![b' '; 65 * 1024],
        };
        if takes_body {
            let reply = probe.send(&bank).await;
            probe.check(&reply);
            assert_eq!(reply.status, 413, "{}: {reply:?}", probe.name());
        }
    }
    assert_eq!(state(&bank).await, before);
    bank.close().await;
}

#[tokio::test]
async fn no_operation_fails_whatever_the_fields_hold() {
    let bank = Bank::open_with(&["--allow-reset"]).await;
    bank.user("1000").await;
    let cookie = session(&bank).await;
    for (method, path) in writes() {
        for value in odd_values() {
            let fields = FIELDS.map(|name| format!("\"{name}\":{value}")).join(",");
            let probe = Probe {
                method,
                path: fill(path, "1"),
                headers: vec![
                    ("Content-Type", b"application/json".to_vec()),
                    ("Cookie", cookie.clone()),
                ],
                body: format!("{{{fields}}}").into_bytes(),
            };
            probe.check(&probe.send(&bank).await);
        }
    }
    bank.close().await;
}

#[tokio::test]
async fn no_operation_fails_for_one_odd_field_among_sane_ones() {
    let bank = Bank::open_with(&["--allow-reset"]).await;
    bank.user("1000").await;
    let cookie = session(&bank).await;
    let long = format!("\"{}\"", "x".repeat(20_000));
    let odd = [
        "\"\\u0000\"",
        "\"a\\u0000\"",
        "\"\\ud800\"",
        "1e400",
        "99999999999999999999",
        long.as_str(),
    ];
    for (method, path) in writes() {
        for (field, _) in SANE {
            for value in odd {
                let sane = |(name, sane): &(&str, &str)| {
                    let value = if *name == field { value } else { sane };
                    format!("\"{name}\":{value}")
                };
                let fields: Vec<String> = SANE.iter().map(sane).collect();
                let probe = Probe {
                    method,
                    path: fill(path, "1"),
                    headers: vec![
                        ("Content-Type", b"application/json".to_vec()),
                        ("Cookie", cookie.clone()),
                    ],
                    body: format!("{{{}}}", fields.join(",")).into_bytes(),
                };
                probe.check(&probe.send(&bank).await);
            }
        }
    }
    bank.close().await;
}

#[tokio::test]
async fn no_operation_fails_whatever_its_path_and_query_hold() {
    let bank = Bank::open_with(&["--allow-reset"]).await;
    bank.user("1000").await;
    let cookie = session(&bank).await;
    let values = [
        "0",
        "-1",
        "a",
        "1.5",
        "99999999999999999999",
        "%00",
        "%ff",
        "%2F",
        "1%20",
        "+1",
        "\u{661}",
        "..",
        "1;x",
    ];
    for (method, path) in operations() {
        let mut paths: Vec<String> = odd_queries()
            .iter()
            .map(|query| format!("{}?{query}", fill(path, "1")))
            .collect();
        if path.contains('{') {
            paths.extend(values.iter().map(|value| fill(path, value)));
            paths.push(fill(path, &"9".repeat(5_000)));
        }
        for path in paths.into_iter().filter(|path| path.is_ascii()) {
            let headers = vec![("Cookie", cookie.clone())];
            let body = if method == "GET" {
                Vec::new()
            } else {
                b"{}".to_vec()
            };
            let probe = Probe {
                method,
                path,
                headers,
                body,
            };
            probe.check(&probe.send(&bank).await);
        }
    }
    bank.close().await;
}

#[tokio::test]
async fn every_write_refuses_a_key_that_is_none() {
    let bank = Bank::open_with(&["--allow-reset"]).await;
    bank.user("1000").await;
    let cookie = session(&bank).await;
    let before = state(&bank).await;
    for (method, path) in
        writes().filter(|(_, path)| !path.starts_with("/api/sign") && *path != "/balance")
    {
        for key in [
            b"".to_vec(),
            b"a b".to_vec(),
            "\u{e4}".as_bytes().to_vec(),
            vec![b'k'; 256],
            b"\xff".to_vec(),
        ] {
            let probe = Probe {
                method,
                path: fill(path, "1"),
                headers: vec![("Cookie", cookie.clone()), ("Idempotency-Key", key)],
                body: b"{}".to_vec(),
            };
            let reply = probe.send(&bank).await;
            probe.check(&reply);
            assert_eq!(reply.status, 400, "{}: {reply:?}", probe.name());
        }
    }
    assert_eq!(state(&bank).await, before);
    bank.close().await;
}

#[tokio::test]
async fn every_path_answers_a_wrong_method_in_its_own_shape() {
    let bank = Bank::open().await;
    let paths: BTreeSet<&str> = operations().map(|(_, path)| path).collect();
    for path in paths {
        let allowed = allowed(path);
        for method in [
            "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW",
        ] {
            if allowed.contains(&method) {
                continue;
            }
            let probe = Probe {
                method,
                path: fill(path, "1"),
                headers: Vec::new(),
                body: Vec::new(),
            };
            let reply = probe.send(&bank).await;
            probe.check(&reply);
            // Of a `GET` that writes, `HEAD` is told that there is one.
            let is_head_of_write = method == "HEAD" && allowed.contains(&"GET");
            if path.starts_with("/api") && !is_head_of_write {
                assert_eq!(reply.status, 404, "{}: {reply:?}", probe.name());
                if method != "HEAD" {
                    assert_eq!(reply.message(), "Resource not found");
                }
            } else {
                let name = probe.name();
                assert_eq!(reply.status, 405, "{name}: {reply:?}");
                assert_eq!(reply.headers["allow"], allowed.join(", "), "{name}");
            }
        }
    }
    bank.close().await;
}

#[tokio::test]
async fn what_is_at_no_path_is_not_found_in_the_shape_of_its_place() {
    let bank = Bank::open().await;
    for path in [
        "/api",
        "/api/",
        "/api/nothing",
        "/api/users/1//",
        "/api/users/1/balance/x",
        "/nothing",
        "/apis",
        "//",
        "/event//",
    ] {
        let reply = bank.send(Method::GET, path, &[], None).await;
        assert_eq!(reply.status, 404, "{path}");
        let under_api = path == "/api" || path.starts_with("/api/");
        let body = if under_api {
            r#"{"success":false,"error":{"message":"Resource not found","code":404}}"#
        } else {
            r#"{"error":"Not found"}"#
        };
        assert_eq!(reply.text, body, "{path}");
    }
    bank.close().await;
}
