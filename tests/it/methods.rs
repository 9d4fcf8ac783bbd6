//! Methods and paths as clients say them: `HEAD`, `OPTIONS`, and a slash at the end, of every operation.

use std::collections::BTreeSet;

use passbook::http::{operations, writes};
use reqwest::Method;

use crate::support::peer::Peer;
use crate::support::{Bank, Reply};

/// The methods that a path answers, in the order of its operations.
pub(crate) fn allowed(path: &str) -> Vec<&'static str> {
    let mut allowed = Vec::new();
    for (method, other) in operations() {
        if other == path {
            allowed.push(method);
            if method == "GET" && !writes().any(|write| write == (method, other)) {
                allowed.push("HEAD");
            }
        }
    }
    allowed.push("OPTIONS");
    allowed
}

/// Whether a path belongs to the native API.
pub(crate) fn is_native(path: &str) -> bool {
    path.starts_with("/v1/") || path.starts_with("/problems")
}

/// What may stand at the end of a path and changes nothing.
pub(crate) fn slashes(path: &str) -> &'static [&'static str] {
    if path == "/" || is_native(path) {
        &[""]
    } else {
        &["", "/"]
    }
}

/// Asks on a connection of its own; what comes back to its last byte.
async fn ask(bank: &Bank, line: &str, headers: &str) -> (Reply, usize) {
    let mut peer = Peer::connect(&bank.url("")).await;
    let head = format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
    peer.send(head.as_bytes()).await;
    let bytes = peer.everything().await;
    (Reply::parse(&bytes), bytes.len())
}

/// A session of a user who has an account, with money in it.
async fn session(bank: &Bank) -> String {
    let body = r#"{"name":"a","email":"a@example.org","password":"Secret12"}"#;
    let reply = bank.post("/api/signup", body).await;
    let cookie = reply.headers["set-cookie"].split(';').next();
    format!("Cookie: {}\r\n", cookie.expect("a cookie"))
}

#[tokio::test]
async fn head_is_get_without_the_body_wherever_get_reads() {
    let bank = Bank::open().await;
    bank.user("1000").await;
    bank.post(
        "/event",
        r#"{"type":"deposit","destination":"1","amount":1}"#,
    )
    .await;
    let cookie = session(&bank).await;
    let reading =
        operations().filter(|asked| asked.0 == "GET" && !writes().any(|write| write == *asked));
    let queries = [
        "",
        "?account_id=1",
        "?user_id=1",
        "?account_id=2",
        "?limit=x",
    ];
    let mut statuses = BTreeSet::new();
    for (_, path) in reading {
        for (id, query) in [("1", ""), ("99", ""), ("x", "")]
            .into_iter()
            .chain(queries.map(|query| ("1", query)))
        {
            let target = format!("{}{query}", path.replace("{id}", id));
            let (get, _) = ask(&bank, &format!("GET {target}"), &cookie).await;
            let (head, length) = ask(&bank, &format!("HEAD {target}"), &cookie).await;
            assert_eq!(head.status, get.status, "{target}");
            assert_eq!(head.text, "", "{target}");
            let names = |reply: &Reply| reply.headers.keys().cloned().collect::<BTreeSet<_>>();
            assert_eq!(names(&head), names(&get), "{target}");
            assert_eq!(head.headers["content-type"], get.headers["content-type"]);
            assert!(length < 1_000, "{target}: nothing but a head");
            statuses.insert(head.status);
        }
    }
    assert_eq!(statuses, BTreeSet::from([200, 400, 404]));
    bank.close().await;
}

#[tokio::test]
async fn head_never_writes() {
    let bank = Bank::open_with(&["--allow-reset"]).await;
    bank.user("1000").await;
    let cookie = session(&bank).await;
    let query = "user_id=1&source_user_id=1&target_user_id=2&amount=1&currency_type=bitcoin&name=b&email=b@x";
    let before = crate::bad_input::state(&bank).await;
    for (_, path) in writes() {
        for slash in slashes(path) {
            let target = format!("{}{slash}?{query}", path.replace("{id}", "1"));
            let (head, _) = ask(&bank, &format!("HEAD {target}"), &cookie).await;
            let is_read = allowed(path).contains(&"HEAD");
            let owed = match path {
                _ if is_read => [200, 400],
                path if path.starts_with("/api") && !allowed(path).contains(&"GET") => [404, 404],
                _ => [405, 405],
            };
            assert!(owed.contains(&head.status), "{target}: {head:?}");
            assert_eq!(head.text, "");
            let said = head.headers.get("allow").cloned();
            let allow = (head.status == 405).then(|| allowed(path).join(", "));
            assert_eq!(said, allow, "{target}");
        }
    }
    assert_eq!(crate::bad_input::state(&bank).await, before);
    bank.close().await;
}

