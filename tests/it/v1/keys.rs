//! Idempotency keys: their form, what they stand for, and what is known of them.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::assert_refused;
use crate::support::bank::at_once;
use crate::support::native::{id_of, usd};
use crate::support::{Bank, Reply, eventually};

async fn post(bank: &Bank, key: &str, body: &Value) -> Reply {
    let asked = bank.ask(Method::POST, "/v1/transactions").once(key);
    asked.body(&body.to_string()).send().await
}

async fn look_up(bank: &Bank, key: &str) -> Reply {
    bank.get(&format!("/v1/idempotency-keys/{key}")).await
}

#[tokio::test]
async fn sixty_four_copies_at_once_are_one_transaction_in_equal_bytes() {
    let here = Bank::open_with(&["--lanes", "2"]).await;
    let there = Bank::open_on(&here.database_url, &[]).await;
    let account = here.account_with("0").await;
    for number in 0..20 {
        let key = format!("copy-{number}");
        let body = json!({"postings": [usd("world", &account, "1")], "reference": key});
        let replies = at_once((0..64).map(|copy| {
            // Some meet in one service, some in two.
            let bank = if number % 2 == 0 && copy % 2 == 0 {
                &there
            } else {
                &here
            };
            post(bank, &key, &body)
        }));
        let replies = replies.await;
        let text = &replies[0].text;
        for reply in &replies {
            assert_eq!((reply.status, &reply.text), (201, text), "{reply:?}");
            for name in ["location", "etag"] {
                assert_eq!(reply.headers[name], replies[0].headers[name]);
            }
        }
        let first = replies.iter().filter(|reply| !reply.is_replayed());
        assert_eq!(first.count(), 1, "one of them was the first");
    }
    let shown = here.shown(&format!("/v1/accounts/{account}")).await;
    assert_eq!(
        (&shown["balance"], &shown["version"]),
        (&json!("20.00"), &json!(21))
    );
    there.stop().await;
    here.close().await;
}

