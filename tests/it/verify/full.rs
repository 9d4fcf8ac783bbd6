//! Full audits that hold what they read against what the one before saw.

use std::fs;

use serde_json::Value;

use super::since::{Books, QUIET, old_account, path};
use crate::support::process::Ended;

/// What is there besides two old accounts: a keyed deposit, a refusal and an empty one of theirs, two accounts with names
/// in a book of their own, and a currency that was added.
const OLD_ROWS: &str = "
    insert into currencies (code, name, scale, crypto, created_at) values ('DOGE', 'dogecoin', 8, true, '2026-01-01');
    insert into accounts (id, book_id, currency, version, opened_at, last_entry_at, balance, seal)
        select id, 2, 'USD', 1, '2026-01-01', '2026-01-01', 0,
            sha256(decode('00' || lpad(to_hex(id), 16, '0') || lpad('2', 16, '0') || repeat('0', 16)
                || '555344000000000000000000' || '02' || lpad(to_hex(1767225600000000), 16, '0'), 'hex'))
        from unnest(array[9011, 9012]::bigint[]) as id;
    insert into account_names values (2, 'one', 9011), (2, 'two', 9012);
    insert into transactions (id, kind, scope_kind, scope_id, created_at, account_id, account_version, idempotency_key,
            request_digest, refusal, key_hash)
        select id::uuid, kind::transaction_kind, 'account', 9001, '2026-02-01', account, version, key, sha256('asked'), refusal::jsonb,
            encode(substring(sha256(convert_to('account 9001 ' || key, 'UTF8')) for 16), 'hex')::uuid
        from (values
            ('01950000-0000-7000-8000-000000000001', 'withdrawal', null, null, 'refused',
                '{\"insufficient_funds\":{\"account\":9001,\"available\":\"700\"}}'),
            ('01950000-0000-7000-8000-000000000002', 'empty', 9001, 8, 'empty', null)
        ) as old (id, kind, account, version, key, refusal);
    create schema kept;
    create table kept.accounts as table accounts;
    create table kept.account_names as table account_names;
    create table kept.currencies as table currencies;
    create table kept.transactions as table transactions;
    create table kept.entries as table entries";

const PUT_BACK: &str = "
    delete from entries; delete from transactions; delete from account_names; delete from accounts;
    delete from currencies where code = 'DOGE';
    insert into currencies select * from kept.currencies where code = 'DOGE';
    insert into accounts select * from kept.accounts;
    insert into account_names select * from kept.account_names;
    insert into transactions select * from kept.transactions;
    insert into entries select * from kept.entries";

const WITHOUT_QUIET: &str = "
    delete from transactions where id in (select transaction_id from entries where account_id = 9001)
        or account_id = 9001 or scope_id = 9001;
    delete from entries where account_id = 9001;
    delete from accounts where id = 9001;";

fn full(books: &Books) -> (Ended, Value) {
    let checkpoint = books.checkpoint();
    books.verify(&["--full", "--since", path(&checkpoint)])
}

#[tokio::test]
async fn what_the_last_full_run_saw_is_still_there_as_it_was() {
    let books = Books::keep().await;
    books.tamper(OLD_ROWS).await;
    let (ended, report) = full(&books);
    assert_eq!(ended.code, Some(0), "{report}");
    let accounts = "accounts 9000 to 9003: not as the full audit";
    let anew = format!("{WITHOUT_QUIET} {}", old_account(QUIET, 50));
    for (edit, expected) in [
        (WITHOUT_QUIET, accounts),
        (&anew, accounts),
        (
            "delete from transactions where id in (select transaction_id from entries where account_id = 9002 and version = 8);
             delete from entries where account_id = 9002 and version = 8;
             update accounts set (version, balance, seal, last_entry_at) =
                 (select version, balance, seal, created_at from entries where account_id = 9002 and version = 7)
             where id = 9002",
            accounts,
        ),
        (
            "update account_names set account_id = case account_id when 9011 then 9012 else 9011 end",
            "accounts 9008 to 9011: not as the full audit",
        ),
        (
            "delete from transactions where id = '01950000-0000-7000-8000-000000000001'",
            "transactions from",
        ),
        (
            "update transactions set refusal = jsonb_set(refusal, '{insufficient_funds,available}', '\"1\"')
             where refusal is not null",
            "transactions from",
        ),
        (
            "update transactions set request_digest = sha256('other') where kind = 'empty'",
            "transactions from",
        ),
        (
            "update currencies set name = 'dollar' where code = 'DOGE'",
            "currency DOGE: is not as the full audit",
        ),
        (
            "delete from currencies where code = 'DOGE'",
            "currency DOGE: is not as the full audit",
        ),
    ] {
        books.tamper(edit).await;
        let before = fs::read_to_string(books.checkpoint()).expect("a checkpoint");
        let (alone, report) = books.verify(&[]);
        assert_eq!(alone.code, Some(0), "{edit}: no rule tells, {report}");
        let text = told(&books);
        assert!(text.contains(expected), "{edit}:\n{expected}\n{text}");
        let after = fs::read_to_string(books.checkpoint()).expect("a checkpoint");
        assert_eq!(before, after, "it stays where it is");

        books.tamper(PUT_BACK).await;
        let (ended, report) = full(&books);
        assert_eq!(ended.code, Some(0), "{report}");
        let after = fs::read_to_string(books.checkpoint()).expect("a checkpoint");
        assert_ne!(before, after, "it moves on");
    }
    books.bank.close().await;
}

