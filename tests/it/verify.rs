//! The audit: quiet over books that are in balance, also while they change, and precise over those that are not.

mod edits;
mod full;
mod since;
mod verdicts;

use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};

use passbook::ledger::{AccountId, AccountRef, Amount, Party, Posting};
use passbook::service::audit::{Extent, Pages, Settings};
use tempfile::TempDir;

use crate::support::bank::{at_once, audit_with};
use crate::support::process::{self, Passbook, path_of, run};
use crate::support::{Bank, eventually, postgres};

const AT_EASE: &str =
    "the books are in balance: every balance, version and seal follows from its entries\n";

/// Whose books are tampered with: `giver` has entries 2 to 6, of which 5 is a transfer to `taker`, whose last it is as 3.
struct Books {
    giver: i64,
    taker: i64,
    database_url: String,
}

impl Books {
    /// The bank has stopped; what is left are its books.
    async fn keep() -> Self {
        let bank = Bank::open().await;
        let (giver, taker) = (bank.user("100").await, bank.user("1").await);
        for amount in ["-10", "5"] {
            assert_eq!(giver.change(amount).await.status, 200);
        }
        let (from, to) = (giver.account().await, taker.account().await);
        transfer(&bank, from, to, "20").await;
        assert_eq!(giver.change("-1").await.status, 200);
        assert_eq!(giver.change_once("refused", "-9999").await.status, 400);
        let report = bank.audit().await;
        assert!(report.is_clean(), "{report:?}");
        assert_eq!(
            (report.accounts, report.entries, report.transactions),
            (2, 7, 7)
        );
        let database_url = bank.stop().await;
        Self {
            giver: from,
            taker: to,
            database_url,
        }
    }

    /// What audits of both kinds find once a copy of the books was tampered with.
    async fn findings_of(&self, tampering: &str) -> [String; 2] {
        let copy = postgres::copy_database(&self.database_url).await;
        postgres::tamper(&copy, &self.spell(tampering)).await;
        let found = [
            audit_with(&copy, usual()).await.report,
            audit_with(&copy, in_small_pages()).await.report,
        ];
        postgres::drop_database(&copy).await;
        found.map(|report| {
            let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
            assert_eq!(report.findings_count, findings.len() as u64);
            findings.join("\n")
        })
    }

    /// The text with the accounts' ids.
    fn spell(&self, text: &str) -> String {
        let text = text.replace("GIVER", &self.giver.to_string());
        text.replace("TAKER", &self.taker.to_string())
    }
}

/// What is done to the books, and what the audit has to say about it.
const TAMPERINGS: [(&str, &str); 26] = [
    (
        "update entries set amount = amount - 1 where account_id = GIVER and version = 3",
        "account GIVER, entry 3: says balance 90.00, but 100.00 and -11.00 is 89.00",
    ),
    (
        "update entries set amount = 1e27 where account_id = GIVER and version = 3",
        "account GIVER, entry 3: holds what is no amount of the currency",
    ),
    (
        "update entries set balance = balance + 1 where account_id = GIVER and version = 3",
        "account GIVER, entry 3: says balance 91.00",
    ),
    // Every sum is right, and every balance.
    (
        "update entries set amount = amount + 1 where account_id = GIVER and version = 3;
         update entries set balance = balance + 1 where account_id = GIVER and version >= 3;
         update accounts set balance = balance + 1 where id = GIVER",
        "account GIVER, entry 3: is not what was sealed",
    ),
    (
        "update entries set seal = sha256('other') where account_id = GIVER and version = 3",
        "account GIVER, entry 3: is not what was sealed",
    ),
    (
        "delete from entries where account_id = GIVER and version = 4",
        "account GIVER, entry 5: follows on version 3: entries are missing",
    ),
    (
        "delete from entries where account_id = GIVER and version = 2",
        "account GIVER, entry 3: follows on version 1: entries are missing",
    ),
    (
        "delete from entries where account_id = GIVER and version = 6",
        "account GIVER: says version 6, its entries end at 5",
    ),
    (
        "delete from entries where account_id = GIVER",
        "account GIVER: says version 6, its entries end at 1",
    ),
    (
        "update entries set created_at = created_at + interval '1 microsecond'
         where account_id = GIVER and version = 6",
        "account GIVER, entry 6: is not what was sealed",
    ),
    (
        "update entries set created_at = created_at - interval '1 day' where account_id = GIVER and version = 4",
        "account GIVER, entry 4: is not later than the entry before",
    ),
    (
        "update entries set transaction_id = gen_random_uuid() where account_id = GIVER and version = 3",
        "account GIVER, entry 3: has no accepted transaction",
    ),
    (
        "update accounts set balance = balance + 1 where id = GIVER",
        "account GIVER: says balance 75.00, its entries add up to 74.00",
    ),
    (
        "alter table accounts drop constraint accounts_available_not_negative;
         update accounts set balance = -1 where id = GIVER",
        "account GIVER: has a balance below its floor",
    ),
    (
        "update accounts set balance = balance + 1 where id = GIVER",
        "currency USD: balances add up to 9600, entries to 9500 minor units",
    ),
    (
        "update accounts set version = 5 where id = GIVER",
        "account GIVER: says balance 74.00, its entries add up to 75.00",
    ),
    (
        "update accounts set version = 7 where id = GIVER",
        "account GIVER: says version 7, its entries end at 6",
    ),
    (
        "update accounts set seal = sha256('other') where id = GIVER",
        "account GIVER: says another seal than its entries",
    ),
    (
        "update accounts set last_entry_at = last_entry_at + interval '1 s' where id = GIVER",
        "account GIVER: says another time than its last entry",
    ),
    (
        "update accounts set owner_id = null where id = GIVER",
        "account GIVER, entry 2: is not what was sealed",
    ),
    (
        "delete from accounts where id = TAKER",
        "account TAKER, entry 2: has no account",
    ),
    (
        "delete from transactions where id = (select transaction_id from entries where account_id = GIVER and version = 3)",
        "account GIVER, entry 3: has no accepted transaction",
    ),
    (
        "insert into transactions (id, kind, scope_kind, scope_id, created_at)
         values ('00000000-0000-7000-8000-000000000001', 'deposit', 'account', GIVER, now())",
        "transaction 00000000-0000-7000-8000-000000000001: was accepted, but has no entry",
    ),
    (
        "update entries set amount = 21 where account_id = TAKER and version = 3",
        "account GIVER, entry 5: has no counterpart on the other account",
    ),
    // The account itself is whole without it.
    (
        "delete from entries where account_id = TAKER and version = 3;
         update accounts set (version, balance, seal, last_entry_at) =
             (select version, balance, seal, created_at from entries where account_id = TAKER and version = 2)
         where id = TAKER",
        "account GIVER, entry 5: has no counterpart on the other account",
    ),
    (
        "insert into entries select account_id, 7, null, now(), (select id from transactions where refusal is not null),
             -1, balance - 1, seal from entries where account_id = GIVER and version = 6",
        ": was refused, but has entries",
    ),
];

