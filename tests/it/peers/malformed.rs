//! Requests that were sane once: with bytes flipped, cut out, doubled and taken from others, sent to every operation.

use fastrand::Rng;
use passbook::http::operations;
use tokio::time::{Duration, timeout};

use crate::support::bank::{at_once, audit_of};
use crate::support::peer::{Peer, request, withdrawal};
use crate::support::postgres;
use crate::support::process::Passbook;

/// Connections at a time.
const PEERS: usize = 48;
/// Requests on a connection at most: what follows a broken one is part of the test.
const REQUESTS_MAX: usize = 4;
/// Changes to a request at most.
const CHANGES_MAX: usize = 4;
/// Of so many peers one does not say that it has said everything.
const OPEN_ENDED: usize = 64;
const PATIENCE: Duration = Duration::from_secs(30);

/// What every operation may well be told, each of which takes what it knows.
const BODY: &str = r#"{"name":"a","email":"b@example.org","password":"Secret12","balance":1,"type":"deposit",
"origin":"a","destination":"b","amount":1,"expectedversion":1,"accountNumber":"000000000195",
"senderAccountNumber":"000000000195","receiverAccountNumber":"000000000292","user_id":1,
"source_user_id":1,"target_user_id":2,"currency_type":"bitcoin"}"#;

/// Bytes that mean something to HTTP or JSON.
const TELLING: &[u8] = b"\r\n\0 \t:;,\"\\{}[]%/?&=+-.eE0\xff\x80";

/// What became of the requests.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Malformed {
    pub(crate) sent: usize,
    pub(crate) accepted: usize,
    pub(crate) refused: usize,
    /// Connections that were closed without an answer.
    pub(crate) unanswered: usize,
}

/// Sane requests to every operation, with lengths said and in chunks.
fn corpus() -> Vec<Vec<u8>> {
    let mut corpus = Vec::new();
    for (number, (method, path)) in operations().enumerate() {
        let filled = path.replace("{id}", "1");
        let line = format!("{method} {filled}");
        let body = if method == "GET" { "" } else { BODY };
        corpus.push(request(&line, &format!("key-{number}"), body));
        if method != "GET" {
            let length = body.len();
            corpus.push(
                format!(
                    "{line}?limit=1&after=2 HTTP/1.1\r\nHost: localhost\r\nCookie: id=0\r\nTransfer-Encoding: chunked\r\n\r\n\
                     {length:x};a=b\r\n{body}\r\n0\r\nX: y\r\n\r\n"
                )
                .into_bytes(),
            );
        }
    }
    corpus
}

/// One of the requests, changed here and there, or now and then not at all.
fn mutant(rng: &mut Rng, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = rng.choice(corpus).expect("a request").clone();
    for _ in 0..rng.usize(..=CHANGES_MAX) {
        let at = rng.usize(..=bytes.len());
        let end = (at + rng.usize(..40)).min(bytes.len());
        match rng.u8(..6) {
            0 => bytes[at..end]
                .iter_mut()
                .for_each(|byte| *byte ^= 1 << rng.u8(..8)),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let twice = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, twice));
            }
            3 => {
                let other = rng.choice(corpus).expect("a request");
                let from = rng.usize(..other.len());
                let until = (from + rng.usize(..200)).min(other.len());
                drop(bytes.splice(at..end, other[from..until].iter().copied()));
            }
            4 => bytes.insert(at, *rng.choice(TELLING).expect("a byte")),
            _ => bytes.truncate(at.max(1)),
        }
    }
    bytes
}

/// Sends so many requests that are broken in random ways: never a failure of the service, always an answer or an end in bounded
/// time, and a sane request is served beside them and afterwards.
pub(crate) async fn malformed(seed: u64, count: usize) -> Malformed {
    let database = postgres::create_database().await;
    let passbook = Passbook::serve(&[
        "--allow-reset",
        "true",
        "--demo",
        "true",
        "--database-url",
        &database,
    ]);
    let mut rng = Rng::with_seed(seed);
    let corpus = corpus();
    let mut total = Malformed::default();
    while total.sent < count {
        let peers = (0..PEERS).map(|_| {
            let requests = rng.usize(1..=REQUESTS_MAX);
            let mutants = (0..requests).map(|_| mutant(&mut rng, &corpus));
            (mutants.collect::<Vec<_>>(), rng.usize(..OPEN_ENDED) == 0)
        });
        let peers: Vec<_> = peers.collect();
        let visits = peers
            .iter()
            .map(|(mutants, open_ended)| visit(&passbook.url, mutants, *open_ended));
        for (statuses, (mutants, _)) in at_once(visits).await.into_iter().zip(&peers) {
            total.count(mutants, &statuses);
        }
        let mut sane = Peer::connect(&passbook.url).await;
        sane.send(&withdrawal(1, &format!("sane-{}", total.sent)))
            .await;
        let reply = sane.reply().await.expect("an answer");
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    passbook.signal("TERM");
    let ended = passbook.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    // What a caller sends is no error of the service, and fills no logs.
    assert!(!ended.stderr.contains(" ERROR "), "{}", ended.stderr);
    let report = audit_of(&database).await;
    assert!(report.is_clean(), "{:#?}", report.findings);
    postgres::drop_database(&database).await;
    total
}

/// Says all of it at once; the statuses of whatever is answered. Without an end there is at least one answer, or the service
/// closes.
async fn visit(url: &str, mutants: &[Vec<u8>], open_ended: bool) -> Vec<u16> {
    let mut peer = Peer::connect(url).await;
    peer.send(&mutants.concat()).await;
    if open_ended {
        let reply = timeout(PATIENCE, peer.reply()).await;
        let reply = reply.expect("an answer, or an end");
        return reply.iter().map(|reply| reply.status).collect();
    }
    peer.end().await;
    peer.rest().await.iter().map(|reply| reply.status).collect()
}

impl Malformed {
    fn count(&mut self, mutants: &[Vec<u8>], statuses: &[u16]) {
        self.sent += mutants.len();
        self.unanswered += usize::from(statuses.is_empty());
        for status in statuses {
            let failed = !(200..500).contains(status);
            assert!(!failed, "{status}: {}", mutants.concat().escape_ascii());
            if *status < 400 {
                self.accepted += 1;
            } else {
                self.refused += 1;
            }
        }
    }
}
