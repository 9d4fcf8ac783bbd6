//! Stops under load, with rude peers at the door: what is in flight is answered, and the service ends in good order.

use std::collections::BTreeSet;

use fastrand::Rng;
use reqwest::Client;
use sqlx::{Connection, PgConnection};

use crate::support::bank::{at_once, audit_of};
use crate::support::peer::{Peer, request, withdrawal};
use crate::support::process::Passbook;
use crate::support::{eventually, postgres};

const CLIENTS: usize = 32;
/// Rude peers of each kind.
const RUDE: usize = 4;
/// Answers before a stop.
const ANSWERS: std::ops::Range<usize> = 50..600;

/// A body in two parts.
const BEGUN: &str = r#"{"amount""#;
const REST: &str = ":-1}";

/// What became of the requests.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stops {
    pub(crate) acknowledged: usize,
    /// Turned away, or cut off before they were begun.
    pub(crate) not_applied: usize,
}

/// What one client was told: the keys that were acknowledged, and the last one, if it was not.
struct Told {
    acknowledged: Vec<String>,
    refused: Option<String>,
}

/// Stops so many services in the middle of their work, every second one with rude peers, and checks each time that what was
/// acknowledged, and nothing else, is there.
pub(crate) async fn stops(seed: u64, rounds: usize) -> Stops {
    let database = postgres::create_database().await;
    let mut rng = Rng::with_seed(seed);
    let mut total = Stops::default();
    for round in 0..rounds {
        let passbook = Passbook::serve(&["--demo", "true", "--database-url", &database]);
        let url = passbook.url.clone();
        enrich(&url).await;
        let rude = if round % 2 == 0 {
            connect_rude(&url).await
        } else {
            Vec::new()
        };
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| tokio::spawn(client(url.clone(), format!("{round}-{number}"))))
            .collect();
        let enough = count(&database).await + rng.usize(ANSWERS);
        eventually("the clients are busy", async || {
            enough <= count(&database).await
        })
        .await;
        let late = format!("{round}-late");
        let mut begun = begin(&url, &late).await;
        passbook.signal("TERM");
        eventually("it is stopping", async || passbook.has_said("stopping")).await;
        begun.send(REST.as_bytes()).await;
        let answer = begun.reply().await.expect("it was in flight");
        assert_eq!(answer.status, 200, "{answer:?}");
        let told = at_once(clients).await;
        let ended = passbook.end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        for peer in rude {
            peer.await.expect("it is let go");
        }
        let applied = applied(&database).await;
        for told in told {
            let told = told.expect("a client does not panic");
            for key in &told.acknowledged {
                assert!(applied.contains(key), "{key} was acknowledged");
            }
            if let Some(key) = &told.refused {
                assert!(!applied.contains(key), "{key} was not answered");
                total.not_applied += 1;
            }
            total.acknowledged += told.acknowledged.len();
        }
        assert!(!applied.contains("rude"), "half a request");
        assert!(applied.contains(&late), "it was answered");
        total.acknowledged += 1;
    }
    assert_eq!(applied(&database).await.len(), total.acknowledged);
    let report = audit_of(&database).await;
    assert!(report.is_clean(), "{:#?}", report.findings);
    postgres::drop_database(&database).await;
    total
}

/// Gives user 1 more than the clients of a round can take.
async fn enrich(url: &str) {
    let request = Client::new().put(format!("{url}/api/users/1/balance"));
    let response = request.body(r#"{"amount":100000}"#).send().await;
    assert_eq!(response.expect("an answer").status(), 200);
}

/// Withdraws 1 from user 1, over and over, until the service is gone.
async fn client(url: String, name: String) -> Told {
    let mut peer = Peer::connect(&url).await;
    let mut acknowledged = Vec::new();
    for number in 0.. {
        let key = format!("{name}-{number}");
        peer.send(&withdrawal(1, &key)).await;
        match peer.reply().await.map(|reply| reply.status) {
            Some(200) => acknowledged.push(key),
            None | Some(503) => {
                return Told {
                    acknowledged,
                    refused: Some(key),
                };
            }
            Some(status) => panic!("{key}: {status}"),
        }
    }
    unreachable!("numbers do not end")
}

/// A peer whose request is in flight, and who has yet to say the rest of its body.
async fn begin(url: &str, key: &str) -> Peer {
    let length = BEGUN.len() + REST.len();
    let head = format!(
        "PUT /api/users/1/balance HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: {key}\r\nExpect: 100-continue\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    let mut peer = Peer::connect(url).await;
    peer.send(head.as_bytes()).await;
    assert_eq!(peer.interim().await, 100);
    peer.send(BEGUN.as_bytes()).await;
    peer
}

/// Peers in the middle of a first head, of a second one and of a body, some that do nothing, and some that never read. Each ends
/// when the service lets it go.
async fn connect_rude(url: &str) -> Vec<tokio::task::JoinHandle<()>> {
    let half = withdrawal(1, "rude");
    let head = half.len() - 20;
    let body = half.len() - 5;
    let health = request("GET /api/health", "a", "");
    let says = [
        half[..head].to_vec(),
        [&health[..], &half[..head]].concat(),
        half[..body].to_vec(),
        health,
        Vec::new(),
    ];
    let mut rude = Vec::new();
    for _ in 0..RUDE {
        for says in &says {
            let mut peer = Peer::connect(url).await;
            peer.send(says).await;
            rude.push(tokio::spawn(async { drop(peer.rest().await) }));
        }
        let deaf = Peer::connect_narrow(url).await;
        rude.push(tokio::spawn(deaf.chatter()));
    }
    rude
}

/// How many keys were used so far.
async fn count(database: &str) -> usize {
    applied(database).await.len()
}

/// The keys under which something was applied.
async fn applied(database: &str) -> BTreeSet<String> {
    let mut connection = PgConnection::connect(database)
        .await
        .expect("the database answers");
    let keys = sqlx::query_scalar(
        "select idempotency_key from transactions where kind = 'withdrawal' and idempotency_key is not null",
    )
    .fetch_all(&mut connection)
    .await;
    connection.close().await.expect("the connection closes");
    keys.expect("rows")
        .into_iter()
        .collect::<BTreeSet<String>>()
}
