//! What a page of somebody else's can make a browser ask for, by the headers that browsers send.

mod cors;
mod hosts;

use passbook::http::writes;

use crate::bad_input::corpus::SANE;
use crate::bad_input::state;
use crate::methods::{is_native, slashes};
use crate::support::{Bank, Reply};

/// What says that nobody has asked yet.
const SPECULATIVE: [&str; 12] = [
    "Sec-Purpose: prefetch",
    "Sec-Purpose: prefetch;prerender",
    "Sec-Purpose: prefetch;anonymous-client-ip",
    "sec-purpose:PREFETCH",
    "Sec-Purpose: x\r\nSec-Purpose: prefetch",
    "Purpose: prefetch",
    "Purpose: preview",
    "Purpose: prerender",
    "X-Moz: prefetch",
    "X-Purpose: preview",
    "X-Purpose: prefetch",
    "Sec-Fetch-Site: none\r\nSec-Purpose: prefetch;prerender",
];

/// What says that another site asks.
const ELSEWHERE: [&str; 20] = [
    "Sec-Fetch-Site: cross-site",
    "sec-fetch-site:Cross-Site",
    "Sec-Fetch-Site: cross-site\r\nOrigin: http://localhost",
    "Origin: null",
    "Origin: http://evil.example",
    "Origin: https://localhost.evil.example",
    "Origin: http://localhost:3001",
    "Origin: http://localhost@evil.example",
    "Origin: http://127.0.0.1",
    "Origin: localhost",
    "Origin: file://",
    "Origin: http://localhost\r\nOrigin: http://evil.example",
    // Another port of the same machine is the same site, and somebody else's all the same.
    "Sec-Fetch-Site: same-site\r\nOrigin: http://localhost:3001",
    "sec-fetch-site: Same-Site\r\nOrigin: null",
    // An image of such a page: its browser says no origin, but that it is another.
    "Sec-Fetch-Site: same-site",
    "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: same-site\r\nOrigin: http://evil.example",
    "Sec-Fetch-Site:\r\nOrigin: http://evil.example",
    "Sec-Fetch-Site: unheard-of\r\nOrigin: null",
    "Sec-Fetch-Site: none, none\r\nOrigin: http://evil.example",
    "Sec-Fetch-Site: none\r\nSec-Fetch-Site: x\r\nOrigin: http://evil.example",
];

/// What says that nobody else does: the page's own host is `localhost`.
const OWN: [&str; 12] = [
    "X: y",
    "Sec-Fetch-Site: same-origin",
    "Sec-Fetch-Site: same-site\r\nOrigin: http://localhost",
    "Sec-Fetch-Site:\r\nOrigin: http://localhost",
    "Sec-Fetch-Site: unheard-of",
    "Sec-Fetch-Site: none",
    "Sec-Fetch-Site: same-origin\r\nOrigin: null",
    "Origin: http://localhost",
    "Origin: HTTP://LOCALHOST:80",
    "Origin: https://localhost",
    "Origin: https://bank.example\r\nX-Forwarded-Host: bank.example",
    "Sec-Purpose: x",
];

/// A request to an operation, with all that any operation asks for.
fn request(method: &str, path: &str, headers: &str) -> String {
    let path = path.replace("{id}", "1");
    let head = format!("HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}");
    if method == "GET" {
        let fields = SANE.map(|(name, value)| format!("{name}={}", value.trim_matches('"')));
        return format!("GET {path}?{} {head}\r\n\r\n", fields.join("&"));
    }
    let fields = SANE
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .join(",");
    let length = fields.len() + 2;
    format!("{method} {path} {head}\r\nContent-Length: {length}\r\n\r\n{{{fields}}}")
}

async fn ask(bank: &Bank, method: &str, path: &str, headers: &str) -> Reply {
    bank.send_bytes(request(method, path, headers).as_bytes())
        .await
}

