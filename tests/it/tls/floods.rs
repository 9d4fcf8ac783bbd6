//! HTTP/2 by clients that take more than their share: each kind has a limit, and an ordinary client goes on.

use std::time::Duration;

use h2::Reason;
use h2::client::Builder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::open;
use crate::support::Bank;
use crate::support::bank::at_once;
use crate::support::tls::{Authority, heard, request};

const PATIENCE: Duration = Duration::from_secs(30);

/// Longer than a connection may be idle.
const IDLE_MAX: Duration = Duration::from_secs(90);
/// Between two frames of a client that asks for nothing.
const KNOCK: Duration = Duration::from_millis(100);

/// What a client says first: its preface, and settings without one (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// Kinds of frames, and flags (RFC 9113, section 6).
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// `GET https://localhost/`, by the static table (RFC 7541, appendix A).
const GET: &[u8] = b"\x82\x87\x84\x41\x09localhost";
/// The same with `POST`.
const POST: &[u8] = b"\x83\x87\x84\x41\x09localhost";

/// A frame of the service: its kind, and what is in it.
struct Frame {
    kind: u8,
    payload: Vec<u8>,
}

impl Frame {
    /// The error code at a place.
    fn reason(&self, at: usize) -> Reason {
        let code = self.payload[at..at + 4].try_into().expect("four bytes");
        u32::from_be_bytes(code).into()
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = u32::try_from(payload.len()).expect("short").to_be_bytes();
    [&length[..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A connection on which the test says its own frames.
async fn raw(bank: &Bank, authority: &Authority) -> TlsStream<TcpStream> {
    let client = authority.client().speaking(&["h2"]);
    client
        .connect(bank.app.listen())
        .await
        .expect("a connection")
}

/// Frames until the service closes, or until it has said enough.
async fn frames(
    stream: &mut TlsStream<TcpStream>,
    is_enough: impl Fn(&[Frame]) -> bool,
) -> Vec<Frame> {
    let mut frames = Vec::new();
    let hear = async {
        let mut head = [0; 9];
        while !is_enough(&frames) && stream.read_exact(&mut head).await.is_ok() {
            let [a, b, c, kind, ..] = head;
            let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
            if stream.read_exact(&mut payload).await.is_err() {
                break;
            }
            frames.push(Frame { kind, payload });
        }
    };
    timeout(PATIENCE, hear)
        .await
        .expect("the service answers, or closes");
    frames
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_taken_back_at_once_end_the_connection() {
    let (bank, authority) = open(&[]).await;
    let mut stream = raw(&bank, &authority).await;
    let mut flood = PREFACE.to_vec();
    for stream in (1..2_000).step_by(2) {
        flood.extend(frame(HEADERS, END_HEADERS | END_STREAM, stream, GET));
        flood.extend(frame(
            RST_STREAM,
            0,
            stream,
            &u32::from(Reason::CANCEL).to_be_bytes(),
        ));
    }
    // It may close before it heard everything.
    drop(stream.write_all(&flood).await);
    let frames = frames(&mut stream, |_| false).await;
    let last = frames.iter().rfind(|frame| frame.kind == GOAWAY);
    assert_eq!(
        last.expect("it says why").reason(4),
        Reason::ENHANCE_YOUR_CALM
    );
    ordinary(&bank, &authority).await;
    bank.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_requests_at_once_than_are_answered_are_refused() {
    let (bank, authority) = open(&[]).await;
    let mut stream = raw(&bank, &authority).await;
    let mut flood = PREFACE.to_vec();
    for stream in (1..=2 * 150).step_by(2) {
        // A body is still to come.
        flood.extend(frame(HEADERS, END_HEADERS, stream, POST));
    }
    stream.write_all(&flood).await.expect("it hears");
    let is_refusal =
        |frame: &&Frame| frame.kind == RST_STREAM && frame.reason(0) == Reason::REFUSED_STREAM;
    let refused = |frames: &[Frame]| frames.iter().filter(is_refusal).count();
    let frames = frames(&mut stream, |frames| refused(frames) == 50).await;
    assert_eq!(refused(&frames), 50);
    ordinary(&bank, &authority).await;
    bank.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_and_bodies_have_the_limits_of_http_1() {
    let (bank, authority) = open(&[]).await;
    let listen = bank.app.listen();
    let mut client = authority
        .client()
        .connect_http2(listen, &Builder::new())
        .await;
    let mut large = request("GET", "/api/health");
    let value = "a".repeat(20 * 1024).parse().expect("a value");
    large.headers_mut().insert("x-large", value);
    let (answer, _) = client.sender.send_request(large, true).expect("a request");
    assert_eq!(heard(answer).await.expect("an answer").status, 431);

    let body = format!(r#"{{"balance":1,"name":"{}"}}"#, "a".repeat(64 * 1024));
    let answer = client.ask("POST", "/api/users", &body).await;
    assert_eq!(answer.expect("an answer").status, 413);

    let asked = client
        .sender
        .send_request(request("POST", "/api/users"), false);
    let (answer, mut late) = asked.expect("a request");
    late.send_data("{".into(), false).expect("a piece");
    let answer = timeout(PATIENCE, heard(answer)).await.expect("an answer");
    assert_eq!(answer.expect("an answer").status, 408);
    assert_eq!(bank.number("select count(*) from users").await, 0);
    ordinary(&bank, &authority).await;
    bank.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_are_not_taken_are_given_up() {
    let (bank, authority) = open(&[]).await;
    let listen = bank.app.listen();
    let mut narrow = Builder::new();
    narrow.initial_window_size(0);
    let mut client = authority.client().connect_http2(listen, &narrow).await;
    let asked = client
        .sender
        .send_request(request("GET", "/openapi.json"), true);
    let (answer, _) = asked.expect("a request");
    let answer = timeout(PATIENCE, heard(answer))
        .await
        .expect("it is given up");
    assert_eq!(
        answer.expect_err("no answer").reason(),
        Some(Reason::CANCEL)
    );

    let deaf = at_once((0..4).map(async |_| {
        let client = authority.client().speaking(&["h2"]);
        let mut stream = client.connect_narrow(listen).await.expect("a connection");
        // Windows without an end, and then requests without one.
        let mut flood = PREFACE.to_vec();
        flood.extend(frame(4, 0, 0, &[0, 4, 0x7f, 0xff, 0xff, 0xff]));
        flood.extend(frame(8, 0, 0, &[0x3f, 0xff, 0xff, 0xff]));
        let path = b"\x82\x87\x04\x0d/openapi.json\x41\x09localhost";
        let mut id = 1;
        while stream.write_all(&flood).await.is_ok() && stream.flush().await.is_ok() {
            flood = frame(HEADERS, END_HEADERS | END_STREAM, id, path);
            id += 2;
        }
    }));
    timeout(PATIENCE, deaf).await.expect("each is cut off");
    ordinary(&bank, &authority).await;
    bank.close().await;
}

/// Nobody is told of it by a limit of their own: a head that never ends, and frames that ask for nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_without_a_request_is_closed() {
    let (bank, authority) = open(&[]).await;
    let listen = bank.app.listen();
    let idle = async {
        let client = authority.client();
        let mut client = client.connect_http2(listen, &Builder::new()).await;
        let answer = client.ask("GET", "/api/health", "").await;
        assert_eq!(answer.expect("an answer").status, 200);
        drop(timeout(IDLE_MAX, client.driver).await.expect("it ends"));
    };
    let in_a_head = async {
        let mut stream = raw(&bank, &authority).await;
        let half = [PREFACE, &frame(HEADERS, 0, 1, GET)].concat();
        stream.write_all(&half).await.expect("it hears");
        drop(
            timeout(IDLE_MAX, stream.read_to_end(&mut Vec::new()))
                .await
                .expect("it ends"),
        );
    };
    let knocking = async {
        let mut stream = raw(&bank, &authority).await;
        stream.write_all(PREFACE).await.expect("it hears");
        let ping = frame(PING, 0, 0, &[0; 8]);
        let knock = async {
            while stream.write_all(&ping).await.is_ok() {
                drop(timeout(KNOCK, stream.read(&mut [0; 1_024])).await);
            }
        };
        timeout(IDLE_MAX, knock).await.expect("it ends");
    };
    tokio::join!(idle, in_a_head, knocking);
    ordinary(&bank, &authority).await;
    bank.close().await;
}

/// A client that takes its share is answered.
async fn ordinary(bank: &Bank, authority: &Authority) {
    let client = authority.client();
    let mut client = client
        .connect_http2(bank.app.listen(), &Builder::new())
        .await;
    let answer = client.ask("GET", "/api/health", "").await;
    assert_eq!(answer.expect("an answer").status, 200);
    assert_eq!(client.sender.current_max_send_streams(), 100);
}
