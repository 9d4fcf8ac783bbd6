//! Clients of `/v1` that ask again under the same key until they know what became of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use chrono::{SecondsFormat, TimeDelta, Utc};
use fastrand::Rng;
use reqwest::{Client, Method};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::support::native::usd;
use crate::support::wishes::{Table, Wish};
use crate::support::{Reply, eventually};

/// Accounts that all clients use.
const ACCOUNTS: usize = 8;
/// No answer for longer is no answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a client asks again.
const INSISTENCE: Duration = Duration::from_mins(1);

/// The world of a turn: where the services are, and what has been asked of them.
pub(super) struct World {
    client: Client,
    /// Services, any of which may be asked.
    urls: RwLock<Vec<String>>,
    /// Of this turn, in the keys of its requests.
    turn: u64,
    next: AtomicU64,
    done: AtomicU64,
    began: Instant,
    known: Mutex<Known>,
}

/// What clients know of each other.
#[derive(Default)]
struct Known {
    table: Table,
    /// The tag of each hold as somebody last heard of it.
    tags: HashMap<String, String>,
    told: Vec<Told>,
}

/// A request with the first answer that says what became of it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Told {
    /// Dry runs have none.
    pub(super) key: Option<String>,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) body: Value,
    pub(super) answer: Answer,
    /// Whether it was given before, to somebody who did not get it.
    pub(super) is_replayed: bool,
    /// What came before it.
    pub(super) vain: BTreeMap<&'static str, u64>,
    /// Since the turn began.
    pub(super) began: Duration,
    pub(super) ended: Duration,
}

/// What an answer and its replay have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) text: String,
    location: Option<String>,
    tag: Option<String>,
}

/// What a client makes of a reply.
enum Meaning {
    Definite,
    /// The version is another: the tag that the answer has may be right.
    Stale,
    /// Ask again.
    Nothing(&'static str),
    Wrong,
}

/// Clients at work.
pub(super) struct Callers {
    enough: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

impl World {
    /// Accounts of this turn, with some money.
    pub(super) async fn open(turn: u64, urls: Vec<String>, rng: &mut Rng) -> Arc<Self> {
        let world = Self {
            client: Client::new(),
            urls: RwLock::new(urls),
            turn,
            next: AtomicU64::new(0),
            done: AtomicU64::new(0),
            began: Instant::now(),
            known: Mutex::default(),
        };
        for _ in 0..ACCOUNTS {
            let opened = world.ask(post("/v1/accounts", json!({"currency": "USD"})), rng);
            let number = opened.await.json()["id"].clone();
            let number = number.as_str().expect("a number");
            let postings = json!({"postings": [usd("world", number, "500.00")]});
            world.ask(post("/v1/transactions", postings), rng).await;
            let mut known = world.known.lock().expect("nobody panics with it");
            known.table.accounts.push(number.to_owned());
        }
        Arc::new(world)
    }

    pub(super) fn move_to(&self, urls: Vec<String>) {
        *self.urls.write().expect("nobody panics with it") = urls;
    }

    pub(super) fn urls(&self) -> Vec<String> {
        self.urls.read().expect("nobody panics with it").clone()
    }

    pub(super) fn accounts(&self) -> Vec<String> {
        let known = self.known.lock().expect("nobody panics with it");
        known.table.accounts.clone()
    }

    /// The beginning of the keys of this turn.
    pub(super) fn prefix(&self) -> String {
        format!("native-{}-", self.turn)
    }

    /// Waits until so many more requests have their answers.
    pub(super) async fn goes_on(&self, count: u64) {
        let target = self.done.load(Ordering::Relaxed) + count;
        eventually("callers are answered", async || {
            target <= self.done.load(Ordering::Relaxed)
        })
        .await;
    }

    /// All that was asked and answered.
    pub(super) fn take_told(&self) -> Vec<Told> {
        std::mem::take(&mut self.known.lock().expect("nobody panics with it").told)
    }

    fn wish(&self, rng: &mut Rng) -> Wish {
        let known = self.known.lock().expect("nobody panics with it");
        let mut wish = known.table.throw(rng);
        drop(known);
        let has_end = match wish.parts() {
            ["holds", "", _] => true,
            ["holds", _, ""] => rng.bool(),
            _ => false,
        };
        if has_end && rng.u8(0..3) != 0 {
            let end = Utc::now() + TimeDelta::milliseconds(rng.i64(20..2_500));
            wish.body["expires_at"] = end.to_rfc3339_opts(SecondsFormat::Micros, true).into();
        }
        wish
    }

