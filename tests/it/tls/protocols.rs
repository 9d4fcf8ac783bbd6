//! HTTP/1.1 and HTTP/2, as each client asks for it: several clients, the same answers.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::process::Command;

use super::open;
use crate::support::Reply;
use crate::support::peer::{Peer, request};
use crate::support::tls::Authority;

/// What a client in Python prints: the version of TLS, the protocol, and the status.
const PYTHON: &str = r#"
import http.client, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[2])
context.set_alpn_protocols(["http/1.1"])
connection = http.client.HTTPSConnection("localhost", int(sys.argv[1]), context=context)
connection.request("GET", "/api/health")
print(connection.sock.version(), connection.sock.selected_alpn_protocol(), connection.getresponse().status)
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_client_gets_the_protocol_that_it_asks_for() {
    let (bank, authority) = open(&[]).await;
    let listen = bank.app.listen();
    for (asked, agreed) in [
        (&["h2", "http/1.1"][..], Some("h2")),
        (&["http/1.1", "h2"], Some("h2")),
        (&["http/1.1"], Some("http/1.1")),
        (&["acme", "http/1.1"], Some("http/1.1")),
        (&[], None),
    ] {
        for client in [authority.client(), authority.client().by_tls_1_2()] {
            let stream = client.speaking(asked).connect(listen).await;
            let stream = stream.expect("a connection");
            let chosen = stream.get_ref().1.alpn_protocol();
            assert_eq!(chosen, agreed.map(str::as_bytes), "{asked:?}");
            if agreed != Some("h2") {
                let mut peer = Peer::over(stream);
                for _ in 0..3 {
                    peer.send(&request("GET /api/health", "a", "")).await;
                    assert_eq!(peer.reply().await.expect("an answer").status, 200);
                }
            }
        }
    }
    let stranger = authority.client().speaking(&["acme"]);
    let refused = stranger
        .connect(listen)
        .await
        .expect_err("nobody speaks that");
    assert!(
        refused.to_string().contains("NoApplicationProtocol"),
        "{refused}"
    );
    bank.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_protocols_answer_the_same() {
    let (bank, authority) = open(&[]).await;
    let listen = bank.app.listen();
    let http2 = authority.client();
    let mut http2 = http2
        .connect_http2(listen, &h2::client::Builder::new())
        .await;
    let opened = http2.ask("POST", "/api/users", r#"{"balance":100}"#).await;
    let opened = opened.expect("an answer");
    assert_eq!(opened.status, 201, "{opened:?}");
    let id = opened.json()["data"]["id"].as_i64().expect("an id");
    let user = format!("/api/users/{id}");
    for (method, path, body) in [
        ("GET", "/", ""),
        ("GET", user.as_str(), ""),
        ("HEAD", user.as_str(), ""),
        ("GET", "/nowhere", ""),
        ("OPTIONS", user.as_str(), ""),
        ("POST", user.as_str(), ""),
        ("PUT", &format!("{user}/balance"), r#"{"amount":0}"#),
        ("PUT", &format!("{user}/balance"), r#"{"amount":"x"}"#),
        ("PUT", &format!("{user}/balance"), r#"{"amount":-1000}"#),
        ("PUT", &format!("{user}/balance"), ""),
        ("GET", "/openapi.json", ""),
    ] {
        let by_2 = http2.ask(method, path, body).await.expect("an answer");
        let by_1 = over_http1(&authority, listen, &format!("{method} {path}"), body).await;
        let what = format!("{method} {path} {body}");
        assert_eq!(plain(&by_2), plain(&by_1), "{what}");
        assert_eq!(by_2.text, by_1.text, "{what}");
        assert!(by_2.headers.contains_key("date"), "{by_2:?}");
    }
    let taken = http2
        .ask("PUT", &format!("{user}/balance"), r#"{"amount":-40}"#)
        .await;
    assert_eq!(taken.expect("an answer").status, 200);
    let left = over_http1(&authority, listen, &format!("GET {user}"), "").await;
    assert_eq!(left.json()["data"]["balance"].to_string(), "60.00");
    bank.close().await;
}

/// An answer by HTTP/1.1, over a connection of its own.
async fn over_http1(authority: &Authority, listen: SocketAddr, line: &str, body: &str) -> Reply {
    let stream = authority.client().connect(listen).await;
    let mut peer = Peer::over(stream.expect("a connection"));
    let length = body.len();
    let asked = format!(
        "{line} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    peer.send(asked.as_bytes()).await;
    let reply = if line.starts_with("HEAD") {
        peer.head().await
    } else {
        peer.reply().await
    };
    reply.expect("an answer")
}

/// Status and headers, without what differs each time.
fn plain(reply: &Reply) -> (u16, Vec<(String, String)>) {
    let headers = reply.headers.clone().into_iter();
    let mut headers: Vec<_> = headers
        .filter(|(name, _)| !["date", "connection"].contains(&name.as_str()))
        .collect();
    headers.sort();
    (reply.status, headers)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_speaks_both_protocols() {
    let (bank, authority) = open(&[]).await;
    let url = format!("https://localhost:{}/api/health", bank.app.listen().port());
    for (flag, version) in [("--http1.1", "1.1 200"), ("--http2", "2 200")] {
        let said = curl(&authority, &[flag, &url]);
        assert_eq!(said, version, "{flag}");
    }
    let untrusted = Authority::new("another");
    assert_eq!(curl(&untrusted, &[&url]), "0 000", "an unknown root");
    bank.close().await;
}

/// The version and the status that curl hears.
fn curl(authority: &Authority, args: &[&str]) -> String {
    let output = Command::new("curl")
        .args(["--silent", "--max-time", "20", "--output", "/dev/null"])
        .args(["--write-out", "%{http_version} %{http_code}", "--cacert"])
        .arg(authority.path("ca.pem"))
        .args(args)
        .output()
        .expect("curl runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_speaks_tls() {
    let (bank, authority) = open(&[]).await;
    let python = Command::new("python3")
        .args(["-c", PYTHON, &bank.app.listen().port().to_string()])
        .arg(authority.path("ca.pem"))
        .output();
    match python {
        Err(error) if error.kind() == ErrorKind::NotFound => eprintln!("not tried: no python3"),
        ran => {
            let ran = ran.expect("python3 runs");
            let said = String::from_utf8_lossy(&ran.stdout);
            assert_eq!(said.trim(), "TLSv1.3 http/1.1 200", "{ran:?}");
        }
    }
    bank.close().await;
}
