//! Bodies that nobody reads: a small one is taken in and thrown away, and the connection stays.

use super::transactions;
use crate::support::Bank;
use crate::support::peer::Peer;

/// The most that a body may have, in bytes.
const SIZE_MAX: usize = 64 * 1024;

/// Requests whose bodies nobody looks at, each with the status of its answer.
const REQUESTS: [(&str, u16); 10] = [
    ("GET /api/users/1 HTTP/1.1\r\n", 200),
    ("HEAD /api/users/1 HTTP/1.1\r\n", 200),
    ("OPTIONS /api/users/1 HTTP/1.1\r\n", 204),
    ("GET /api/users/1 HTTP/1.1\r\nContent-Encoding: br\r\n", 200),
    ("POST /reset HTTP/1.1\r\nContent-Encoding: br\r\n", 200),
    ("POST /nothing HTTP/1.1\r\n", 404),
    ("DELETE /accounts HTTP/1.1\r\n", 405),
    (
        "PUT /api/users/1/balance HTTP/1.1\r\nSec-Fetch-Site: cross-site\r\n",
        403,
    ),
    (
        "PUT /api/users/1/balance HTTP/1.1\r\nContent-Encoding: br\r\n",
        415,
    ),
    (
        "GET /deposit?user_id=1&amount=1&currency_type=bitcoin HTTP/1.1\r\n",
        200,
    ),
];

/// A body with what frames it, whole or in chunks.
fn framed(body: &str, is_chunked: bool) -> String {
    let length = body.len();
    if is_chunked {
        format!("Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n")
    } else {
        format!("Content-Length: {length}\r\n\r\n{body}")
    }
}

#[tokio::test]
async fn a_small_body_that_nobody_reads_leaves_the_connection_open() {
    let bank = Bank::open_with(&["--allow-reset"]).await;
    let user = bank.user("1000").await;
    let mut peer = Peer::connect(&bank.url("")).await;
    let bodies = [r#"{"amount":-1}"#.to_owned(), "x".repeat(SIZE_MAX)];
    for (request, status) in REQUESTS {
        for (body, is_chunked) in bodies.iter().zip([true, false]) {
            for is_late in [false, true] {
                let bytes = format!("{request}Host: localhost\r\n{}", framed(body, is_chunked));
                let (early, late) = bytes.as_bytes().split_at(bytes.len() - 7);
                peer.send(early).await;
                if is_late {
                    // Another is answered meanwhile, so the first part has been looked at.
                    assert_eq!(bank.get("/api/users/1").await.status, 200);
                }
                peer.send(late).await;
                let told = if request.starts_with("HEAD") {
                    peer.head().await
                } else {
                    peer.reply().await
                };
                let reply = told.unwrap_or_else(|| panic!("{request}: the connection is closed"));
                assert_eq!(reply.status, status, "{request}: {reply:?}");
                assert_eq!(
                    reply.headers.get("connection"),
                    None,
                    "{request}: {reply:?}"
                );
            }
        }
    }
    assert_eq!(user.balance().await, "1000.00");
    bank.close().await;
}

#[tokio::test]
async fn a_large_body_that_nobody_reads_ends_the_connection() {
    let bank = Bank::open().await;
    bank.user("1000").await;
    let before = transactions(&bank).await;
    let large = "x".repeat(SIZE_MAX + 1);
    let next = "PUT /api/users/1/balance HTTP/1.1\r\nHost: localhost\r\nContent-Length: 13\r\n\r\n{\"amount\":-1}";
    for (request, status) in REQUESTS.into_iter().filter(|(_, status)| *status != 200) {
        let mut peer = Peer::connect(&bank.url("")).await;
        let body = framed(&large, false);
        peer.send(format!("{request}Host: localhost\r\n{body}{next}").as_bytes())
            .await;
        let replies = peer.rest().await;
        let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
        assert_eq!(statuses, [status], "{request}");
        assert_eq!(replies[0].headers["connection"], "close", "{request}");
    }
    assert_eq!(transactions(&bank).await, before, "nothing was applied");
    bank.close().await;
}
