//! `/v1/accounts`: opened and shown.

use reqwest::Method;
use serde_json::{Value, json};

use super::{assert_refused, assert_seen, assert_strict};
use crate::support::Bank;
use crate::support::native::{fresh_key, id_of, usd};

#[tokio::test]
async fn an_account_is_shown_as_it_was_opened() {
    let bank = Bank::open().await;
    let opened = bank
        .command("/v1/accounts", &json!({"currency": "JPY"}))
        .await;
    let id = id_of(&opened);
    assert_eq!(opened.status, 201);
    assert_eq!(opened.headers["location"], format!("/v1/accounts/{id}"));
    assert_eq!(opened.headers["etag"], "\"1\"");
    assert_eq!(opened.headers["cache-control"], "private, no-cache");
    assert_eq!(opened.headers["content-type"], "application/json");
    let json = opened.json();
    let (opened_at, updated_at) = (&json["opened_at"], &json["updated_at"]);
    assert_eq!(opened_at, updated_at);
    let expected = format!(
        r#"{{"id":"{id}","external_id":null,"owner":null,"currency":"JPY","balance":"0","held":"0","available":"0","overdraft_limit":"0","version":1,"status":"open","metadata":{{}},"opened_at":{opened_at},"updated_at":{opened_at}}}"#
    );
    assert_eq!(opened.text, expected);
    let shown = bank.get(&format!("/v1/accounts/{id}")).await;
    assert_eq!((shown.status, &shown.text), (200, &opened.text));
    assert_eq!(shown.headers["etag"], "\"1\"");
    assert_eq!(shown.headers["cache-control"], "private, no-cache");
    bank.close().await;
}

#[tokio::test]
async fn an_account_with_a_limit_or_metadata_begins_at_version_two() {
    let bank = Bank::open().await;
    let user = id_of(&bank.command("/v1/users", &json!({})).await);
    let new = json!({
        "currency": "USD", "external_id": "assets:bank:one", "owner": user,
        "overdraft_limit": "50.5", "metadata": {"team": "köln", "a.b-c_D": ""},
    });
    let opened = bank.command("/v1/accounts", &new).await;
    assert_eq!(opened.headers["etag"], "\"2\"", "{opened:?}");
    let shown = opened.json();
    for (name, value) in [
        ("external_id", json!("assets:bank:one")),
        ("owner", json!(user)),
        ("overdraft_limit", json!("50.50")),
        ("available", json!("50.50")),
        ("balance", json!("0.00")),
        ("version", json!(2)),
        ("metadata", json!({"team": "köln", "a.b-c_D": ""})),
    ] {
        assert_eq!(shown[name], value, "{name}");
    }
    let account = id_of(&opened);
    let out = bank.transact(&[usd(&account, "world", "50.50")]).await;
    assert_eq!(out.status, 201, "{out:?}");
    assert_eq!(out.json()["accounts"][0]["balance"], "-50.50");
    let out = bank.transact(&[usd(&account, "world", "0.01")]).await;
    assert_refused(&out, 422, "insufficient_funds", "beyond the limit");
    assert_seen(&out, &account, ["3", "-50.50", "0.00"]);
    // No limit and nothing said of it: as plain as any other.
    let plain = json!({"currency": "USD", "overdraft_limit": "0", "metadata": {}});
    let plain = bank.command("/v1/accounts", &plain).await;
    assert_eq!(plain.headers["etag"], "\"1\"", "{plain:?}");
    bank.close().await;
}

