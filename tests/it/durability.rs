//! A server that changes below a running service: it stops keeping what it acknowledges, waits for a standby that is dead, or
//! writes every lost compare-and-swap into its log.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::Client;
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

use crate::support::bank::at_once;
use crate::support::process::{self, Passbook, path_of};
use crate::support::{Reply, eventually, faults, postgres};

/// A service on a PostgreSQL of its own, with the verbs of a client.
struct Ledger {
    passbook: Passbook,
    data_dir: TempDir,
    url: String,
    client: Client,
}

impl Ledger {
    /// On a PostgreSQL that takes everything from `alter system`.
    fn open(flags: &[&str]) -> Self {
        let data_dir = process::migrated_data_dir();
        let program = process::postgres_program(&data_dir);
        let bin_dir = faults::careless_bin_dir(data_dir.path(), &program);
        let bin_dir = bin_dir.to_str().expect("a path of text");
        let base = ["--data-dir", path_of(&data_dir), "--pg-bin-dir", bin_dir];
        Self {
            passbook: Passbook::serve(&[&base[..], flags].concat()),
            url: process::database_url(&data_dir),
            data_dir,
            client: Client::new(),
        }
    }

    /// Statements that PostgreSQL obeys at once.
    async fn alter_system(&self, settings: &[&str]) {
        for setting in settings {
            postgres::execute(&self.url, &format!("alter system {setting}")).await;
        }
        postgres::execute(&self.url, "select pg_reload_conf()").await;
    }

    async fn user(&self) -> i64 {
        self.open_once("it").await.json()["data"]["id"]
            .as_i64()
            .expect("an id")
    }

