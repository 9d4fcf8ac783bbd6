//! Crashes and stops under load: what was acknowledged is there exactly once, and what was not has one outcome.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::Client;
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::support::bank::{Reply, at_once};
use crate::support::process::{self, Passbook, path_of, run};
use crate::support::{Locked, eventually};

/// More than the requests of a test can take from a rich user.
const RICHES: i64 = 1_000_000;
/// Less than the requests of a test take from a poor one, whose later requests are refused.
const PITTANCE: i64 = 20;

const CLIENTS: usize = 48;

/// What a client asked for under its key, and what it was told: nothing, where the connection broke.
#[derive(Clone, Debug)]
struct Attempt {
    user: i64,
    key: String,
    told: Option<Reply>,
}

/// Clients that withdraw 1, each time under a new key, until the service is gone.
struct Load {
    clients: Vec<JoinHandle<Vec<Attempt>>>,
    answers: Arc<AtomicUsize>,
    enough: Arc<AtomicBool>,
}

/// The users of a test, with what they had before it.
struct Users(Vec<(i64, i64)>);

impl Load {
    /// Half of the clients share the first user.
    fn start(url: &str, users: &Users, name: &'static str) -> Self {
        let answers = Arc::new(AtomicUsize::new(0));
        let enough = Arc::new(AtomicBool::new(false));
        let client = Client::new();
        let clients = (0..CLIENTS).map(|number| {
            let (answers, enough) = (Arc::clone(&answers), Arc::clone(&enough));
            let (client, url) = (client.clone(), url.to_owned());
            let user = users.0[number % 2 * (number / 2 % users.0.len())].0;
            let keys = (0..).map(move |count| format!("{name}-{number}-{count}"));
            tokio::spawn(async move {
                let mut attempts = Vec::new();
                for key in keys {
                    let told = withdraw(&client, &url, user, &key).await;
                    let broken = told.is_none();
                    attempts.push(Attempt { user, key, told });
                    answers.fetch_add(1, Ordering::Relaxed);
                    if broken || enough.load(Ordering::Relaxed) {
                        break;
                    }
                }
                attempts
            })
        });
        Self {
            clients: clients.collect(),
            answers,
            enough,
        }
    }

    /// Waits until so many more answers have come.
    async fn goes_on(&self, count: usize) {
        let target = self.answers.load(Ordering::Relaxed) + count;
        eventually("answers come", async || {
            target <= self.answers.load(Ordering::Relaxed)
        })
        .await;
    }

    /// What was asked and answered, once every client has ended.
    async fn end(self) -> Vec<Attempt> {
        let mut attempts = Vec::new();
        for client in self.clients {
            attempts.extend(client.await.expect("a client does not panic"));
        }
        attempts
    }

    /// The same of a service that lives on.
    async fn stop(self) -> Vec<Attempt> {
        self.enough.store(true, Ordering::Relaxed);
        self.end().await
    }
}

impl Attempt {
    /// Whether it has its one outcome: the service may also have said that it does not know.
    fn is_settled(&self) -> bool {
        let told = self.told.as_ref();
        told.is_some_and(|reply| matches!(reply.status, 200 | 400))
    }
}

