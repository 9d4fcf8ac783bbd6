//! Clients that go away in the middle of anything: what was acknowledged is there, each key has one outcome, and the service
//! serves on at once.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use fastrand::Rng;
use tempfile::TempDir;
use tokio::task::yield_now;

use crate::support::Reply;
use crate::support::bank::at_once;
use crate::support::peer::{Peer, ordinary_client, request, withdrawal};
use crate::support::process::{self, Passbook, path_of};

/// More than all requests can take.
const RICHES: i64 = 1_000_000;
const USERS: usize = 5;
/// Clients at a time.
const CLIENTS: usize = 64;
/// What a connection, or a transaction on it, says that was left in the middle by someone before.
const POISON: [&str; 4] = [
    "25P02",
    "current transaction is aborted",
    "already a transaction in progress",
    "panicked",
];

/// What became of the clients.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Departures {
    /// They were answered, and their money moved.
    pub(crate) acknowledged: usize,
    /// They went away before they were answered, and their money had moved by then.
    pub(crate) applied_unheard: usize,
    /// They went away and nothing had happened.
    pub(crate) not_applied: usize,
    /// Answers to a client beside them, who stayed.
    pub(crate) undisturbed: usize,
}

/// How a client ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaves {
    /// Without a word.
    Reset,
    /// The same, after so many turns of the others.
    ResetLater(usize),
    /// The same, with the first bytes of the answer.
    ResetInAnswer,
    /// Says that it has nothing more to say, and listens.
    HalfClosed,
    /// Reads the whole answer.
    Answered,
}

/// A client with a request of its own, of which it says so many bytes.
#[derive(Debug)]
struct Visit {
    user: i64,
    key: String,
    says: usize,
    leaves: Leaves,
}

impl Visit {
    fn random(rng: &mut Rng, users: &[i64], number: usize) -> Self {
        let user = *rng.choice(users).expect("a user");
        let key = format!("visit-{number}");
        let whole = withdrawal(user, &key).len();
        let later = Leaves::ResetLater(rng.usize(..200));
        let (says, leaves) = if rng.bool() {
            let broken = [Leaves::Reset, later, Leaves::HalfClosed];
            (rng.usize(..whole), rng.choice(broken))
        } else {
            let complete = [
                Leaves::Reset,
                later,
                Leaves::ResetInAnswer,
                Leaves::HalfClosed,
                Leaves::Answered,
            ];
            (whole, rng.choice(complete))
        };
        let leaves = leaves.expect("a way to leave");
        Self {
            user,
            key,
            says,
            leaves,
        }
    }

    fn request(&self) -> Vec<u8> {
        withdrawal(self.user, &self.key)
    }

    fn is_whole(&self) -> bool {
        self.says == self.request().len()
    }

    /// Goes there, and leaves; the answer, where it waited for one.
    async fn make(&self, url: &str) -> Option<Reply> {
        let mut peer = Peer::connect(url).await;
        peer.send(&self.request()[..self.says]).await;
        match self.leaves {
            Leaves::Reset => {}
            Leaves::ResetLater(turns) => {
                for _ in 0..turns {
                    yield_now().await;
                }
            }
            Leaves::ResetInAnswer => peer.glimpse().await,
            Leaves::HalfClosed => {
                peer.end().await;
                return peer.reply().await;
            }
            Leaves::Answered => return peer.reply().await,
        }
        peer.reset();
        None
    }

    /// Asks again, twice, under the same key: whatever was answered is answered the same, and only what was said whole can have
    /// been applied. Says whether it had been.
    async fn settle(&self, url: &str, told: Option<&Reply>) -> bool {
        let mut peer = Peer::connect(url).await;
        peer.send(&self.request()).await;
        let first = peer.reply().await.expect("an answer");
        assert_eq!(first.status, 200, "{self:?}: {first:?}");
        if let Some(told) = told.filter(|told| told.status == 200) {
            assert!(first.is_replayed(), "{self:?} was acknowledged: {first:?}");
            assert_eq!(told.text, first.text, "{self:?}");
        }
        assert!(
            self.is_whole() || !first.is_replayed(),
            "{self:?} was applied: {first:?}"
        );
        peer.send(&self.request()).await;
        let second = peer.reply().await.expect("an answer");
        assert!(second.is_replayed(), "{self:?}: {second:?}");
        assert_eq!(second.text, first.text, "{self:?}");
        first.is_replayed()
    }
}