#[tokio::test]
async fn a_key_is_the_same_quoted_and_bare_and_another_body_is_another_request() {
    let bank = Bank::open().await;
    let account = bank.account_with("0").await;
    let body = json!({"postings": [usd("world", &account, "1")], "reference": "a"});
    let first = post(&bank, "\"k-1\"", &body).await;
    let id = id_of(&first);
    let again = post(&bank, "k-1", &body).await;
    assert_eq!((&again.text, again.is_replayed()), (&first.text, true));
    // The same in other letters is the same request.
    let spaced = format!(
        r#"{{ "reference":"\u0061", "postings":[{{"currency":"USD","amount":"1","to":"{account}","from":"world"}}] }}"#
    );
    let asked = bank.ask(Method::POST, "/v1/transactions").once("k-1");
    assert_eq!(asked.body(&spaced).send().await.text, first.text);
    for other in [
        json!({"postings": [usd("world", &account, "1.00")], "reference": "a"}),
        json!({"postings": [usd("world", &account, "1")], "reference": "b"}),
        json!({"postings": [usd("world", &account, "1")]}),
        json!({"postings": [usd("world", &account, "1")], "reference": "a", "metadata": {"a": ""}}),
    ] {
        let reply = post(&bank, "k-1", &other).await;
        assert_refused(&reply, 422, "idempotency_key_reused", &other.to_string());
        assert_eq!(reply.json()["transaction"], id, "{reply:?}");
        assert!(!reply.is_replayed());
    }
    let elsewhere = bank.ask(Method::POST, "/v1/accounts").once("k-1");
    let elsewhere = elsewhere.body(r#"{"currency":"USD"}"#).send().await;
    assert_refused(&elsewhere, 422, "idempotency_key_reused", "another path");
    // The path alone is another.
    let freeze = async |verb: &str| {
        let path = format!("/v1/accounts/{account}/{verb}");
        let asked = bank.ask(Method::POST, &path).once("k-2");
        asked.with("If-Match", "*").send().await
    };
    assert_eq!(freeze("freeze").await.status, 200);
    let thawed = freeze("unfreeze").await;
    assert_refused(&thawed, 422, "idempotency_key_reused", "another path");
    bank.set_status_of(&account, "unfreeze").await;
    let headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")];
    let body = body.to_string();
    let twice = bank.send(Method::POST, "/v1/transactions", &headers, Some(&body));
    assert_refused(&twice.await, 400, "idempotency_key_invalid", "two lines");
    for odd in ["\"a\";p=1", "\"a\", \"b\"", "\"\"", "a b", &"k".repeat(256)] {
        let asked = bank.ask(Method::POST, "/v1/transactions").once(odd);
        let reply = asked.body(&body).send().await;
        assert_refused(&reply, 400, "idempotency_key_invalid", odd);
    }
    bank.close().await;
}

#[tokio::test]
async fn refusals_of_the_ledger_are_remembered_and_others_are_not() {
    let bank = Bank::open().await;
    let account = bank.account_with("1").await;
    let out = json!({"postings": [usd(&account, "world", "5")]});
    let refused = post(&bank, "poor", &out).await;
    assert_refused(&refused, 422, "insufficient_funds", "5");
    assert_eq!(
        bank.transact(&[usd("world", &account, "9")]).await.status,
        201
    );
    let again = post(&bank, "poor", &out).await;
    assert_eq!((&again.text, again.is_replayed()), (&refused.text, true));
    assert_eq!(again.headers["content-type"], "application/problem+json");
    let nobody = json!({"postings": [usd("world", "000000000000", "5")]});
    let first = post(&bank, "nobody", &nobody).await;
    assert_refused(&first, 422, "account_not_found", "nobody");
    assert_eq!(post(&bank, "nobody", &nobody).await.text, first.text);
    let version = |version: i64| {
        let conditions = json!([{"account": account, "version": version}]);
        json!({"postings": [usd(&account, "world", "1")], "conditions": conditions})
    };
    let stale = post(&bank, "stale", &version(2)).await;
    assert_refused(&stale, 409, "version_mismatch", "2");
    assert_eq!(post(&bank, "stale", &version(2)).await.text, stale.text);
    // What is not valid is not remembered, neither is what is not there.
    let odd = json!({"postings": [usd("world", &account, "0")]});
    assert_eq!(post(&bank, "mended", &odd).await.status, 400);
    let precise = json!([{"account": account, "balance_at_least": "0.001"}]);
    let precise = json!({"postings": [usd("world", &account, "1")], "conditions": precise});
    assert_eq!(post(&bank, "mended", &precise).await.status, 400);
    let nothing = "/v1/transactions/01890000-0000-7000-8000-000000000000/reversal";
    let nothing = bank.ask(Method::POST, nothing).once("mended").send().await;
    assert_refused(&nothing, 404, "not_found", "no such transaction");
    let mended = json!({"postings": [usd("world", &account, "1")]});
    assert_eq!(post(&bank, "mended", &mended).await.status, 201);
    bank.close().await;
}

#[tokio::test]
async fn a_key_is_looked_up_before_what_it_was_used_for_is_not_found() {
    let bank = Bank::open().await;
    let account = bank.account_with("1").await;
    let body = json!({"postings": [usd("world", &account, "5")]});
    assert_eq!(post(&bank, "k", &body).await.status, 201);
    for (path, what) in [
        (
            "/v1/holds/01890000-0000-7000-8000-000000000000/void",
            "no such hold",
        ),
        ("/v1/holds/x/void", "no hold"),
        ("/v1/accounts/000000000000/freeze", "no such account"),
        ("/v1/accounts/x/freeze", "no account"),
        ("/v1/transactions/x/reversal", "no transaction"),
    ] {
        let asked = bank.ask(Method::POST, path).once("k").with("If-Match", "*");
        assert_refused(&asked.send().await, 422, "idempotency_key_reused", what);
    }
    bank.close().await;
}

#[tokio::test]
async fn what_is_known_of_a_key_is_told() {
    let bank = Bank::open().await;
    let account = bank.account_with("1").await;
    for path in ["nothing", "a%2Fb"] {
        assert_refused(&look_up(&bank, path).await, 404, "not_found", path);
    }
    for path in ["%20", "%zz", "%00", "%C3%A4"] {
        assert_refused(
            &look_up(&bank, path).await,
            400,
            "idempotency_key_invalid",
            path,
        );
    }
    let made = post(
        &bank,
        "a/b%",
        &json!({"postings": [usd("world", &account, "5")]}),
    )
    .await;
    let known = look_up(&bank, "a%2Fb%25").await;
    let id = id_of(&made);
    let expected = json!({
        "key": "a/b%", "state": "done", "status": 201, "transaction": id,
        "location": made.headers["location"],
    });
    assert_eq!(known.json(), expected);
    assert_eq!(known.headers["cache-control"], "no-store");
    let out = json!({"postings": [usd("world", &account, "1"), usd(&account, "world", "50")]});
    let refused = post(&bank, "poor", &out).await;
    let known = look_up(&bank, "poor").await.json();
    assert_eq!(known["problem"], refused.json(), "as it was answered");
    assert_eq!(
        (&known["state"], &known["status"]),
        (&json!("done"), &json!(422))
    );
    assert_eq!(known.get("transaction"), None, "{known}");
    bank.close().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn what_a_key_is_known_for_is_the_status_and_place_of_its_answer() {
    let bank = Bank::open().await;
    let account = bank.account_with("10").await;
    let hold = json!({"account": account, "amount": "1", "currency": "USD"});
    let placed = bank.hold(&account, "2").await;
    let captured = bank.hold(&account, "2").await;
    let deposit = json!({"postings": [usd("world", &account, "1")]});
    let deposit = id_of(&bank.command("/v1/transactions", &deposit).await);
    for (at, (method, path, body)) in [
        (
            Method::POST,
            "/v1/accounts".to_owned(),
            json!({"currency": "USD"}),
        ),
        (
            Method::PATCH,
            format!("/v1/accounts/{account}"),
            json!({"metadata": {"a": "b"}}),
        ),
        (Method::PATCH, format!("/v1/accounts/{account}"), json!({})),
        (
            Method::POST,
            format!("/v1/accounts/{account}/freeze"),
            json!({}),
        ),
        (
            Method::POST,
            format!("/v1/accounts/{account}/unfreeze"),
            json!({}),
        ),
        (Method::POST, "/v1/holds".to_owned(), hold.clone()),
        (
            Method::PATCH,
            format!("/v1/holds/{placed}"),
            json!({"amount": "1"}),
        ),
        (Method::POST, format!("/v1/holds/{placed}/void"), json!({})),
        (
            Method::POST,
            format!("/v1/holds/{captured}/captures"),
            json!({"to": "world"}),
        ),
        (
            Method::POST,
            format!("/v1/transactions/{deposit}/reversal"),
            json!({}),
        ),
        (Method::POST, "/v1/users".to_owned(), json!({"name": "Ada"})),
        (
            Method::POST,
            "/v1/books".to_owned(),
            json!({"name": "shop"}),
        ),
        (
            Method::POST,
            "/v1/books".to_owned(),
            json!({"name": "shop"}),
        ),
        (
            Method::POST,
            format!("/v1/accounts/{account}/close"),
            json!({}),
        ),
        (Method::POST, format!("/v1/holds/{placed}/void"), json!({})),
        (
            Method::POST,
            "/v1/holds".to_owned(),
            json!({"account": account, "amount": "99", "currency": "USD"}),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let key = format!("known-{at}");
        let asked = bank.ask(method, &path).once(&*key).with("If-Match", "*");
        let reply = asked.body(&body.to_string()).send().await;
        let known = look_up(&bank, &key).await.json();
        assert_eq!(known["status"], reply.status, "{path}: {known} {reply:?}");
        let location = reply.headers.get("location").map(String::as_str);
        assert_eq!(known["location"].as_str(), location, "{path}: {known}");
        if 400 <= reply.status {
            assert_eq!(known["problem"], reply.json(), "{path}");
        } else {
            assert!(known["transaction"].is_string(), "{path}: {known}");
        }
    }
    bank.close().await;
}

#[tokio::test]
async fn while_the_first_has_no_answer_the_next_waits_and_is_told_so() {
    let bank = Bank::open().await;
    let account = bank.account_with("1").await;
    let id = passbook::ledger::AccountId::parse_number(&account).expect("a number");
    let body = json!({"postings": [usd("world", &account, "5")]});
    let mut locked = bank.lock_account(id.0).await;
    let others = async {
        locked.is_waited_for().await;
        let known = look_up(&bank, "slow").await;
        assert_eq!(known.text, r#"{"key":"slow","state":"running"}"#);
        let second = post(&bank, "slow", &body).await;
        locked.release().await;
        second
    };
    let (first, second) = tokio::join!(post(&bank, "slow", &body), others);
    assert_refused(&second, 409, "idempotency_key_in_use", "the second");
    assert_eq!(second.headers["retry-after"], "1");
    // The first has an answer, or is told to ask again; whoever does is answered, and it is done once.
    assert!([201, 503].contains(&first.status), "{first:?}");
    let again = post(&bank, "slow", &body).await;
    assert_eq!(again.status, 201, "{again:?}");
    let shown = bank.shown(&format!("/v1/accounts/{account}")).await;
    assert_eq!(shown["balance"], "6.00");
    assert_eq!(look_up(&bank, "slow").await.json()["state"], "done");
    bank.close().await;
}

#[tokio::test]
async fn who_waits_for_a_short_first_gets_its_answer() {
    let bank = Bank::open().await;
    let account = bank.account_with("1").await;
    let id = passbook::ledger::AccountId::parse_number(&account).expect("a number");
    let body = json!({"postings": [usd("world", &account, "5")]});
    let mut locked = bank.lock_account(id.0).await;
    let release = async {
        locked.is_waited_for().await;
        locked.release().await;
    };
    let copies = at_once((0..8).map(|_| post(&bank, "short", &body)));
    let (copies, ()) = tokio::join!(copies, release);
    for reply in &copies {
        assert_eq!(
            (reply.status, &reply.text),
            (201, &copies[0].text),
            "{reply:?}"
        );
    }
    bank.close().await;
}

#[tokio::test]
async fn keys_are_not_needed_if_who_runs_it_says_so() {
    let bank = Bank::open_with(&["--require-keys", "false"]).await;
    let opened = bank
        .ask(Method::POST, "/v1/accounts")
        .body(r#"{"currency":"USD"}"#);
    let account = id_of(&opened.send().await);
    let path = format!("/v1/accounts/{account}/freeze");
    let frozen = bank.ask(Method::POST, &path).with("If-Match", "\"1\"");
    assert_eq!(frozen.send().await.status, 200);
    let odd = bank.ask(Method::POST, "/v1/accounts").once("a b");
    let odd = odd.body(r#"{"currency":"USD"}"#).send().await;
    assert_refused(&odd, 400, "idempotency_key_invalid", "one that is none");
    bank.close().await;
}

#[tokio::test]
async fn a_reset_of_a_book_frees_no_key_of_it() {
    let bank = Bank::open_with(&["--allow-reset"]).await;
    let open = async |key: &str, currency: &str| {
        let asked = bank.ask(Method::POST, "/v1/accounts").once(key);
        let asked = asked.with("Passbook-Book", "events");
        let body = json!({"currency": currency}).to_string();
        asked.body(&body).send().await
    };
    let first = open("k", "USD").await;
    let id = id_of(&first);
    assert_eq!(bank.post("/reset", "").await.status, 200);
    let again = open("k", "USD").await;
    assert_eq!((&again.text, again.is_replayed()), (&first.text, true));
    assert_refused(
        &open("k", "EUR").await,
        422,
        "idempotency_key_reused",
        "other",
    );
    // The account is of a sealed book: read, and not written.
    let in_events = async |method: Method, path: String, body: Value| {
        let asked = bank.change(method, &path).with("Passbook-Book", "events");
        asked.body(&body.to_string()).send().await
    };
    let path = format!("/v1/accounts/{id}");
    let shown = bank.ask(Method::GET, &path).with("Passbook-Book", "events");
    assert_eq!(shown.send().await.status, 200);
    let deposit = json!({"postings": [usd("world", &id, "1")]});
    let hold = json!({"account": id, "amount": "1", "currency": "USD"});
    for (path, body) in [
        ("/v1/transactions", deposit),
        ("/v1/holds", hold),
        (&*format!("{path}/freeze"), json!({})),
        (&*format!("{path}/close"), json!({})),
    ] {
        let reply = in_events(Method::POST, path.to_owned(), body).await;
        assert_refused(&reply, 422, "account_closed", path);
    }
    bank.close().await;
}

#[tokio::test]
async fn an_answer_that_was_lost_is_found_under_its_key() {
    let bank = Bank::open().await;
    let account = bank.account_with("0").await;
    let body = json!({"postings": [usd("world", &account, "5")]}).to_string();
    let request = bank.client.post(bank.url("/v1/transactions"));
    let request = request.header("Content-Type", "application/json");
    let request = request.header("Idempotency-Key", "lost").body(body);
    // A client that does not wait.
    drop(request.timeout(Duration::from_micros(1)).send().await);
    let request = json!({"postings": [usd("world", &account, "5")]});
    let reply = post(&bank, "lost", &request).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    eventually("it is done once", async || {
        let shown = bank.shown(&format!("/v1/accounts/{account}")).await;
        shown["balance"] == "5.00"
    })
    .await;
    bank.close().await;
}