    async fn open_once(&self, key: &str) -> Reply {
        let users = format!("{}/api/users", self.passbook.url);
        let request = self.client.post(users).header("Idempotency-Key", key);
        let reply = request.body(r#"{"balance":0}"#).send().await;
        Reply::of(reply.expect("an answer")).await
    }

    async fn deposit_at(&self, url: &str, user: i64, key: &str) -> u16 {
        let path = format!("{url}/api/users/{user}/balance");
        let request = self.client.put(path).header("Idempotency-Key", key);
        let reply = request.body(r#"{"amount":1}"#).send().await;
        reply.expect("an answer").status().as_u16()
    }

    async fn deposit(&self, user: i64, key: &str) -> u16 {
        self.deposit_at(&self.passbook.url, user, key).await
    }

    async fn health(&self) -> u16 {
        self.get("/api/health").await
    }

    async fn get(&self, path: &str) -> u16 {
        let url = format!("{}{path}", self.passbook.url);
        let reply = self.client.get(url).send().await;
        reply.expect("an answer").status().as_u16()
    }

    async fn number(&self, sql: &'static str) -> i64 {
        let mut connection = PgConnection::connect(&self.url)
            .await
            .expect("a connection");
        let number = sqlx::query_scalar(sql).fetch_one(&mut connection).await;
        number.expect("a number")
    }

    /// What PostgreSQL's log has of such lines.
    fn logged(&self, words: &str) -> usize {
        let files = fs::read_dir(self.data_dir.path().join("log")).expect("logs");
        let texts = files
            .flatten()
            .map(|file| fs::read_to_string(file.path()).expect("text"));
        texts.map(|text| text.matches(words).count()).sum()
    }

    fn close(self) {
        let verified = process::run(&["verify", "--data-dir", path_of(&self.data_dir)]);
        assert_eq!(verified.status.code(), Some(0), "{verified:?}");
        self.passbook.stop();
    }
}

#[tokio::test]
async fn a_server_that_stops_keeping_what_it_acknowledges_is_given_up_until_it_does_again() {
    let ledger = Ledger::open(&["--lanes", "2"]);
    let user = ledger.user().await;
    for setting in ["fsync", "full_page_writes"] {
        ledger
            .alter_system(&[&format!("set {setting} = off")])
            .await;
        eventually("writes are refused, and health tells", async || {
            // Each lane looks when it writes.
            let writes = at_once((0..4).map(|_| ledger.deposit(user, "once"))).await;
            writes.iter().all(|status| *status == 503) && ledger.health().await == 503
        })
        .await;
        assert!(
            ledger
                .passbook
                .has_logged(&format!("the database has {setting} off"))
        );
        ledger.alter_system(&[&format!("reset {setting}")]).await;
        eventually("writes are taken again", async || {
            ledger.health().await == 200 && ledger.deposit(user, "once").await == 200
        })
        .await;
    }
    ledger.close();
}

#[tokio::test]
async fn a_server_that_may_lose_money_goes_on_where_that_was_asked_for() {
    let ledger = Ledger::open(&["--lanes", "1", "--allow-unsafe-durability"]);
    let user = ledger.user().await;
    ledger
        .alter_system(&["set fsync = off", "set synchronous_commit = off"])
        .await;
    // Longer than a lane goes without a look.
    let began = Instant::now();
    for number in 0.. {
        assert_eq!(ledger.deposit(user, &number.to_string()).await, 200);
        if Duration::from_secs(12) < began.elapsed() {
            break;
        }
    }
    ledger
        .alter_system(&["reset fsync", "reset synchronous_commit"])
        .await;
    ledger.close();
}

#[tokio::test]
async fn a_server_that_became_a_standby_is_asked_for_nothing() {
    let ledger = Ledger::open(&["--lanes", "1"]);
    let user = ledger.user().await;
    let path = format!("/api/users/{user}");
    assert_eq!(ledger.get(&path).await, 200);
    let signal = ledger.data_dir.path().join("postgres/standby.signal");
    fs::write(&signal, "").expect("written");
    let postmaster = process::postmaster_pid(&ledger.data_dir);
    process::signal("INT", &postmaster.to_string());
    eventually("it is back, as a standby", async || {
        let Ok(mut connection) = PgConnection::connect(&ledger.url).await else {
            return false;
        };
        let asked = sqlx::query_scalar("select pg_is_in_recovery()");
        asked.fetch_one(&mut connection).await.unwrap_or(false)
    })
    .await;
    for _ in 0..3 {
        assert_eq!(ledger.get(&path).await, 503, "it shows what was");
    }
    postgres::execute(&ledger.url, "select pg_promote()").await;
    eventually("it is asked again", async || {
        ledger.get(&path).await == 200 && ledger.deposit(user, "once").await == 200
    })
    .await;
    ledger.close();
}

/// Backends that wait for a standby.
const WAITING: &str = "select count(*) from pg_stat_activity where wait_event = 'SyncRep'";

#[tokio::test]
async fn commits_that_wait_for_a_dead_standby_pile_up_no_further_than_a_bound() {
    let ledger = Ledger::open(&["--lanes", "2"]);
    // The lanes go on as they began, so that they wait all the same.
    let settings = [
        "set synchronous_commit = off",
        "set synchronous_standby_names = 'nobody'",
    ];
    ledger.alter_system(&settings).await;
    let enough = AtomicBool::new(false);
    let asked = AtomicUsize::new(0);
    // Openings: they do not wait for the rows of those before.
    let clients = at_once((0..8).map(async |_| {
        while !enough.load(Ordering::SeqCst) {
            let key = asked.fetch_add(1, Ordering::SeqCst).to_string();
            ledger.open_once(&key).await;
        }
    }));
    let watch = async {
        eventually("a commit waits", async || 0 < ledger.number(WAITING).await).await;
        ledger.alter_system(&["reset synchronous_commit"]).await;
        eventually("lanes rest", async || {
            ledger.passbook.has_logged("a lane rests")
        })
        .await;
        let target = asked.load(Ordering::SeqCst) + 24;
        eventually("many more are asked for", async || {
            target <= asked.load(Ordering::SeqCst)
        })
        .await;
        let waiting = ledger.number(WAITING).await;
        assert!((1..=5).contains(&waiting), "{waiting} backends wait");
        let names = ["reset synchronous_standby_names"];
        ledger.alter_system(&names).await;
        enough.store(true, Ordering::SeqCst);
    };
    tokio::join!(clients, watch);
    let asked = asked.load(Ordering::SeqCst);
    for key in 0..asked {
        let key = key.to_string();
        let opened = async || ledger.open_once(&key).await.status == 201;
        eventually("everybody is answered", opened).await;
    }
    let users = ledger.number("select count(*) from users").await;
    let demo = 1;
    assert_eq!(
        users,
        demo + i64::try_from(asked).expect("few"),
        "each once"
    );
    assert_eq!(ledger.number(WAITING).await, 0);
    ledger.close();
}

#[tokio::test]
async fn a_lost_swap_leaves_no_statement_in_the_log_where_the_role_may_keep_it_out() {
    let ledger = Ledger::open(&[]);
    let user = ledger.user().await;
    let role = "alter role passbook_runtime set log_min_error_statement = 'error'";
    postgres::execute(&ledger.url, role).await;
    let url = postgres::as_runtime(&ledger.url);
    let mut key = 0;
    for allowed in [false, true] {
        if allowed {
            let grant = "grant set on parameter log_min_error_statement to passbook_runtime";
            postgres::execute(&ledger.url, grant).await;
        }
        let services = [(); 2].map(|()| Passbook::serve(&["--database-url", &url, "--lanes", "1"]));
        let [lost, statements] =
            ["division by zero", "STATEMENT:"].map(|words| ledger.logged(words));
        // From the second turn on, each service remembers a head of before the other's deposit.
        for service in services.iter().cycle().take(8) {
            key += 1;
            let key = key.to_string();
            assert_eq!(ledger.deposit_at(&service.url, user, &key).await, 200);
        }
        eventually("lost swaps are in the log", async || {
            lost + 6 <= ledger.logged("division by zero")
        })
        .await;
        let with_statement = ledger.logged("STATEMENT:") - statements;
        assert_eq!(with_statement == 0, allowed, "{with_statement} statements");
        for service in services {
            service.stop();
        }
    }
    ledger.close();
}
