//! `POST /reset`: a new, empty book, and nothing is deleted.

use reqwest::Method;
use sqlx::PgConnection;

use super::{balance, bank, deposit, said, withdraw};
use crate::support::bank::at_once;
use crate::support::{Bank, Reply, eventually};

async fn reset(bank: &Bank) -> Reply {
    bank.send(Method::POST, "/reset", &[], None).await
}

async fn reset_once(bank: &Bank, key: &str) -> Reply {
    let headers = [("Idempotency-Key", key)];
    bank.send(Method::POST, "/reset", &headers, None).await
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
    let headers = [("Idempotency-Key", "k")];
    let open = bank.send(Method::POST, "/api/users", &headers, Some("{}"));
    assert_eq!(open.await.status, 422);
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
    let mut intruder = here.intruder().await;
    run(
        &mut intruder,
        "begin; select from accounts for no key update",
    )
    .await;
    let meanwhile = async {
        let waiting = "select count(*) from pg_locks where not granted";
        eventually("the deposit waits for its account", async || {
            here.number(waiting).await == 1
        })
        .await;
        let reset = reset(&there).await;
        run(&mut intruder, "rollback").await;
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

async fn run(connection: &mut PgConnection, sql: &'static str) {
    let run = sqlx::raw_sql(sql).execute(connection).await;
    run.unwrap_or_else(|error| panic!("{sql}: {error}"));
}
