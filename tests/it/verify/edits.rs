//! Edits by hand of everything that decides about money or answers, each with what the audit says of it.

mod guards;
mod halves;
pub(super) mod native;
mod transactions;

use std::collections::BTreeMap;

use passbook::service::audit::Report;

use super::{in_small_pages, transfer, usual};
use crate::support::bank::audit_with;
use crate::support::{Bank, postgres};

/// A ledger of which every interface was used, and what its accounts and transactions are called in the table below.
struct Ledger {
    url: String,
    names: BTreeMap<&'static str, String>,
}

/// What each name of the table stands for.
const NAMES: [(&str, &str); 14] = [
    (
        "ADA",
        "select account_id::text from account_names where name = 'user:1:USD'",
    ),
    (
        "BOB",
        "select account_id::text from account_names where name = 'user:2:USD'",
    ),
    (
        "COIN",
        "select account_id::text from account_names where name = 'user:1:BTC'",
    ),
    (
        "BARE",
        "select id::text from accounts where owner_id is null and book_id = 1 and version = 1",
    ),
    (
        "FILLED",
        "select id::text from accounts where owner_id is null and book_id = 1 and version > 1",
    ),
    (
        "NUMBERED",
        "select id::text from accounts where owner_id is not null
         and not exists (select from account_names where account_id = accounts.id)",
    ),
    (
        "EVENT",
        "select account_id::text from account_names where name = 'a' and book_id = 2",
    ),
    (
        "SEALED",
        "select min(id)::text from books where name = 'events'",
    ),
    (
        "CURRENT",
        "select max(id)::text from books where name = 'events'",
    ),
    (
        "KEYED",
        "select id::text from transactions where idempotency_key = 'keyed'",
    ),
    (
        "REFUSED",
        "select id::text from transactions where refusal is not null",
    ),
    (
        "EMPTY",
        "select id::text from transactions where kind = 'empty'",
    ),
    (
        "RESET",
        "select id::text from transactions where kind = 'reset'",
    ),
    (
        "MOVED",
        "select id::text from transactions where kind = 'transfer'",
    ),
];

impl Ledger {
    async fn keep() -> Self {
        let bank = Bank::open_with(&["--allow-reset"]).await;
        let (ada, bob) = (bank.user("100").await, bank.user("1").await);
        assert_eq!(ada.change_once("keyed", "5").await.status, 200);
        assert_eq!(ada.change_once("refused", "-9999").await.status, 400);
        assert_eq!(ada.change_once("empty", "0").await.status, 200);
        assert_eq!(ada.change("-7").await.status, 200);
        transfer(&bank, ada.account().await, bob.account().await, "20").await;
        let bought = "/deposit?user_id=1&amount=2&currency_type=bitcoin";
        assert_eq!(bank.get(bought).await.status, 200);
        for body in ["{}", r#"{"balance":10}"#] {
            assert_eq!(bank.post("/accounts", body).await.status, 201);
        }
        for (path, body) in [
            (
                "/event",
                r#"{"type":"deposit","destination":"a","amount":10}"#,
            ),
            (
                "/event",
                r#"{"type":"deposit","destination":"b","amount":10}"#,
            ),
            ("/reset", ""),
            (
                "/event",
                r#"{"type":"deposit","destination":"a","amount":3}"#,
            ),
        ] {
            let status = bank.post(path, body).await.status;
            assert!(status == 200 || status == 201, "{path} {body}");
        }
        generate_account(&bank).await;
        bank.plant("insert into currencies (code, name, scale, crypto) values ('DOGE', 'dogecoin', 8, true)")
            .await;
        let mut names = BTreeMap::new();
        for (name, sql) in NAMES {
            let rows: Vec<(String,)> = bank.rows(sql).await;
            assert_eq!(rows.len(), 1, "{name}: {rows:?}");
            names.insert(name, rows[0].0.clone());
        }
        let report = bank.audit().await;
        assert!(report.is_clean(), "{:#?}", report.findings);
        let url = bank.stop().await;
        Self { url, names }
    }

    /// What audits of both kinds of pages find in a copy that was edited.
    async fn findings_of(&self, edit: &str) -> [String; 2] {
        let copy = postgres::copy_database(&self.url).await;
        postgres::tamper(&copy, &self.spell(edit)).await;
        let reports = [
            audit_with(&copy, usual()).await.report,
            audit_with(&copy, in_small_pages()).await.report,
        ];
        postgres::drop_database(&copy).await;
        reports.map(|report| lines(&report))
    }

    async fn drop(self) {
        postgres::drop_database(&self.url).await;
    }

    fn spell(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, value) in &self.names {
            text = text.replace(&format!("<{name}>"), value);
        }
        text
    }
}

