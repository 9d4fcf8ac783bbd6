//! Peers that take their time over TLS: they are cut off as over plain HTTP, and a handshake has a limit of its own.

use super::open;
use crate::peers::slow::SLOW;
use crate::support::bank::at_once;
use crate::support::peer::{Peer, request};

/// Peers of each kind.
const SOME: usize = 4;
/// The first bytes of a record with a handshake, of 16 KiB.
const HALF: &[u8] = &[22, 3, 1, 0x40, 0, 1, 0];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_peers_are_cut_off_over_tls_as_well() {
    let (bank, authority) = open(&[]).await;
    let user = opened(&bank, &authority).await;
    let listen = bank.app.listen();
    let before = bank.number("select count(*) from transactions").await;
    let url = format!("http://{listen}");
    let tricklers = at_once(SLOW.iter().map(async |(what, at_once, slowly, owed)| {
        let stream = authority.client().connect(listen).await;
        let mut peer = Peer::over(stream.expect("a connection"));
        peer.send(at_once.as_bytes()).await;
        let statuses = peer.trickle(slowly.as_bytes()).await;
        assert_eq!(&statuses, owed, "{what}");
    }));
    let deaf = at_once((0..SOME).map(async |_| {
        let stream = authority.client().connect_narrow(listen).await;
        Peer::over(stream.expect("a connection")).chatter().await;
    }));
    let handshakes = at_once((0..SOME).map(async |_| {
        let mut peer = Peer::connect(&url).await;
        peer.send(&HALF[..1]).await;
        assert_eq!(peer.trickle(&HALF[1..]).await, [0_u16; 0]);
    }));
    let silent = at_once((0..SOME).map(async |number| {
        let mut peer = Peer::connect(&url).await;
        peer.send(&HALF[..number]).await;
        assert!(peer.everything().await.is_empty());
    }));
    tokio::join!(tricklers, deaf, handshakes, silent);
    assert_eq!(
        bank.number("select count(*) from transactions").await,
        before
    );
    let stream = authority.client().connect(listen).await;
    let mut peer = Peer::over(stream.expect("a connection"));
    // More at once than is read at once: each is answered in its turn.
    let ask = request(&format!("GET /api/users/{user}"), "a", "");
    peer.send(&ask.repeat(100)).await;
    for _ in 0..100 {
        assert_eq!(peer.reply().await.expect("an answer").status, 200);
    }
    bank.close().await;
}

/// TLS takes in whole records, of which the service gives no more than belongs to a request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_in_large_pieces_is_taken_in_whole() {
    let (bank, authority) = open(&[]).await;
    let stream = authority.client().connect(bank.app.listen()).await;
    let mut peer = Peer::over(stream.expect("a connection"));
    let blanks = " ".repeat(60 * 1024);
    let body = format!("{blanks}{{\"balance\":1}}");
    let large = request("POST /api/users", "large", &body);
    let small = request("POST /api/users", "small", r#"{"balance":2}"#);
    let unread = request("GET /api/health", "unread", &body);
    for _ in 0..3 {
        peer.send(&[&large[..], &unread, &small, &large].concat())
            .await;
        for status in [201, 200, 201, 201] {
            assert_eq!(peer.reply().await.expect("an answer").status, status);
        }
    }
    bank.close().await;
}

/// The id of a user.
async fn opened(bank: &crate::support::Bank, authority: &crate::support::tls::Authority) -> i64 {
    let stream = authority.client().connect(bank.app.listen()).await;
    let mut peer = Peer::over(stream.expect("a connection"));
    peer.send(&request("POST /api/users", "a", r#"{"balance":10}"#))
        .await;
    let reply = peer.reply().await.expect("an answer");
    reply.json()["data"]["id"].as_i64().expect("an id")
}
