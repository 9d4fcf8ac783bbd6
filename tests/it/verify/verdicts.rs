//! What audits leave to Prometheus: each kind its own verdict, and none where there is none.

use std::fs;
use std::path::PathBuf;

use super::since::{Books, path, verify};
use crate::support::postgres;

/// The kinds of audits, by their label.
const FULL: &str = "full";
const SINCE: &str = "since";

impl Books {
    /// The exit code of an audit of a database.
    fn audit_of(&self, url: &str, scope: &str) -> Option<i32> {
        let (checkpoint, file) = (self.checkpoint(), self.file(scope));
        let mut args = vec!["--metrics", path(&file)];
        if scope == SINCE {
            args.extend(["--since", path(&checkpoint)]);
        }
        verify(url, &args).0.code
    }

    fn audit(&self, scope: &str) -> Option<i32> {
        self.audit_of(&self.bank.database_url, scope)
    }

    fn file(&self, scope: &str) -> PathBuf {
        self.directory.path().join(format!("{scope}.prom"))
    }

    /// All that the last verdict says.
    fn verdict(&self, scope: &str) -> String {
        fs::read_to_string(self.file(scope)).expect("a verdict")
    }

    /// Whether the books are clean, and how many differences there are.
    fn told(&self, scope: &str) -> [String; 2] {
        let verdict = self.verdict(scope);
        ["clean", "findings"].map(|name| {
            let series = format!("passbook_verify_{name}{{scope=\"{scope}\"}} ");
            let mut lines = verdict.lines();
            let value = lines.find_map(|line| line.strip_prefix(&series));
            value
                .unwrap_or_else(|| panic!("{series}in {verdict}"))
                .to_owned()
        })
    }
}

#[tokio::test]
async fn what_the_full_audit_found_is_not_taken_back_by_one_that_cannot_see_it() {
    let books = Books::keep().await;
    for scope in [SINCE, FULL] {
        assert_eq!(books.audit(scope), Some(0));
        assert_eq!(books.told(scope), ["1", "0"]);
    }
    books
        .tamper("update entries set amount = amount + 1 where account_id = 9002 and version = 4")
        .await;
    assert_eq!(books.audit(FULL), Some(1));
    assert_eq!(books.audit(SINCE), Some(0));
    assert_eq!(books.told(SINCE), ["1", "0"]);
    let [clean, findings] = books.told(FULL);
    assert_eq!(clean, "0");
    assert_ne!(findings, "0");

    // One collector reads both: what is said of a metric is the same, and no series is there twice.
    let (full, since) = (books.verdict(FULL), books.verdict(SINCE));
    for (one, other) in full.lines().zip(since.lines()) {
        let is_said = one.starts_with('#');
        let name = |line: &str| line.split(' ').next().map(ToOwned::to_owned);
        assert_eq!(is_said, one == other, "{one}, {other}");
        assert!(is_said || name(one) != name(other), "{one}, {other}");
    }

    books
        .tamper("update entries set amount = amount - 1 where account_id = 9002 and version = 4")
        .await;
    assert_eq!(books.audit(FULL), Some(0));
    assert_eq!(books.told(FULL), ["1", "0"]);
    books.bank.close().await;
}

#[tokio::test]
async fn what_is_off_after_the_checkpoint_is_told_by_both() {
    let books = Books::keep().await;
    assert_eq!(books.audit(SINCE), Some(0));
    books.deposit(1).await;
    books
        .tamper("update accounts set balance = balance + 1 where id = 9002")
        .await;
    for scope in [SINCE, FULL] {
        assert_eq!(books.audit(scope), Some(1));
        // The account, and the sum of its currency.
        assert_eq!(books.told(scope), ["0", "2"]);
    }
    books
        .tamper("update accounts set balance = balance - 1 where id = 9002")
        .await;
    for scope in [SINCE, FULL] {
        assert_eq!(books.audit(scope), Some(0));
        assert_eq!(books.told(scope), ["1", "0"]);
    }
    books.bank.close().await;
}

#[tokio::test]
async fn an_audit_that_could_not_begin_leaves_the_last_verdict() {
    let books = Books::keep().await;
    for scope in [SINCE, FULL] {
        assert_eq!(books.audit(scope), Some(0));
    }
    let (full, since) = (books.verdict(FULL), books.verdict(SINCE));

    let other = postgres::create_empty_database().await;
    assert_eq!(books.audit_of(&other, SINCE), Some(2), "another database");
    assert_eq!(books.audit_of(&other, FULL), Some(2), "no schema");
    postgres::drop_database(&other).await;
    assert_eq!(books.audit_of(&other, FULL), Some(2), "no database");

    let taken = fs::read_to_string(books.checkpoint()).expect("a checkpoint");
    let early = taken.replace("\"taken_at\":\"2", "\"taken_at\":\"3");
    for unfit in ["", &early] {
        fs::write(books.checkpoint(), unfit).expect("written");
        assert_eq!(books.audit(SINCE), Some(2), "{unfit}");
    }
    assert_eq!((books.verdict(FULL), books.verdict(SINCE)), (full, since));
    books.bank.close().await;
}

#[tokio::test]
async fn another_history_is_a_difference() {
    let books = Books::keep().await;
    books.deposit(1).await;
    assert_eq!(books.audit(SINCE), Some(0));
    assert_eq!(books.told(SINCE), ["1", "0"]);
    let edit = "update entries set seal = sha256(seal) where account_id = 9002 and version = 9";
    books
        .tamper(&format!(
            "create table kept as select * from entries; {edit}"
        ))
        .await;
    assert_eq!(books.audit(SINCE), Some(2));
    assert_eq!(books.told(SINCE), ["0", "1"]);

    books
        .tamper(
            "update entries set seal = kept.seal from kept
             where kept.account_id = entries.account_id and kept.version = entries.version;
             drop table kept",
        )
        .await;
    assert_eq!(books.audit(SINCE), Some(0));
    assert_eq!(books.told(SINCE), ["1", "0"]);
    books.bank.close().await;
}

#[tokio::test]
async fn what_the_ledger_never_writes_is_a_difference() {
    let books = Books::keep().await;
    books
        .tamper(
            "alter table currencies drop constraint currencies_scale_check;
             update currencies set scale = -1 where code = 'USD'",
        )
        .await;
    assert_eq!(books.audit(FULL), Some(2));
    assert_eq!(books.told(FULL), ["0", "1"]);
    books
        .tamper(
            "update currencies set scale = 2 where code = 'USD';
             alter table currencies add constraint currencies_scale_check check (scale between 0 and 18)",
        )
        .await;
    assert_eq!(books.audit(FULL), Some(0));
    assert_eq!(books.told(FULL), ["1", "0"]);
    books.bank.close().await;
}