async fn generate_account(bank: &Bank) {
    let who = r#"{"name":"Grace","email":"grace@example.org","password":"Compiler1952"}"#;
    let signed_up = bank.post("/api/signup", who).await;
    assert_eq!(signed_up.status, 200, "{signed_up:?}");
    let cookie = &signed_up.headers["set-cookie"];
    let session = cookie.split(';').next().expect("a cookie");
    let headers = [("Cookie", session)];
    let generated = bank
        .send(
            reqwest::Method::POST,
            "/api/accountGeneration",
            &headers,
            Some("{}"),
        )
        .await;
    assert_eq!(generated.status, 200, "{generated:?}");
}

fn lines(report: &Report) -> String {
    let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    findings.join("\n")
}

/// Edits of the directory of names, and of the accounts themselves.
const OF_ACCOUNTS: [(&str, &str); 22] = [
    (
        "update account_names set account_id = case account_id when <ADA> then <BOB> else <ADA> end
         where account_id in (<ADA>, <BOB>)",
        "account <ADA>: is called user:2:USD, which fits another owner or currency",
    ),
    (
        "update account_names set account_id = <COIN> where account_id = <ADA>",
        "account <ADA>: has no name",
    ),
    (
        "update account_names set account_id = <NUMBERED> where account_id = <COIN>",
        "account <NUMBERED>: is called user:1:BTC, which fits another owner or currency",
    ),
    ("delete from account_names where account_id = <ADA>", "account <ADA>: has no name"),
    (
        "delete from account_names where account_id = <COIN>",
        "account <COIN>: has 0 openings instead of 1",
    ),
    ("delete from account_names where account_id = <EVENT>", "account <EVENT>: has no name"),
    (
        "update account_names set name = 'user:1:EUR' where account_id = <ADA>",
        "account <ADA>: is called user:1:EUR, which fits another owner or currency",
    ),
    (
        "update account_names set name = 'ada' where account_id = <ADA>",
        "account <ADA>: is called ada, which fits another owner or currency",
    ),
    (
        "update account_names set account_id = 999999 where account_id = <ADA>",
        "name \"user:1:USD\" of book 1: stands for account 999999, which does not exist",
    ),
    (
        "update account_names set book_id = <CURRENT>, name = 'c' where account_id = <EVENT>",
        "account <EVENT>: is called by a name of book <CURRENT>",
    ),
    (
        "update account_names set book_id = <CURRENT>, name = 'c' where account_id = <EVENT>",
        "name \"c\" of book <CURRENT>: stands for account <EVENT> of book <SEALED>",
    ),
    (
        "insert into account_names values (<SEALED>, 'c', <EVENT>)",
        "account <EVENT>: has 2 names instead of one",
    ),
    (
        "insert into account_names values (1, 'user:9:USD', <BARE>)",
        "account <BARE>: is called user:9:USD, which fits another owner or currency",
    ),
    (
        "update accounts set floor = -5 where id = <ADA>",
        "account <ADA>: says floor -5.00, its entries make it 0.00",
    ),
    (
        "update accounts set status = 'frozen' where id = <ADA>",
        "account <ADA>: says another status than its entries",
    ),
    (
        "update accounts set status = 'closed' where id = <EVENT>",
        "account <EVENT>: says another status than its entries",
    ),
    (
        "update accounts set owner_id = 2 where id = <NUMBERED>",
        "account <NUMBERED>: says another seal than its entries",
    ),
    (
        "alter table accounts drop constraint accounts_book_id_fkey;
         update accounts set book_id = 77 where id = <EVENT>",
        "account <EVENT>: is in book 77, which does not exist",
    ),
    (
        "alter table accounts drop constraint accounts_currency_fkey;
         update accounts set currency = 'XXX' where id = <COIN>",
        "account <COIN>: holds XXX, which is no currency of the registry",
    ),
    (
        "update accounts set opened_at = opened_at - interval '1 s' where id = <BARE>",
        "account <BARE>: says another seal than its entries",
    ),
    (
        "update refinery_schema_history set applied_on = '2020-01-01T00:00:00Z' where version = 15;
         update books set sealed_at = sealed_at - interval '1 hour', opened_at = opened_at - interval '2 hours'
         where id = <SEALED>",
        "account <EVENT>, entry 2: is later than the sealing of its book",
    ),
    (
        "delete from accounts where id = <BARE>",
        "opened an account that does not exist",
    ),
];

/// Edits of entries that leave every chain whole or that a kind does not explain.
const OF_ENTRIES: [(&str, &str); 3] = [
    (
        "update entries set transaction_id = '<KEYED>' where account_id = <ADA> and version = 4",
        "transaction <KEYED>: has more entries than its kind",
    ),
    (
        "update entries set transaction_id = '<EMPTY>' where account_id = <ADA> and version = 4",
        "transaction <EMPTY>: changed nothing, but has entries",
    ),
    (
        "update entries set counterparty_id = <BOB> where account_id = <ADA> and version = 3",
        "account <ADA>, entry 3: has no counterpart on the other account",
    ),
];

