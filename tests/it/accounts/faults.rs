//! No answer: too much waits, or the database went away in the middle.

use reqwest::Method;

use super::{Account, assert_is, assert_made, deposit, text};
use crate::support::bank::at_once;
use crate::support::proxy::{Cut, Proxy};
use crate::support::{Bank, eventually, postgres};

/// A bank whose next commit is lost, and that cannot connect again before it gives up.
struct Crashing {
    bank: Bank,
    proxy: Proxy,
    direct: String,
}

impl Crashing {
    async fn open() -> Self {
        let (proxy, direct) = Proxy::to_new_database().await;
        let bank = Bank::open_on(&proxy.database_url, &["--lanes", "1"]).await;
        Self {
            bank,
            proxy,
            direct,
        }
    }

    async fn crash(&self) {
        self.allow_connections(false).await;
        self.proxy.cut_next(Cut::Answer);
    }

    async fn come_back(&self) {
        self.allow_connections(true).await;
        eventually("the lane is connected again", async || {
            self.bank.app.service().is_healthy()
        })
        .await;
    }

    /// Connections that are there stay.
    async fn allow_connections(&self, allowed: bool) {
        let name = self.direct.split(['/', '?']).nth(3);
        let name = name.expect("a database in the URL");
        let sql = format!("alter database {name} allow_connections {allowed}");
        postgres::execute(postgres::server(), &sql).await;
    }

    async fn close(self) {
        self.bank.stop().await;
        Bank::open_on(&self.direct, &[]).await.close().await;
    }
}

#[tokio::test]
async fn where_the_outcome_is_unknown_the_last_known_version_is_said_and_a_retry_tells() {
    let crashing = Crashing::open().await;
    let account = Account::open(&crashing.bank, "100").await;
    crashing.crash().await;
    let lost = account.transact_once("a", &deposit("5")).await;
    let request = text(&lost, "requestId");
    assert_eq!(request.len(), 36, "{lost:?}");
    assert_is(
        &lost,
        408,
        &format!(r#"{{"error":"Server Crashes","CurrentVersion":2,"requestId":"{request}"}}"#),
    );
    crashing.come_back().await;
    // It had happened.
    let again = account.transact_once("a", &deposit("5")).await;
    let id = text(&again, "transactionId");
    assert_is(
        &again,
        409,
        &format!(r#"{{"error":"Duplicate transaction","transactionId":"{id}"}}"#),
    );
    account.assert_stands("105.00", 3).await;
    crashing.close().await;
}

#[tokio::test]
async fn where_the_outcome_of_an_opening_is_unknown_there_is_no_version() {
    let crashing = Crashing::open().await;
    let bank = &crashing.bank;
    crashing.crash().await;
    let open = || {
        let asked = bank.ask(Method::POST, "/accounts").once("a");
        asked.body(r#"{"balance":5}"#).send()
    };
    let lost = open().await;
    let request = text(&lost, "requestId");
    assert_is(
        &lost,
        408,
        &format!(r#"{{"error":"Server Crashes","CurrentVersion":null,"requestId":"{request}"}}"#),
    );
    crashing.come_back().await;
    let again = open().await;
    assert_eq!(again.status, 409, "{again:?}");
    let id = again.json()["accountId"].as_i64().expect("an id");
    Account { bank, id }.assert_stands("5.00", 2).await;
    crashing.close().await;
}

#[tokio::test]
async fn where_too_much_waits_the_answer_is_503_with_a_time_to_retry() {
    let flags = ["--queue-max", "4", "--lanes", "1", "--batch-size-max", "1"];
    let bank = Bank::open_with(&flags).await;
    let account = Account::open(&bank, "0").await;
    let entries = bank.lock_table("entries").await;
    let body = deposit("1");
    let requests = at_once((0..10).map(|_| account.transact(&body)));
    let release = async {
        // Two in the half of the queue that an account may fill, and one in the lane if that was in time.
        eventually("the rest is refused", async || {
            7 <= bank.app.service().counts().overloaded
        })
        .await;
        entries.release().await;
    };
    let (replies, ()) = tokio::join!(requests, release);
    let (made, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 201);
    assert!(
        (2..=3).contains(&made.len()) && made.len() + refused.len() == 10,
        "{replies:?}"
    );
    for reply in refused {
        let request = text(reply, "requestId");
        assert_is(
            reply,
            503,
            &format!(
                r#"{{"error":"Service is busy, nothing was applied, retry later","requestId":"{request}"}}"#
            ),
        );
        assert_eq!(reply.headers["retry-after"], "1");
    }
    let entries = "select count(*) from entries";
    let count = i64::try_from(made.len()).expect("a few");
    assert_eq!(bank.number(entries).await, count, "none for a refusal");
    let next = account.transact(&body).await;
    let balance = format!("{}.00", count + 1);
    assert_made(&next, "Deposit", "1.00", &balance, count + 2);
    bank.close().await;
}
