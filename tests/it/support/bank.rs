//! A bank: the whole service on a database of its own, with the verbs of its clients.

use std::collections::HashMap;
use std::future::Future;

use clap::Parser;
use passbook::app::App;
use passbook::config::ServeArgs;
use passbook::ledger::{AccountRef, Amount, Party, Posting};
use passbook::service::audit;
use passbook::storage::Database;
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, FromRow, PgConnection, postgres::PgRow};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::ask::Ask;
use super::{Locked, eventually, postgres};

/// A service that listens on a port of its own, over a database of its own.
pub(crate) struct Bank {
    pub(crate) app: App,
    pub(crate) database_url: String,
    pub(crate) client: Client,
}

/// A user of the `users` dialect.
pub(crate) struct User<'b> {
    bank: &'b Bank,
    pub(crate) id: i64,
}

/// What a client gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) text: String,
}

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    args: ServeArgs,
}

impl Bank {
    pub(crate) async fn open() -> Self {
        Self::open_with(&[]).await
    }

    /// A bank with settings: flags of `passbook serve`.
    pub(crate) async fn open_with(flags: &[&str]) -> Self {
        let url = postgres::create_database().await;
        Self::open_on(&url, flags).await
    }

    /// Another service on a database that is there. As anywhere, it runs as the role that owns nothing.
    pub(crate) async fn open_on(url: &str, flags: &[&str]) -> Self {
        let runtime_url = postgres::as_runtime(url);
        let base = [
            "passbook",
            "--listen",
            "127.0.0.1:0",
            "--http-workers",
            "1",
            "--database-url",
            &runtime_url,
            "--owner-url",
            url,
        ];
        // Who may come in is not what most tests are about.
        let is_said = flags.iter().any(|flag| flag.starts_with("--auth"));
        let open = (!is_said).then_some(&"--auth=open");
        let command_line = CommandLine::parse_from(base.iter().chain(open).chain(flags));
        let app = App::start(&command_line.args)
            .await
            .expect("the service starts");
        Self {
            app,
            database_url: url.to_owned(),
            client: Client::new(),
        }
    }

    /// A user who holds so much.
    pub(crate) async fn user(&self, balance: &str) -> User<'_> {
        let reply = self
            .post("/api/users", &format!(r#"{{"balance":{balance}}}"#))
            .await;
        assert_eq!(reply.status, 201, "{reply:?}");
        User {
            bank: self,
            id: reply.json()["data"]["id"].as_i64().expect("an id"),
        }
    }

    /// A user who was opened before the service started again.
    pub(crate) fn user_again(&self, id: i64) -> User<'_> {
        User { bank: self, id }
    }

    /// A user who is there already.
    pub(crate) fn known_user(&self, id: i64) -> User<'_> {
        User { bank: self, id }
    }

    /// Sends bytes as no HTTP library would, and ends there; what comes back until the service closes.
    pub(crate) async fn send_bytes(&self, bytes: &[u8]) -> Reply {
        let mut socket = TcpStream::connect(self.app.listen())
            .await
            .expect("the service listens");
        // It may have answered, and closed, before it was told everything.
        drop(socket.write_all(bytes).await);
        drop(socket.shutdown().await);
        let mut answer = Vec::new();
        drop(socket.read_to_end(&mut answer).await);
        Reply::parse(&answer)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.app.listen())
    }

    /// A request that is put together, and sent by [`Ask::send`].
    pub(crate) fn ask(&self, method: Method, path: &str) -> Ask {
        Ask::new(&self.client, method, self.url(path))
    }

    /// The same with a body of another type than JSON.
    pub(crate) fn ask_in(&self, kind: &str, method: Method, path: &str) -> Ask {
        Ask::of_kind(&self.client, method, self.url(path), kind)
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.ask(Method::GET, path).send().await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Reply {
        self.ask(Method::POST, path).body(body).send().await
    }

    pub(crate) async fn put(&self, path: &str, body: &str) -> Reply {
        self.ask(Method::PUT, path).body(body).send().await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Reply {
        let asked = self.ask(method, path);
        let asked = headers
            .iter()
            .fold(asked, |asked, (name, value)| asked.with(name, value));
        match body {
            Some(body) => asked.body(body).send().await,
            None => asked.send().await,
        }
    }

    /// Rows of the database, read behind the service's back.
    pub(crate) async fn rows<T>(&self, sql: &str) -> Vec<T>
    where
        T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let mut connection = PgConnection::connect(&self.database_url)
            .await
            .expect("the database answers");
        let rows = sqlx::query_as(AssertSqlSafe(sql.to_owned()))
            .fetch_all(&mut connection)
            .await;
        let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
        connection.close().await.expect("the connection closes");
        rows
    }

    /// One number of the database.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let rows: Vec<(i64,)> = self.rows(sql).await;
        rows.first().expect("a row").0
    }

    /// A fault, planted behind the service's back.
    pub(crate) async fn plant(&self, sql: &str) {
        postgres::execute(&self.database_url, sql).await;
    }

    /// Edits what is guarded.
    pub(crate) async fn tamper(&self, sql: &str) {
        postgres::tamper(&self.database_url, sql).await;
    }

    /// Keeps an account for the test.
    pub(crate) async fn lock_account(&self, id: i64) -> Locked {
        Locked::account(&self.database_url, id).await
    }

    pub(crate) async fn lock_accounts(&self) -> Locked {
        Locked::accounts(&self.database_url).await
    }

    pub(crate) async fn lock_table(&self, name: &str) -> Locked {
        Locked::table(&self.database_url, name).await
    }

    /// So many commands wait in the queue.
    pub(crate) async fn waits_with(&self, commands: usize) {
        eventually("commands wait in the queue", async || {
            self.app.service().counts().waiting == commands
        })
        .await;
    }

    /// A connection of the test's own.
    pub(crate) async fn intruder(&self) -> PgConnection {
        PgConnection::connect(&self.database_url)
            .await
            .expect("the database answers")
    }

    /// A connection as lanes have them.
    pub(crate) async fn lane(&self) -> PgConnection {
        let database = Database::parse(&self.database_url, false).expect("a URL");
        let lane = database.connect_lane().await;
        lane.expect("a lane's connection").connection
    }

    pub(crate) async fn audit(&self) -> audit::Report {
        audit_of(&self.database_url).await
    }

    /// How every test ends: the service stops, and the books are in balance.
    pub(crate) async fn close(self) {
        let url = self.stop().await;
        let report = audit_of(&url).await;
        assert!(
            report.is_clean(),
            "the books are not in balance: {:#?}",
            report.findings
        );
        postgres::drop_database(&url).await;
    }

    /// Stops the service; its database stays.
    pub(crate) async fn stop(self) -> String {
        self.app.stop().await.expect("the service stops");
        self.database_url
    }
}

