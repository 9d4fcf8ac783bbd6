//! Every operation under a key, asked again: the same bytes, status, place and tag, whoever answers, also after a crash.

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::support::ask::Ask;
use crate::support::native::{fresh_key, id_of, usd};
use crate::support::process::{self, Passbook, path_of};
use crate::support::{Bank, Reply, postgres};

/// A request, and what it was answered.
struct Asked {
    method: Method,
    path: String,
    key: String,
    book: &'static str,
    body: String,
    told: Reply,
}

/// One who asks a service, and keeps all that was asked.
struct Caller {
    client: Client,
    url: String,
    asked: Vec<Asked>,
}

impl Caller {
    fn new(url: &str) -> Self {
        Self {
            client: Client::new(),
            url: url.to_owned(),
            asked: Vec::new(),
        }
    }

    async fn ask(&mut self, method: Method, path: &str, body: Value) -> Reply {
        self.ask_in("main", method, path, body).await
    }

    async fn ask_in(
        &mut self,
        book: &'static str,
        method: Method,
        path: &str,
        body: Value,
    ) -> Reply {
        let mut asked = Asked {
            method,
            path: path.to_owned(),
            key: fresh_key(),
            book,
            body: body.to_string(),
            told: Reply::parse(b""),
        };
        asked.told = send(&self.client, &self.url, &asked, "*").await;
        let told = asked.told.clone();
        assert!(!told.is_replayed() && told.status < 500, "{path}: {told:?}");
        self.asked.push(asked);
        told
    }

    /// Another service, or the same later, answers all of it as it was answered.
    async fn assert_replays(&self, url: &str) {
        for asked in &self.asked {
            // A tag that is stale by now is no matter.
            let again = send(&self.client, url, asked, "\"999\"").await;
            let path = &asked.path;
            assert_eq!(again.status, asked.told.status, "{path}: {again:?}");
            assert_eq!(again.text, asked.told.text, "{path}");
            assert!(again.is_replayed(), "{path}");
            for name in ["location", "etag", "content-type", "cache-control"] {
                assert_eq!(
                    again.headers.get(name),
                    asked.told.headers.get(name),
                    "{path}: {name}"
                );
            }
        }
    }
}

async fn send(client: &Client, url: &str, asked: &Asked, tags: &str) -> Reply {
    let request = Ask::new(client, asked.method.clone(), format!("{url}{}", asked.path));
    let request = request.once(&*asked.key).with("If-Match", tags);
    let request = request.with("Passbook-Book", asked.book);
    request.body(&asked.body).send().await
}

/// Everything that can be asked under a key, done and refused.
#[expect(clippy::too_many_lines, reason = "a story")]
async fn ask_everything(caller: &mut Caller) {
    let (post, merge) = (Method::POST, Method::PATCH);
    let new = json!({"currency": "USD", "overdraft_limit": "5", "external_id": "one", "metadata": {"a": "b"}});
    let ada = id_of(&caller.ask(post.clone(), "/v1/accounts", new.clone()).await);
    caller.ask(post.clone(), "/v1/accounts", new).await;
    let bob = id_of(
        &caller
            .ask(post.clone(), "/v1/accounts", json!({"currency": "USD"}))
            .await,
    );
    let several = json!({
        "postings": [usd("world", &ada, "90"), usd(&ada, &bob, "20"), usd(&bob, &ada, "5"), usd(&bob, "world", "all")],
        "reference": "several", "metadata": {"z": "1", "a": "2"},
        "conditions": [{"account": bob, "balance_at_most": "0"}],
    });
    let made = id_of(
        &caller
            .ask(post.clone(), "/v1/transactions", several.clone())
            .await,
    );
    for postings in [
        json!([usd(&bob, "world", "1")]),
        json!([usd("world", "000000000000", "1")]),
        json!([usd("world", &ada, "1"), usd(&ada, &ada, "1")]),
    ] {
        let body = json!({"postings": postings, "reference": "refused"});
        assert_eq!(
            caller
                .ask(post.clone(), "/v1/transactions", body)
                .await
                .status,
            422
        );
    }
    let stale = json!({"postings": [usd("world", &ada, "1")], "conditions": [{"account": ada, "version": 1}]});
    assert_eq!(
        caller
            .ask(post.clone(), "/v1/transactions", stale)
            .await
            .status,
        409
    );
    let new = |amount: &str| json!({"account": ada, "amount": amount, "currency": "USD", "reference": "hold"});
    let first = id_of(&caller.ask(post.clone(), "/v1/holds", new("10")).await);
    let second = id_of(&caller.ask(post.clone(), "/v1/holds", new("5")).await);
    caller.ask(post.clone(), "/v1/holds", new("1000")).await;
    let path = format!("/v1/holds/{first}");
    let part = json!({"to": bob, "amount": "3", "final": false, "metadata": {"part": "1"}});
    caller
        .ask(post.clone(), &format!("{path}/captures"), part)
        .await;
    caller
        .ask(merge.clone(), &path, json!({"amount": "12"}))
        .await;
    caller.ask(merge.clone(), &path, json!({})).await;
    caller
        .ask(
            post.clone(),
            &format!("{path}/captures"),
            json!({"to": bob}),
        )
        .await;
    caller
        .ask(
            post.clone(),
            &format!("{path}/captures"),
            json!({"to": bob}),
        )
        .await;
    caller
        .ask(post.clone(), &format!("/v1/holds/{second}/void"), json!({}))
        .await;
    caller
        .ask(post.clone(), &format!("/v1/holds/{second}/void"), json!({}))
        .await;
    let path = format!("/v1/accounts/{ada}");
    caller
        .ask(
            merge.clone(),
            &path,
            json!({"metadata": {"a": null, "c": "d"}}),
        )
        .await;
    caller
        .ask(merge.clone(), &path, json!({"metadata": {"c": "d"}}))
        .await;
    caller
        .ask(
            merge.clone(),
            &path,
            json!({"overdraft_limit": "7", "metadata": null}),
        )
        .await;
    for verb in ["freeze", "freeze", "unfreeze", "close"] {
        caller
            .ask(post.clone(), &format!("{path}/{verb}"), json!({}))
            .await;
    }
    let path = format!("/v1/transactions/{made}/reversal");
    caller
        .ask(post.clone(), &path, json!({"reference": "back"}))
        .await;
    caller.ask(post.clone(), &path, json!({})).await;
    let user = json!({"name": "Ada", "email": "Ada@example.org"});
    caller.ask(post.clone(), "/v1/users", user.clone()).await;
    assert_eq!(
        caller.ask(post.clone(), "/v1/users", user).await.status,
        409
    );
    caller
        .ask(post.clone(), "/v1/books", json!({"name": "shop"}))
        .await;
    assert_eq!(
        caller
            .ask(post.clone(), "/v1/books", json!({"name": "shop"}))
            .await
            .status,
        409
    );
    let euro = json!({"currency": "EUR"});
    let account = caller
        .ask_in("shop", post.clone(), "/v1/accounts", euro)
        .await;
    let account = id_of(&account);
    let deposit =
        json!({"postings": [{"from": "world", "to": account, "amount": "1", "currency": "EUR"}]});
    caller
        .ask_in("shop", post, "/v1/transactions", deposit)
        .await;
}

