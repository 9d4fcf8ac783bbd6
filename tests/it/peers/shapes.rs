//! Requests that no client should send, as far as HTTP itself goes: refused in the right words, and whatever follows on the same
//! connection is not carried out.

use super::transactions;
use crate::support::Bank;
use crate::support::peer::{Peer, withdrawal};

const PUT: &str = "PUT /api/users/1/balance HTTP/1.1\r\n";
const CHUNKED: &str =
    "PUT /api/users/1/balance HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";

/// What comes before the body `{"amount":-1}`, and is refused with a 400 by whom it confuses.
const MISFRAMED: [&str; 20] = [
    "Host: localhost\r\nContent-Length: 13\r\nTransfer-Encoding: chunked\r\n\r\n",
    "Host: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 13\r\n\r\n",
    "Host: localhost\r\nContent-Length: 13\r\nContent-Length: 0\r\n\r\n",
    "Host: localhost\r\nContent-Length: 13\r\nContent-Length: 13\r\n\r\n",
    "Host: localhost\r\nContent-Length: 13, 13\r\n\r\n",
    "Host: localhost\r\nContent-Length: +13\r\n\r\n",
    "Host: localhost\r\nContent-Length: 0x0d\r\n\r\n",
    "Host: localhost\r\nContent-Length: 18446744073709551629\r\n\r\n",
    "Host: localhost\r\nContent-Length:\r\n\r\n",
    "Host: localhost\r\nContent-Length : 13\r\n\r\n",
    "Host: localhost\r\n Content-Length: 13\r\n\r\n",
    "Host: localhost\r\nX: y\r\n Content-Length: 13\r\n\r\n",
    "Host: localhost\r\nContent-Length: 13\r\nX: a\rb\r\n\r\n",
    "Host: localhost\r\nContent-Length: 13\r\nX: a\0b\r\n\r\n",
    "Host: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n",
    "Host: localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
    "Host: localhost\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
    "Host: localhost\r\nTransfer-Encoding: identity\r\nContent-Length: 13\r\n\r\n",
    "Content-Length: 13\r\n\r\n",
    "Host: localhost\r\nHost: localhost\r\nContent-Length: 13\r\n\r\n",
];

/// Chunks that are none.
const MISCHUNKED: [&str; 9] = [
    "x\r\n{\"amount\":-1}\r\n0\r\n\r\n",
    "-d\r\n{\"amount\":-1}\r\n0\r\n\r\n",
    "0xd\r\n{\"amount\":-1}\r\n0\r\n\r\n",
    "\r\n{\"amount\":-1}\r\n0\r\n\r\n",
    "1000000000000000d\r\n{\"amount\":-1}\r\n0\r\n\r\n",
    "c\r\n{\"amount\":-1}\r\n0\r\n\r\n",
    "e\r\n{\"amount\":-1}\r\n0\r\n\r\n",
    "d\n{\"amount\":-1}\n0\n\n",
    "d;a=\n\r\n{\"amount\":-1}\r\n0\r\n\r\n",
];

/// The statuses of all answers to this and a withdrawal behind it on the same connection.
async fn statuses(bank: &Bank, what: &[u8]) -> Vec<u16> {
    let mut peer = Peer::connect(&bank.url("")).await;
    peer.send(what).await;
    peer.send(&withdrawal(1, "behind")).await;
    let replies = peer.rest().await;
    replies.iter().map(|reply| reply.status).collect()
}