/// Edits of books, currencies and users.
const OF_REGISTERS: [(&str, &str); 21] = [
    (
        "drop index books_open_name; update books set sealed_at = null where id = <SEALED>",
        "book <CURRENT>: was not opened when book <SEALED>, the one before of its name, was sealed",
    ),
    (
        "update books set sealed_at = sealed_at + interval '1 s' where id = <SEALED>",
        "book <CURRENT>: was not opened when book <SEALED>",
    ),
    (
        "update books set opened_at = opened_at + interval '1 ms' where id = <CURRENT>",
        "book <CURRENT>: was not opened when book <SEALED>",
    ),
    (
        "update books set sealed_at = now() where id = <CURRENT>",
        "book <CURRENT>: is sealed, and no book events is open",
    ),
    (
        "update books set name = 'other' where id = <SEALED>",
        "book <SEALED>: is sealed, and no book other is open",
    ),
    (
        "update books set name = 'other' where name = 'events'",
        "book 1: no book is called events",
    ),
    (
        "update books set sealed_at = now() where id = 1",
        "book 1: is not the main book, which is the first and is never sealed",
    ),
    (
        "update books set name = 'maine' where id = 1",
        "book 1: is not the main book, which is the first and is never sealed",
    ),
    (
        "insert into books (name, opened_at) values ('others', now() - interval '5 minutes')",
        "is called others, and no transaction opened it",
    ),
    (
        "insert into transactions (id, kind, scope_kind, scope_id, created_at)
         select '01a00000-0000-7000-8000-000000000009', kind, scope_kind, scope_id, created_at
         from transactions where id = '<RESET>'",
        ": reset a book, but none was opened then",
    ),
    (
        "update currencies set name = case code when 'BTC' then 'ethereum' else 'bitcoin' end || ' ' where code in ('BTC', 'ETH');
         update currencies set name = trim(name)",
        "currency BTC: is not bitcoin with 8 decimals any more",
    ),
    (
        "update currencies set scale = 3 where code = 'JPY'",
        "currency JPY: is not yen with 0 decimals any more",
    ),
    (
        "update currencies set crypto = false where code = 'MATIC'",
        "currency MATIC: is not matic with 18 decimals any more",
    ),
    (
        "delete from currencies where code = 'JPY'",
        "currency JPY: is not yen with 0 decimals any more",
    ),
    (
        "update currencies set scale = 4 where code = 'USD'",
        "account <BARE>: says another seal than its entries",
    ),
    (
        "update users set created_at = created_at - interval '1 s' where id = 1",
        "user 1: has no account that was opened at the same time",
    ),
    (
        "insert into users (id, created_at, updated_at) values (77, now(), now())",
        "user 77: has no account",
    ),
    (
        "alter table accounts drop constraint accounts_owner; delete from users where id = 2",
        "account <BOB>: belongs to user 2, who does not exist",
    ),
    (
        "delete from account_names where account_id = <BOB>; delete from entries where account_id = <BOB>;
         delete from accounts where id = <BOB>",
        "user 2: has no account",
    ),
    (
        "delete from account_names where account_id = <BOB>; delete from entries where account_id = <BOB>;
         delete from accounts where id = <BOB>",
        "has no counterpart on the other account",
    ),
    (
        "delete from transactions where id = '<RESET>'; update books set opened_at = opened_at - interval '5 minutes',
            sealed_at = sealed_at - interval '5 minutes' where name = 'events'",
        "book <CURRENT>: was opened by no reset",
    ),
];

async fn hold(edits: &[(&str, &str)]) {
    let ledger = Ledger::keep().await;
    hold_in(&ledger, edits).await;
    ledger.drop().await;
}

/// Each edit is found, and nothing is without one.
async fn hold_in(ledger: &Ledger, edits: &[(&str, &str)]) {
    assert_eq!(ledger.findings_of("select 1").await, ["", ""]);
    let mut missed = Vec::new();
    for (edit, expected) in edits {
        let expected = ledger.spell(expected);
        for findings in ledger.findings_of(edit).await {
            if !findings.contains(&expected) {
                missed.push(format!("{edit}:\n  {expected}\n  not in:\n{findings}\n"));
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[tokio::test]
async fn edits_of_accounts_and_names_are_found_and_named() {
    hold(&OF_ACCOUNTS).await;
}

#[tokio::test]
async fn edits_of_transactions_are_found_and_named() {
    hold(&transactions::EDITS).await;
}

#[tokio::test]
async fn edits_of_entries_and_registers_are_found_and_named() {
    hold(&OF_ENTRIES).await;
    hold(&OF_REGISTERS).await;
}

#[tokio::test]
async fn guards_that_were_taken_away_are_found_and_named() {
    hold(&guards::TAKEN_AWAY).await;
    let ledger = Ledger::keep().await;
    for (edit, expected) in guards::DISABLED {
        let copy = postgres::copy_database(&ledger.url).await;
        postgres::execute(&copy, edit).await;
        let findings = lines(&audit_with(&copy, usual()).await.report);
        assert!(findings.contains(expected), "{edit}: {findings}");
        postgres::drop_database(&copy).await;
    }
    postgres::drop_database(&ledger.url).await;
}