    /// Asks until it is known what became of it, and writes that down.
    async fn ask(&self, wish: Wish, rng: &mut Rng) -> Answer {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let key = (!wish.is_dry()).then(|| format!("{}{number}", self.prefix()));
        let (began, mut vain) = (self.began.elapsed(), BTreeMap::new());
        let mut tag = self.tag_of(&wish);
        let deadline = Instant::now() + INSISTENCE;
        let reply = loop {
            assert!(Instant::now() < deadline, "no answer: {wish:?}, {vain:?}");
            let url = rng.choice(self.urls()).expect("a service");
            let patience = throw_patience(rng);
            let what = match self.send(&url, key.as_deref(), &tag, &wish, patience).await {
                Err(_) => "no answer",
                Ok(reply) => match understand(&reply) {
                    Meaning::Definite => break reply,
                    Meaning::Stale => {
                        tag.clone_from(&reply.headers["etag"]);
                        "stale"
                    }
                    Meaning::Nothing(what) => what,
                    Meaning::Wrong => panic!("{wish:?} was answered {reply:?}"),
                },
            };
            *vain.entry(what).or_default() += 1;
            sleep(Duration::from_millis(rng.u64(1..20))).await;
        };
        let answer = Answer::of(&reply);
        self.done.fetch_add(1, Ordering::Relaxed);
        let mut known = self.known.lock().expect("nobody panics with it");
        known.learn(&wish, &answer);
        known.told.push(Told {
            key,
            method: wish.method.to_string(),
            path: wish.path,
            body: wish.body,
            is_replayed: reply.is_replayed(),
            answer: answer.clone(),
            vain,
            began,
            ended: self.began.elapsed(),
        });
        answer
    }

    /// Asks for the same once more.
    pub(super) async fn ask_again(&self, url: &str, told: &Told) -> (Answer, bool) {
        let wish = Wish {
            method: told.method.parse().expect("a method"),
            path: told.path.clone(),
            body: told.body.clone(),
        };
        let key = told.key.as_deref();
        let reply = self.send(url, key, "*", &wish, PATIENCE).await;
        let reply = reply.unwrap_or_else(|error| panic!("{wish:?}: {error}"));
        (Answer::of(&reply), reply.is_replayed())
    }

    /// An object as it is shown.
    pub(super) async fn show(&self, path: &str) -> Value {
        let url = self.urls().swap_remove(0) + path;
        let response = self.client.get(url).send().await.expect("an answer");
        let reply = Reply::of(response).await;
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        reply.json()
    }

    /// Whoever changes a hold names the version that was last heard of; everything else is for any.
    fn tag_of(&self, wish: &Wish) -> String {
        let known = self.known.lock().expect("nobody panics with it");
        let tag = match wish.parts() {
            ["holds", id, ""] => known.tags.get(id).cloned(),
            _ => None,
        };
        tag.unwrap_or_else(|| "*".to_owned())
    }

    async fn send(
        &self,
        url: &str,
        key: Option<&str>,
        tag: &str,
        wish: &Wish,
        patience: Duration,
    ) -> reqwest::Result<Reply> {
        let request = self
            .client
            .request(wish.method.clone(), format!("{url}{}", wish.path));
        let mut request = request
            .header("Content-Type", "application/json")
            .header("If-Match", tag)
            .timeout(patience)
            .body(wish.body.to_string());
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        Reply::read(request.send().await?).await
    }
}

impl Known {
    fn learn(&mut self, wish: &Wish, answer: &Answer) {
        if !answer.is_accepted() || wish.is_dry() {
            return;
        }
        let shown = answer.json();
        let id = shown["id"].as_str().expect("an id");
        self.table.learn(wish, id);
        if let (["holds", _, "" | "void"], Some(tag)) = (wish.parts(), &answer.tag) {
            self.tags.insert(id.to_owned(), tag.clone());
        }
    }
}

impl Answer {
    fn of(reply: &Reply) -> Self {
        Self {
            status: reply.status,
            text: reply.text.clone(),
            location: reply.headers.get("location").cloned(),
            tag: reply.headers.get("etag").cloned(),
        }
    }

    pub(super) fn is_accepted(&self) -> bool {
        self.status < 300
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("JSON")
    }
}

impl Callers {
    pub(super) fn start(world: &Arc<World>, count: u64, rng: &mut Rng) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let tasks = (0..count).map(|_| {
            let (world, enough, mut rng) = (Arc::clone(world), Arc::clone(&enough), rng.fork());
            tokio::spawn(async move {
                while !enough.load(Ordering::Relaxed) {
                    let wish = world.wish(&mut rng);
                    world.ask(wish, &mut rng).await;
                }
            })
        });
        Self {
            tasks: tasks.collect(),
            enough,
        }
    }

    /// Lets every client hear its last answer.
    pub(super) async fn stop(self) {
        self.enough.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.expect("a client does not panic");
        }
    }
}

/// Some hang up before they can have been answered.
fn throw_patience(rng: &mut Rng) -> Duration {
    if rng.u8(0..8) == 0 {
        Duration::from_millis(rng.u64(1..30))
    } else {
        PATIENCE
    }
}

fn post(path: &str, body: Value) -> Wish {
    Wish {
        method: Method::POST,
        path: path.to_owned(),
        body,
    }
}

/// As the contract has it, and as a client of it would.
fn understand(reply: &Reply) -> Meaning {
    let code = || reply.json()["code"].as_str().unwrap_or_default().to_owned();
    let comes_later = reply.headers.contains_key("retry-after");
    match reply.status {
        200 | 201 => Meaning::Definite,
        409 if code() == "idempotency_key_in_use" && comes_later => Meaning::Nothing("key in use"),
        409 if code() != "idempotency_key_in_use" => Meaning::Definite,
        412 if reply.headers.contains_key("etag") => Meaning::Stale,
        422 if code() != "idempotency_key_reused" => Meaning::Definite,
        503 if comes_later && code() == "outcome_unknown" => Meaning::Nothing("outcome unknown"),
        503 if comes_later => Meaning::Nothing("nothing applied"),
        _ => Meaning::Wrong,
    }
}
