//! `/v1/keys`: for those who administer the service.

use passbook::ledger::UserId;
use passbook::ledger::access::{Scope, ServiceName};
use passbook::service::access::{Actor, By, Event};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{id, secret};
use crate::support::{Bank, Reply};
use crate::v1::assert_problem;

const NOBODY: &str = "/v1/keys/019b7600-0000-7000-8000-00000000000c";

#[track_caller]
fn assert_refused(reply: &Reply, status: u16, code: &str, what: &str) {
    assert_eq!(reply.status, status, "{what}: {reply:?}");
    assert_eq!(assert_problem(reply, what), code, "{what}");
}

#[tokio::test]
async fn a_key_is_shown_once_and_then_listed_without_its_secret() {
    let bank = Bank::open().await;
    let first = bank.make_key(&json!({"name": "shop"})).await;
    let key = first["key"].as_str().expect("a key").to_owned();
    assert_eq!(bank.check(&secret(&first)), Ok(Scope::Write));
    assert_eq!(first["prefix"], key[..8]);
    assert_eq!(
        (&first["expires_at"], &first["revoked_at"]),
        (&Value::Null, &Value::Null)
    );
    let body = json!({"name": "audit", "scopes": ["read"], "books": ["events", "main"], "expires_in": "90d"});
    let second = bank.make_key(&body).await;
    assert_eq!(second["books"], json!(["events", "main"]));
    let pages = bank.shown("/v1/keys?limit=1").await;
    assert_eq!(pages["data"][0]["id"], second["id"]);
    let cursor = pages["next_cursor"].as_str().expect("a cursor");
    let next = bank
        .shown(&format!("/v1/keys?limit=1&cursor={cursor}"))
        .await;
    let mut without = first.clone();
    without.as_object_mut().expect("an object").remove("key");
    assert_eq!(next, json!({"data": [without], "next_cursor": null}));
    bank.revoke_key(&id(&first)).await;
    bank.revoke_key(&id(&first)).await;
    let listed = bank.shown("/v1/keys?order=asc").await;
    assert!(listed["data"][0]["revoked_at"].is_string(), "{listed}");
    let by = "anyone done passbook_runtime".to_owned();
    let event = |action: &str, key: &Value| (action.to_owned(), id(key), by.clone());
    let events = [
        event("key_made", &first),
        event("key_made", &second),
        event("key_revoked", &first),
    ];
    assert_eq!(bank.audited().await, events);
    bank.close().await;
}

