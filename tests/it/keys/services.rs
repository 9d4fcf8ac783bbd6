//! What services know of keys that come and go behind their backs, and with the database away.

use std::collections::HashSet;

use passbook::ledger::access::{PrincipalId, Scope};
use passbook::ledger::{BookName, CallerId, Fault};
use passbook::service::access::Refused;
use passbook::service::native::Principal;
use serde_json::{Value, json};

use super::{id, keys_json, secret};
use crate::support::bank::at_once;
use crate::support::proxy::{Door, Proxy};
use crate::support::{Bank, eventually};

#[tokio::test]
async fn what_one_service_did_holds_there_at_once_and_soon_everywhere() {
    let here = Bank::open().await;
    let there = Bank::open_on(&here.database_url, &[]).await;
    let made = here
        .make_key(&json!({"name": "shop", "scopes": ["read"]}))
        .await;
    let key = secret(&made);
    assert_eq!(here.check(&key), Ok(Scope::Read));
    there.knows(&key, Ok(Scope::Read)).await;
    here.revoke_key(&id(&made)).await;
    assert_eq!(here.check(&key), Err(Refused::Revoked));
    there.knows(&key, Err(Refused::Revoked)).await;
    // What tells the others that they have to ask.
    let counted = "select count from access_changes";
    assert_eq!(here.number(counted).await, 2);
    there.stop().await;
    here.close().await;
}

/// Who shows any of its keys is one caller in a book, whichever service is asked first.
#[tokio::test]
async fn a_service_is_one_caller_in_each_book() {
    let here = Bank::open().await;
    let there = Bank::open_on(&here.database_url, &[]).await;
    let books = json!({"name": "shop", "books": ["main", "events"]});
    let (first, second) = (here.make_key(&books).await, here.make_key(&books).await);
    let other = here.make_key(&json!({"name": "other"})).await;
    let principal = |made: &Value| {
        let granted = here.app.service().access().check(&secret(made));
        Principal::Service(granted.expect("granted").principal)
    };
    assert_eq!(principal(&first), principal(&second));
    assert_ne!(principal(&first), principal(&other));
    let mut callers = HashSet::from([CallerId::ANYONE]);
    for made in [&first, &other] {
        for book in [BookName::MAIN, BookName::EVENTS] {
            let asked = at_once((0..8).map(|number| {
                let bank = if number % 2 == 0 { &here } else { &there };
                bank.app.service().who(principal(made), book)
            }));
            let ids = asked.await.into_iter().map(|who| {
                let who = who.expect("an answer").expect("a book");
                who.id
            });
            let ids: HashSet<CallerId> = ids.collect();
            assert_eq!(ids.len(), 1, "{ids:?}");
            assert!(callers.is_disjoint(&ids), "{ids:?}");
            callers.extend(ids);
        }
    }
    let nobody = Principal::Service(PrincipalId(999));
    let nobody = here.app.service().who(nobody, BookName::MAIN).await;
    assert_eq!(nobody.err(), Some(Fault::Unavailable));
    there.stop().await;
    here.close().await;
}

#[tokio::test]
async fn a_key_ends_when_its_time_is_over_and_nobody_is_told() {
    let bank = Bank::open().await;
    let made = bank
        .make_key(&json!({"name": "shop", "expires_in": "2s"}))
        .await;
    let key = secret(&made);
    bank.knows(&key, Err(Refused::Expired)).await;
    let over = "select count(*) from api_keys where expires_at <= now()";
    eventually("it is over by the database's clock", async || {
        bank.number(over).await == 1
    })
    .await;
    // What ended long ago is forgotten.
    bank.tamper(
        "update api_keys set created_at = now() - interval '26 hours', expires_at = now() - interval '25 hours';
        update access_changes set count = count + 1",
    )
    .await;
    bank.knows(&key, Err(Refused::Unknown)).await;
    bank.close().await;
}

#[tokio::test]
async fn a_service_that_cannot_ask_goes_on_for_a_while_and_then_refuses() {
    let (proxy, direct) = Proxy::to_new_database().await;
    let bank = Bank::open_on(&proxy.database_url, &[]).await;
    let (kept, lost) = (
        keys_json(&direct, &["create", "kept"]),
        keys_json(&direct, &["create", "lost"]),
    );
    let (kept_key, lost_key) = (secret(&kept), secret(&lost));
    bank.knows(&kept_key, Ok(Scope::Write)).await;
    bank.knows(&lost_key, Ok(Scope::Write)).await;
    proxy.set_door(Door::Shut);
    proxy.silence();
    assert_eq!(bank.check(&kept_key), Ok(Scope::Write));
    keys_json(&direct, &["revoke", &id(&lost)]);
    bank.knows(&kept_key, Err(Refused::CannotAsk)).await;
    assert_eq!(bank.check(&lost_key), Err(Refused::CannotAsk));
    proxy.set_door(Door::Open);
    bank.knows(&kept_key, Ok(Scope::Write)).await;
    assert_eq!(bank.check(&lost_key), Err(Refused::Revoked));
    bank.stop().await;
    Bank::open_on(&direct, &[]).await.close().await;
}