#[tokio::test]
async fn a_request_that_could_be_read_in_two_ways_is_refused_and_so_is_what_follows() {
    let bank = Bank::open().await;
    let user = bank.user("1000").await;
    let before = transactions(&bank).await;
    for head in MISFRAMED {
        let request = format!("{PUT}{head}{{\"amount\":-1}}");
        let told = statuses(&bank, request.as_bytes()).await;
        assert_eq!(told, [400], "{head:?}");
    }
    for chunks in MISCHUNKED {
        let request = format!("{CHUNKED}{chunks}");
        let told = statuses(&bank, request.as_bytes()).await;
        assert_eq!(told, [400], "{chunks:?}");
    }
    assert_eq!(transactions(&bank).await, before, "nothing was applied");
    assert_eq!(user.balance().await, "1000.00");
    bank.close().await;
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_so_is_what_follows() {
    let bank = Bank::open().await;
    let user = bank.user("1000").await;
    let before = transactions(&bank).await;
    let long = "x".repeat(200_000);
    let headers = "X: y\r\n".repeat(200);
    for (what, request, owed) in [
        (
            "a header",
            format!("{PUT}Host: localhost\r\nX: {long}\r\n\r\n"),
            431,
        ),
        (
            "headers",
            format!("{PUT}Host: localhost\r\n{headers}\r\n"),
            431,
        ),
        (
            "a target",
            format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            431,
        ),
        (
            "a body",
            format!("{PUT}Host: localhost\r\nContent-Length: 200000\r\n\r\n{long}"),
            413,
        ),
    ] {
        let told = statuses(&bank, request.as_bytes()).await;
        assert_eq!(told, [owed], "{what}");
    }
    assert_eq!(transactions(&bank).await, before, "nothing was applied");
    assert_eq!(user.balance().await, "1000.00");
    bank.close().await;
}

#[tokio::test]
async fn every_form_of_a_request_has_its_answer() {
    let bank = Bank::open().await;
    bank.user("1000").await;
    let close = "Host: localhost\r\nConnection: close\r\n";
    for (request, owed) in [
        ("GET /api/users/1 HTTP/1.0\r\n\r\n".to_owned(), 200),
        ("GET /api/users/1\r\n".to_owned(), 400),
        ("GET /api/users/1 HTTP/1.2\r\n\r\n".to_owned(), 400),
        ("GET /api/users/1 HTTP/2.0\r\n\r\n".to_owned(), 400),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), 400),
        ("\x16\x03\x01\x02\0\x01\0\x01\u{fc}\x03\x03".to_owned(), 400),
        (
            format!("GET http://localhost/api/users/1 HTTP/1.1\r\n{close}\r\n"),
            200,
        ),
        (format!("GET localhost:80 HTTP/1.1\r\n{close}\r\n"), 404),
        (format!("OPTIONS * HTTP/1.1\r\n{close}\r\n"), 204),
        (format!("CONNECT localhost:80 HTTP/1.1\r\n{close}\r\n"), 404),
        (format!("BREW / HTTP/1.1\r\n{close}\r\n"), 405),
        (format!("get / HTTP/1.1\r\n{close}\r\n"), 405),
        (
            format!("GET / HTTP/1.1\r\n{close}Upgrade: websocket\r\n\r\n"),
            200,
        ),
        (
            format!("GET / HTTP/1.1\r\n{close}Expect: 100-continue\r\n\r\n"),
            200,
        ),
        (
            format!("GET / HTTP/1.1\r\n{close}Expect: nonsense\r\n\r\n"),
            200,
        ),
    ] {
        let mut peer = Peer::connect(&bank.url("")).await;
        peer.send(request.as_bytes()).await;
        let told: Vec<u16> = peer.rest().await.iter().map(|reply| reply.status).collect();
        assert_eq!(told, [owed], "{request:?}");
    }
    bank.close().await;
}

#[tokio::test]
async fn a_client_that_asks_first_is_told_to_go_on() {
    let bank = Bank::open().await;
    let user = bank.user("1000").await;
    let mut peer = Peer::connect(&bank.url("")).await;
    let head = "Host: localhost\r\nContent-Length: 13\r\nExpect: 100-continue\r\n\r\n";
    peer.send(format!("{PUT}{head}").as_bytes()).await;
    assert_eq!(peer.interim().await, 100);
    peer.send(br#"{"amount":-1}"#).await;
    assert_eq!(peer.reply().await.expect("an answer").status, 200);
    assert_eq!(user.balance().await, "999.00");
    bank.close().await;
}

#[tokio::test]
async fn requests_that_are_sent_ahead_are_answered_in_order() {
    let bank = Bank::open().await;
    let user = bank.user("1000").await;
    let mut peer = Peer::connect(&bank.url("")).await;
    let ahead: Vec<u8> = (0..300)
        .flat_map(|number| withdrawal(user.id, &format!("key-{number}")))
        .collect();
    peer.send(&ahead).await;
    for balance in (700..1_000).rev() {
        let reply = peer.reply().await.expect("an answer");
        assert_eq!(reply.status, 200, "{reply:?}");
        let told = reply.json()["data"]["balance"].to_string();
        assert_eq!(told, format!("{balance}.00"));
    }
    assert_eq!(user.balance().await, "700.00");
    bank.close().await;
}