/// As `passbook verify` does it, on any machine.
fn usual() -> Settings {
    Settings {
        jobs: 2,
        pages: Pages::default(),
        extent: Extent::Everything(None),
    }
}

/// Several jobs, and pages so small that every account, every chain and every transaction goes over the edge of one.
fn in_small_pages() -> Settings {
    Settings {
        jobs: 3,
        pages: Pages {
            accounts_max: 1,
            candidates_max: 1,
            entries_max: 2,
            transactions_max: 2,
            registry_max: 1,
        },
        extent: Extent::Everything(None),
    }
}

async fn transfer(bank: &Bank, from: i64, to: i64, amount: &str) {
    let service = bank.app.service();
    let currency = service.default_currency();
    let amount = Amount::parse_plain(amount, currency.scale).expect("an amount");
    let [from, to] = [from, to].map(|id| Party::Account(AccountRef::Id(AccountId(id))));
    let posting = Posting::new(from, to, amount.magnitude(), currency);
    let answered = service.post(posting, Vec::new(), None).await;
    let outcome = answered.expect("an answer").outcome;
    outcome.expect("the money is there");
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
async fn every_tampering_is_found_and_named() {
    let books = Books::keep().await;
    for (tampering, expected) in TAMPERINGS {
        let expected = books.spell(expected);
        for findings in books.findings_of(tampering).await {
            assert!(
                findings.contains(&expected),
                "{tampering}:\n{expected}\nnot in:\n{findings}"
            );
        }
    }
    assert_eq!(books.findings_of("select 1").await, ["", ""]);
    postgres::drop_database(&books.database_url).await;
}

#[tokio::test]
async fn an_entry_that_its_head_does_not_know_is_found_and_named() {
    let books = Books::keep().await;
    let tampering = "
        insert into transactions (id, kind, scope_kind, scope_id, created_at)
        values ('00000000-0000-7000-8000-000000000001', 'deposit', 'account', GIVER, now());
        insert into entries select account_id, 7, null, now(), '00000000-0000-7000-8000-000000000001', 5, balance + 5,
            sha256('other') from entries where account_id = GIVER and version = 6";
    let expected = books.spell("account GIVER, entry 7: ");
    for findings in books.findings_of(tampering).await {
        assert!(
            findings.contains(&expected),
            "{expected} not in: {findings:?}"
        );
    }
    postgres::drop_database(&books.database_url).await;
}

#[tokio::test]
async fn the_program_ends_with_1_and_names_account_and_entry() {
    let books = Books::keep().await;
    let url = &books.database_url;
    let clean = run(&["verify", "--database-url", url]);
    assert_eq!(clean.status.code(), Some(0), "{clean:?}");
    for (tampering, remedy, expected) in [
        (
            "update entries set amount = amount - 1 where account_id = GIVER and version = 3",
            "update entries set amount = amount + 1 where account_id = GIVER and version = 3",
            "WRONG account GIVER, entry 3: says balance 90.00, but 100.00 and -11.00 is 89.00\n",
        ),
        (
            "update accounts set balance = balance + 1 where id = TAKER",
            "update accounts set balance = balance - 1 where id = TAKER",
            "WRONG account TAKER: says balance 22.00, its entries add up to 21.00\n",
        ),
    ] {
        postgres::tamper(url, &books.spell(tampering)).await;
        let wrong = run(&["verify", "--database-url", url]);
        assert_eq!(wrong.status.code(), Some(1), "{wrong:?}");
        assert!(said(&wrong).contains(&books.spell(expected)), "{wrong:?}");
        assert!(
            said(&wrong).ends_with("THE BOOKS ARE NOT IN BALANCE\n"),
            "{wrong:?}"
        );
        postgres::tamper(url, &books.spell(remedy)).await;
    }
    let clean = run(&["verify", "--database-url", url]);
    assert_eq!(clean.status.code(), Some(0), "{clean:?}");
    postgres::drop_database(url).await;
}

#[tokio::test]
async fn only_so_many_differences_are_told_and_the_rest_are_counted() {
    let books = Books::keep().await;
    let url = &books.database_url;
    let many = "insert into transactions (id, kind, scope_kind, scope_id, created_at)
        select gen_random_uuid(), 'deposit', 'account', 1, now() from generate_series(1, 142)";
    postgres::execute(url, many).await;
    let wrong = run(&["verify", "--database-url", url]);
    assert_eq!(wrong.status.code(), Some(1), "{wrong:?}");
    let lines = said(&wrong)
        .lines()
        .filter(|line| line.starts_with("WRONG "))
        .count();
    assert_eq!(lines, 100, "{wrong:?}");
    assert!(
        said(&wrong).contains("and 42 more differences\n"),
        "{wrong:?}"
    );
    postgres::drop_database(url).await;
}

#[test]
fn verify_attaches_to_a_running_database_and_starts_one_where_none_runs() {
    let data_dir = process::migrated_data_dir();
    let verify = || {
        let verified = run(&["verify", "--data-dir", path_of(&data_dir)]);
        assert_eq!(verified.status.code(), Some(0), "{verified:?}");
        said(&verified)
    };
    let passbook = Passbook::serve(&["--data-dir", path_of(&data_dir)]);
    let postmaster = process::postmaster_pid(&data_dir);
    let beside = verify();
    assert_eq!(process::postmaster_pid(&data_dir), postmaster);
    assert!(process::is_alive(postmaster), "it is left alone");
    passbook.stop();
    let alone = verify();
    assert_eq!(process::cluster_state(&data_dir), "shut down");
    assert!(!data_dir.path().join("postgres/postmaster.pid").exists());
    for said in [beside, alone] {
        let checked = "checked 1 accounts, 1 entries, 1 transactions in ";
        assert!(said.starts_with(checked), "{said}");
        let total = "USD: 1 accounts, balances 10000.00, entries 10000.00\n";
        assert!(said.ends_with(&format!("{total}{AT_EASE}")), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_raises_no_false_alarm_beside_live_traffic() {
    let bank = Bank::open().await;
    let users = [
        bank.user("1000").await,
        bank.user("1000").await,
        bank.user("5").await,
    ];
    let accounts = [users[0].account().await, users[1].account().await];
    let enough = AtomicBool::new(false);
    let clients = at_once((0..12).map(async |number: usize| {
        for count in 0.. {
            if enough.load(Ordering::Relaxed) {
                break;
            }
            let user = &users[number % 3];
            user.change_once(&format!("{number}-{count}"), "-1").await;
            user.change("0.5").await;
            bank.user("7").await;
            transfer(
                &bank,
                accounts[number % 2],
                accounts[1 - number % 2],
                "0.01",
            )
            .await;
        }
    }));
    let audits = async {
        for _ in 0..5 {
            let before = bank.number("select count(*) from entries").await;
            let report = bank.audit().await;
            assert!(report.is_clean(), "{:#?}", report.findings);
            assert!(i64::try_from(report.entries).expect("a number") >= before);
            eventually("more is written", async || {
                before + 20 < bank.number("select count(*) from entries").await
            })
            .await;
        }
        let audited = audit_with(&bank.database_url, in_small_pages()).await;
        assert!(audited.report.is_clean(), "{:#?}", audited.report.findings);
        let directory = TempDir::new().expect("a directory");
        let checkpoint = directory.path().join("checkpoint");
        for _ in 0..4 {
            let mut command = process::command();
            command.args(["verify", "--jobs", "3", "--database-url"]);
            command
                .arg(&bank.database_url)
                .arg("--since")
                .arg(&checkpoint);
            let verified = tokio::task::spawn_blocking(move || command.output());
            let verified = verified.await.expect("it is waited for").expect("it runs");
            assert_eq!(verified.status.code(), Some(0), "{verified:?}");
        }
        enough.store(true, Ordering::Relaxed);
    };
    tokio::join!(clients, audits);
    bank.close().await;
}
