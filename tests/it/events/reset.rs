//! `POST /reset`: a new, empty book, and nothing is deleted.

use passbook::ledger::{AccountId, AccountRef, Rejection};
use reqwest::Method;

use super::{balance, bank, deposit, said, withdraw};
use crate::support::bank::{at_once, transfer};
use crate::support::{Bank, Reply};

async fn reset(bank: &Bank) -> Reply {
    bank.send(Method::POST, "/reset", &[], None).await
}

async fn reset_once(bank: &Bank, key: &str) -> Reply {
    bank.ask(Method::POST, "/reset").once(key).send().await
}

#[tokio::test]
async fn a_reset_starts_an_empty_book_and_keeps_the_old_one_sealed() {
    let bank = bank().await;
    deposit(&bank, "a", "10").await;
    assert_eq!(said(&reset(&bank).await), (200, "OK"));
    assert_eq!(said(&balance(&bank, "a").await), (404, "0"));
    assert_eq!(said(&withdraw(&bank, "a", "1").await), (404, "0"));
    let answer = r#"{"destination":{"id":"a","balance":3}}"#;
    assert_eq!(said(&deposit(&bank, "a", "3").await), (201, answer));
    let books = "select count(*) from books where name = 'events' and (sealed_at is null) = ";
    assert_eq!(bank.number(&format!("{books} true")).await, 1);
    assert_eq!(bank.number(&format!("{books} false")).await, 1);
    // Both accounts called a are there; the audit at the end checks the old one as well.
    let balances: Vec<(String,)> = bank
        .rows("select balance::text from accounts order by id")
        .await;
    let balances: Vec<&str> = balances.iter().map(|(balance,)| balance.as_str()).collect();
    assert_eq!(balances, ["10.00", "3.00"]);
    bank.close().await;
}

#[tokio::test]
async fn a_reset_leaves_the_other_dialects_alone() {
    let bank = bank().await;
    let user = bank.user("5").await;
    reset(&bank).await;
    assert_eq!(user.balance().await, "5.00");
    assert_eq!(user.change("-2").await.status, 200);
    bank.close().await;
}

