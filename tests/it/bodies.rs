//! Bodies as clients send them: compressed, with a byte order mark, empty, or of another kind than was asked for.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use passbook::http::operations;
use reqwest::Method;

use crate::bad_input::state;
use crate::support::{Bank, Reply};

const BALANCE: &str = "/api/users/1/balance";
/// The most that a body may have, in bytes.
const SIZE_MAX: usize = 64 * 1024;
/// Operations that look at no body.
const WITHOUT_BODY: [&str; 1] = ["/reset"];

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("a vector grows");
    encoder.finish().expect("a vector grows")
}

async fn put(bank: &Bank, headers: &[(&str, &str)], body: Vec<u8>) -> Reply {
    send(bank, Method::PUT, BALANCE, headers, body).await
}

async fn send(
    bank: &Bank,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> Reply {
    let mut request = bank.client.request(method, bank.url(path));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Reply::of(request.body(body).send().await.expect("an answer")).await
}

#[tokio::test]
async fn a_compressed_body_is_what_it_was_before() {
    let bank = Bank::open().await;
    let user = bank.user("1000").await;
    let body = br#"{"amount":-1}"#;
    for encoding in ["gzip", "x-gzip", "GZIP", "identity, gzip", "gzip, identity"] {
        let reply = put(&bank, &[("Content-Encoding", encoding)], gzip(body)).await;
        assert_eq!(reply.status, 200, "{encoding}: {reply:?}");
    }
    for encoding in ["identity", "", "Identity"] {
        let reply = put(&bank, &[("Content-Encoding", encoding)], body.to_vec()).await;
        assert_eq!(reply.status, 200, "{encoding}: {reply:?}");
    }
    // Two parts are one text (RFC 1952, section 2.2).
    let parts = [gzip(&body[..5]), gzip(&body[5..])].concat();
    let gzipped = [("Content-Encoding", "gzip")];
    assert_eq!(put(&bank, &gzipped, parts).await.status, 200);
    assert_eq!(user.balance().await, "991.00");
    let event = gzip(br#"{"type":"deposit","destination":"a","amount":1}"#);
    let reply = send(&bank, Method::POST, "/event", &gzipped, event).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let form = gzip(b"user_id=1&amount=1&currency_type=bitcoin");
    let reply = send(&bank, Method::POST, "/deposit", &gzipped, form).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let reply = send(&bank, Method::POST, "/accounts", &gzipped, Vec::new()).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    bank.close().await;
}

#[tokio::test]
async fn what_a_body_inflates_to_has_the_limit_of_a_body() {
    let bank = Bank::open().await;
    let user = bank.user("1000").await;
    let gzipped = [("Content-Encoding", "gzip")];
    let mut body = br#"{"amount":-1}"#.to_vec();
    body.resize(SIZE_MAX, b' ');
    assert_eq!(put(&bank, &gzipped, gzip(&body)).await.status, 200);
    body.push(b' ');
    assert_eq!(put(&bank, &gzipped, gzip(&body)).await.status, 413);
    let bomb = gzip(&vec![b' '; 50_000_000]);
    assert!(bomb.len() < SIZE_MAX, "it is let in");
    assert_eq!(put(&bank, &gzipped, bomb).await.status, 413);
    assert_eq!(user.balance().await, "999.00");
    bank.close().await;
}

#[tokio::test]
async fn what_cannot_be_decoded_is_refused_by_every_operation() {
    let bank = Bank::open_with(&["--allow-reset"]).await;
    bank.user("1000").await;
    let before = state(&bank).await;
    let whole = gzip(br#"{"amount":-1}"#);
    let cut = whole[..whole.len() - 1].to_vec();
    let mut damaged = whole.clone();
    *damaged.last_mut().expect("a byte") ^= 1;
    let behind = [whole.clone(), b"{}".to_vec()].concat();
    for body in [
        br#"{"amount":-1}"#.to_vec(),
        cut,
        damaged,
        behind,
        b"\x1f\x8b".to_vec(),
    ] {
        let reply = put(&bank, &[("Content-Encoding", "gzip")], body).await;
        let words = "Request body is not gzip, as its Content-Encoding says";
        assert_eq!(
            (reply.status, reply.message().as_str()),
            (400, words),
            "{reply:?}"
        );
    }
    let taking =
        operations().filter(|(method, path)| *method != "GET" && !WITHOUT_BODY.contains(path));
    for (method, path) in taking {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let path = path.replace("{id}", "1");
        for encoding in [
            "br",
            "deflate",
            "zstd",
            "compress",
            "gzip, gzip",
            "gzip, br",
            "x",
            "*",
        ] {
            let headers = [("Content-Encoding", encoding)];
            let reply = send(&bank, method.clone(), &path, &headers, whole.clone()).await;
            assert_eq!(reply.status, 415, "{path} {encoding}: {reply:?}");
            assert_eq!(reply.headers["accept-encoding"], "gzip", "{path}");
            assert!(
                reply.text.contains("Content-Encoding must be gzip"),
                "{reply:?}"
            );
        }
        let headers = [("Content-Encoding", "gzip")];
        let reply = send(&bank, method, &path, &headers, b"{}".to_vec()).await;
        assert_eq!(reply.status, 400, "{path}: {reply:?}");
        assert_eq!(reply.headers.get("accept-encoding"), None, "{path}");
    }
    assert_eq!(state(&bank).await, before);
    bank.close().await;
}

#[tokio::test]
async fn a_byte_order_mark_is_skipped() {
    let bank = Bank::open().await;
    let user = bank.user("1000").await;
    let marked = |text: &str| format!("\u{feff}{text}").into_bytes();
    let none: [(&str, &str); 0] = [];
    for (method, path, body, status) in [
        (Method::PUT, BALANCE, r#"{"amount":-1}"#, 200),
        (Method::POST, "/api/users", r#"{"name":"a"}"#, 201),
        (Method::POST, "/api/users", "", 201),
        (Method::POST, "/accounts", r#"{"balance":1}"#, 201),
        (
            Method::POST,
            "/accounts/1/transactions",
            r#"{"amount":1,"type":"debit"}"#,
            201,
        ),
        (
            Method::POST,
            "/event",
            r#"{"type":"deposit","destination":"a","amount":1}"#,
            201,
        ),
        (
            Method::POST,
            "/deposit",
            r#"{"user_id":1,"amount":1,"currency_type":"bitcoin"}"#,
            200,
        ),
        (
            Method::POST,
            "/deposit",
            "user_id=1&amount=1&currency_type=bitcoin",
            200,
        ),
        (
            Method::POST,
            "/api/signup",
            r#"{"name":"a","email":"a@b","password":"Secret12"}"#,
            200,
        ),
    ] {
        let reply = send(&bank, method, path, &none, marked(body)).await;
        assert_eq!(reply.status, status, "{path} {body}: {reply:?}");
    }
    assert_eq!(user.balance().await, "998.00");
    bank.close().await;
}

#[tokio::test]
async fn a_user_may_be_opened_without_a_body() {
    let bank = Bank::open().await;
    for body in [None, Some(""), Some(" \r\n"), Some("{}")] {
        let reply = bank.send(Method::POST, "/api/users", &[], body).await;
        assert_eq!(reply.status, 201, "{body:?}: {reply:?}");
    }
    assert_eq!(bank.number("select count(*) from users").await, 4);
    bank.close().await;
}

/// What is said of a body, under `Content-Type`, by whoever wants a JSON object.
const KINDS: [(&str, &str, &str); 15] = [
    ("application/json", "", "Request body is empty"),
    ("application/json", " \r\n", "Request body is empty"),
    (
        "application/x-www-form-urlencoded",
        "",
        "Request body is empty",
    ),
    (
        "application/x-www-form-urlencoded",
        "amount=1",
        "Request body must be a JSON object, not a form",
    ),
    (
        "application/json",
        "amount=1&type=deposit",
        "Request body must be a JSON object, not a form",
    ),
    (
        "",
        "amount=1",
        "Request body must be a JSON object, not a form",
    ),
    (
        "multipart/form-data; boundary=x",
        "--x\r\nContent-Disposition: form-data; name=\"amount\"\r\n\r\n1\r\n--x--\r\n",
        "Request body must be a JSON object, not multipart/form-data",
    ),
    (
        "application/xml",
        "<amount>1</amount>",
        "Request body must be a JSON object, not XML",
    ),
    (
        "",
        "<amount>1</amount>",
        "Request body must be a JSON object, not XML",
    ),
    (
        "application/json",
        "[1]",
        "Request body is not a JSON object",
    ),
    ("", "\"x\"", "Request body is not a JSON object"),
    (
        "application/json",
        " null",
        "Request body is not a JSON object",
    ),
    (
        "application/json",
        "1.5",
        "Request body is not a JSON object",
    ),
    (
        "application/json",
        "[1",
        "Request body is not valid JSON: EOF while parsing a list at line 1 column 2",
    ),
    (
        "text/plain",
        "one",
        "Request body is not valid JSON: expected value at line 1 column 1",
    ),
];

/// What may be asked without a body: no field has to be given, or nobody looks at one.
const OPTIONAL: [&str; 5] = [
    "/api/users",
    "/accounts",
    "/reset",
    "/api/signout",
    "/api/accountGeneration",
];

/// What stands in a dialect's own shape.
fn shaped(path: &str, words: &str) -> String {
    if path.starts_with("/api/users") {
        format!(r#"{{"success":false,"error":{{"message":"{words}","code":400}}}}"#)
    } else if path.starts_with("/api/") {
        format!(r#"{{"message":"{words}"}}"#)
    } else {
        format!(r#"{{"error":"{words}"}}"#)
    }
}

#[tokio::test]
async fn an_empty_body_says_that_it_is_empty_in_every_dialect() {
    let bank = Bank::open().await;
    bank.user("1000").await;
    let newcomer = r#"{"name":"a","email":"a@example.org","password":"Secret12"}"#;
    let cookie = bank.post("/api/signup", newcomer).await.headers["set-cookie"].clone();
    let before = state(&bank).await;
    // The native API has words of its own.
    let wanting = operations().filter(|(method, path)| {
        *method != "GET" && !OPTIONAL.contains(path) && !path.starts_with("/v1/")
    });
    let mut count = 0;
    for (method, path) in wanting {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let target = path.replace("{id}", "1");
        for kind in ["", "application/json", "application/x-www-form-urlencoded"] {
            for body in ["", " \r\n", "\u{feff}"] {
                let headers = [("Content-Type", kind), ("Cookie", cookie.as_str())];
                let body = body.as_bytes().to_vec();
                let reply = send(&bank, method.clone(), &target, &headers, body).await;
                let said = shaped(path, "Request body is empty");
                assert_eq!((reply.status, reply.text), (400, said), "{path} {kind}");
            }
        }
        count += 1;
    }
    assert_eq!(count, 13);
    // Of whoever asks by a query, a body is not wanted.
    let reply = bank.post("/deposit?user_id=1", "").await;
    let said = shaped("/deposit", "currency_type is required");
    assert_eq!((reply.status, reply.text), (400, said));
    assert_eq!(state(&bank).await, before);
    bank.close().await;
}

#[tokio::test]
async fn what_came_and_what_was_expected_is_said() {
    let bank = Bank::open().await;
    bank.user("1000").await;
    let before = state(&bank).await;
    for (kind, body, words) in KINDS {
        let headers = [("Content-Type", kind)];
        for (method, path) in [
            (Method::PUT, BALANCE),
            (Method::POST, "/accounts/1/transactions"),
            (Method::POST, "/event"),
        ] {
            let reply = send(&bank, method, path, &headers, body.as_bytes().to_vec()).await;
            assert_eq!(reply.status, 400, "{path} {kind} {body}");
            assert!(
                reply.text.contains(&format!("\"{words}\"")),
                "{path} {kind}: {reply:?}"
            );
        }
        let paths: &[&str] = if body.trim().is_empty() {
            // Nothing at all is as an object without fields elsewhere.
            &["/api/signup", "/api/signin"]
        } else if words.contains("must be") {
            &["/accounts", "/api/users", "/api/signup", "/api/signin"]
        } else {
            // `microfin` calls all else invalid input.
            &["/accounts", "/api/users"]
        };
        for path in paths {
            let sent = body.as_bytes().to_vec();
            let reply = send(&bank, Method::POST, path, &headers, sent).await;
            assert_eq!(reply.status, 400, "{path} {kind} {body}");
            assert!(
                reply.text.contains(&format!("\"{words}\"")),
                "{path} {kind}: {reply:?}"
            );
        }
    }
    assert_eq!(state(&bank).await, before);
    bank.close().await;
}

#[tokio::test]
async fn whoever_takes_forms_says_so() {
    let bank = Bank::open().await;
    bank.user("1000").await;
    let multipart = "--x\r\nContent-Disposition: form-data; name=\"user_id\"\r\n\r\n1\r\n--x--\r\n";
    let json = r#"[{"user_id":1}]"#;
    for (kind, body, words) in [
        (
            "multipart/form-data; boundary=x",
            multipart,
            "Request body must be a JSON object or a form, not multipart/form-data",
        ),
        (
            "text/xml",
            "<a/>",
            "Request body must be a JSON object or a form, not XML",
        ),
        (
            "application/json",
            "user_id=1",
            "Request body must be a JSON object, not a form",
        ),
        (
            "application/x-www-form-urlencoded",
            json,
            "Request body is not a JSON object",
        ),
        (
            "application/json",
            "null",
            "Request body is not a JSON object",
        ),
        (
            "application/x-www-form-urlencoded",
            "",
            "Request body is empty",
        ),
    ] {
        for path in ["/deposit", "/withdraw", "/balance"] {
            let headers = [("Content-Type", kind)];
            let reply = send(
                &bank,
                Method::POST,
                path,
                &headers,
                body.as_bytes().to_vec(),
            )
            .await;
            let said = format!(r#"{{"error":"{words}"}}"#);
            assert_eq!((reply.status, reply.text), (400, said), "{path} {kind}");
        }
    }
    bank.close().await;
}

#[tokio::test]
async fn whose_balance_is_asked_for_is_said_by_one_id() {
    let bank = Bank::open().await;
    bank.user("1000").await;
    let both = "user_id and account_id may not be given together";
    let post = "account_id is for GET, POST takes user_id";
    let of = |query: &str| format!("/balance?{query}");
    for query in ["account_id=1", "account_id=", "account_id=1&user_id=1"] {
        let reply = bank.post(&of(query), "").await;
        assert_eq!(
            (reply.status, reply.text),
            (400, shaped("", post)),
            "{query}"
        );
    }
    let reply = bank
        .post("/balance", r#"{"account_id":"1","user_id":1}"#)
        .await;
    assert_eq!((reply.status, reply.text), (400, shaped("", post)));
    for query in ["account_id=1&user_id=1", "user_id=&account_id="] {
        let reply = bank.get(&of(query)).await;
        assert_eq!(
            (reply.status, reply.text),
            (400, shaped("", both)),
            "{query}"
        );
    }
    bank.close().await;
}
