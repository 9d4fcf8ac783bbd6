//! A person by its session on `/v1`: its own accounts, money from them to anybody, and nothing of anybody else's.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::native::{id_of, usd};
use crate::support::{Bank, Reply};
use crate::v1::assert_problem;

/// Somebody who has signed in.
struct Person<'b> {
    bank: &'b Bank,
    token: String,
}

impl<'b> Person<'b> {
    async fn join(bank: &'b Bank, name: &str) -> Self {
        let body =
            json!({"name": name, "email": format!("{name}@example.org"), "password": "Secret12"});
        let reply = bank.post("/api/signup", &body.to_string()).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let cookie = reply.headers["set-cookie"].split(';').next();
        let (_, token) = cookie
            .and_then(|cookie| cookie.split_once('='))
            .expect("a token");
        Self {
            bank,
            token: format!("Bearer {token}"),
        }
    }

    async fn get(&self, path: &str) -> Reply {
        let asked = self.bank.ask(Method::GET, path);
        asked.with("Authorization", &self.token).send().await
    }

    async fn post(&self, key: &str, path: &str, body: &Value) -> Reply {
        let asked = self.bank.ask(Method::POST, path).once(key);
        let asked = asked.with("Authorization", &self.token);
        asked.body(&body.to_string()).send().await
    }

    async fn open(&self, key: &str) -> String {
        let opened = self
            .post(key, "/v1/accounts", &json!({"currency": "USD"}))
            .await;
        assert_eq!(opened.status, 201, "{opened:?}");
        id_of(&opened)
    }
}

#[track_caller]
fn assert_refused(reply: &Reply, status: u16, code: &str, what: &str) {
    assert_eq!(reply.status, status, "{what}: {reply:?}");
    assert_eq!(assert_problem(reply, what), code, "{what}");
}

#[tokio::test]
async fn a_person_moves_its_own_money_and_sees_its_own_side() {
    let bank = Bank::open().await;
    let (ada, bob) = (
        Person::join(&bank, "ada").await,
        Person::join(&bank, "bob").await,
    );
    let (hers, his) = (ada.open("a").await, bob.open("b").await);
    let bank_gives = bank.transact(&[usd("world", &hers, "10")]).await;
    assert_eq!(bank_gives.status, 201);
    let paid = ada
        .post(
            "p",
            "/v1/transactions",
            &json!({"postings": [usd(&hers, &his, "4")]}),
        )
        .await;
    assert_eq!(paid.status, 201, "{paid:?}");
    let touched = |reply: &Reply| {
        let accounts = reply.json()["accounts"]
            .as_array()
            .expect("accounts")
            .clone();
        accounts
            .iter()
            .map(|account| account["id"].clone())
            .collect::<Vec<Value>>()
    };
    assert_eq!(
        touched(&paid),
        [json!(hers)],
        "his balance is not hers to see"
    );
    let path = format!("/v1/transactions/{}", id_of(&paid));
    assert_eq!(touched(&bob.get(&path).await), [json!(his)]);
    assert_eq!(
        touched(
            &ada.post(
                "p",
                "/v1/transactions",
                &json!({"postings": [usd(&hers, &his, "4")]})
            )
            .await
        ),
        [json!(hers)]
    );
    for (who, own, other) in [(&ada, &hers, &his), (&bob, &his, &hers)] {
        assert_eq!(who.get(&format!("/v1/accounts/{own}")).await.status, 200);
        let theirs = who.get(&format!("/v1/accounts/{other}")).await;
        let missing = who.get("/v1/accounts/999999999999").await;
        assert_refused(&theirs, 404, "not_found", "somebody else's");
        assert_eq!(theirs.json()["detail"], missing.json()["detail"]);
        // Each has the account of its sign-up, and the one that it opened.
        let listed = who.get("/v1/accounts").await.json();
        assert_eq!(listed["data"].as_array().map(Vec::len), Some(2), "{listed}");
        let listed = who
            .get(&format!("/v1/transactions?account={other}"))
            .await
            .json();
        assert_eq!(
            listed["data"],
            json!([]),
            "lists of what one may not see are empty"
        );
    }
    bank.close().await;
}