/// A bank with user 1, and the header of a session of another.
async fn open(flags: &[&str]) -> (Bank, String) {
    let bank = Bank::open_with(flags).await;
    bank.user("1000").await;
    let body = r#"{"name":"a","email":"a@example.org","password":"Secret12"}"#;
    let reply = bank.post("/api/signup", body).await;
    let cookie = reply.headers["set-cookie"].split(';').next();
    let cookie = format!("Cookie: {}\r\n", cookie.expect("a cookie"));
    (bank, cookie)
}

/// A refusal in the shape of whoever the path belongs to, which no cache keeps.
#[track_caller]
fn assert_refused(reply: &Reply, path: &str, status: u16, message: &str) {
    if is_native(path) {
        let problem = reply.json();
        let said = (reply.status, problem["detail"].as_str());
        assert_eq!(said, (status, Some(message)), "{path}");
        assert_eq!(reply.headers["cache-control"], "no-store", "{path}");
        return;
    }
    let said = if ["/api/users", "/api/health"]
        .iter()
        .any(|start| path.starts_with(start))
    {
        format!(r#"{{"success":false,"error":{{"message":"{message}","code":{status}}}}}"#)
    } else if path.starts_with("/api/") {
        format!(r#"{{"message":"{message}"}}"#)
    } else {
        format!(r#"{{"error":"{message}"}}"#)
    };
    assert_eq!((reply.status, &reply.text), (status, &said), "{path}");
    assert_eq!(reply.headers["cache-control"], "no-store", "{path}");
}

#[tokio::test]
async fn nothing_is_written_ahead_of_time_or_for_another_site() {
    let (bank, cookie) = open(&["--allow-reset"]).await;
    let before = state(&bank).await;
    let ahead = SPECULATIVE.map(|said| (said, "A browser may not ask for this ahead of time"));
    let elsewhere = ELSEWHERE.map(|said| (said, "Another site may not ask for this"));
    for (method, path) in writes() {
        for (said, message) in ahead.iter().chain(&elsewhere) {
            for slash in slashes(path) {
                let path = format!("{path}{slash}");
                let reply = ask(&bank, method, &path, &format!("{cookie}{said}")).await;
                assert_refused(&reply, &path, 403, message);
            }
        }
    }
    assert_eq!(state(&bank).await, before);
    bank.close().await;
}

#[tokio::test]
async fn what_nobody_else_asks_for_is_written() {
    let (bank, cookie) = open(&["--allow-reset"]).await;
    for (method, path) in writes().filter(|(_, path)| *path != "/api/signout") {
        for said in OWN {
            let reply = ask(&bank, method, path, &format!("{cookie}{said}")).await;
            assert_ne!(reply.status, 403, "{method} {path} {said}: {reply:?}");
            assert!(
                (200..500).contains(&reply.status),
                "{path} {said}: {reply:?}"
            );
        }
    }
    let deposits = bank
        .number("select count(*) from transactions where kind = 'deposit'")
        .await;
    assert!(20 <= deposits, "money has moved: {deposits}");
    bank.close().await;
}

#[tokio::test]
async fn reading_is_anybodys() {
    let (bank, _) = open(&[]).await;
    for said in SPECULATIVE.iter().chain(&ELSEWHERE) {
        for path in ["/api/users/1", "/balance", "/accounts/1/balance", "/"] {
            let get = format!(
                "GET {path}?user_id=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{said}\r\n\r\n"
            );
            let reply = bank.send_bytes(get.as_bytes()).await;
            assert_eq!(reply.status, 200, "{path} {said}: {reply:?}");
            assert_eq!(reply.headers.get("access-control-allow-origin"), None);
        }
        let post = format!(
            "POST /balance?user_id=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{said}\r\nContent-Length: 0\r\n\r\n"
        );
        assert_eq!(bank.send_bytes(post.as_bytes()).await.status, 200, "{said}");
    }
    bank.close().await;
}