impl Users {
    /// A rich one who is busy, three more, and a poor one.
    async fn open(url: &str) -> Self {
        let mut users = Vec::new();
        for balance in [RICHES, RICHES, RICHES, RICHES, PITTANCE] {
            let request = Client::new().post(format!("{url}/api/users"));
            let request = request.header("Content-Type", "application/json");
            let request = request.body(format!(r#"{{"balance":{balance}}}"#));
            let reply = Reply::of(request.send().await.expect("an answer")).await;
            let id = reply.json()["data"]["id"].as_i64().expect("an id");
            users.push((id, balance));
        }
        Self(users)
    }

    /// Asks for everything again, twice: what was answered is answered the same, what was not has one outcome from now on.
    /// Then each user has what they had, less 1 for each success.
    async fn settle(&self, passbook: &Passbook, data_dir: &TempDir, attempts: &[Attempt]) {
        let client = Client::new();
        let mut successes: BTreeMap<i64, i64> = BTreeMap::new();
        for some in attempts.chunks(CLIENTS) {
            let again = some.iter().map(async |attempt| {
                let Attempt { user, key, told } = attempt;
                let first = withdraw(&client, &passbook.url, *user, key).await;
                let first = first.expect("an answer");
                assert!(matches!(first.status, 200 | 400), "{key}: {first:?}");
                if attempt.is_settled() {
                    assert!(first.is_replayed(), "{key} was acknowledged: {first:?}");
                    assert_eq!(told.as_ref().map(|told| &told.text), Some(&first.text));
                }
                let second = withdraw(&client, &passbook.url, *user, key).await;
                let second = second.expect("an answer");
                assert!(second.is_replayed(), "{key} has an outcome: {second:?}");
                assert_eq!(second.text, first.text, "{key}");
                (*user, first.status == 200)
            });
            for (user, is_success) in at_once(again).await {
                *successes.entry(user).or_default() += i64::from(is_success);
            }
        }
        for (user, before) in &self.0 {
            let expected = before - successes.get(user).copied().unwrap_or_default();
            let url = format!("{}/api/users/{user}", passbook.url);
            let reply = Reply::of(client.get(url).send().await.expect("an answer")).await;
            let balance = reply.json()["data"]["balance"].to_string();
            assert_eq!(balance, format!("{expected}.00"), "user {user}");
        }
        let verified = run(&["verify", "--data-dir", path_of(data_dir)]);
        assert_eq!(verified.status.code(), Some(0), "{verified:?}");
    }
}

/// Nothing where the connection broke, also in the middle of the answer.
async fn withdraw(client: &Client, url: &str, user: i64, key: &str) -> Option<Reply> {
    let request = client.put(format!("{url}/api/users/{user}/balance"));
    let request = request.header("Content-Type", "application/json");
    let request = request.header("Idempotency-Key", key);
    let response = request.body(r#"{"amount":-1}"#).send().await.ok()?;
    Reply::read(response).await.ok()
}

fn serve(data_dir: &TempDir) -> Passbook {
    Passbook::serve(&["--data-dir", path_of(data_dir)])
}

/// Rows of one text, from the embedded PostgreSQL behind the service's back.
async fn texts(data_dir: &TempDir, sql: &'static str) -> Vec<String> {
    let url = process::database_url(data_dir);
    let mut connection = PgConnection::connect(&url)
        .await
        .expect("PostgreSQL answers");
    let texts = sqlx::query_scalar(sql).fetch_all(&mut connection).await;
    connection.close().await.expect("the connection closes");
    texts.expect("rows")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_service_keeps_every_acknowledged_withdrawal_exactly_once() {
    let data_dir = process::migrated_data_dir();
    let mut passbook = serve(&data_dir);
    let users = Users::open(&passbook.url).await;
    let mut attempts = Vec::new();
    for round in ["one", "two", "three"] {
        let load = Load::start(&passbook.url, &users, round);
        load.goes_on(400).await;
        let postmaster = process::postmaster_pid(&data_dir);
        passbook.signal("KILL");
        let told = load.end().await;
        assert!(
            told.iter().any(|attempt| attempt.told.is_none()),
            "it was killed under load"
        );
        assert!(300 < told.iter().filter(|attempt| attempt.is_settled()).count());
        attempts.extend(told);
        eventually("PostgreSQL ends with the service", async || {
            !process::is_alive(postmaster)
        })
        .await;
        passbook = serve(&data_dir);
        users.settle(&passbook, &data_dir, &attempts).await;
    }
    let refused = attempts.iter().filter(|attempt| {
        let told = attempt.told.as_ref();
        told.is_some_and(|reply| reply.status == 400)
    });
    assert_ne!(refused.count(), 0, "refusals are remembered as well");
    passbook.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_told_to_stop_answers_what_it_applies() {
    let data_dir = process::migrated_data_dir();
    for (signal, to_group) in [("TERM", false), ("INT", true)] {
        let mut command = process::command();
        command.args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--data-dir",
            path_of(&data_dir),
        ]);
        // As a shell starts it: Ctrl-C then goes to the whole group.
        let passbook = Passbook::start(command.process_group(0));
        let postmaster = process::postmaster_pid(&data_dir);
        let users = Users::open(&passbook.url).await;
        let load = Load::start(&passbook.url, &users, signal);
        load.goes_on(400).await;
        let pid = passbook.pid().to_string();
        assert_ne!(
            process::group_of(postmaster),
            pid,
            "Ctrl-C passes PostgreSQL by"
        );
        process::signal(signal, &if to_group { format!("-{pid}") } else { pid });
        let attempts = load.end().await;
        let ended = passbook.end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(!process::is_alive(postmaster));
        assert_eq!(process::cluster_state(&data_dir), "shut down");

        let passbook = serve(&data_dir);
        let sql = "select idempotency_key from transactions where idempotency_key is not null";
        let applied: BTreeSet<String> = texts(&data_dir, sql).await.into_iter().collect();
        for attempt in &attempts {
            // Who came too late may have been turned away with a 503, or without a word.
            let is_applied = applied.contains(&attempt.key);
            assert_eq!(is_applied, attempt.is_settled(), "{signal}: {attempt:?}");
        }
        let answered: Vec<Attempt> = attempts.into_iter().filter(Attempt::is_settled).collect();
        assert!(400 <= answered.len());
        users.settle(&passbook, &data_dir, &answered).await;
        passbook.stop();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_postgresql_is_started_again_and_the_service_goes_on() {
    let data_dir = process::migrated_data_dir();
    let passbook = serve(&data_dir);
    let users = Users::open(&passbook.url).await;
    let load = Load::start(&passbook.url, &users, "one");
    load.goes_on(400).await;
    let killed = process::postmaster_pid(&data_dir);
    process::signal("KILL", &killed.to_string());
    eventually("another PostgreSQL is ready", async || {
        process::ready_postmaster_pid(&data_dir).is_some_and(|pid| pid != killed)
    })
    .await;
    load.goes_on(400).await;
    let attempts = load.stop().await;
    assert!(
        attempts.iter().all(|attempt| attempt.told.is_some()),
        "nobody is cut off"
    );
    users.settle(&passbook, &data_dir, &attempts).await;
    passbook.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_backend_of_a_lane_costs_nothing_but_time() {
    let data_dir = process::migrated_data_dir();
    let passbook = serve(&data_dir);
    let users = Users::open(&passbook.url).await;
    let load = Load::start(&passbook.url, &users, "one");
    load.goes_on(400).await;
    let sql = "select pid::text from pg_stat_activity
        where application_name = 'passbook' and query like '%update accounts%' and pid <> pg_backend_pid()";
    let lanes = texts(&data_dir, sql).await;
    // PostgreSQL takes it for damage to the shared memory, ends every session and recovers.
    process::signal("KILL", lanes.first().expect("a lane at work"));
    let health = format!("{}/api/health", passbook.url);
    eventually("the lanes are connected again", async || {
        let now = texts_if_there(&data_dir, sql).await;
        now.iter().any(|pid| !lanes.contains(pid))
    })
    .await;
    load.goes_on(400).await;
    let attempts = load.stop().await;
    let response = Client::new().get(health).send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    assert!(
        attempts.iter().all(|attempt| attempt.told.is_some()),
        "nobody is cut off"
    );
    users.settle(&passbook, &data_dir, &attempts).await;
    passbook.stop();
}

/// As [`texts`], of a PostgreSQL that may be recovering.
async fn texts_if_there(data_dir: &TempDir, sql: &'static str) -> Vec<String> {
    let url = process::database_url(data_dir);
    let Ok(mut connection) = PgConnection::connect(&url).await else {
        return Vec::new();
    };
    let texts = sqlx::query_scalar(sql).fetch_all(&mut connection).await;
    texts.unwrap_or_default()
}

/// A connection of its own, on which a request can be sent in pieces.
async fn connect(passbook: &Passbook) -> TcpStream {
    let address = passbook.url.strip_prefix("http://").expect("a URL");
    TcpStream::connect(address).await.expect("it listens")
}

fn put(key: &str, body: &str, length: usize) -> String {
    format!(
        "PUT /api/users/1/balance HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Idempotency-Key: {key}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_sends_half_a_body_does_not_hold_up_the_stop() {
    let data_dir = process::migrated_data_dir();
    let passbook = serve(&data_dir);
    let users = Users::open(&passbook.url).await;
    let mut slow = connect(&passbook).await;
    let half = put("half", r#"{"amount""#, 14);
    slow.write_all(half.as_bytes()).await.expect("sent");
    let load = Load::start(&passbook.url, &users, "one");
    load.goes_on(100).await;

    let began = Instant::now();
    passbook.signal("TERM");
    let attempts = load.end().await;
    let ended = passbook.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    // 5 s for the body, 10 s for all answers: whichever is sooner, and a little for PostgreSQL to stop.
    assert!(
        began.elapsed() < Duration::from_secs(15),
        "{:?}",
        began.elapsed()
    );
    let mut answer = String::new();
    let read = slow.read_to_string(&mut answer).await;
    assert!(read.is_err() || !answer.contains(" 200 "), "{answer}");
    assert_eq!(process::cluster_state(&data_dir), "shut down");

    let passbook = serve(&data_dir);
    let sql = "select idempotency_key from transactions where idempotency_key = 'half'";
    assert_eq!(texts(&data_dir, sql).await, Vec::<String>::new());
    let answered: Vec<Attempt> = attempts.into_iter().filter(Attempt::is_settled).collect();
    users.settle(&passbook, &data_dir, &answered).await;
    passbook.stop();
}

/// No write ends before these are released.
async fn lock_accounts(data_dir: &TempDir) -> Locked {
    Locked::accounts(&process::database_url(data_dir)).await
}

/// Whether a write waits for a row that somebody holds. None does once the database has stopped.
async fn is_waiting(data_dir: &TempDir) -> bool {
    let url = process::database_url(data_dir);
    let Ok(mut connection) = PgConnection::connect(&url).await else {
        return false;
    };
    let sql = "select exists (select from pg_stat_activity where wait_event_type = 'Lock')";
    let is_waiting = sqlx::query_scalar(sql).fetch_one(&mut connection).await;
    is_waiting.unwrap_or(false)
}

async fn rest(mut connection: TcpStream) -> String {
    let mut answer = String::new();
    // What came before a reset counts.
    drop(connection.read_to_string(&mut answer).await);
    answer.to_ascii_lowercase()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_during_the_stop_says_that_its_connection_ends() {
    let data_dir = process::migrated_data_dir();
    let passbook = serve(&data_dir);
    let mut accounts = lock_accounts(&data_dir).await;
    let mut peer = connect(&passbook).await;
    let request = put("a", r#"{"amount":-1}"#, 13);
    peer.write_all(request.as_bytes()).await.expect("sent");
    accounts.is_waited_for().await;
    passbook.signal("TERM");
    eventually("it is stopping", async || passbook.has_said("stopping")).await;
    accounts.release().await;
    let answer = rest(peer).await;
    assert!(answer.starts_with("http/1.1 200 "), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    let ended = passbook.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_on_an_idle_connection_during_the_stop_is_answered_or_not_applied() {
    let data_dir = process::migrated_data_dir();
    let passbook = serve(&data_dir);
    let mut idle = connect(&passbook).await;
    let warm = put("warm", r#"{"amount":-1}"#, 13);
    idle.write_all(warm.as_bytes()).await.expect("sent");
    let read = idle.read(&mut [0; 4_096]).await;
    assert_ne!(read.expect("an answer"), 0);

    let accounts = lock_accounts(&data_dir).await;
    passbook.signal("TERM");
    eventually("it is stopping", async || passbook.has_said("stopping")).await;
    let late = put("late", r#"{"amount":-1}"#, 13);
    drop(idle.write_all(late.as_bytes()).await);
    let mut answer = tokio::spawn(rest(idle));
    eventually("it is refused, or waits for the row", async || {
        answer.is_finished() || is_waiting(&data_dir).await
    })
    .await;
    // A stop that does not wait for it would close its connection in this time.
    let soon = tokio::time::timeout(Duration::from_millis(300), &mut answer).await;
    let answer = if let Ok(answer) = soon {
        // It was refused, so nothing keeps the database from stopping before the row is let go.
        drop(accounts);
        answer
    } else {
        accounts.release().await;
        answer.await
    };
    let answer = answer.expect("nobody panics");
    let ended = passbook.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);

    let passbook = serve(&data_dir);
    let sql = "select idempotency_key from transactions where idempotency_key = 'late'";
    let is_applied = !texts(&data_dir, sql).await.is_empty();
    let is_answered = answer.starts_with("http/1.1 200 ");
    assert_eq!(is_applied, is_answered, "applied, answered: {answer:?}");
    passbook.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_stopped_during_its_first_start_leaves_nothing_behind() {
    let data_dir = process::data_dir();
    let mut command = process::command();
    command.args([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
        path_of(&data_dir),
    ]);
    let passbook = Passbook::spawn(&mut command);
    let creating = data_dir.path().join("postgres.new");
    eventually("it creates a cluster", async || creating.exists()).await;
    passbook.signal("TERM");
    let ended = passbook.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let found = Command::new("ps").args(["-ww", "-eo", "args="]).output();
    let found = String::from_utf8_lossy(&found.expect("ps runs").stdout).into_owned();
    assert!(!found.contains(path_of(&data_dir)), "{found}");
    let verified = run(&["migrate", "--data-dir", path_of(&data_dir)]);
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
}
