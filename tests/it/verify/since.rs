//! Audits that go on from a checkpoint, over accounts of which some are old and some have changed.

mod holds;

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Duration, Utc};
use passbook::ledger::{
    AccountId, AccountRef, Amount, BookId, Change, Currency, CurrencyCode, Entry, Posting, Seal,
    State, TransactionId, Version,
};
use serde_json::Value;
use tempfile::TempDir;
use uuid::Uuid;

use crate::support::process::{Ended, command};
use crate::support::{Bank, postgres};

pub(super) const QUIET: i64 = 9_001;
const BUSY: i64 = 9_002;
/// Of which only one test knows.
const AHEAD: i64 = 9_003;
/// Each account's, all older than any overlap of checkpoints.
const OLD_ENTRIES: i64 = 7;

/// A bank with two accounts of long ago, and a place for a checkpoint of it.
pub(super) struct Books {
    pub(super) bank: Bank,
    pub(super) directory: TempDir,
}

impl Books {
    pub(super) async fn keep() -> Self {
        let bank = Bank::open().await;
        for account in [QUIET, BUSY] {
            bank.plant(&old_account(account, 100)).await;
        }
        let directory = TempDir::new().expect("a directory");
        Self { bank, directory }
    }

    pub(super) fn checkpoint(&self) -> PathBuf {
        self.directory.path().join("checkpoint")
    }

    /// So many more entries on the busy account, by the service.
    pub(super) async fn deposit(&self, count: usize) {
        self.deposit_to(BUSY, count).await;
    }

    async fn deposit_to(&self, account: i64, count: usize) {
        let service = self.bank.app.service();
        for _ in 0..count {
            let to = AccountRef::Id(AccountId(account));
            let amount = Amount::from_minor(250).expect("an amount");
            let currency = service.default_currency();
            let posting = Posting::change(to, amount, currency);
            let answered = service.post(posting, Vec::new(), None).await;
            answered
                .expect("an answer")
                .outcome
                .expect("it is accepted");
        }
    }

    pub(super) async fn tamper(&self, sql: &str) {
        self.bank.tamper(sql).await;
    }

    /// How `passbook verify` ends, and its report.
    pub(super) fn verify(&self, args: &[&str]) -> (Ended, Value) {
        verify(&self.bank.database_url, args)
    }

    fn verify_since(&self) -> (Ended, Value) {
        self.verify(&["--since", path(&self.checkpoint())])
    }

    /// The line with which it is refused.
    fn refusal(&self) -> String {
        self.verify_since().0.complaint().to_owned()
    }
}

pub(super) fn verify(url: &str, args: &[&str]) -> (Ended, Value) {
    let mut command = command();
    command.args(["verify", "--json", "--jobs", "2", "--database-url", url]);
    let output = command.args(args).output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let report = serde_json::from_str(&said).unwrap_or_default();
    (Ended::of(&output), report)
}

pub(super) fn path(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}

/// An account of long ago with its entries of so many minor units each.
pub(super) fn old_account(id: i64, minor: i128) -> String {
    account_of(id, minor, "2026-01-01T00:00:00Z".parse().expect("a time"))
}

/// An account with its entries, a minute apart, sealed as the service seals.
fn account_of(id: i64, minor: i128, opened_at: DateTime<Utc>) -> String {
    let account = AccountId(id);
    let code = CurrencyCode::parse("USD").expect("a code");
    let currency = Currency { code, scale: 2 };
    let mut seal = Seal::genesis(account, BookId(1), None, currency, opened_at);
    let mut sql = String::new();
    let (mut created_at, mut balance) = (opened_at, 0);
    for version in 2..OLD_ENTRIES + 2 {
        created_at += Duration::minutes(1);
        balance += minor;
        let [amount, after] =
            [minor, balance].map(|minor| Amount::from_minor(minor).expect("an amount"));
        let milliseconds = u128::try_from(created_at.timestamp_millis()).expect("after 1970");
        let unique = u128::try_from(id).expect("an id");
        let id = Uuid::from_u128(milliseconds << 80 | 0x7000_8000 << 48 | unique);
        let entry = Entry {
            account,
            version: Version(version),
            transaction: TransactionId(id),
            created_at,
            change: Change::Money {
                amount,
                counterparty: None,
            },
            posting: 0,
            after: State {
                balance: after,
                ..State::default()
            },
            note: None,
            effective_at: None,
        };
        seal = seal.next(&entry);
        sql += &format!(
            "insert into transactions (id, kind, scope_kind, scope_id, created_at)
             values ('{id}', 'deposit', 'account', {account}, '{created_at}');
             insert into entries values ({account}, {version}, null, '{created_at}', '{id}', {}, {}, '\\x{seal}');",
            amount.to_text(2),
            after.to_text(2),
        );
    }
    let balance = Amount::from_minor(balance).expect("an amount").to_text(2);
    sql + &format!(
        "insert into accounts (id, book_id, currency, version, opened_at, last_entry_at, balance, seal)
         values ({account}, 1, 'USD', {}, '{opened_at}', '{created_at}', {balance}, '\\x{seal}');
         insert into transactions (id, kind, scope_kind, scope_id, created_at, account_id, account_version)
         values ('01940000-0000-7000-8000-{account:012}', 'opening', 'book', 1, '{opened_at}', {account}, 1)",
        OLD_ENTRIES + 1
    )
}

