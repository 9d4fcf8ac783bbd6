//! `/v1/users`: people who may own accounts.

use serde_json::{Value, json};

use super::{assert_refused, assert_strict, texts};
use crate::support::Bank;
use crate::support::native::id_of;

#[tokio::test]
async fn a_user_is_opened_shown_and_found() {
    let bank = Bank::open().await;
    assert_strict(&bank, "/v1/users", &json!({})).await;
    let body = json!({"name": "Ada", "email": "Ada@Example.org"});
    let opened = bank.command("/v1/users", &body).await;
    let id = id_of(&opened);
    assert_eq!(opened.status, 201);
    assert_eq!(opened.headers["location"], format!("/v1/users/{id}"));
    assert_eq!(opened.headers["cache-control"], "no-store");
    let at = opened.json()["created_at"].clone();
    let expected =
        format!(r#"{{"id":"{id}","name":"Ada","email":"Ada@Example.org","created_at":{at}}}"#);
    assert_eq!(opened.text, expected);
    let shown = bank.get(&format!("/v1/users/{id}")).await;
    assert_eq!((shown.status, &shown.text), (200, &opened.text));
    let nobody = bank.command("/v1/users", &json!({})).await;
    assert_eq!(
        (&nobody.json()["name"], &nobody.json()["email"]),
        (&Value::Null, &Value::Null)
    );
    // However it is typed, an email is one.
    for email in ["Ada@Example.org", "ada@example.ORG"] {
        let taken = bank.command("/v1/users", &json!({"email": email})).await;
        assert_refused(&taken, 409, "email_taken", email);
        let found = bank.shown(&format!("/v1/users?email={email}")).await;
        assert_eq!(texts(&found["data"], "id"), [&*id], "{email}");
    }
    let none = bank.shown("/v1/users?email=bob@example.org").await;
    assert_eq!(none, json!({"data": [], "next_cursor": null}));
    let all = bank.shown("/v1/users?order=asc").await;
    assert_eq!(texts(&all["data"], "id"), [id, id_of(&nobody)]);
    bank.close().await;
}

#[tokio::test]
async fn each_fault_of_a_user_has_its_code() {
    let bank = Bank::open().await;
    for (body, pointer) in [
        (json!({"name": ""}), "/name"),
        (json!({"name": null}), "/name"),
        (json!({"name": "x".repeat(256)}), "/name"),
        (json!({"name": "a\u{0}"}), "/name"),
        (json!({"email": ""}), "/email"),
        (json!({"email": "ada"}), "/email"),
        (json!({"email": 1}), "/email"),
        (json!({"email": "ada@example.org\u{0}"}), "/email"),
        (json!({"balance": 1}), "/balance"),
    ] {
        let reply = bank.command("/v1/users", &body).await;
        assert_refused(&reply, 400, "validation_failed", &body.to_string());
        assert_eq!(reply.json()["errors"][0]["pointer"], pointer, "{reply:?}");
    }
    for id in [
        "1",
        "0",
        "-1",
        "01",
        "x",
        "9223372036854775807",
        "9223372036854775808",
        "%00",
    ] {
        let path = format!("/v1/users/{id}");
        assert_refused(&bank.get(&path).await, 404, "not_found", &path);
    }
    let odd = bank.get("/v1/users?email=ada").await;
    assert_refused(&odd, 400, "validation_failed", "no email");
    let odd = bank.get("/v1/users?name=ada").await;
    assert_refused(&odd, 400, "validation_failed", "no filter");
    bank.close().await;
}

#[tokio::test]
async fn a_user_of_v1_is_one_of_the_dialects_too() {
    let bank = Bank::open().await;
    let id = id_of(&bank.command("/v1/users", &json!({"name": "Ada"})).await);
    let owned = json!({"currency": "EUR", "owner": id});
    let account = bank.open_account(&owned).await;
    let list = bank.shown(&format!("/v1/accounts?owner={id}")).await;
    assert_eq!(texts(&list["data"], "id"), [account]);
    let path = format!("/api/users/{id}/balance");
    let reply = bank.put(&path, r#"{"amount":5}"#).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let list = bank
        .shown(&format!("/v1/accounts?owner={id}&currency=USD"))
        .await;
    assert_eq!(texts(&list["data"], "balance"), ["5.00"]);
    bank.close().await;
}
