//! A roll-out: a newer neighbour leaves outcomes, kinds and states that this program cannot read, while everybody else goes on.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fastrand::Rng;
use reqwest::Client;
use tokio::time::sleep;

use super::check::check;
use super::clients::{Clients, World};
use super::history::Told;
use super::run::Run;
use crate::support::bank::at_once;
use crate::support::newer::{self, Odd};
use crate::support::process::{self, Passbook};
use crate::support::{Reply, postgres};

const CLIENTS: u64 = 16;
/// Moves of everybody else between two things that a newer program does.
const MOVES: u64 = 60;
/// Users whom both programs serve.
const USERS: i64 = 4;

/// The newer program, and the users who come here as well.
struct Neighbour {
    database_url: String,
    /// Where the users ask.
    users_url: String,
    client: Client,
    /// Keys that have an outcome only the newer program can read, with every user.
    keys: Mutex<Vec<String>>,
}

impl Neighbour {
    async fn open(service: &Passbook, database_url: &str) -> Self {
        let neighbour = Self {
            database_url: database_url.to_owned(),
            users_url: format!("{}/api/users", service.url),
            client: Client::new(),
            keys: Mutex::default(),
        };
        for user in 1..=USERS {
            let request = neighbour.client.post(&neighbour.users_url);
            let reply = request.body(r#"{"balance":1000000}"#).send().await;
            let reply = Reply::of(reply.expect("an answer")).await;
            assert_eq!(reply.json()["data"]["id"], user, "{reply:?}");
        }
        neighbour
    }

    /// An outcome that cannot be read here, under a new key of each user.
    async fn leave(&self, odd: Odd, key: String) {
        for user in 1..=USERS {
            let account = format!("(select id from accounts where owner_id = {user})");
            newer::add_outcome(&self.database_url, odd, &account, &key).await;
        }
        self.keys.lock().expect("nobody panics with it").push(key);
    }

    async fn set_status(&self, user: i64, status: &str) {
        let sql = format!("update accounts set status = '{status}' where owner_id = {user}");
        postgres::execute(&self.database_url, &sql).await;
    }

    /// Takes away all that cannot be read here.
    async fn clean_up(&self) {
        newer::remove_outcomes(&self.database_url).await;
        for user in 1..=USERS {
            self.set_status(user, "open").await;
        }
        self.keys.lock().expect("nobody panics with it").clear();
    }

    /// A user who asks here for what the newer program did, and for other things; how often.
    async fn ask(&self, user: i64, mut rng: Rng, enough: &AtomicBool) -> u64 {
        let path = format!("{}/{user}/balance", self.users_url);
        let mut count = 0;
        while !enough.load(Ordering::SeqCst) {
            let key = {
                let keys = self.keys.lock().expect("nobody panics with it");
                rng.choice(keys.iter()).cloned()
            };
            let mut request = self.client.put(&path).body(r#"{"amount":-1}"#);
            if let Some(key) = &key {
                request = request.header("Idempotency-Key", key);
            }
            let reply = Reply::of(request.send().await.expect("an answer")).await;
            let unreadable = reply.status == 503
                && reply.headers.contains_key("retry-after")
                && reply.text.contains("nothing was applied");
            // Without a key, it depends on the account.
            let expected = unreadable || (key.is_none() && reply.status == 200);
            assert!(expected, "{key:?}: {reply:?}");
            count += 1;
        }
        count
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_neighbour_is_noticed_by_nobody_else() {
    let mut run = Run::of("newer");
    let database_url = postgres::create_database().await;
    newer::add_words(&database_url).await;
    let runtime_url = postgres::as_runtime(&database_url);
    let urls = ["--database-url", &runtime_url, "--owner-url", &database_url];
    let service = Passbook::serve(&urls);
    let neighbour = Neighbour::open(&service, &database_url).await;
    let world = World::new(vec![service.url.clone()]);
    world.endow().await;
    let turns = run.times(1);
    for turn in 0..turns {
        let clients = Clients::start(&world, CLIENTS, &mut run.rng, World::wish);
        let enough = AtomicBool::new(false);
        let rngs: Vec<Rng> = (0..USERS).map(|_| run.rng.fork()).collect();
        let asked = (1..=USERS).zip(rngs);
        let asked = at_once(asked.map(|(user, rng)| neighbour.ask(user, rng, &enough)));
        let roll_out = async {
            for odd in Odd::ALL {
                world.goes_on(MOVES).await;
                sleep(Duration::from_millis(run.rng.u64(0..30))).await;
                neighbour.leave(odd, format!("{odd:?}-{turn}")).await;
                let user = run.rng.i64(1..=USERS);
                neighbour.set_status(user, "dormant").await;
                run.count(format!("left by a newer program: {odd:?}"), 1);
            }
            world.goes_on(MOVES).await;
            enough.store(true, Ordering::SeqCst);
        };
        let (asked, ()) = tokio::join!(asked, roll_out);
        run.count("requests of users of both", asked.iter().sum());
        let is_answer = |told: &Told| matches!(told, Told::Done(_) | Told::Refused(_));
        assert!(
            !world.has_been_told(|told| !is_answer(told)),
            "everybody else is answered; again: {}",
            run.replay()
        );
        let history = clients.stop().await;
        neighbour.clean_up().await;
        check(&mut run, &world, history, &database_url).await;
        run.progress(turn + 1, turns);
    }
    service.stop();
    let verified = process::run(&["verify", "--database-url", &database_url]);
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
    postgres::drop_database(&database_url).await;
    run.end();
}