/// The statement may have been carried out or not: whichever it was, nobody comes in before the service has asked.
#[tokio::test]
async fn a_revocation_without_an_answer_lets_nobody_in_here() {
    let (proxy, direct) = Proxy::to_new_database().await;
    let bank = Bank::open_on(&proxy.database_url, &[]).await;
    let made = keys_json(&direct, &["create", "shop"]);
    let key = secret(&made);
    bank.knows(&key, Ok(Scope::Write)).await;
    proxy.set_door(Door::Shut);
    proxy.silence();
    let path = format!("/v1/keys/{}", id(&made));
    let reply = bank.ask(reqwest::Method::DELETE, &path).send().await;
    assert_eq!(reply.status, 503, "{reply:?}");
    assert_eq!(bank.check(&key), Err(Refused::CannotAsk));
    proxy.set_door(Door::Open);
    bank.knows(&key, Ok(Scope::Write)).await;
    bank.stop().await;
    Bank::open_on(&direct, &[]).await.close().await;
}

#[tokio::test]
async fn a_rotated_key_goes_on_until_the_overlap_is_over() {
    let bank = Bank::open().await;
    let url = &bank.database_url;
    let old = bank
        .make_key(&json!({"name": "shop", "scopes": ["admin"], "expires_in": "90d"}))
        .await;
    let other = bank.make_key(&json!({"name": "other"})).await;
    let soon = bank
        .make_key(&json!({"name": "shop", "scopes": ["admin"], "expires_in": "1h"}))
        .await;
    let new = bank
        .post(&format!("/v1/keys/{}/rotate", id(&old)), "")
        .await;
    assert_eq!(new.status, 201, "{new:?}");
    let new = new.json();
    assert_eq!(new["scopes"], json!(["read", "write", "admin"]));
    for key in [&old, &new, &soon] {
        assert_eq!(bank.check(&secret(key)), Ok(Scope::Admin));
    }
    // As long as the old one was made for, which ends in a day; what ends sooner stays as it is.
    let ends = format!(
        "select count(*) from api_keys as old, api_keys as new where old.id = '{}' and new.id = '{}'
            and old.revoked_at = new.created_at + interval '24 hours'
            and new.expires_at - new.created_at = old.expires_at - old.created_at",
        id(&old),
        id(&new)
    );
    assert_eq!(bank.number(&ends).await, 1);
    assert_eq!(
        bank.number("select count(*) from api_keys where revoked_at is not null")
            .await,
        1
    );
    // By name, without an overlap: the youngest is rotated, and all the others end.
    let last = keys_json(url, &["rotate", "shop", "--overlap", "0s"]);
    bank.knows(&secret(&last), Ok(Scope::Admin)).await;
    for key in [&old, &new, &soon] {
        bank.knows(&secret(key), Err(Refused::Revoked)).await;
    }
    assert_eq!(bank.check(&secret(&other)), Ok(Scope::Write));
    let gone = bank
        .post(&format!("/v1/keys/{}/rotate", id(&old)), "")
        .await;
    assert_eq!(gone.status, 404, "{gone:?}");
    bank.close().await;
}

/// Each ends the keys of all before it, whoever else is at it.
#[tokio::test]
async fn of_rotations_at_the_same_time_one_key_is_left() {
    let here = Bank::open().await;
    let there = Bank::open_on(&here.database_url, &[]).await;
    for round in 1..=5 {
        let first = here
            .make_key(&json!({"name": format!("shop-{round}")}))
            .await;
        let path = format!("/v1/keys/{}/rotate", id(&first));
        let replies = at_once((0..8).map(|number| {
            let bank = if number % 2 == 0 { &here } else { &there };
            bank.post(&path, r#"{"overlap":"1h"}"#)
        }));
        let keys: Vec<_> = replies
            .await
            .iter()
            .map(|reply| {
                assert_eq!(reply.status, 201, "{reply:?}");
                reply.json()
            })
            .collect();
        let ids: HashSet<String> = keys.iter().map(id).collect();
        assert_eq!(ids.len(), 8);
        let living = format!(
            "select count(*) from api_keys join principals on principals.id = principal_id
            where name = 'shop-{round}' and revoked_at is null"
        );
        assert_eq!(here.number(&living).await, 1);
        let written = "select count(*) from audit_events where action = 'key_rotated'";
        assert_eq!(here.number(written).await, 8 * round);
    }
    let counted = "select count - (select count(*) from api_keys) from access_changes";
    assert_eq!(here.number(counted).await, 0);
    there.stop().await;
    here.close().await;
}