/// Accounts, entries and transactions that were checked.
fn counts(report: &Value) -> [i64; 3] {
    ["accounts", "entries", "transactions"].map(|name| report[name].as_i64().expect("a count"))
}

#[tokio::test]
async fn an_account_that_a_wrong_clock_once_dated_ahead_goes_on() {
    let books = Books::keep().await;
    let ahead = "2126-01-01T00:00:00Z".parse().expect("a time");
    books.bank.plant(&account_of(AHEAD, 100, ahead)).await;
    books.deposit_to(AHEAD, 2).await;
    let steps: Vec<(i64,)> = books
        .bank
        .rows(&format!(
            "select extract(microseconds from created_at - lag(created_at) over (order by version))::bigint
             from entries where account_id = {AHEAD} order by version desc limit 2"
        ))
        .await;
    assert_eq!(steps, [(1,), (1,)]);
    for _ in 0..2 {
        let (ended, _) = books.verify_since();
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
    books.bank.close().await;
}

#[tokio::test]
async fn only_the_first_run_reads_everything_and_the_next_what_changed() {
    let books = Books::keep().await;
    let (ended, report) = books.verify_since();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(counts(&report), [2, 2 * OLD_ENTRIES, 2 * OLD_ENTRIES + 2]);
    assert_eq!(report["partial"], false);

    let (ended, report) = books.verify_since();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(counts(&report), [0, 0, 0], "{report}");
    assert_eq!(report["partial"], true);

    books.deposit(3).await;
    for _ in 0..2 {
        let (ended, report) = books.verify_since();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(counts(&report), [1, 3, 3], "{report}");
        let total = &report["totals"]["USD"];
        assert_eq!(total["balances"], "7.50", "{report}");
        assert_eq!(total["entries"], "7.50", "{report}");
    }
    let mut files = fs::read_dir(books.directory.path()).expect("a directory");
    let file = files.next().expect("the checkpoint").expect("a file");
    assert_eq!(file.path(), books.checkpoint());
    assert!(files.next().is_none(), "nothing else is left");
    books.bank.close().await;
}

#[tokio::test]
async fn a_difference_after_the_checkpoint_is_named_and_does_not_move_it() {
    let books = Books::keep().await;
    assert_eq!(books.verify_since().0.code, Some(0));
    books.deposit(3).await;
    for (tampering, remedy, entry, what) in [
        (
            "update entries set amount = amount + 1 where account_id = 9002 and version = 10",
            "update entries set amount = amount - 1 where account_id = 9002 and version = 10",
            Some(10),
            "says balance 12.00, but 9.50 and 3.50 is 13.00",
        ),
        // The first after the last that is believed.
        (
            "update entries set balance = balance + 1 where account_id = 9002 and version = 9",
            "update entries set balance = balance - 1 where account_id = 9002 and version = 9",
            Some(9),
            "says balance 10.50, but 7.00 and 2.50 is 9.50",
        ),
        (
            "update accounts set balance = balance + 1 where id = 9002",
            "update accounts set balance = balance - 1 where id = 9002",
            None,
            "says balance 15.50, its entries add up to 14.50",
        ),
    ] {
        let before = fs::read_to_string(books.checkpoint()).expect("a checkpoint");
        books.tamper(tampering).await;
        let (ended, report) = books.verify_since();
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert_eq!(report["clean"], false);
        let findings = report["findings"].as_array().expect("findings");
        let found = findings.iter().any(|finding| {
            finding["account"] == 9002
                && finding["entry"].as_i64() == entry
                && finding["what"] == what
        });
        assert!(found, "{what} in {report}");
        let after = fs::read_to_string(books.checkpoint()).expect("a checkpoint");
        assert_eq!(before, after, "it stays where it is");

        books.tamper(remedy).await;
        let (ended, report) = books.verify_since();
        assert_eq!(ended.code, Some(0), "{report}");
        let after = fs::read_to_string(books.checkpoint()).expect("a checkpoint");
        assert_ne!(before, after, "it moves on");
    }
    books.bank.close().await;
}

#[tokio::test]
async fn an_accepted_transaction_without_an_entry_is_found_after_the_checkpoint() {
    let books = Books::keep().await;
    assert_eq!(books.verify_since().0.code, Some(0));
    let id = Uuid::now_v7();
    let orphan = format!(
        "insert into transactions (id, kind, scope_kind, scope_id, created_at)
         values ('{id}', 'deposit', 'account', {QUIET}, now())"
    );
    books.tamper(&orphan).await;
    let (ended, report) = books.verify_since();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let finding = &report["findings"][0];
    assert_eq!(finding["transaction"], id.to_string());
    assert_eq!(finding["what"], "was accepted, but has no entry");
    books.tamper("delete from transactions where kind = 'deposit' and id not in (select transaction_id from entries)").await;
    books.bank.close().await;
}

/// As the documentation says.
#[tokio::test]
async fn what_was_edited_behind_the_checkpoint_is_for_a_full_run_to_find() {
    let books = Books::keep().await;
    books.deposit(1).await;
    assert_eq!(books.verify_since().0.code, Some(0));
    for account in [QUIET, BUSY] {
        let edit = |sign: &str| {
            format!(
                "update entries set amount = amount {sign} 1 where account_id = {account} and version = 4"
            )
        };
        books.tamper(&edit("+")).await;
        assert_eq!(books.verify_since().0.code, Some(0));
        assert_eq!(books.verify(&[]).0.code, Some(1));
        books.tamper(&edit("-")).await;
    }
    books.bank.close().await;
}

#[tokio::test]
async fn a_checkpoint_that_does_not_fit_is_refused_and_left_alone() {
    let books = Books::keep().await;
    books.deposit(2).await;
    assert_eq!(books.verify_since().0.code, Some(0));
    let taken = fs::read_to_string(books.checkpoint()).expect("a checkpoint");

    let other = postgres::create_database().await;
    let (ended, _) = verify(&other, &["--since", path(&books.checkpoint())]);
    let complaint = ended.complaint();
    assert!(complaint.contains("of another database"), "{complaint}");
    postgres::drop_database(&other).await;

    for (text, words) in [
        ("", "is no checkpoint"),
        (&taken.replace("\"format\":2", "\"format\":3"), "format 3"),
        (
            &taken.replace("\"taken_at\":\"2", "\"taken_at\":\"3"),
            "still to come",
        ),
    ] {
        fs::write(books.checkpoint(), text).expect("written");
        let complaint = books.refusal();
        assert!(complaint.contains(words), "{words} in {complaint}");
        let left = fs::read_to_string(books.checkpoint()).expect("a file");
        assert_eq!(left, text);
    }
    fs::write(books.checkpoint(), &taken).expect("written");

    // An older state that is whole in itself: no full run can tell.
    books
        .tamper(
            "delete from entries where account_id = 9002 and version = 10;
             delete from transactions where kind = 'deposit' and id not in (select transaction_id from entries);
             update accounts set (version, balance, seal, last_entry_at) =
                 (select version, balance, seal, created_at from entries where account_id = 9002 and version = 9)
             where id = 9002",
        )
        .await;
    assert_eq!(books.verify(&[]).0.code, Some(0));
    let complaint = books.refusal();
    assert!(complaint.contains("entry 10 of account"), "{complaint}");
    assert!(
        complaint.contains("an older or another history"),
        "{complaint}"
    );
    assert!(complaint.contains("remove this one"), "{complaint}");

    fs::remove_file(books.checkpoint()).expect("removed");
    assert_eq!(books.verify_since().0.code, Some(0));
    books.bank.close().await;
}

#[tokio::test]
async fn a_checkpoint_that_could_not_be_written_is_refused_beforehand() {
    let books = Books::keep().await;
    let nowhere = books.directory.path().join("missing/checkpoint");
    let (ended, report) = books.verify(&["--since", path(&nowhere)]);
    assert!(ended.complaint().contains("cannot be written"), "{ended:?}");
    assert_eq!(report, Value::Null, "nothing was read");
    books.bank.close().await;
}