impl User<'_> {
    /// Deposits what is positive, withdraws what is negative.
    pub(crate) async fn change(&self, amount: &str) -> Reply {
        self.bank
            .put(&self.path(), &format!(r#"{{"amount":{amount}}}"#))
            .await
    }

    /// The same under a key.
    pub(crate) async fn change_once(&self, key: &str, amount: &str) -> Reply {
        let body = format!(r#"{{"amount":{amount}}}"#);
        let asked = self.bank.ask(Method::PUT, &self.path()).once(key);
        asked.body(&body).send().await
    }

    /// The balance as its digits stand in the answer.
    pub(crate) async fn balance(&self) -> String {
        let reply = self.bank.get(&format!("/api/users/{}", self.id)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()["data"]["balance"].to_string()
    }

    /// The id of the user's account in the default currency.
    pub(crate) async fn account(&self) -> i64 {
        self.bank
            .number(&format!(
                "select id from accounts where owner_id = {} and currency = 'USD'",
                self.id
            ))
            .await
    }

    fn path(&self) -> String {
        format!("/api/users/{}/balance", self.id)
    }
}

impl Reply {
    pub(crate) async fn of(response: reqwest::Response) -> Self {
        Self::read(response).await.expect("a whole answer")
    }

    /// The same of an answer that may break off.
    pub(crate) async fn read(response: reqwest::Response) -> reqwest::Result<Self> {
        let status: StatusCode = response.status();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (
                    name.to_string(),
                    value.to_str().unwrap_or_default().to_owned(),
                )
            })
            .collect();
        Ok(Self {
            status: status.as_u16(),
            headers,
            text: response.text().await?,
        })
    }

    /// An answer as its bytes stand on the wire; status 0 where there is none.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let answer = String::from_utf8_lossy(bytes);
        let (head, text) = answer.split_once("\r\n\r\n").unwrap_or_default();
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let headers = head.lines().filter_map(|line| line.split_once(": "));
        Self {
            status: status.unwrap_or_default(),
            headers: headers
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect(),
            text: text.to_owned(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {:?}", self.text))
    }

    pub(crate) fn is_replayed(&self) -> bool {
        self.headers
            .get("idempotent-replayed")
            .is_some_and(|value| value == "true")
    }

    /// The words of a failure in the `users` dialect.
    pub(crate) fn message(&self) -> String {
        self.json()["error"]["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

/// What the service's own audit finds, by several connections.
pub(crate) async fn audit_of(url: &str) -> audit::Report {
    let settings = audit::Settings {
        jobs: 2,
        pages: audit::Pages::default(),
        extent: audit::Extent::Everything(None),
    };
    audit_with(url, settings).await.report
}

/// An audit of any kind.
pub(crate) async fn audit_with(url: &str, settings: audit::Settings) -> audit::Audited {
    let database = Database::parse(url, false).expect("a URL");
    let audited = audit::run(&database, settings, |_, _| ()).await;
    audited.expect("the audit runs")
}

/// A transfer in the currency of accounts where nobody says.
pub(crate) fn transfer(bank: &Bank, from: AccountRef, to: AccountRef, minor: i128) -> Posting {
    let amount = Amount::from_minor(minor).expect("an amount");
    let currency = bank.app.service().default_currency();
    let [from, to] = [from, to].map(Party::Account);
    Posting::new(from, to, amount.magnitude(), currency)
}

/// Runs so many at once, and gathers what they give.
pub(crate) async fn at_once<T>(tasks: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    futures_util::future::join_all(tasks).await
}