/// Two people, each with ten dollars; the first has set three of hers aside by the last.
async fn neighbours(bank: &Bank) -> (Person<'_>, String, Person<'_>, String, String) {
    let (ada, bob) = (
        Person::join(bank, "ada").await,
        Person::join(bank, "bob").await,
    );
    let (hers, his) = (ada.open("a").await, bob.open("b").await);
    for account in [&hers, &his] {
        assert_eq!(
            bank.transact(&[usd("world", account, "10")]).await.status,
            201
        );
    }
    let hold = json!({"account": hers, "amount": "3", "currency": "USD"});
    let placed = ada.post("h", "/v1/holds", &hold).await;
    assert_eq!(placed.status, 201, "{placed:?}");
    (ada, hers, bob, his, id_of(&placed))
}

fn pay(postings: &Value) -> Value {
    json!({ "postings": postings })
}

#[tokio::test]
async fn nothing_of_anybody_elses_is_done() {
    let bank = Bank::open().await;
    let (_, hers, bob, his, hold) = neighbours(&bank).await;
    let captured = json!([{"hold": hold, "to": his, "amount": "1", "currency": "USD"}]);
    let mut on_hers = pay(&json!([usd(&his, &hers, "1")]));
    on_hers["conditions"] = json!([{"account": hers, "available_at_least": "0"}]);
    let refused = [
        (
            pay(&json!([usd(&hers, &his, "1")])),
            422,
            "account_not_found",
        ),
        (pay(&json!([usd("world", &his, "1")])), 403, "forbidden"),
        (pay(&json!([usd(&his, "world", "1")])), 403, "forbidden"),
        (pay(&captured), 422, "hold_not_found"),
        (on_hers, 422, "account_not_found"),
    ];
    for (number, (body, status, code)) in refused.into_iter().enumerate() {
        let reply = bob
            .post(&format!("t{number}"), "/v1/transactions", &body)
            .await;
        assert_refused(&reply, status, code, &body.to_string());
    }
    for (path, body) in [
        (format!("/v1/holds/{hold}/captures"), json!({"to": his})),
        (format!("/v1/holds/{hold}/void"), json!({})),
    ] {
        assert_refused(
            &bob.post(&path, &path, &body).await,
            404,
            "not_found",
            &path,
        );
    }
    let place = json!({"account": hers, "amount": "1", "currency": "USD"});
    let reply = bob.post("place", "/v1/holds", &place).await;
    assert_refused(&reply, 422, "account_not_found", "her money");
    for body in [
        json!({"currency": "USD", "overdraft_limit": "1"}),
        json!({"currency": "USD", "owner": "1"}),
    ] {
        let reply = bob.post("open", "/v1/accounts", &body).await;
        assert_refused(&reply, 403, "forbidden", &body.to_string());
    }
    bank.close().await;
}

#[tokio::test]
async fn a_refusal_tells_a_person_of_its_own_account_alone() {
    let bank = Bank::open().await;
    let (ada, hers, bob, his, _) = neighbours(&bank).await;
    let empty = ada.open("c").await;
    bank.set_status_of(&empty, "close").await;
    let to_closed = pay(&json!([usd(&his, &empty, "1")]));
    let refused = bob.post("closed", "/v1/transactions", &to_closed).await;
    assert_refused(&refused, 422, "account_closed", "hers");
    assert!(refused.json().get("balance").is_none(), "{refused:?}");
    // Nor later, under its key.
    let known = bob.get("/v1/idempotency-keys/closed").await.json();
    assert_eq!(known["problem"], refused.json());
    let again = bob.post("closed", "/v1/transactions", &to_closed).await;
    assert_eq!(again.text, refused.text);
    let too_much = pay(&json!([usd(&his, &hers, "1000")]));
    let refused = bob.post("poor", "/v1/transactions", &too_much).await;
    assert_refused(&refused, 422, "insufficient_funds", "his own");
    assert_eq!(refused.json()["balance"], "10.00", "{refused:?}");
    bank.close().await;
}
