//! Accounts are changed, frozen and closed, each change against the version that its caller has read.

use reqwest::Method;
use serde_json::{Value, json};

use super::{assert_refused, assert_seen, assert_strict};
use crate::support::native::usd;
use crate::support::{Bank, Reply};

async fn patch(bank: &Bank, account: &str, body: &Value) -> Reply {
    let asked = bank.change(Method::PATCH, &format!("/v1/accounts/{account}"));
    asked.body(&body.to_string()).send().await
}

#[tokio::test]
async fn a_patch_merges_and_what_changes_nothing_is_no_entry() {
    let bank = Bank::open().await;
    let account = bank.account_with("10").await;
    for (body, version, limit, metadata) in [
        (json!({}), 2, "0.00", json!({})),
        (json!({"metadata": {"a": null}}), 2, "0.00", json!({})),
        (json!({"overdraft_limit": "0"}), 2, "0.00", json!({})),
        (json!({"overdraft_limit": "5"}), 3, "5.00", json!({})),
        (
            json!({"metadata": {"a": "1", "b": "2"}}),
            4,
            "5.00",
            json!({"a": "1", "b": "2"}),
        ),
        (
            json!({"metadata": {"a": "1"}}),
            4,
            "5.00",
            json!({"a": "1", "b": "2"}),
        ),
        (
            json!({"metadata": {"a": null, "c": "3"}}),
            5,
            "5.00",
            json!({"b": "2", "c": "3"}),
        ),
        (
            json!({"overdraft_limit": "7.5", "metadata": {"b": ""}}),
            6,
            "7.50",
            json!({"b": "", "c": "3"}),
        ),
        (json!({"metadata": null}), 7, "7.50", json!({})),
        (json!({"metadata": null}), 7, "7.50", json!({})),
    ] {
        let reply = patch(&bank, &account, &body).await;
        assert_eq!(reply.status, 200, "{body}: {reply:?}");
        assert_eq!(reply.headers["etag"], format!("\"{version}\""), "{body}");
        let shown = reply.json();
        assert_eq!(shown["overdraft_limit"], limit, "{body}");
        assert_eq!(shown["metadata"], metadata, "{body}");
        let now = bank.get(&format!("/v1/accounts/{account}")).await;
        assert_eq!(now.text, reply.text, "{body}");
    }
    bank.close().await;
}