#[tokio::test]
async fn every_answer_is_given_again_by_another_service() {
    let here = Bank::open().await;
    let there = Bank::open_on(&here.database_url, &[]).await;
    let mut caller = Caller::new(&here.url(""));
    ask_everything(&mut caller).await;
    caller.assert_replays(&here.url("")).await;
    caller.assert_replays(&there.url("")).await;
    there.stop().await;
    here.close().await;
}

#[tokio::test]
async fn every_answer_is_given_again_after_the_service_was_killed() {
    let url = postgres::create_database().await;
    let runtime = postgres::as_runtime(&url);
    let args = ["--database-url", &runtime, "--owner-url", &url];
    let mut passbook = Passbook::serve(&args);
    let mut caller = Caller::new(&passbook.url);
    ask_everything(&mut caller).await;
    passbook.signal("KILL");
    passbook.wait();
    let passbook = Passbook::serve(&args);
    caller.assert_replays(&passbook.url).await;
    passbook.stop();
    Bank::open_on(&url, &[]).await.close().await;
}

#[tokio::test]
async fn what_was_asked_when_the_service_was_killed_is_done_once() {
    let directory = process::migrated_data_dir();
    let args = ["--data-dir", path_of(&directory)];
    let mut passbook = Passbook::serve(&args);
    let caller = Caller::new(&passbook.url);
    let asked = |key: &str, path: &str, body: Value| Asked {
        method: Method::POST,
        path: path.to_owned(),
        key: key.to_owned(),
        book: "main",
        body: body.to_string(),
        told: Reply::parse(b""),
    };
    let open = asked("open", "/v1/accounts", json!({"currency": "USD"}));
    let account = id_of(&send(&caller.client, &passbook.url, &open, "*").await);
    let deposits: Vec<Asked> = (0..200)
        .map(|number| {
            let body = json!({"postings": [usd("world", &account, "1")]});
            asked(&format!("deposit-{number}"), "/v1/transactions", body)
        })
        .collect();
    let told = {
        let url = passbook.url.clone();
        let (client, deposits) = (&caller.client, &deposits);
        let clients = deposits.iter().map(async |asked| {
            let request = client.post(format!("{url}{}", asked.path));
            let request = request.header("Content-Type", "application/json");
            let request = request.header("Idempotency-Key", &asked.key);
            let sent = request.body(asked.body.clone()).send().await;
            Reply::read(sent.ok()?).await.ok()
        });
        let clients = futures_util::future::join_all(clients);
        let kill = async {
            let known = || send_known(&caller.client, &url);
            crate::support::eventually("some are done", async || known().await).await;
            passbook.signal("KILL");
        };
        tokio::join!(clients, kill).0
    };
    passbook.wait();
    let passbook = Passbook::serve(&args);
    for (asked, told) in deposits.iter().zip(&told) {
        let again = send(&caller.client, &passbook.url, asked, "*").await;
        assert_eq!(again.status, 201, "{again:?}");
        if let Some(told) = told.as_ref().filter(|told| told.status == 201) {
            assert_eq!((&again.text, again.is_replayed()), (&told.text, true));
        }
    }
    let shown = caller
        .client
        .get(format!("{}/v1/accounts/{account}", passbook.url));
    let shown = Reply::of(shown.send().await.expect("an answer"))
        .await
        .json();
    assert_eq!(
        (&shown["balance"], &shown["version"]),
        (&json!("200.00"), &json!(201))
    );
    passbook.stop();
    let verified = process::run(&["verify", "--data-dir", path_of(&directory)]);
    assert!(verified.status.success(), "{verified:?}");
}

/// Whether a few of the deposits are done.
async fn send_known(client: &Client, url: &str) -> bool {
    let known = client.get(format!("{url}/v1/idempotency-keys/deposit-3"));
    match known.send().await {
        Ok(known) => Reply::of(known).await.text.contains("done"),
        Err(_) => true,
    }
}
