//! `passbook keys`, beside a service that runs.

use passbook::ledger::BookName;
use passbook::ledger::access::Scope;
use passbook::service::access::Refused;

use super::{id, keys, keys_json, secret};
use crate::support::Bank;
use crate::support::process::run;

#[tokio::test]
async fn a_key_is_made_shown_once_listed_and_revoked() {
    let bank = Bank::open().await;
    let url = &bank.database_url;
    let made = keys_json(url, &["create", "shop", "--expires-in", "90d"]);
    assert_eq!(made["principal"], "shop");
    assert_eq!(made["scopes"], serde_json::json!(["read", "write"]));
    assert_eq!(made["books"], serde_json::json!(["main"]));
    let lifetime =
        "select count(*) from api_keys where expires_at = created_at + interval '2160 hours'";
    assert_eq!(bank.number(lifetime).await, 1);
    let key = secret(&made);
    bank.knows(&key, Ok(Scope::Write)).await;
    let granted = bank.app.service().access().check(&key).expect("granted");
    assert_eq!(granted.key.to_string(), id(&made));
    assert_eq!(granted.name.as_str(), "shop");
    assert_eq!(granted.books, [BookName::MAIN]);

    let listed = keys_json(url, &["list"]);
    assert_eq!(listed[0]["id"], made["id"]);
    assert!(listed[0].get("key").is_none(), "{listed}");
    let asked = keys(url, &["list"]);
    let first = asked.said.lines().nth(1).expect("a line").to_owned();
    let (shown, hidden) = key.as_str().split_at(8);
    assert!(first.contains(shown) && !asked.said.contains(hidden));
    assert!(
        first.contains("read,write") && first.contains(" expires 20"),
        "{first}"
    );

    let asked = keys(url, &["revoke", &id(&made)]);
    assert!(asked.said.starts_with("revoked "), "{}", asked.said);
    bank.knows(&key, Err(Refused::Revoked)).await;
    let asked = keys(url, &["revoke", &id(&made)]);
    assert_eq!(
        (asked.code, asked.said.contains("had ended before")),
        (Some(0), true)
    );
    let asked = keys(url, &["list"]);
    assert!(asked.said.contains(" revoked 20"), "{}", asked.said);
    let by_owner = "command_line done passbook".to_owned();
    let events =
        ["key_made", "key_revoked"].map(|action| (action.to_owned(), id(&made), by_owner.clone()));
    assert_eq!(bank.audited().await, events);
    bank.close().await;
}

/// As people read it.
#[tokio::test]
async fn who_makes_a_key_by_hand_is_told_to_keep_it() {
    let bank = Bank::open().await;
    let url = &bank.database_url;
    let asked = keys(url, &["create", "shop", "--scopes", "admin"]);
    assert_eq!(asked.code, Some(0), "{}", asked.why);
    let told = asked
        .said
        .contains("scopes read, write, admin; books main; expires never");
    assert!(
        told && asked.said.contains("It is shown this once"),
        "{}",
        asked.said
    );
    let key = asked
        .said
        .lines()
        .find_map(|line| line.trim().strip_prefix("pbk_"));
    assert_eq!(key.expect("a key").len(), 49);
    // A second key of the same service, and a book that is there.
    assert_eq!(
        run(&["books", "create", "eu", "--database-url", url])
            .status
            .code(),
        Some(0)
    );
    let again = keys_json(
        url,
        &[
            "create", "shop", "--scopes", "read", "--book", "eu", "--book", "main", "--book", "eu",
        ],
    );
    assert_eq!(again["books"], serde_json::json!(["main", "eu"]));
    let other = keys_json(url, &["create", "other", "--book", "eu"]);
    assert_eq!(other["books"], serde_json::json!(["eu"]));
    let services = "select count(*) from principals where kind = 'service'";
    assert_eq!(bank.number(services).await, 2);
    bank.close().await;
}

#[tokio::test]
async fn what_cannot_be_done_is_said_and_is_not_done() {
    let bank = Bank::open().await;
    let url = &bank.database_url;
    let nobody = "019b7600-0000-7000-8000-00000000000c";
    for (args, why) in [
        (&["create", "two words"][..], "not a service's name"),
        (&["create", "anyone"], "not a service's name"),
        (&["create", "shop", "--scopes", "all"], "not a scope"),
        (&["create", "shop", "--scopes", ""], "not a scope"),
        (
            &["create", "shop", "--expires-in", "0s"],
            "longer than nothing",
        ),
        (
            &["create", "shop", "--expires-in", "1 year"],
            "not a span of time",
        ),
        (
            &["create", "shop", "--book", "nowhere"],
            "there is no book nowhere",
        ),
        (&["create", "shop", "--book", "Main"], "not a book name"),
        (
            &["rotate", "shop"],
            "shop has no key that lives: passbook keys create shop makes one",
        ),
        (&["rotate", "shop", "--overlap=-1h"], "not a span of time"),
        (&["revoke", nobody], "there is no key 019b7600"),
        (&["revoke", "pbk_1"], "invalid"),
    ] {
        let asked = keys(url, args);
        assert_eq!(asked.code, Some(2), "{args:?}: {}", asked.said);
        assert!(asked.why.contains(why), "{args:?}: {}", asked.why);
        assert_eq!(asked.said, "", "{args:?}");
    }
    let left = "select (select count(*) from api_keys) + (select count(*) from audit_events)
        + (select count(*) from principals where kind = 'service')";
    assert_eq!(bank.number(left).await, 0);
    bank.close().await;
}