#[tokio::test]
async fn a_change_is_of_the_version_that_was_read() {
    let bank = Bank::open().await;
    let account = bank.account_with("10").await;
    let path = format!("/v1/accounts/{account}");
    for (method, path, body) in [
        (Method::PATCH, path.clone(), r#"{"overdraft_limit":"1"}"#),
        (Method::POST, format!("{path}/freeze"), ""),
        (Method::POST, format!("{path}/unfreeze"), ""),
        (Method::POST, format!("{path}/close"), ""),
    ] {
        let ask = |tags: Option<&str>| {
            let asked = bank.ask(method.clone(), &path).once("one");
            let asked = tags
                .into_iter()
                .fold(asked, |asked, tags| asked.with("If-Match", tags));
            asked.body(body).send()
        };
        assert_refused(&ask(None).await, 428, "precondition_required", &path);
        for stale in ["\"1\"", "W/\"2\"", "\"02\"", "\"x\"", "\"1\", W/\"2\""] {
            let reply = ask(Some(stale)).await;
            assert_refused(&reply, 412, "precondition_failed", stale);
            assert_eq!(reply.headers["etag"], "\"2\"", "{stale}");
        }
        for odd in ["2", "", "\"2", "*, \"2\""] {
            assert_refused(&ask(Some(odd)).await, 400, "validation_failed", odd);
        }
    }
    assert_eq!(bank.shown(&path).await["version"], 2, "nothing was done");
    let freeze = |key: &'static str, tags: &'static str| {
        let asked = bank.ask(Method::POST, &format!("{path}/freeze")).once(key);
        asked.with("If-Match", tags).body("{}").send()
    };
    // What is refused for its version is not remembered.
    assert_eq!(freeze("k", "\"1\"").await.status, 412);
    let first = freeze("k", "\"1\", \"2\"").await;
    assert_eq!((first.status, &*first.headers["etag"]), (200, "\"3\""));
    let again = freeze("k", "\"2\"").await;
    assert_eq!((&again.text, again.is_replayed()), (&first.text, true));
    assert_eq!(again.headers["etag"], first.headers["etag"]);
    assert_refused(
        &freeze("other", "\"2\"").await,
        412,
        "precondition_failed",
        "stale",
    );
    bank.set_status_of(&account, "unfreeze").await;
    bank.close().await;
}

#[tokio::test]
async fn each_fault_of_a_patch_has_its_code() {
    let bank = Bank::open().await;
    let account = bank.account_with("10").await;
    let path = format!("/v1/accounts/{account}");
    for (body, pointer) in [
        (json!({"odd": 1}), "/odd"),
        (json!({"status": "frozen"}), "/status"),
        (json!({"overdraft_limit": null}), "/overdraft_limit"),
        (json!({"overdraft_limit": "-1"}), "/overdraft_limit"),
        (json!({"metadata": []}), "/metadata"),
        (json!({"metadata": {"a": 1}}), "/metadata/a"),
    ] {
        let reply = patch(&bank, &account, &body).await;
        assert_refused(&reply, 400, "validation_failed", &body.to_string());
        assert_eq!(reply.json()["errors"][0]["pointer"], pointer, "{reply:?}");
    }
    let precise = patch(&bank, &account, &json!({"overdraft_limit": "1.001"})).await;
    assert_refused(&precise, 400, "validation_failed", "three decimals");
    for (body, status, code) in [
        ("", 400, "malformed_json"),
        ("null", 400, "validation_failed"),
    ] {
        let asked = bank.change(Method::PATCH, &path).body(body);
        assert_refused(&asked.send().await, status, code, body);
    }
    for kind in ["application/merge-patch+json", "application/json"] {
        let asked = bank.client.patch(bank.url(&path)).header("If-Match", "*");
        let sent = asked.header("Content-Type", kind).body("{}").send().await;
        assert_eq!(sent.expect("an answer").status(), 200, "{kind}");
    }
    let asked = bank.client.patch(bank.url(&path)).header("If-Match", "*");
    let sent = asked.header("Content-Type", "application/json-patch+json");
    let reply = Reply::of(sent.body("[]").send().await.expect("an answer")).await;
    assert_refused(
        &reply,
        415,
        "unsupported_media_type",
        "another kind of patch",
    );
    let kinds = "application/merge-patch+json, application/json";
    assert_eq!(reply.headers["accept-patch"], kinds);
    // What there is and what is added are too much together.
    let some = |from: usize| -> Value {
        let members = (from..from + 30).map(|n| (format!("n{n}"), json!("x".repeat(400))));
        json!({"metadata": members.collect::<Value>()})
    };
    assert_eq!(patch(&bank, &account, &some(0)).await.status, 200);
    let more = patch(&bank, &account, &some(20)).await;
    assert_refused(&more, 400, "validation_failed", "too much together");
    assert_eq!(more.json()["errors"][0]["pointer"], "/metadata", "{more:?}");
    bank.close().await;
}

#[tokio::test]
async fn a_limit_is_not_below_what_is_used_of_it() {
    let bank = Bank::open().await;
    let new = json!({"currency": "USD", "overdraft_limit": "20"});
    let account = bank.open_account(&new).await;
    assert_eq!(
        bank.transact(&[usd(&account, "world", "10")]).await.status,
        201
    );
    let hold = bank.hold(&account, "5").await;
    let lower = patch(&bank, &account, &json!({"overdraft_limit": "14.99"})).await;
    assert_refused(&lower, 422, "insufficient_funds", "10 and 5 are used");
    assert_seen(&lower, &account, ["4", "-10.00", "5.00"]);
    let exact = patch(&bank, &account, &json!({"overdraft_limit": "15"})).await;
    assert_eq!(exact.json()["available"], "0.00", "{exact:?}");
    let path = format!("/v1/holds/{hold}/void");
    assert_eq!(bank.command(&path, &json!({})).await.status, 200);
    bank.close().await;
}

#[tokio::test]
async fn a_frozen_account_takes_money_in_and_lets_none_out() {
    let bank = Bank::open().await;
    let (account, other) = (bank.account_with("10").await, bank.account_with("0").await);
    let hold = bank.hold(&account, "4").await;
    assert_strict(&bank, &format!("/v1/accounts/{account}/freeze"), &json!({})).await;
    bank.set_status_of(&account, "freeze").await;
    bank.set_status_of(&account, "freeze").await;
    let frozen = bank.shown(&format!("/v1/accounts/{account}")).await;
    assert_eq!(
        (&frozen["status"], &frozen["version"]),
        (&json!("frozen"), &json!(4))
    );
    let new = json!({"account": account, "amount": "1", "currency": "USD"});
    let to = json!({"to": other, "amount": "1"});
    let post = |posting: Value| {
        (
            "/v1/transactions".to_owned(),
            json!({"postings": [posting]}),
        )
    };
    for (path, body) in [
        post(usd(&account, &other, "1")),
        post(usd(&account, "world", "1")),
        ("/v1/holds".to_owned(), new),
        (format!("/v1/holds/{hold}/captures"), to),
        post(json!({"hold": hold, "to": other, "amount": "1", "currency": "USD"})),
    ] {
        let reply = bank.command(&path, &body).await;
        assert_refused(&reply, 422, "account_frozen", &path);
        assert_seen(&reply, &account, ["4", "10.00", "6.00"]);
    }
    let path = format!("/v1/holds/{hold}");
    let raise = bank.change(Method::PATCH, &path).body(r#"{"amount":"5"}"#);
    assert_refused(&raise.send().await, 422, "account_frozen", "raised");
    let lower = bank.change(Method::PATCH, &path).body(r#"{"amount":"3"}"#);
    assert_eq!(lower.send().await.status, 200);
    let void = bank.command(&format!("{path}/void"), &json!({})).await;
    assert_eq!(void.status, 200, "{void:?}");
    assert_eq!(
        bank.transact(&[usd("world", &account, "1")]).await.status,
        201
    );
    assert_eq!(
        patch(&bank, &account, &json!({"metadata": {"a": "b"}}))
            .await
            .status,
        200
    );
    bank.set_status_of(&account, "unfreeze").await;
    assert_eq!(
        bank.transact(&[usd(&account, "world", "11")]).await.status,
        201
    );
    bank.close().await;
}

#[tokio::test]
async fn a_closed_account_is_only_read() {
    let bank = Bank::open().await;
    let (account, other) = (bank.account_with("10").await, bank.account_with("5").await);
    let path = format!("/v1/accounts/{account}");
    let close = async || bank.command(&format!("{path}/close"), &json!({})).await;
    let hold = bank.hold(&account, "4").await;
    assert_refused(&close().await, 409, "has_active_holds", "a hold");
    let void = bank
        .command(&format!("/v1/holds/{hold}/void"), &json!({}))
        .await;
    assert_eq!(void.status, 200);
    let full = close().await;
    assert_refused(&full, 409, "balance_not_zero", "money");
    assert_seen(&full, &account, ["4", "10.00", "10.00"]);
    assert_eq!(
        bank.transact(&[usd(&account, "world", "10")]).await.status,
        201
    );
    let closed = close().await;
    assert_eq!(
        (closed.status, &closed.json()["status"]),
        (200, &json!("closed"))
    );
    assert_eq!(
        close().await.text,
        closed.text,
        "the same again is no entry"
    );
    let new = json!({"account": account, "amount": "1", "currency": "USD"});
    for (path, body) in [
        (
            "/v1/transactions",
            json!({"postings": [usd("world", &account, "1")]}),
        ),
        (
            "/v1/transactions",
            json!({"postings": [usd(&other, &account, "1")]}),
        ),
        (
            "/v1/transactions",
            json!({"postings": [usd(&account, &other, "1")]}),
        ),
        ("/v1/holds", new),
        (&*format!("{path}/freeze"), json!({})),
        (&*format!("{path}/unfreeze"), json!({})),
    ] {
        let reply = bank.command(path, &body).await;
        assert_refused(&reply, 422, "account_closed", path);
        assert_seen(&reply, &account, ["6", "0.00", "0.00"]);
    }
    for body in [
        json!({"overdraft_limit": "1"}),
        json!({"metadata": {"a": "b"}}),
    ] {
        let reply = patch(&bank, &account, &body).await;
        assert_refused(&reply, 422, "account_closed", &body.to_string());
    }
    assert_eq!(bank.get(&path).await.text, closed.text);
    bank.close().await;
}