/// Sends so many clients who go away, and checks everything that has to hold afterwards.
pub(crate) async fn resets(seed: u64, count: usize) -> Departures {
    let data_dir = process::migrated_data_dir();
    let passbook = Passbook::serve(&["--data-dir", path_of(&data_dir)]);
    let url = passbook.url.as_str();
    let users = open_users(url).await;
    let mut rng = Rng::with_seed(seed);
    let visits = (0..count).map(|number| Visit::random(&mut rng, &users, number));
    let visits: Vec<Visit> = visits.collect();

    let enough = AtomicBool::new(false);
    let visiting = async {
        let mut told = Vec::new();
        for some in visits.chunks(CLIENTS) {
            told.extend(at_once(some.iter().map(|visit| visit.make(url))).await);
        }
        enough.store(true, Ordering::Relaxed);
        told
    };
    let (told, undisturbed) = tokio::join!(visiting, ordinary_client(url, &enough));
    let mut departures = Departures {
        undisturbed,
        ..Departures::default()
    };
    let mut withdrawn: BTreeMap<i64, i64> = BTreeMap::new();
    for (some, told) in visits.chunks(CLIENTS).zip(told.chunks(CLIENTS)) {
        let each = some.iter().zip(told);
        let settled = each.map(|(visit, told)| visit.settle(url, told.as_ref()));
        let settled = at_once(settled).await;
        for ((visit, told), applied) in some.iter().zip(told).zip(settled) {
            departures.count(visit, told.as_ref(), applied);
            *withdrawn.entry(visit.user).or_default() += 1;
        }
    }
    for user in users {
        let expected = RICHES - withdrawn.get(&user).copied().unwrap_or_default();
        assert_eq!(balance(url, user).await, format!("{expected}.00"));
    }
    end(passbook, &data_dir);
    departures
}

impl Departures {
    fn count(&mut self, visit: &Visit, told: Option<&Reply>, applied: bool) {
        let status = told.map(|told| told.status);
        let listened = matches!(visit.leaves, Leaves::HalfClosed | Leaves::Answered);
        if visit.is_whole() && listened {
            assert_eq!(status, Some(200), "{visit:?}: {told:?}");
        } else {
            // The rest was never said, or nobody listened.
            assert!(matches!(status, None | Some(400)), "{visit:?}: {told:?}");
        }
        match (status, applied) {
            (Some(200), _) => self.acknowledged += 1,
            (_, true) => self.applied_unheard += 1,
            (_, false) => self.not_applied += 1,
        }
    }
}

/// The service stops in good order, nothing in any log speaks of a connection that was left in the middle of something, and
/// the books are in balance.
fn end(passbook: Passbook, data_dir: &TempDir) {
    passbook.signal("TERM");
    let ended = passbook.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let logs = fs::read_dir(data_dir.path().join("log")).expect("logs");
    let logs = logs.map(|log| fs::read_to_string(log.expect("a log").path()));
    let logs: Vec<String> = logs.map(|log| log.expect("text")).collect();
    assert!(!logs.is_empty(), "PostgreSQL has a log");
    for log in logs.iter().chain([&ended.stderr]) {
        let poisoned = log
            .lines()
            .find(|line| POISON.iter().any(|words| line.contains(words)));
        assert_eq!(poisoned, None);
    }
    let verified = process::run(&["verify", "--data-dir", path_of(data_dir)]);
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
}

async fn open_users(url: &str) -> Vec<i64> {
    let mut users = Vec::new();
    for number in 0..USERS {
        let mut peer = Peer::connect(url).await;
        let body = format!(r#"{{"balance":{RICHES}}}"#);
        peer.send(&request(
            "POST /api/users",
            &format!("user-{number}"),
            &body,
        ))
        .await;
        let reply = peer.reply().await.expect("an answer");
        users.push(reply.json()["data"]["id"].as_i64().expect("an id"));
    }
    users
}

async fn balance(url: &str, user: i64) -> String {
    let mut peer = Peer::connect(url).await;
    peer.send(&request(&format!("GET /api/users/{user}"), "a", ""))
        .await;
    let reply = peer.reply().await.expect("an answer");
    reply.json()["data"]["balance"].to_string()
}
