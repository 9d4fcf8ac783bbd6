//! The sweeper beside others: one node sweeps at a time, another takes over, and no write waits for it.

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use passbook::ledger::AccountId;
use passbook::storage::holds;
use reqwest::Client;
use serde_json::{Value, json};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection, FromRow, PgConnection};
use uuid::Uuid;

use crate::support::ask::Ask;
use crate::support::bank::at_once;
use crate::support::native::{fresh_key, id_of, usd};
use crate::support::process::Passbook;
use crate::support::{Bank, Reply, eventually, postgres};

/// Holds that run out at the same moment.
const HOLDS: usize = 300;
/// A dead node keeps its turn for so long.
const TURN_OF_THE_DEAD: &str = "update leases set expires_at = now() + interval '5 seconds'";

/// A hold of one dollar that runs out so many milliseconds from now.
fn short(account: &str, ms: i64) -> Value {
    hold_until(account, Utc::now() + TimeDelta::milliseconds(ms))
}

fn hold_until(account: &str, until: DateTime<Utc>) -> Value {
    let until = until.to_rfc3339_opts(SecondsFormat::Micros, true);
    json!({"account": account, "amount": "1", "currency": "USD", "expires_at": until})
}

async fn post(node: &Passbook, path: &str, body: &Value) -> Reply {
    let url = format!("{}{path}", node.url);
    let asked = Ask::new(&Client::new(), reqwest::Method::POST, url);
    asked
        .once(&*fresh_key())
        .body(&body.to_string())
        .send()
        .await
}

#[tokio::test]
async fn another_node_sweeps_once_the_turn_of_one_that_was_killed_is_over() {
    let url = postgres::create_database().await;
    let serve = || Passbook::serve(&["--database-url", &url]);
    let first = serve();
    let account = post(&first, "/v1/accounts", &json!({"currency": "USD"})).await;
    let account = id_of(&account);
    let deposit = json!({"postings": [usd("world", &account, "10")]});
    assert_eq!(post(&first, "/v1/transactions", &deposit).await.status, 201);
    id_of(&post(&first, "/v1/holds", &short(&account, 1_500)).await);
    are_swept(&url).await;
    let second = serve();
    first.signal("KILL");
    assert_eq!(first.end().code, None);
    postgres::execute(&url, TURN_OF_THE_DEAD).await;
    let (dead, until) = turn(&url).await;
    let hold = id_of(&post(&second, "/v1/holds", &short(&account, 1_500)).await);
    are_swept(&url).await;
    let expiry = format!(
        "select created_at from entries where hold_id = '{hold}' and kind = 'hold_expired'"
    );
    let (swept_at,): (DateTime<Utc>,) = row(&url, &expiry).await;
    assert!(
        until < swept_at,
        "{swept_at}: nobody took the turn of another before {until}"
    );
    assert_ne!(turn(&url).await.0, dead);
    second.stop();
    Bank::open_on(&url, &[]).await.close().await;
}

/// Whose turn it is, and until when.
async fn turn(url: &str) -> (Uuid, DateTime<Utc>) {
    row(url, "select holder, expires_at from leases").await
}

async fn are_swept(url: &str) {
    let active = "select count(*) from holds where status = 'active'";
    eventually("a node sweeps", async || {
        row::<(i64,)>(url, active).await.0 == 0
    })
    .await;
}

async fn row<T>(url: &str, sql: &str) -> T
where
    T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let connection = PgConnection::connect(url).await;
    let mut connection = connection.expect("the database answers");
    let sql = AssertSqlSafe(sql.to_owned());
    let row = sqlx::query_as(sql).fetch_one(&mut connection).await;
    connection.close().await.expect("the connection closes");
    row.expect("a row")
}

#[tokio::test]
async fn hundreds_that_run_out_at_once_are_in_no_writes_way() {
    let bank = Bank::open_with(&["--lanes", "2"]).await;
    let accounts: Vec<String> = at_once((0..20).map(|_| bank.account_with("100"))).await;
    let until = Utc::now() + TimeDelta::seconds(8);
    let holds = (0..HOLDS).map(async |number| {
        let new = hold_until(&accounts[number % accounts.len()], until);
        bank.command("/v1/holds", &new).await
    });
    for reply in at_once(holds).await {
        assert_eq!(reply.status, 201, "{reply:?}");
    }
    // Everybody writes to the same accounts until the last hold is written down.
    let is_over = AtomicBool::new(false);
    let writers = (0..16).map(async |writer: usize| {
        let mut count = 0;
        while !is_over.load(Ordering::SeqCst) {
            let from = &accounts[(writer + count) % accounts.len()];
            let to = &accounts[(writer + count + 1) % accounts.len()];
            let reply = bank.transact(&[usd(from, to, "0.01")]).await;
            assert_eq!(reply.status, 201, "{reply:?}");
            count += 1;
        }
    });
    let sweeping = async {
        are_swept(&bank.database_url).await;
        is_over.store(true, Ordering::SeqCst);
    };
    tokio::join!(at_once(writers), sweeping);
    let once = "select count(*) from entries where kind = 'hold_expired'";
    assert_eq!(
        usize::try_from(bank.number(once).await),
        Ok(HOLDS),
        "each once"
    );
    bank.close().await;
}

#[tokio::test]
async fn one_look_takes_as_many_holds_as_it_may_whomever_they_are_of() {
    let bank = Bank::open().await;
    let lease = "insert into leases (name, holder, expires_at)
        values ('sweep holds', gen_random_uuid(), now() + interval '1 hour')";
    bank.plant(lease).await;
    let mut accounts = Vec::new();
    for _ in 0..4 {
        accounts.push(bank.account_with("10").await);
    }
    // The accounts take turns: each of them is among the first four holds.
    let first = Utc::now() + TimeDelta::seconds(3);
    for (number, account) in accounts.iter().cycle().take(12).enumerate() {
        let later = TimeDelta::milliseconds(i64::try_from(number).expect("few"));
        let new = hold_until(account, first + later);
        assert_eq!(bank.command("/v1/holds", &new).await.status, 201);
    }
    let due = "select count(*) from holds where expires_at <= now()";
    eventually("all are due", async || bank.number(due).await == 12).await;
    let mut connection = bank.intruder().await;
    for (limit, expected) in [(1, 1), (3, 1), (4, 2), (7, 3), (200, 4)] {
        let found = holds::list_due_accounts(&mut connection, Utc::now(), limit).await;
        let found = found.expect("accounts");
        let numbers: Vec<String> = found.into_iter().map(AccountId::to_number).collect();
        assert_eq!(numbers, accounts[..expected], "{limit}");
    }
    bank.close().await;
}