#[tokio::test]
async fn options_says_what_every_path_answers() {
    let bank = Bank::open().await;
    let paths: BTreeSet<&str> = operations().map(|(_, path)| path).collect();
    for path in paths {
        for slash in slashes(path) {
            let target = format!("{}{slash}", path.replace("{id}", "1"));
            let (reply, _) = ask(&bank, &format!("OPTIONS {target}"), "").await;
            assert_eq!((reply.status, reply.text.as_str()), (204, ""), "{target}");
            assert_eq!(reply.headers["allow"], allowed(path).join(", "), "{target}");
            assert_eq!(reply.headers.get("content-length"), None, "{target}");
            assert_eq!(reply.headers.get("vary"), None, "{target}");
        }
    }
    let (reply, _) = ask(&bank, "OPTIONS *", "").await;
    assert_eq!(reply.status, 204);
    for method in operations().map(|(method, _)| method) {
        assert!(reply.headers["allow"].contains(method), "{method}");
    }
    for path in ["/nothing", "/api", "/api/nothing"] {
        for headers in [
            "",
            "Origin: http://localhost\r\nAccess-Control-Request-Method: PUT\r\n",
        ] {
            let (reply, _) = ask(&bank, &format!("OPTIONS {path}"), headers).await;
            assert_eq!(reply.status, 404, "{path}");
            let is_cors = |name: &String| name.starts_with("access-control-");
            assert!(!reply.headers.keys().any(is_cors), "{path}: {reply:?}");
        }
    }
    bank.close().await;
}

/// One request for each operation that has a sane answer on a fresh bank with user 1 and its account 1.
const ASKED: [(&str, &str, &str, u16); 24] = [
    ("GET", "/api/health", "", 200),
    ("POST", "/api/users", "{}", 201),
    ("GET", "/api/users/1", "", 200),
    ("PUT", "/api/users/1/balance", r#"{"amount":1}"#, 200),
    ("POST", "/accounts", "{}", 201),
    ("GET", "/accounts/1/balance", "", 200),
    (
        "POST",
        "/accounts/1/transactions",
        r#"{"amount":1,"type":"Deposit"}"#,
        201,
    ),
    ("GET", "/accounts/1/transactions", "", 200),
    (
        "POST",
        "/event",
        r#"{"type":"deposit","destination":"1","amount":1}"#,
        201,
    ),
    ("GET", "/balance?account_id=1", "", 200),
    ("GET", "/chain?account_id=1", "", 200),
    ("POST", "/reset", "", 200),
    ("GET", "/create?name=a&email=a{}@x", "", 200),
    ("POST", "/create?name=a&email=b{}@x", "", 200),
    (
        "GET",
        "/deposit?user_id=1&amount=3&currency_type=bitcoin",
        "",
        200,
    ),
    (
        "POST",
        "/deposit",
        "user_id=1&amount=3&currency_type=bitcoin",
        200,
    ),
    (
        "GET",
        "/withdraw?user_id=1&amount=1&currency_type=bitcoin",
        "",
        200,
    ),
    (
        "GET",
        "/transfer?source_user_id=1&target_user_id=2&amount=1&currency_type=bitcoin",
        "",
        200,
    ),
    ("GET", "/balance?user_id=1", "", 200),
    ("POST", "/balance", "user_id=1", 200),
    (
        "POST",
        "/api/signin",
        r#"{"email":"nobody@example.org","password":"Secret12"}"#,
        401,
    ),
    ("GET", "/metrics", "", 200),
    ("GET", "/admin/hot-accounts", "", 200),
    ("GET", "/docs/dialects.md", "", 200),
];

#[tokio::test]
async fn a_slash_at_the_end_changes_nothing() {
    let bank = Bank::open_with(&["--allow-reset"]).await;
    bank.user("1000").await;
    bank.user("1000").await;
    for (number, slash) in ["", "/"].into_iter().enumerate() {
        for (method, target, body, status) in ASKED {
            let target = target.replace("{}", &number.to_string());
            let (path, query) = target.split_once('?').unwrap_or((&target, ""));
            let target = format!("{path}{slash}?{query}");
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            let request = bank.client.request(method, bank.url(&target));
            let reply = Reply::of(request.body(body).send().await.expect("an answer")).await;
            assert_eq!(reply.status, status, "{target}: {reply:?}");
            assert_eq!(reply.headers.get("location"), None);
        }
    }
    let metrics = bank.get("/metrics/").await.text;
    assert!(
        metrics.contains(r#"route="/accounts/{id}/balance""#),
        "{metrics}"
    );
    assert!(
        !metrics.contains(r#"/balance/""#),
        "one route, however it is asked for"
    );
    bank.close().await;
}
