//! Browsers over TLS: cookies that leave it never, and pages that came without it.

use tokio::io::{AsyncRead, AsyncWrite};

use super::open;
use crate::support::Reply;
use crate::support::peer::Peer;
use crate::support::tls::{heard, request};

const SIGN_UP: &str = r#"{"name":"Ada","email":"ada@example.org","password":"Secret12"}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_kept_by_this_host_and_by_tls_alone() {
    let (bank, authority) = open(&[]).await;
    let stream = authority.client().connect(bank.app.listen()).await;
    let mut peer = Peer::over(stream.expect("a connection"));
    let signed_up = ask(
        &mut peer,
        "POST /api/signup",
        "X-Forwarded-Proto: http\r\n",
        SIGN_UP,
    )
    .await;
    assert_eq!(signed_up.status, 200, "{signed_up:?}");
    let cookie = &signed_up.headers["set-cookie"];
    let (pair, attributes) = cookie.split_once(';').expect("attributes");
    let token = pair.strip_prefix("__Host-sessionId=").expect("the name");
    assert_eq!(attributes, " Path=/; HttpOnly; SameSite=Lax; Secure");

    for cookie in [
        format!("__Host-sessionId={token}"),
        format!("sessionId={token}"),
        format!("sessionId={}; __Host-sessionId={token}", "a".repeat(64)),
    ] {
        let cookie = format!("Cookie: {cookie}\r\n");
        let listed = ask(&mut peer, "GET /api/accounts", &cookie, "").await;
        assert_eq!(listed.status, 200, "{cookie}: {listed:?}");
    }
    let ask = asked(
        "POST /api/signout",
        &format!("Cookie: __Host-sessionId={token}\r\nConnection: close\r\n"),
        "",
    );
    peer.send(&ask).await;
    let ended = peer.everything().await;
    let ended = String::from_utf8_lossy(&ended).into_owned();
    for name in ["__Host-sessionId", "sessionId"] {
        let over = format!(": {name}=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0\r\n");
        assert!(ended.contains(&over), "{name}: {ended}");
    }
    bank.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_came_without_tls_is_of_another_site() {
    let (bank, authority) = open(&[]).await;
    let stream = authority.client().connect(bank.app.listen()).await;
    let mut peer = Peer::over(stream.expect("a connection"));
    let body = r#"{"balance":1}"#;
    for (origin, status) in [
        ("https://localhost", 201),
        ("http://localhost", 403),
        ("https://localhost:444", 403),
        ("https://evil.example", 403),
    ] {
        let origin = format!("Origin: {origin}\r\n");
        let answer = ask(&mut peer, "POST /api/users", &origin, body).await;
        assert_eq!(answer.status, status, "{origin}");
    }
    let page = ask(&mut peer, "GET /", "Accept: text/html\r\n", "").await;
    assert!(page.text.contains("https://localhost"), "{page:?}");
    assert!(!page.text.contains("http://localhost"), "{page:?}");
    let listen = bank.app.listen();
    let mut http2 = authority
        .client()
        .connect_http2(listen, &h2::client::Builder::new())
        .await;
    for (origin, status) in [("https://localhost", 201), ("http://localhost", 403)] {
        let mut asked = request("POST", "/api/users");
        asked
            .headers_mut()
            .insert("origin", origin.parse().expect("a value"));
        let (answer, mut stream) = http2.sender.send_request(asked, false).expect("a request");
        stream.send_data(body.into(), true).expect("a body");
        let answer = heard(answer).await.expect("an answer");
        assert_eq!(answer.status, status, "{origin}: {answer:?}");
    }
    let stranger = http::Request::builder().uri("https://evil.example/api/health");
    let stranger = stranger.body(()).expect("a request");
    let (answer, _) = http2
        .sender
        .send_request(stranger, true)
        .expect("a request");
    let answer = heard(answer).await.expect("an answer");
    assert_eq!(answer.status, 421, "{answer:?}");
    bank.close().await;
}

async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    peer: &mut Peer<S>,
    line: &str,
    headers: &str,
    body: &str,
) -> Reply {
    peer.send(&asked(line, headers, body)).await;
    peer.reply().await.expect("an answer")
}

/// A request as its bytes stand on the wire.
fn asked(line: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "{line} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
