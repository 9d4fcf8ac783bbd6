//! Several services on one database: the same guarantees, whoever writes behind whose back.

use passbook::ledger::{AccountId, AccountRef};
use reqwest::Method;
use serde_json::json;

use crate::support::bank::{at_once, transfer};
use crate::support::{Bank, postgres};

#[tokio::test]
async fn a_stale_head_neither_refuses_money_that_is_there_nor_spends_what_is_gone() {
    let here = Bank::open().await;
    let there = Bank::open_on(&here.database_url, &[]).await;
    let user = here.user("10").await;
    assert_eq!(user.change("-10").await.status, 200);
    let path = format!("/api/users/{}/balance", user.id);
    assert_eq!(there.put(&path, r#"{"amount":30}"#).await.status, 200);
    assert_eq!(
        user.change("-30").await.status,
        200,
        "its own memory says 0"
    );
    assert_eq!(
        there.put(&path, r#"{"amount":-30}"#).await.status,
        400,
        "its own memory says 30"
    );
    // The same where the refusal is written down, under a key.
    assert_eq!(there.put(&path, r#"{"amount":4}"#).await.status, 200);
    assert_eq!(
        user.change_once("late", "-4").await.status,
        200,
        "its own memory says 0"
    );
    assert_eq!(user.balance().await, "0.00");
    assert!(0 < here.app.service().counts().conflicts);
    assert!(0 < there.app.service().counts().conflicts);
    there.stop().await;
    here.close().await;
}

#[tokio::test]
async fn sixty_four_writers_from_two_services_lose_no_update() {
    let here = Bank::open().await;
    let there = Bank::open_on(&here.database_url, &[]).await;
    let user = here.user("0").await;
    let path = format!("/api/users/{}/balance", user.id);
    let writers = (0..64).map(|number| {
        let (bank, path) = (if number % 2 == 0 { &here } else { &there }, path.clone());
        async move {
            for _ in 0..20 {
                let reply = bank.put(&path, r#"{"amount":1}"#).await;
                assert_eq!(reply.status, 200, "a conflict is never shown: {reply:?}");
            }
        }
    });
    at_once(writers).await;
    assert_eq!(user.balance().await, "1280.00");
    let account = user.account().await;
    assert_eq!(
        here.number(&format!(
            "select version from accounts where id = {account}"
        ))
        .await,
        1_281
    );
    there.stop().await;
    here.close().await;
}

#[tokio::test]
async fn money_for_ten_is_spent_ten_times_whoever_asks() {
    let here = Bank::open().await;
    let there = Bank::open_on(&here.database_url, &[]).await;
    let user = here.user("10").await;
    let path = format!("/api/users/{}/balance", user.id);
    let replies = at_once((0..64).map(|number| {
        let bank = if number % 2 == 0 { &here } else { &there };
        bank.put(&path, r#"{"amount":-1}"#)
    }))
    .await;
    assert_eq!(
        replies.iter().filter(|reply| reply.status == 200).count(),
        10
    );
    assert_eq!(
        replies.iter().filter(|reply| reply.status == 400).count(),
        54
    );
    there.stop().await;
    here.close().await;
}

#[tokio::test]
async fn opposite_transfers_neither_deadlock_nor_lose_money() {
    let here = Bank::open().await;
    let there = Bank::open_on(&here.database_url, &[]).await;
    let (one, other) = (here.user("1000").await, here.user("1000").await);
    let (one_id, other_id) = (
        AccountId(one.account().await),
        AccountId(other.account().await),
    );
    let replies = at_once((0..400).map(|number| {
        let service = if number % 2 == 0 {
            here.app.service()
        } else {
            there.app.service()
        };
        let (from, to) = if number % 4 < 2 {
            (one_id, other_id)
        } else {
            (other_id, one_id)
        };
        let money = transfer(&here, AccountRef::Id(from), AccountRef::Id(to), 100);
        service.post(money, Vec::new(), None)
    }))
    .await;
    assert!(replies.iter().all(|reply| {
        reply
            .as_ref()
            .is_ok_and(|answered| answered.outcome.is_ok())
    }));
    assert_eq!(
        (one.balance().await, other.balance().await),
        ("1000.00".to_owned(), "1000.00".to_owned())
    );
    let deadlocks = "select deadlocks from pg_stat_database where datname = current_database()";
    assert_eq!(here.number(deadlocks).await, 0);
    there.stop().await;
    here.close().await;
}

#[tokio::test]
async fn one_name_is_opened_once_and_one_email_taken_once() {
    let euros = ["--default-currency", "EUR"];
    let dollars = Bank::open().await;
    let user = dollars.user("1").await;
    let here = Bank::open_on(&dollars.database_url, &euros).await;
    let there = Bank::open_on(&dollars.database_url, &euros).await;
    let path = format!("/api/users/{}/balance", user.id);
    let replies = at_once((0..32).map(|number| {
        let bank = if number % 2 == 0 { &here } else { &there };
        bank.put(&path, r#"{"amount":1}"#)
    }))
    .await;
    assert!(
        replies.iter().all(|reply| reply.status == 200),
        "{replies:?}"
    );
    assert_eq!(
        dollars
            .number("select count(*) from accounts where currency = 'EUR'")
            .await,
        1
    );
    assert_eq!(
        dollars
            .number("select balance::bigint from accounts where currency = 'EUR'")
            .await,
        32
    );

    let replies = at_once((0..32).map(|number| {
        let bank = if number % 2 == 0 { &here } else { &there };
        bank.post("/api/users", r#"{"email":"someone@example.org"}"#)
    }))
    .await;
    assert_eq!(
        replies.iter().filter(|reply| reply.status == 201).count(),
        1,
        "{replies:?}"
    );
    assert_eq!(
        replies.iter().filter(|reply| reply.status == 409).count(),
        31
    );
    here.stop().await;
    there.stop().await;
    dollars.close().await;
}

#[tokio::test]
async fn nothing_is_written_on_top_of_another_history_with_the_same_version() {
    let here = Bank::open().await;
    let user = here.user("10").await;
    let account = user.account().await;
    here.plant("create table backup_accounts as table accounts")
        .await;
    assert_eq!(user.change("5").await.status, 200);
    // An older dump is restored under the live service: its last entry never was.
    here.plant(&format!(
        "begin; alter table entries disable trigger all; alter table transactions disable trigger all;
         delete from transactions where id in (select transaction_id from entries where version = 3);
         delete from entries where version = 3;
         update accounts set balance = b.balance, version = b.version, seal = b.seal, last_entry_at = b.last_entry_at
         from backup_accounts b where accounts.id = b.id and b.id = {account};
         alter table entries enable always trigger entries_append_only;
         alter table entries enable always trigger entries_no_truncate;
         alter table transactions enable always trigger transactions_append_only;
         alter table transactions enable always trigger transactions_no_truncate; drop table backup_accounts; commit"
    ))
    .await;
    // Another service writes another third version.
    let there = Bank::open_on(&here.database_url, &[]).await;
    let path = format!("/api/users/{}/balance", user.id);
    assert_eq!(there.put(&path, r#"{"amount":7}"#).await.status, 200);
    assert_eq!(user.change("1").await.status, 200);
    assert_eq!(user.balance().await, "18.00");
    there.stop().await;
    here.close().await;
}

#[tokio::test]
async fn a_head_whose_version_alone_was_moved_is_not_moved_back() {
    let bank = Bank::open().await;
    let user = bank.user("10").await;
    assert_eq!(user.change("-1").await.status, 200, "its head is in memory");
    let version = "select version from accounts";
    let before = bank.number(version).await;
    bank.plant("update accounts set version = version + 5")
        .await;
    assert_eq!(user.change("-1").await.status, 200);
    assert_eq!(bank.number(version).await, before + 6);
    let report = bank.audit().await;
    assert!(!report.is_clean(), "what was done by hand is still seen");
    let url = bank.stop().await;
    postgres::drop_database(&url).await;
}

#[tokio::test]
async fn an_account_that_is_frozen_or_held_by_the_other_service_lets_nothing_out() {
    let bank = Bank::open().await;
    let there = Bank::open_on(&bank.database_url, &[]).await;
    let user = bank.user("10").await;
    assert_eq!(user.change("-1").await.status, 200, "its head is in memory");
    let account = user.account().await;
    there.set_status(account, "freeze").await;
    let reply = user.change("-1").await;
    assert_eq!(
        (reply.status, reply.message().as_str()),
        (400, "Account is frozen")
    );
    assert_eq!(user.change("1").await.status, 200, "it takes money in");
    there.set_status(account, "unfreeze").await;
    let number = AccountId(account).to_number();
    let hold = json!({"account": number, "amount": "8", "currency": "USD"});
    let placed = there.once("hold", "/v1/holds", &hold).await;
    assert_eq!(placed.status, 201, "{placed:?}");
    assert_eq!(user.change("-2").await.status, 200);
    assert_eq!(user.change("-1").await.message(), "Insufficient funds");
    there.stop().await;
    bank.close().await;
}

#[tokio::test]
async fn copies_that_arrive_together_are_told_what_the_other_service_told_of_both_accounts() {
    let here = Bank::open().await;
    let there = Bank::open_on(&here.database_url, &["--lanes", "1"]).await;
    let deposit = r#"{"type":"deposit","destination":"giver","amount":1000}"#;
    assert_eq!(here.post("/event", deposit).await.status, 201);
    let transfer = r#"{"type":"transfer","origin":"giver","destination":"taker","amount":78}"#;
    let send = |bank: &Bank| {
        let asked = bank.ask(Method::POST, "/event").once("once");
        asked.body(transfer).send()
    };
    let first = send(&here).await;
    assert_eq!(
        first.text,
        r#"{"origin":{"id":"giver","balance":922},"destination":{"id":"taker","balance":78}}"#
    );
    // They gather while the lane waits with another.
    let mut entries = here.lock_table("entries").await;
    let other = there.user("1");
    let copies = async {
        entries.is_waited_for().await;
        let copies = at_once((0..16).map(|_| send(&there)));
        let release = async {
            there.waits_with(16).await;
            entries.release().await;
        };
        tokio::join!(copies, release).0
    };
    let (_, copies) = tokio::join!(other, copies);
    for reply in copies {
        assert_eq!((reply.is_replayed(), &reply.text), (true, &first.text));
    }
    let counts = there.app.service().counts();
    assert_eq!(counts.batches, 2, "they came in one batch: {counts:?}");
    there.stop().await;
    here.close().await;
}
