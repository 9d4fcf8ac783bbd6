//! Peers that offer to speak another protocol: they are answered in this one, as if they had not asked.

use std::path::Path;
use std::process::Command;

use crate::support::Bank;
use crate::support::peer::Peer;

/// Requests of the JDK's client, one after the other.
const POSTS: &str = "2000";

/// What an offer looks like: lines of a head.
const OFFERS: [&str; 9] = [
    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n",
    "Connection: upgrade\r\n",
    "connection:UPGRADE\r\n",
    "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
    "Connection:keep-alive,upgrade\t,x\r\n",
    "Connection: keep-alive\r\nConnection: upgrade\r\n",
    "Upgrade: websocket\r\n",
    "upgrade: \tWebSocket \r\n",
    "Upgrade: TLS/1.0\r\nConnection: Upgrade\r\n",
];

fn put(user: i64, offer: &str, body: &str) -> Vec<u8> {
    let head = format!("PUT /api/users/{user}/balance HTTP/1.1\r\nHost: localhost\r\n{offer}");
    format!("{head}{body}").into_bytes()
}

#[tokio::test]
async fn an_offer_that_is_not_taken_is_ignored_and_the_connection_stays() {
    let bank = Bank::open().await;
    let user = bank.user("1000").await;
    let mut peer = Peer::connect(&bank.url("")).await;
    let bodies = [
        "Content-Length: 13\r\n\r\n{\"amount\":-1}",
        "Transfer-Encoding: chunked\r\n\r\nd\r\n{\"amount\":-1}\r\n0\r\n\r\n",
    ];
    for offer in OFFERS {
        for body in bodies {
            peer.send(&put(user.id, offer, body)).await;
            let reply = peer.reply().await;
            let reply = reply.unwrap_or_else(|| panic!("{offer}: the connection was closed"));
            assert_eq!(reply.status, 200, "{offer}: {reply:?}");
            for header in ["connection", "upgrade"] {
                assert_eq!(reply.headers.get(header), None, "{offer}: {reply:?}");
            }
        }
    }
    assert_eq!(user.balance().await, "982.00");
    bank.close().await;
}

#[tokio::test]
async fn an_offer_changes_nothing_else_of_what_is_asked() {
    let bank = Bank::open().await;
    let user = bank.user("1000").await;
    let mut peer = Peer::connect(&bank.url("")).await;
    // In a body the same words are part of what is said, at the start of a line and in chunks, too.
    let name = "\r\nConnection: upgrade\r\nUpgrade: websocket";
    for (number, is_chunked) in [(1, true), (2, false)] {
        let form = format!("email={number}@x&name={name}");
        let body = if is_chunked {
            let chunk = format!("{:x}\r\n{form}\r\n0\r\n\r\n", form.len());
            format!("Transfer-Encoding: chunked\r\n\r\n{chunk}")
        } else {
            format!("Content-Length: {}\r\n\r\n{form}", form.len())
        };
        let head = "POST /create HTTP/1.1\r\nHost: localhost\r\n";
        peer.send(format!("{head}{body}").as_bytes()).await;
        let reply = peer.reply().await.expect("an answer");
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.json()["name"], name);
    }
    // Whoever asks for an end as well gets it.
    let closing = "Connection: close, upgrade\r\nUpgrade: h2c\r\n";
    let body = "Content-Length: 13\r\n\r\n{\"amount\":-1}";
    peer.send(&put(user.id, closing, body)).await;
    let replies = peer.rest().await;
    assert_eq!(replies.len(), 1, "{replies:?}");
    assert_eq!(replies[0].headers["connection"], "close");
    assert_eq!(user.balance().await, "999.00");
    bank.close().await;
}

#[tokio::test]
async fn an_offer_that_comes_byte_by_byte_is_ignored_too() {
    let bank = Bank::open().await;
    let user = bank.user("1000").await;
    let mut peer = Peer::connect(&bank.url("")).await;
    let body = "Content-Length: 13\r\n\r\n{\"amount\":-1}";
    for _ in 0..2 {
        for byte in put(user.id, OFFERS[0], body) {
            peer.send(&[byte]).await;
            tokio::task::yield_now().await;
        }
        let reply = peer.reply().await.expect("an answer");
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.headers.get("connection"), None, "{reply:?}");
    }
    assert_eq!(user.balance().await, "998.00");
    bank.close().await;
}

/// With the client of a JDK, if there is one.
#[tokio::test]
async fn every_request_of_javas_client_is_answered() {
    if Command::new("java").arg("-version").output().is_err() {
        return;
    }
    let bank = Bank::open().await;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/peers/Posts.java");
    let mut java = tokio::process::Command::new("java");
    java.arg(file).args([&bank.url(""), POSTS]);
    let output = java.output().await.expect("java runs");
    assert!(output.status.success(), "{output:?}");
    let created = String::from_utf8_lossy(&output.stdout);
    assert_eq!(created.trim(), POSTS);
    assert_eq!(bank.get("/balance?account_id=java").await.text, POSTS);
    bank.close().await;
}