#[tokio::test]
async fn who_has_the_account_is_not_sent_it_again() {
    let bank = Bank::open().await;
    let account = bank.account_with("1").await;
    let path = format!("/v1/accounts/{account}");
    for (known, status) in [
        ("\"2\"", 304),
        ("W/\"2\"", 304),
        ("\"1\", \"2\"", 304),
        ("*", 304),
        ("\"1\"", 200),
        ("2", 400),
        ("\"2", 400),
    ] {
        let asked = bank.ask(Method::GET, &path).with("If-None-Match", known);
        let reply = asked.send().await;
        assert_eq!(reply.status, status, "{known}: {reply:?}");
        if status == 304 {
            assert_eq!((&*reply.text, &*reply.headers["etag"]), ("", "\"2\""));
            assert_eq!(reply.headers["cache-control"], "private, no-cache");
        }
    }
    for (query, status, code) in [
        ("min_version=2", 200, ""),
        ("min_version=1", 200, ""),
        ("min_version=3", 409, "version_mismatch"),
        ("min_version=0", 400, "validation_failed"),
        ("min_version=x", 400, "validation_failed"),
        ("min_version=2&min_version=2", 400, "validation_failed"),
        ("version=2", 400, "validation_failed"),
    ] {
        let reply = bank.get(&format!("{path}?{query}")).await;
        assert_eq!(reply.status, status, "{query}: {reply:?}");
        if status == 409 {
            assert_seen(&reply, &account, ["2", "1.00", "1.00"]);
        }
        if status != 200 {
            assert_refused(&reply, status, code, query);
        }
    }
    bank.close().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn each_fault_of_an_opening_has_its_code() {
    let bank = Bank::open().await;
    assert_strict(&bank, "/v1/accounts", &json!({"currency": "USD"})).await;
    let long = "x".repeat(501);
    let many: Value = (0..51).map(|n| (format!("n{n}"), json!(""))).collect();
    for (body, pointer) in [
        (json!({}), "/currency"),
        (json!({"currency": null}), "/currency"),
        (json!({"currency": 1}), "/currency"),
        (json!({"currency": "usd"}), "/currency"),
        (json!({"currency": "XXX"}), "/currency"),
        (json!({"currency": "USD", "owner": 1}), "/owner"),
        (json!({"currency": "USD", "owner": "01"}), "/owner"),
        (
            json!({"currency": "USD", "external_id": ""}),
            "/external_id",
        ),
        (
            json!({"currency": "USD", "external_id": "a b"}),
            "/external_id",
        ),
        (
            json!({"currency": "USD", "external_id": "x".repeat(256)}),
            "/external_id",
        ),
        (
            json!({"currency": "USD", "overdraft_limit": 1}),
            "/overdraft_limit",
        ),
        (
            json!({"currency": "USD", "overdraft_limit": "-1"}),
            "/overdraft_limit",
        ),
        (
            json!({"currency": "USD", "overdraft_limit": "1.001"}),
            "/overdraft_limit",
        ),
        (
            json!({"currency": "JPY", "overdraft_limit": "1.0"}),
            "/overdraft_limit",
        ),
        (json!({"currency": "USD", "metadata": null}), "/metadata"),
        (
            json!({"currency": "USD", "metadata": {"a": 1}}),
            "/metadata/a",
        ),
        (
            json!({"currency": "USD", "metadata": {"a": long}}),
            "/metadata/a",
        ),
        (
            json!({"currency": "USD", "metadata": {"a b": ""}}),
            "/metadata/a b",
        ),
        (
            json!({"currency": "USD", "metadata": {"a/~": ""}}),
            "/metadata/a~1~0",
        ),
        (json!({"currency": "USD", "metadata": many}), "/metadata"),
    ] {
        let reply = bank.command("/v1/accounts", &body).await;
        assert_refused(&reply, 400, "validation_failed", &body.to_string());
        assert_eq!(reply.json()["errors"][0]["pointer"], pointer, "{reply:?}");
    }
    let twice = r#"{"currency":"USD","currency":"USD"}"#;
    let twice = bank.change(Method::POST, "/v1/accounts").body(twice);
    let reply = twice.send().await;
    assert_refused(
        &reply,
        400,
        "validation_failed",
        "a field that is there twice",
    );
    assert_eq!(reply.json()["errors"][0]["pointer"], "/currency");
    let reply = bank
        .command("/v1/accounts", &json!({"currency": "USD", "owner": "7"}))
        .await;
    assert_refused(&reply, 422, "user_not_found", "an owner who is not there");
    assert_eq!(bank.number("select count(*) from accounts").await, 0);
    bank.close().await;
}

#[tokio::test]
async fn all_faults_of_a_request_are_told_at_once() {
    let bank = Bank::open().await;
    let body = json!({"currency": 1, "owner": "x", "metadata": {"a": 1, "b": null}, "odd": 1});
    let reply = bank.command("/v1/accounts", &body).await;
    let errors = reply.json()["errors"].clone();
    let mut pointers = super::texts(&errors, "pointer");
    pointers.sort_unstable();
    let expected = ["/currency", "/metadata/a", "/metadata/b", "/odd", "/owner"];
    assert_eq!(pointers, expected, "{reply:?}");
    bank.close().await;
}

#[tokio::test]
async fn an_external_id_names_one_account_of_its_book() {
    let bank = Bank::open().await;
    let new = json!({"currency": "USD", "external_id": "till:1"});
    let key = fresh_key();
    let ask = |key: &str| {
        let asked = bank.ask(Method::POST, "/v1/accounts").once(key);
        asked.body(&new.to_string())
    };
    let account = id_of(&ask(&key).send().await);
    let taken = bank.command("/v1/accounts", &new).await;
    assert_refused(&taken, 409, "external_id_taken", "a second one");
    assert_eq!(id_of(&ask(&key).send().await), account, "its own retry");
    let book = bank.command("/v1/books", &json!({"name": "shop"})).await;
    assert_eq!(book.status, 201, "{book:?}");
    let elsewhere = ask(&fresh_key()).with("Passbook-Book", "shop").send().await;
    assert_eq!(elsewhere.status, 201, "{elsewhere:?}");
    bank.close().await;
}

#[tokio::test]
async fn what_is_no_account_is_not_there() {
    let bank = Bank::open().await;
    let account = bank.account_with("0").await;
    let mistyped = format!("{}{}", &account[..11], (account.as_bytes()[11] - 47) % 10);
    for id in [&*mistyped, "000000000000", "1", "x", "%00", "-1"] {
        let path = format!("/v1/accounts/{id}");
        assert_refused(&bank.get(&path).await, 404, "not_found", &path);
        for verb in ["freeze", "unfreeze", "close"] {
            let path = format!("{path}/{verb}");
            let reply = bank.change(Method::POST, &path).send().await;
            assert_refused(&reply, 404, "not_found", &path);
        }
        let changed = bank.change(Method::PATCH, &path).body("{}").send().await;
        assert_refused(&changed, 404, "not_found", &path);
    }
    bank.close().await;
}
