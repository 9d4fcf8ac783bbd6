//! Pages of other origins: those of the setting may ask and read the answers, and nobody else.

use passbook::http::{operations, writes};

use super::{ask, assert_refused, open};
use crate::methods::allowed;
use crate::support::{Bank, Reply};

const SHOP: &str = "https://shop.example";
/// As a setting, where the usual port is none and a name is the same whatever its case.
const SETTING: &str = "https://SHOP.example:443,http://localhost:5173, capacitor://localhost";

const STRANGERS: [&str; 9] = [
    "https://evil.example",
    "http://shop.example",
    "https://shop.example:8443",
    "https://shop.example.evil",
    "https://sub.shop.example",
    "https://shop.example/",
    "http://localhost",
    "null",
    "*",
];

/// Headers of an answer that speak of other origins.
fn said(reply: &Reply) -> Vec<&str> {
    let names = reply.headers.keys().map(String::as_str);
    names
        .filter(|name| name.starts_with("access-control-"))
        .collect()
}

async fn preflight(bank: &Bank, path: &str, origin: &str) -> Reply {
    let head = format!(
        "OPTIONS {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nOrigin: {origin}\r\n\
         Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: content-type,idempotency-key\r\n\r\n"
    );
    bank.send_bytes(head.as_bytes()).await
}

#[tokio::test]
async fn a_page_of_the_setting_may_ask_every_operation() {
    let (bank, _) = open(&["--cors-origins", SETTING]).await;
    for (_, path) in operations() {
        let target = path.replace("{id}", "1");
        for origin in [SHOP, "http://localhost:5173", "capacitor://localhost"] {
            let reply = preflight(&bank, &target, origin).await;
            assert_eq!((reply.status, reply.text.as_str()), (204, ""), "{path}");
            assert_eq!(reply.headers["access-control-allow-origin"], origin);
            assert_eq!(reply.headers["access-control-allow-credentials"], "true");
            let methods = &reply.headers["access-control-allow-methods"];
            assert_eq!(*methods, allowed(path).join(", "), "{path}");
            let headers = reply.headers["access-control-allow-headers"].to_lowercase();
            for header in [
                "content-type",
                "idempotency-key",
                "authorization",
                "traceparent",
            ] {
                assert!(headers.contains(header), "{headers}");
            }
            assert_eq!(reply.headers["access-control-max-age"], "600");
            assert_eq!(reply.headers["vary"], "Origin");
        }
    }
    bank.close().await;
}

#[tokio::test]
async fn a_page_of_the_setting_may_write_and_read_every_answer() {
    let (bank, cookie) = open(&["--cors-origins", SETTING]).await;
    for site in ["", "Sec-Fetch-Site: cross-site\r\n"] {
        let headers = format!("{cookie}{site}Origin: {SHOP}\r\nIdempotency-Key: a");
        for (method, path) in writes().filter(|(_, path)| *path != "/api/signout") {
            let reply = ask(&bank, method, path, &headers).await;
            assert_ne!(reply.status, 403, "{path}: {reply:?}");
            assert_eq!(reply.headers["access-control-allow-origin"], SHOP, "{path}");
            assert_eq!(reply.headers["access-control-allow-credentials"], "true");
            let exposed = &reply.headers["access-control-expose-headers"];
            assert!(exposed.contains("Idempotent-Replayed") && exposed.contains("Retry-After"));
            assert_eq!(reply.headers.get("access-control-allow-methods"), None);
            assert!(reply.headers["vary"].contains("Origin"), "{path}");
        }
    }
    let moved = bank
        .number("select count(*) from transactions where kind = 'deposit'")
        .await;
    assert!(0 < moved, "money has moved");
    // Also what is refused or not there can be read.
    for path in ["/api/users/99", "/nothing", "/api/nothing", "/api/accounts"] {
        let reply = ask(&bank, "GET", path, &format!("Origin: {SHOP}")).await;
        assert!(400 <= reply.status, "{path}");
        assert_eq!(reply.headers["access-control-allow-origin"], SHOP, "{path}");
    }
    let ahead = format!("{cookie}Origin: {SHOP}\r\nSec-Purpose: prefetch");
    let reply = ask(&bank, "GET", "/deposit", &ahead).await;
    assert_refused(
        &reply,
        "/deposit",
        403,
        "A browser may not ask for this ahead of time",
    );
    bank.close().await;
}

#[tokio::test]
async fn nobody_else_may() {
    let (bank, cookie) = open(&["--cors-origins", SETTING]).await;
    let before = crate::bad_input::state(&bank).await;
    for origin in STRANGERS {
        let reply = preflight(&bank, "/event", origin).await;
        assert_eq!((reply.status, said(&reply)), (204, Vec::new()), "{origin}");
        assert_eq!(reply.headers["vary"], "Origin", "for a cache");
        let reply = ask(&bank, "GET", "/api/users/1", &format!("Origin: {origin}")).await;
        assert_eq!((reply.status, said(&reply)), (200, Vec::new()), "{origin}");
        assert_eq!(reply.headers["vary"], "Origin");
        let headers = format!("{cookie}Sec-Fetch-Site: cross-site\r\nOrigin: {origin}");
        let reply = ask(&bank, "POST", "/event", &headers).await;
        assert_refused(&reply, "/event", 403, "Another site may not ask for this");
        assert_eq!(said(&reply), Vec::<&str>::new(), "{origin}");
    }
    let twice = format!("{cookie}Origin: {SHOP}\r\nOrigin: https://evil.example");
    assert_eq!(ask(&bank, "POST", "/event", &twice).await.status, 403);
    let reply = ask(&bank, "GET", "/api/users/1", "X: y").await;
    assert_eq!(
        (said(&reply), reply.headers["vary"].as_str()),
        (Vec::new(), "Origin")
    );
    assert_eq!(crate::bad_input::state(&bank).await, before);
    bank.close().await;
}

#[tokio::test]
async fn nothing_is_said_of_other_origins_where_none_is_set() {
    let (bank, _) = open(&[]).await;
    for reply in [
        preflight(&bank, "/event", SHOP).await,
        ask(&bank, "GET", "/api/users/1", &format!("Origin: {SHOP}")).await,
        ask(&bank, "GET", "/api/users/1", "X: y").await,
    ] {
        assert!(reply.status < 300, "{reply:?}");
        assert_eq!(
            (said(&reply), reply.headers.get("vary")),
            (Vec::new(), None)
        );
    }
    bank.close().await;
}
