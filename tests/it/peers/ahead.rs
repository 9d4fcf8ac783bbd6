//! Requests that are sent ahead: answered one by one, each as it would be alone.

use crate::support::Bank;
use crate::support::bank::Reply;
use crate::support::peer::Peer;

/// Requests of many kinds, each with the status of its answer.
const REQUESTS: [(&str, u16); 9] = [
    ("GET /api/users/1 HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
    (
        "PUT /api/users/1/balance HTTP/1.1\r\nHost: localhost\r\nContent-Length: 13\r\n\r\n{\"amount\":-1}",
        200,
    ),
    (
        "PUT /api/users/1/balance HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n\
         d\r\n{\"amount\":-1}\r\n0\r\nX: y\r\n\r\n",
        200,
    ),
    // An empty line in a body ends nothing.
    (
        "PUT /api/users/1/balance HTTP/1.1\r\nHost: localhost\r\nContent-Length: 19\r\n\r\n{\r\n\r\n\"amount\":-1}\r\n",
        200,
    ),
    (
        "PUT /api/users/1/balance HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n\
         13\r\n{\r\n\r\n\"amount\":-1}\r\n\r\n0\r\n\r\n",
        200,
    ),
    // A body in chunks that nobody looks at.
    (
        "POST /nothing HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n\
         1\r\nx\r\n4\r\n\r\n\r\n\r\n0\r\n\r\n",
        404,
    ),
    ("HEAD /api/users/1 HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
    ("GET /balance HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    (
        "GET /api/users/1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        200,
    ),
];

/// The first answer of what came, and how long it is.
fn first(bytes: &[u8], has_body: bool) -> (Reply, String, usize) {
    let text = str::from_utf8(bytes).expect("text");
    let head = text.find("\r\n\r\n").expect("a head") + 4;
    let line = text.lines().next().expect("a line").to_owned();
    let reply = Reply::parse(&bytes[..head]);
    let length = if has_body {
        let length = reply.headers.get("content-length");
        length.map_or(0, |length| length.parse().expect("a length"))
    } else {
        0
    };
    let whole = bytes.get(..head + length).expect("a whole answer");
    (Reply::parse(whole), line, whole.len())
}

async fn answers(bank: &Bank, requests: &str) -> Vec<u8> {
    let mut peer = Peer::connect(&bank.url("")).await;
    peer.send(requests.as_bytes()).await;
    peer.end().await;
    peer.everything().await
}

#[tokio::test]
async fn whatever_comes_behind_a_request_its_answer_is_its_own() {
    let bank = Bank::open().await;
    bank.user("1000").await;
    for (request, status) in REQUESTS {
        for (behind, _) in REQUESTS {
            let closing =
                "GET /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
            let bytes = answers(&bank, &format!("{request}{behind}{closing}")).await;
            let what = format!("{request}{behind}: {}", bytes.escape_ascii());
            let has_body = !request.starts_with("HEAD");
            let (reply, line, length) = first(&bytes, has_body);
            assert_eq!(reply.status, status, "{what}");
            let is_old = request.contains("HTTP/1.0");
            let version = if is_old { "HTTP/1.0" } else { "HTTP/1.1" };
            assert!(line.starts_with(version), "{what}");
            let connection = is_old.then_some("keep-alive");
            let told = reply.headers.get("connection").map(String::as_str);
            assert_eq!(told, connection, "{what}");
            let (second, _, more) = first(&bytes[length..], !behind.starts_with("HEAD"));
            assert!((200..500).contains(&second.status), "{what}");
            let (last, _, rest) = first(&bytes[length + more..], true);
            assert_eq!(
                (last.status, last.headers["connection"].as_str()),
                (200, "close"),
                "{what}"
            );
            assert_eq!(bytes.len(), length + more + rest, "{what}");
        }
    }
    bank.close().await;
}

#[tokio::test]
async fn what_comes_behind_a_request_that_asks_for_an_end_is_not_looked_at() {
    let bank = Bank::open().await;
    let user = bank.user("1000").await;
    let (put, _) = REQUESTS[1];
    let closing = put.replace("Content-Length", "Connection: close\r\nContent-Length");
    let bytes = answers(&bank, &format!("{closing}{put}")).await;
    let (reply, _, length) = first(&bytes, true);
    assert_eq!(reply.headers["connection"], "close");
    assert_eq!(bytes.len(), length, "{}", bytes.escape_ascii());
    assert_eq!(user.balance().await, "999.00");
    bank.close().await;
}
