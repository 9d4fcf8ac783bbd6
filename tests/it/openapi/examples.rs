//! Every example of a request in the document, carried out by a bank.

use passbook::ledger::AccountId;

use super::document::Document;
use super::native;
use crate::support::{Bank, Reply};

/// The accounts of the examples, by their numbers, belong to the member.
const ACCOUNTS: [AccountId; 2] = [AccountId(7), AccountId(8)];

/// A member of the dialect that asks who its callers are, as the examples name them.
pub(crate) async fn join(bank: &Bank) -> String {
    let body = r#"{"name":"Ada","email":"ada@example.org","password":"Secret12"}"#;
    token(&bank.post("/api/signup", body).await)
}

pub(crate) async fn sign_in(bank: &Bank) -> String {
    let body = r#"{"email":"ada@example.org","password":"Secret12"}"#;
    token(&bank.post("/api/signin", body).await)
}

fn token(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{reply:?}");
    let cookie = reply.headers["set-cookie"].split(';').next();
    let token = cookie.and_then(|cookie| cookie.split_once('='));
    token.expect("a token").1.to_owned()
}

/// A bank in which whom and what the examples speak of is there.
pub(crate) async fn furnished() -> Bank {
    let bank = Bank::open_with(&["--allow-reset", "--lanes", "1"]).await;
    for _ in 0..2 {
        bank.user("1000").await;
    }
    for (path, body) in [
        (
            "/deposit",
            r#"{"user_id":1,"amount":10,"currency_type":"bitcoin"}"#,
        ),
        (
            "/event",
            r#"{"type":"deposit","destination":"100","amount":10}"#,
        ),
    ] {
        let reply = bank.post(path, body).await;
        assert!(reply.status < 300, "{reply:?}");
    }
    let token = join(&bank).await;
    let [first, last] = ACCOUNTS.map(AccountId::to_number);
    loop {
        let asked = bank.ask(reqwest::Method::POST, "/api/accountGeneration");
        let asked = asked.with("Authorization", &format!("Bearer {token}"));
        let opened = asked.send().await.json()["accountNumber"].clone();
        if opened == *last {
            break;
        }
        assert!(
            opened.as_str() <= Some(&last),
            "{first} and {last} are the member's"
        );
    }
    let money = format!(r#"{{"accountNumber":"{first}","amount":100}}"#);
    let asked = bank.ask(reqwest::Method::POST, "/api/deposit");
    let asked = asked.with("Authorization", &format!("Bearer {token}"));
    assert_eq!(asked.body(&money).send().await.status, 202);
    bank
}

#[tokio::test]
async fn every_example_of_a_request_is_carried_out() {
    let bank = furnished().await;
    let document = Document::of(&bank).await;
    for name in document.names() {
        let things = native::prepare(&bank, &name).await;
        for mut example in document.examples(&name) {
            if native::is_native(&name) {
                example = things.put_into(example);
            }
            let token = if document.is_for_members(&name) {
                Some(sign_in(&bank).await)
            } else {
                None
            };
            // Under one key, the same fields in a form and in JSON are one request.
            let mut asked = example.ask(&bank, token.as_deref());
            if document.takes_key(&name) {
                asked = asked.once(name.replace(' ', ":").as_str());
            }
            let reply = asked.send().await;
            let body = &example.body;
            assert!(
                (200..300).contains(&reply.status),
                "{name}: {body:?}: {reply:?}"
            );
            document.check(&name, &reply);
        }
    }
    bank.close().await;
}
