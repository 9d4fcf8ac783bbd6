//! Peers that take their time, all at once: each is cut off, and an ordinary client beside them notices nothing.

use std::sync::atomic::{AtomicBool, Ordering};

use super::transactions;
use crate::support::Bank;
use crate::support::bank::at_once;
use crate::support::peer::{Peer, ordinary_client, request, withdrawal};
use crate::support::process::{self, Passbook, path_of};

/// Peers of each kind.
const SOME: usize = 8;
/// Peers that ask and never read.
const DEAF: usize = 16;
/// Connections that are kept and not used.
const IDLE: usize = 5_000;

/// What a slow peer says at once, what it then says slowly, and the answers that it is owed.
pub(crate) const SLOW: [(&str, &str, &str, &[u16]); 9] = [
    (
        "a first head",
        "GET /api/he",
        "alth HTTP/1.1\r\nA: b",
        &[408],
    ),
    (
        "a second head",
        "GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "PUT /api/users/1/balance HTTP/1.1\r\nA: b",
        &[200],
    ),
    (
        "a second head that came with the first",
        "GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\nPUT /api/users/1/bal",
        "ance HTTP/1.1\r\nA: b",
        &[200],
    ),
    (
        "lines before a second head",
        "GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "\r\n\r\n\r\n\n",
        &[200],
    ),
    (
        "a body",
        "PUT /api/users/1/balance HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000\r\n\r\n",
        "{\"amount\":-1} ",
        &[408],
    ),
    (
        "a body in chunks",
        "PUT /api/users/1/balance HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
        "{\"amount\":-1} ",
        &[408],
    ),
    (
        "an extension of a chunk",
        "PUT /api/users/1/balance HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nd;",
        "xxxx",
        &[408],
    ),
    (
        "a trailer",
        "PUT /api/users/1/balance HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n\
         d\r\n{\"amount\":-1}\r\n0\r\nX: ",
        "xxxx",
        &[408],
    ),
    (
        "a body that nobody wants",
        "GET /api/health HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
        "{\"amount\":-1} ",
        &[200],
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_peers_are_cut_off_and_disturb_nobody() {
    let bank = Bank::open().await;
    let user = bank.user("1000").await;
    let before = transactions(&bank).await;
    let url = bank.url("");
    let enough = AtomicBool::new(false);
    let slow = async {
        let tricklers = at_once((0..SOME * SLOW.len()).map(async |number| {
            let (what, at_once, slowly, owed) = SLOW[number % SLOW.len()];
            let mut peer = Peer::connect(&url).await;
            peer.send(at_once.as_bytes()).await;
            let statuses = peer.trickle(slowly.as_bytes()).await;
            assert_eq!(statuses, owed, "{what}");
        }));
        let silent = at_once((0..SOME).map(async |number| {
            let mut peer = Peer::connect(&url).await;
            let half = withdrawal(user.id, "half");
            peer.send(&half[..number * (half.len() - 1) / (SOME - 1)])
                .await;
            let replies = peer.rest().await;
            let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
            assert_eq!(statuses, [408], "{number}: silent in the middle");
        }));
        let deaf = at_once((0..SOME).map(async |_| {
            Peer::connect_narrow(&url).await.chatter().await;
        }));
        tokio::join!(tricklers, silent, deaf);
        enough.store(true, Ordering::Relaxed);
    };
    let (answers, ()) = tokio::join!(ordinary_client(&url, &enough), slow);
    assert!(100 < answers, "the ordinary client got {answers} answers");
    assert_eq!(transactions(&bank).await, before, "nothing was applied");
    assert_eq!(user.change("-1").await.status, 200);
    assert_eq!(user.balance().await, "999.00");
    bank.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_that_never_read_are_cut_off_and_fill_no_memory() {
    let data_dir = process::migrated_data_dir();
    let passbook = Passbook::serve(&["--data-dir", path_of(&data_dir)]);
    // Many small requests, and then many large answers, so that it does not take long.
    let small = "HEAD / HTTP/1.1\r\nHost:a\r\n\r\n"
        .repeat(3_000)
        .into_bytes();
    let before = peak_memory_kib(&passbook);
    at_once((0..DEAF).map(async |_| {
        let mut peer = Peer::connect_narrow(&passbook.url).await;
        peer.send(&small).await;
        peer.chatter().await;
    }))
    .await;
    let taken = peak_memory_kib(&passbook) - before;
    assert!(taken < DEAF * 2 * 1_024, "they took {taken} KiB");
    passbook.stop();
}

/// The most memory that the service has had so far.
fn peak_memory_kib(passbook: &Passbook) -> usize {
    let status = format!("/proc/{}/status", passbook.pid());
    let status = std::fs::read_to_string(status).expect("a process");
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|peak| peak.trim().strip_suffix(" kB"));
    peak.and_then(|peak| peak.parse().ok()).expect("a size")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_thousand_idle_connections_disturb_nobody() {
    let limit = rlimit::increase_nofile_limit(u64::MAX).expect("a limit of open files");
    assert!(6_000 <= limit, "the hard limit of open files is {limit}");
    let data_dir = process::migrated_data_dir();
    let passbook = Passbook::serve(&["--data-dir", path_of(&data_dir)]);
    let mut idle = Vec::new();
    while idle.len() < IDLE {
        let some = at_once((0..100).map(async |_| {
            let mut peer = Peer::connect(&passbook.url).await;
            peer.send(&request("GET /api/users/1", "a", "")).await;
            assert_eq!(peer.reply().await.expect("an answer").status, 200);
            peer
        }));
        idle.extend(some.await);
    }
    let mut client = Peer::connect(&passbook.url).await;
    for number in 0..100 {
        client.send(&withdrawal(1, &format!("key-{number}"))).await;
        let reply = client.reply().await.expect("an answer");
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    for peer in &mut idle[..100] {
        peer.send(&request("GET /api/users/1", "a", "")).await;
        let reply = peer.reply().await.expect("it was kept");
        assert!(reply.text.contains("9900.00"), "{reply:?}");
    }
    passbook.stop();
    drop(idle);
    let verified = process::run(&["verify", "--data-dir", path_of(&data_dir)]);
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
}