#[tokio::test]
async fn a_reset_is_refused_unless_it_was_allowed() {
    let bank = Bank::open().await;
    deposit(&bank, "a", "10").await;
    assert_eq!(said(&reset(&bank).await), (404, r#"{"error":"Not found"}"#));
    assert_eq!(said(&balance(&bank, "a").await), (200, "10"));
    bank.close().await;
}

#[tokio::test]
async fn another_service_sees_the_new_book_at_once() {
    let here = bank().await;
    let there = Bank::open_on(&here.database_url, &["--allow-reset"]).await;
    deposit(&here, "a", "10").await;
    // Both know the book, and the account in it.
    assert_eq!(deposit(&there, "a", "1").await.status, 201);
    assert_eq!(deposit(&here, "a", "1").await.status, 201);
    reset(&there).await;
    // Not even a refusal is given from the old book.
    assert_eq!(said(&withdraw(&here, "a", "100").await), (404, "0"));
    assert_eq!(said(&withdraw(&here, "a", "1").await), (404, "0"));
    reset(&here).await;
    let answer = r#"{"destination":{"id":"a","balance":2}}"#;
    assert_eq!(said(&deposit(&there, "a", "2").await), (201, answer));
    assert_eq!(said(&balance(&here, "a").await), (200, "2"));
    there.stop().await;
    here.close().await;
}

#[tokio::test]
async fn a_key_resets_once() {
    let bank = bank().await;
    let first = reset_once(&bank, "k").await;
    assert_eq!((said(&first), first.is_replayed()), ((200, "OK"), false));
    deposit(&bank, "a", "10").await;
    let again = reset_once(&bank, "k").await;
    assert_eq!((said(&again), again.is_replayed()), ((200, "OK"), true));
    assert_eq!(said(&balance(&bank, "a").await), (200, "10"));
    // The key belongs to the request of another kind.
    let open = bank.ask(Method::POST, "/api/users").once("k").body("{}");
    assert_eq!(open.send().await.status, 422);
    bank.close().await;
}

#[tokio::test]
async fn no_money_goes_astray_between_two_books() {
    let bank = bank().await;
    let there = Bank::open_on(&bank.database_url, &["--allow-reset"]).await;
    let replies = at_once((0..300).map(async |number| {
        let bank = if number % 2 == 0 { &bank } else { &there };
        if number % 30 == 0 {
            reset(bank).await
        } else {
            deposit(bank, "a", "1").await
        }
    }))
    .await;
    let resets = replies.iter().filter(|reply| reply.status == 200).count();
    let deposits = replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!((resets, deposits), (10, 290), "{replies:?}");
    assert_eq!(bank.number("select count(*) from entries").await, 290);
    assert_eq!(bank.number("select count(*) from books").await, 12);
    let open = "select count(*) from books where name = 'events' and sealed_at is null";
    assert_eq!(bank.number(open).await, 1);
    // No entry is in a book that was sealed before it was written.
    let late = "select count(*) from entries join accounts on accounts.id = entries.account_id
        join books on books.id = accounts.book_id where books.sealed_at < entries.created_at - interval '1 second'";
    assert_eq!(bank.number(late).await, 0);
    there.stop().await;
    bank.close().await;
}

#[tokio::test]
async fn what_is_being_written_while_the_book_is_reset_goes_to_the_new_one() {
    let here = bank().await;
    let there = Bank::open_on(&here.database_url, &["--allow-reset"]).await;
    deposit(&here, "a", "10").await;
    let mut accounts = here.lock_accounts().await;
    let meanwhile = async {
        accounts.is_waited_for().await;
        let reset = reset(&there).await;
        accounts.release().await;
        reset
    };
    let (deposit, reset) = tokio::join!(deposit(&here, "a", "1"), meanwhile);
    assert_eq!(reset.status, 200);
    let answer = r#"{"destination":{"id":"a","balance":1}}"#;
    assert_eq!(said(&deposit), (201, answer));
    assert_eq!(said(&balance(&here, "a").await), (200, "1"));
    there.stop().await;
    here.close().await;
}

/// The id of the account that has this name in the open book.
async fn account(bank: &Bank, name: &str) -> i64 {
    let sql = format!(
        "select account_id from account_names join books on books.id = book_id
        where account_names.name = '{name}' and sealed_at is null"
    );
    bank.number(&sql).await
}

/// Money to or from an account by its id, under a key if there is one.
async fn change(bank: &Bank, account: i64, kind: &str, amount: &str, key: Option<&str>) -> Reply {
    let path = format!("/accounts/{account}/transactions");
    let body = format!(r#"{{"type":"{kind}","amount":{amount}}}"#);
    let asked = bank.ask(Method::POST, &path).once(key);
    asked.body(&body).send().await
}

#[tokio::test]
async fn accounts_of_a_sealed_book_are_closed_by_their_ids_too() {
    let here = bank().await;
    let there = Bank::open_on(&here.database_url, &["--allow-reset"]).await;
    deposit(&here, "a", "10").await;
    let account = account(&here, "a").await;
    let mut firsts = Vec::new();
    for (bank, key) in [
        (&here, Some("here")),
        (&there, Some("there")),
        (&there, None),
    ] {
        let first = change(bank, account, "deposit", "1", key).await;
        assert_eq!(first.status, 201, "{first:?}");
        firsts.push(first);
    }
    let refused = change(&here, account, "withdraw", "99", Some("refused")).await;
    assert_eq!(refused.status, 422);
    reset(&here).await;

    // Both knew the account, and only one of them knows of the reset.
    let closed = (422, r#"{"error":"Account is closed"}"#);
    for bank in [&there, &here] {
        for (kind, key) in [
            ("deposit", None),
            ("withdraw", None),
            ("withdraw", Some("late")),
            ("withdraw", Some("late")),
        ] {
            let reply = change(bank, account, kind, "1", key).await;
            assert_eq!(said(&reply), closed, "{kind} {key:?}");
        }
    }
    assert_eq!(
        change(&there, account, "withdraw", "1", Some("late"))
            .await
            .headers["idempotent-replayed"],
        "true"
    );
    // What was answered before is answered again.
    for (bank, key, status) in [(&there, "here", 409), (&here, "there", 409)] {
        let again = change(bank, account, "deposit", "1", Some(key)).await;
        assert_eq!(again.status, status, "{again:?}");
        assert!(again.text.contains("Duplicate transaction"), "{again:?}");
    }
    let again = change(&there, account, "withdraw", "99", Some("refused")).await;
    assert_eq!((said(&again), again.is_replayed()), (said(&refused), true));
    // It can still be looked at.
    let path = format!("/accounts/{account}");
    let balance = here.get(&format!("{path}/balance")).await;
    assert_eq!(said(&balance), (200, r#"{"balance":13.00,"version":5}"#));
    let history = there.get(&format!("{path}/transactions")).await;
    assert_eq!(history.status, 200, "{history:?}");
    assert_eq!(said(&deposit(&there, "a", "2").await).0, 201);
    there.stop().await;
    here.close().await;
}

#[tokio::test]
async fn money_does_not_pass_between_a_sealed_book_and_an_open_one() {
    let bank = bank().await;
    let user = bank.user("10").await;
    deposit(&bank, "a", "10").await;
    let (old, users) = (
        AccountId(account(&bank, "a").await),
        AccountId(user.account().await),
    );
    reset(&bank).await;
    for (from, to) in [(old, users), (users, old)] {
        let money = transfer(&bank, AccountRef::Id(from), AccountRef::Id(to), 100);
        let answered = bank.app.service().post(money, Vec::new(), None).await;
        let closed = Rejection::AccountClosed { account: old };
        assert_eq!(answered.expect("an answer").outcome, Err(closed));
    }
    assert_eq!(user.balance().await, "10.00");
    bank.close().await;
}

#[tokio::test]
async fn an_account_is_not_called_closed_because_of_a_guess() {
    let here = bank().await;
    let there = Bank::open_on(&here.database_url, &["--allow-reset"]).await;
    deposit(&here, "a", "10").await;
    // One service remembers the book, and the other one opens the next with an account in it.
    reset(&there).await;
    deposit(&there, "b", "10").await;
    let account = account(&there, "b").await;
    let reply = change(&here, account, "deposit", "1", None).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    there.stop().await;
    here.close().await;
}

#[tokio::test]
async fn no_money_reaches_a_sealed_book_by_an_id_however_they_race() {
    let here = bank().await;
    let there = Bank::open_on(&here.database_url, &["--allow-reset"]).await;
    deposit(&here, "a", "1").await;
    let account = account(&here, "a").await;
    let replies = at_once((0..200).map(async |number| {
        let bank = if number % 2 == 0 { &here } else { &there };
        if number == 100 {
            reset(bank).await
        } else {
            change(bank, account, "deposit", "1", None).await
        }
    }))
    .await;
    let count = |status| {
        replies
            .iter()
            .filter(|reply| reply.status == status)
            .count()
    };
    assert_eq!(
        (count(200), count(201) + count(422)),
        (1, 199),
        "{replies:?}"
    );
    let entries = here
        .number(&format!(
            "select count(*) from entries where account_id = {account}"
        ))
        .await;
    assert_eq!(
        entries,
        i64::try_from(count(201)).expect("a small number") + 1
    );
    assert_eq!(
        change(&there, account, "deposit", "1", None).await.status,
        422
    );
    there.stop().await;
    here.close().await;
}
#[tokio::test]
async fn a_book_that_a_clock_ahead_of_ours_opened_is_reset_all_the_same() {
    let bank = bank().await;
    bank.plant("update books set opened_at = now() + interval '4 seconds' where name = 'events'")
        .await;
    deposit(&bank, "a", "10").await;
    for _ in 0..2 {
        assert_eq!(said(&reset(&bank).await), (200, "OK"));
        let answer = r#"{"destination":{"id":"a","balance":3}}"#;
        assert_eq!(said(&deposit(&bank, "a", "3").await), (201, answer));
    }
    let early = "select count(*) from accounts join books on books.id = book_id
        where accounts.opened_at < books.opened_at or books.sealed_at < accounts.opened_at";
    assert_eq!(bank.number(early).await, 0);
    bank.close().await;
}