#[tokio::test]
async fn what_is_asked_is_read_strictly() {
    let bank = Bank::open().await;
    for (body, pointer) in [
        (json!({}), "/name"),
        (json!({"name": "two words"}), "/name"),
        (json!({"name": "anyone"}), "/name"),
        (json!({"name": 1}), "/name"),
        (json!({"name": "shop", "scopes": []}), "/scopes"),
        (json!({"name": "shop", "scopes": "read"}), "/scopes"),
        (json!({"name": "shop", "scopes": ["all"]}), "/scopes"),
        (json!({"name": "shop", "scopes": [1]}), "/scopes"),
        (json!({"name": "shop", "books": ["nowhere"]}), "/books"),
        (json!({"name": "shop", "books": ["Main"]}), "/books"),
        (json!({"name": "shop", "expires_in": "0s"}), "/expires_in"),
        (json!({"name": "shop", "expires_in": 90}), "/expires_in"),
        (
            json!({"name": "shop", "expires_in": "3651d"}),
            "/expires_in",
        ),
        (json!({"name": "shop", "key": "k"}), "/key"),
    ] {
        let reply = bank.post("/v1/keys", &body.to_string()).await;
        assert_refused(&reply, 400, "validation_failed", &body.to_string());
        assert_eq!(reply.json()["errors"][0]["pointer"], pointer, "{body}");
    }
    let reply = bank
        .post(&format!("{NOBODY}/rotate"), r#"{"overlap":"soon"}"#)
        .await;
    assert_refused(&reply, 400, "validation_failed", "overlap");
    for path in [format!("{NOBODY}/rotate"), "/v1/keys/1/rotate".to_owned()] {
        assert_refused(&bank.post(&path, "").await, 404, "not_found", &path);
    }
    for path in [NOBODY, "/v1/keys/1"] {
        let reply = bank.ask(Method::DELETE, path).send().await;
        assert_refused(&reply, 404, "not_found", path);
    }
    assert_eq!(bank.number("select count(*) from api_keys").await, 0);
    assert_eq!(bank.number("select count(*) from audit_events").await, 0);
    bank.close().await;
}

/// The second answer could not be the first one.
#[tokio::test]
async fn a_request_that_hopes_to_be_answered_twice_is_refused() {
    let bank = Bank::open().await;
    let made = bank.make_key(&json!({"name": "shop"})).await;
    let rotate = format!("/v1/keys/{}/rotate", id(&made));
    for (path, body) in [("/v1/keys", r#"{"name":"shop"}"#), (&rotate, "")] {
        let asked = bank.ask(Method::POST, path).once("k").body(body);
        assert_refused(&asked.send().await, 400, "idempotency_key_invalid", path);
    }
    assert_eq!(bank.number("select count(*) from api_keys").await, 1);
    bank.close().await;
}

#[tokio::test]
async fn a_person_has_no_say_in_keys() {
    let bank = Bank::open().await;
    let made = bank.make_key(&json!({"name": "shop"})).await;
    let ada = r#"{"name":"ada","email":"ada@example.org","password":"Secret12"}"#;
    let signed_up = bank.post("/api/signup", ada).await;
    let cookie = &signed_up.headers["set-cookie"];
    let token = cookie.split(['=', ';']).nth(1).expect("a token");
    let one = format!("/v1/keys/{}", id(&made));
    for (method, path, body) in [
        (Method::GET, "/v1/keys", ""),
        (
            Method::POST,
            "/v1/keys",
            r#"{"name":"mine","scopes":["admin"]}"#,
        ),
        (Method::POST, &format!("{one}/rotate"), ""),
        (Method::DELETE, &one, ""),
    ] {
        let asked = bank
            .ask(method, path)
            .with("Authorization", &format!("Bearer {token}"));
        assert_refused(&asked.body(body).send().await, 403, "forbidden", path);
    }
    assert_eq!(bank.check(&secret(&made)), Ok(Scope::Write));
    assert_eq!(bank.number("select count(*) from api_keys").await, 1);
    bank.close().await;
}

#[tokio::test]
async fn what_an_administrator_did_is_written_down_with_who_and_by_which_request() {
    let bank = Bank::open().await;
    let by = |actor: Actor| By {
        actor,
        request_id: Some(Uuid::nil()),
    };
    let shop = ServiceName::parse("shop").expect("a name");
    for (actor, told) in [
        (Actor::Anyone, "anyone"),
        (Actor::Service(shop), "service shop"),
        (Actor::Person(UserId(17)), "person 17"),
        (Actor::CommandLine, "command_line"),
    ] {
        let event = Event {
            by: by(actor),
            action: "account_frozen",
            object: Some("000000000777".to_owned()),
            outcome: "refused",
            details: Some(json!({"code": "account_closed"})),
        };
        let written = bank.app.service().write_down(&event).await;
        assert_eq!(written, Ok(()));
        let last = "select concat_ws(' ', actor_kind, actor), concat_ws(' ', action, object, request_id, outcome, details)
            from audit_events order by id desc limit 1";
        let rows: Vec<(String, String)> = bank.rows(last).await;
        let what = format!(
            r#"account_frozen 000000000777 {} refused {{"code": "account_closed"}}"#,
            Uuid::nil()
        );
        assert_eq!(rows, [(told.to_owned(), what)]);
    }
    bank.close().await;
}
