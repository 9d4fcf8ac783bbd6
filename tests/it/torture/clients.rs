//! Clients of the `events` dialect that move money between a few accounts, for as long as they are let.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use fastrand::Rng;
use reqwest::Client;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::history::{Asked, History, Operation, Told};
use crate::support::Reply;
use crate::support::eventually;

/// What a rich account begins with: more than clients can take.
const RICHES: u64 = 1_000_000_000_000;
/// The amounts of clients begin here, and grow by one with each: above what a demo user begins with.
const AMOUNT_MIN: u64 = 100_000;
/// Rich accounts besides the one that everybody uses.
const ACCOUNTS: u64 = 6;
/// No answer for longer is no answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// The world of a run: where the services are, and what has been asked of them.
pub(super) struct World {
    client: Client,
    /// Services, any of which may be asked.
    urls: RwLock<Vec<String>>,
    history: Mutex<History>,
    next_amount: AtomicU64,
    done: AtomicU64,
}

/// What a client is after.
type Wish = fn(&World, &mut Rng) -> Asked;

/// Clients at work.
pub(super) struct Clients {
    world: Arc<World>,
    enough: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

impl World {
    pub(super) fn new(urls: Vec<String>) -> Arc<Self> {
        let client = Client::builder().timeout(PATIENCE).build();
        Arc::new(Self {
            client: client.expect("a client"),
            urls: RwLock::new(urls),
            history: Mutex::new(History::new()),
            next_amount: AtomicU64::new(AMOUNT_MIN),
            done: AtomicU64::new(0),
        })
    }

    /// Gives the rich accounts their money.
    pub(super) async fn endow(&self) {
        for account in (0..=ACCOUNTS).map(rich) {
            let gift = self.gift(&account, RICHES);
            let told = self.ask(gift).await;
            assert!(matches!(told, Told::Done(_)), "{told:?}");
        }
        let told = self.ask(self.gift("poor", 0)).await;
        assert!(matches!(told, Told::Done(_)), "{told:?}");
    }

    fn gift(&self, account: &str, base: u64) -> Asked {
        Asked {
            amount: base + self.amount(),
            origin: None,
            destination: Some(account.to_owned()),
            key: None,
        }
    }

    /// Services are elsewhere from now on.
    pub(super) fn move_to(&self, urls: Vec<String>) {
        *self.urls.write().expect("nobody panics with it") = urls;
    }

    fn amount(&self) -> u64 {
        self.next_amount.fetch_add(1, Ordering::Relaxed)
    }

    /// A random wish. Half of them have a key.
    pub(super) fn wish(&self, rng: &mut Rng) -> Asked {
        let amount = self.amount();
        let account = |rng: &mut Rng| match rng.u8(0..10) {
            0..3 => rich(0),
            3..5 => "poor".to_owned(),
            _ => rich(rng.u64(1..=ACCOUNTS)),
        };
        let target = |rng: &mut Rng| match rng.u8(0..3) {
            0 => format!("new-{amount}"),
            _ => account(rng),
        };
        let (origin, destination) = match rng.u8(0..10) {
            0..4 => (Some(account(rng)), None),
            4..7 => (None, Some(target(rng))),
            _ => (Some(account(rng)), Some(target(rng))),
        };
        // Money that stays where it is would be a refusal of its own kind.
        let destination = destination.filter(|name| Some(name) != origin.as_ref());
        let key = rng.bool().then(|| format!("key-{amount}"));
        Asked {
            amount,
            origin,
            destination,
            key,
        }
    }

    /// A wish that concerns the one account that everybody uses.
    pub(super) fn wish_of_one(&self, rng: &mut Rng) -> Asked {
        let amount = self.amount();
        let (origin, destination) = if rng.bool() {
            (Some(rich(0)), None)
        } else {
            (None, Some(rich(0)))
        };
        Asked {
            amount,
            origin,
            destination,
            key: Some(format!("key-{amount}")),
        }
    }

    /// Asks, waits for the answer, and writes both down.
    pub(super) async fn ask(&self, asked: Asked) -> Told {
        let began = self.history.lock().expect("nobody panics with it").now();
        let told = self.send(&asked).await.0;
        if matches!(told, Told::Done(_)) {
            self.done.fetch_add(1, Ordering::Relaxed);
        }
        let mut history = self.history.lock().expect("nobody panics with it");
        let ended = history.now();
        history.operations.push(Operation {
            asked,
            told: told.clone(),
            began,
            ended,
        });
        told
    }

    /// What is answered, and whether it had been answered before.
    pub(super) async fn send(&self, asked: &Asked) -> (Told, bool) {
        let url = {
            let urls = self.urls.read().expect("nobody panics with it");
            urls[usize::try_from(asked.amount).expect("small") % urls.len()].clone()
        };
        let mut request = self.client.post(format!("{url}/event")).body(asked.body());
        if let Some(key) = &asked.key {
            request = request.header("Idempotency-Key", key);
        }
        let reply = match request.send().await {
            Ok(response) => Reply::read(response).await,
            Err(error) => Err(error),
        };
        match reply {
            Ok(reply) => (understand(&reply), reply.is_replayed()),
            Err(error) => (Told::Unknown(error.to_string()), false),
        }
    }

    /// How many times money has moved.
    pub(super) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Waits until money has moved so many more times.
    pub(super) async fn goes_on(&self, count: u64) {
        let target = self.done() + count;
        eventually("money moves", async || target <= self.done()).await;
    }

    /// Whether somebody has been told such a thing since the history was last taken.
    pub(super) fn has_been_told(&self, such: impl Fn(&Told) -> bool) -> bool {
        let history = self.history.lock().expect("nobody panics with it");
        history
            .operations
            .iter()
            .any(|operation| such(&operation.told))
    }

    /// What was asked and told since the last time.
    pub(super) fn take_history(&self) -> History {
        let mut history = self.history.lock().expect("nobody panics with it");
        std::mem::replace(&mut history, History::new())
    }
}

impl Clients {
    pub(super) fn start(world: &Arc<World>, count: u64, rng: &mut Rng, wish: Wish) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let tasks = (0..count).map(|_| {
            let (world, enough, mut rng) = (Arc::clone(world), Arc::clone(&enough), rng.fork());
            tokio::spawn(async move {
                while !enough.load(Ordering::Relaxed) {
                    let asked = wish(&world, &mut rng);
                    let told = world.ask(asked).await;
                    if !matches!(told, Told::Done(_) | Told::Refused(_)) {
                        sleep(Duration::from_millis(rng.u64(1..20))).await;
                    }
                }
            })
        });
        Self {
            world: Arc::clone(world),
            tasks: tasks.collect(),
            enough,
        }
    }

    /// Lets every client hear its last answer.
    pub(super) async fn stop(self) -> History {
        self.enough.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.expect("a client does not panic");
        }
        self.world.take_history()
    }
}

fn rich(number: u64) -> String {
    format!("rich-{number}")
}

fn understand(reply: &Reply) -> Told {
    match reply.status {
        201 => Told::Done(reply.text.clone()),
        422 if reply.text.contains("insufficient funds") => Told::Refused(reply.text.clone()),
        503 if !reply.headers.contains_key("retry-after") => {
            Told::Wrong(format!("a 503 without Retry-After: {reply:?}"))
        }
        503 if reply.text.contains("nothing was applied") => Told::NothingApplied,
        503 if reply.text.contains("Outcome unknown") => Told::Unknown(reply.text.clone()),
        _ => Told::Wrong(format!("{reply:?}")),
    }
}