/// The lines of a full run that finds something.
fn told(books: &Books) -> String {
    let mut command = crate::support::process::command();
    command.args([
        "verify",
        "--full",
        "--database-url",
        &books.bank.database_url,
    ]);
    let output = command.arg("--since").arg(books.checkpoint()).output();
    let output = output.expect("the program runs");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
async fn a_run_since_a_checkpoint_keeps_what_the_full_run_saw() {
    let books = Books::keep().await;
    assert_eq!(full(&books).0.code, Some(0));
    let seen = |books: &Books| {
        let text = fs::read_to_string(books.checkpoint()).expect("a checkpoint");
        let text: Value = serde_json::from_str(&text).expect("JSON");
        text["seen"].clone()
    };
    let before = seen(&books);
    assert!(before["accounts"]["sums"].is_object(), "{before}");
    books.deposit(2).await;
    let checkpoint = books.checkpoint();
    let (ended, report) = books.verify(&["--since", path(&checkpoint)]);
    assert_eq!(
        (ended.code, &report["partial"]),
        (Some(0), &Value::from(true))
    );
    assert_eq!(seen(&books), before);
    let (ended, report) = full(&books);
    assert_eq!(
        (ended.code, &report["partial"]),
        (Some(0), &Value::from(false))
    );
    assert_ne!(seen(&books), before, "another moment, another key");
    books.bank.close().await;
}

#[tokio::test]
async fn a_checkpoint_of_before_anything_was_remembered_is_gone_on_from() {
    let books = Books::keep().await;
    assert_eq!(full(&books).0.code, Some(0));
    let text = fs::read_to_string(books.checkpoint()).expect("a checkpoint");
    let mut text: Value = serde_json::from_str(&text).expect("JSON");
    text["format"] = 1.into();
    text.as_object_mut().expect("an object").remove("seen");
    for args in [["--since"].as_slice(), &["--full", "--since"]] {
        fs::write(books.checkpoint(), text.to_string()).expect("written");
        let checkpoint = books.checkpoint();
        let args: Vec<&str> = args.iter().copied().chain([path(&checkpoint)]).collect();
        let (ended, report) = books.verify(&args);
        assert_eq!(ended.code, Some(0), "{report}");
    }
    let (ended, _) = books.verify(&["--full"]);
    assert_eq!(ended.code, Some(2), "it says of which file");
    books.bank.close().await;
}

/// What waits is dated when it is planned, and never before the book that it seals was opened.
#[tokio::test]
async fn a_reset_that_entered_before_the_checkpoint_and_is_dated_after_it_is_read() {
    let books = Books::keep().await;
    assert_eq!(full(&books).0.code, Some(0));
    // It entered at 2026-03-01T00:00:00Z by its id, and opened the next book eight seconds later.
    books
        .tamper(
            "update books set opened_at = '2026-01-01', sealed_at = '2026-03-01T00:00:08Z' where name = 'events';
             insert into books (name, opened_at) values ('events', '2026-03-01T00:00:08Z');
             insert into transactions (id, kind, scope_kind, scope_id, created_at)
             values ('019ca6b1-dc00-7000-8000-000000000001', 'reset', 'book', 1, '2026-03-01T00:00:08Z')",
        )
        .await;
    let text = fs::read_to_string(books.checkpoint()).expect("a checkpoint");
    let mut text: Value = serde_json::from_str(&text).expect("JSON");
    (text["anchor"], text["seen"]) = (Value::Null, Value::Null);
    for seconds in 13..=20 {
        text["taken_at"] = format!("2026-03-01T00:01:{seconds}Z").into();
        fs::write(books.checkpoint(), text.to_string()).expect("written");
        let (ended, report) = books.verify(&["--since", path(&books.checkpoint())]);
        assert_eq!(ended.code, Some(0), "{seconds}: {report}");
    }
    books.bank.close().await;
}
