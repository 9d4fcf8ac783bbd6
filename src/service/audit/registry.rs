//! The rules of what gives accounts their meaning: names, users, books, currencies.

use std::collections::HashMap;
use std::ops::Range;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::checkpoint::ENTERED_BEFORE_MAX;
use super::place::Place;
use super::report::Report;
use super::state::Audit;
use crate::ledger::{BookId, BookName, UserId};
use crate::storage::audit::{self, BookRow, CallerRow, CurrencyRow};
use crate::storage::{Connection, StorageError};

/// The currencies that every ledger is made with: code, name, decimals, crypto.
const BUILT_IN: [(&str, &str, i16, bool); 6] = [
    ("BTC", "bitcoin", 8, true),
    ("ETH", "ethereum", 18, true),
    ("EUR", "euro", 2, false),
    ("JPY", "yen", 0, false),
    ("MATIC", "matic", 18, true),
    ("USD", "us dollar", 2, false),
];

/// Every name stands for an account of its book.
pub(super) async fn check_names(
    connection: &mut Connection,
    audit: &Audit,
) -> Result<(), StorageError> {
    let limit = audit.pages.registry_max;
    let mut after = (BookId(i64::MIN), String::new());
    loop {
        let page = audit::list_names(connection, (after.0, &after.1), limit).await?;
        let mut report = audit.part();
        for row in &page {
            let place = || Place::Name(row.book, row.name.clone());
            match row.account_book {
                None => report.find(
                    place(),
                    format!("stands for account {}, which does not exist", row.account),
                ),
                Some(book) if book != row.book => report.find(
                    place(),
                    format!("stands for account {} of book {}", row.account, book.0),
                ),
                Some(_) => {}
            }
        }
        audit.add(report);
        let Some(last) = page.into_iter().next_back() else {
            return Ok(());
        };
        after = (last.book, last.name);
    }
}

/// Every external id is of an account of its book.
pub(super) async fn check_external_ids(
    connection: &mut Connection,
    audit: &Audit,
) -> Result<(), StorageError> {
    let limit = audit.pages.registry_max;
    let mut after = (BookId(i64::MIN), String::new());
    loop {
        let page = audit::list_external_ids(connection, (after.0, &after.1), limit).await?;
        let mut report = audit.part();
        for row in page.iter().filter(|row| row.account_book != Some(row.book)) {
            let what = format!("is of account {}, which is not in that book", row.account);
            report.find(Place::ExternalId(row.book, row.name.clone()), what);
        }
        audit.add(report);
        let Some(last) = page.into_iter().next_back() else {
            return Ok(());
        };
        after = (last.book, last.name);
    }
}

/// Every user was opened together with an account, or by a transaction that says so.
pub(super) async fn check_users(
    connection: &mut Connection,
    audit: &Audit,
) -> Result<(), StorageError> {
    let limit = audit.pages.registry_max;
    let mut after = UserId(i64::MIN);
    loop {
        let page = audit::list_users(connection, after, limit, ENTERED_BEFORE_MAX).await?;
        let mut report = audit.part();
        for row in page.iter().filter(|row| !row.is_opened_alone) {
            if row.accounts == 0 {
                report.find(Place::User(row.id), "has no account".to_owned());
            } else if row.opened_with == 0 {
                let what = "has no account that was opened at the same time";
                report.find(Place::User(row.id), what.to_owned());
            }
        }
        audit.add(report);
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = last.id;
    }
}

/// The last step of an audit: books and currencies, of which there are few, and the resets that were read on the way.
pub(super) async fn check_rest(
    connection: &mut Connection,
    audit: &Audit,
) -> Result<(), StorageError> {
    let mut report = audit.part();
    let currencies = audit::list_currencies(connection).await?;
    check_currencies(&mut report, &currencies);
    for row in &currencies {
        for seen in &mut report.seen {
            seen.add_currency(row);
        }
    }
    check_anyone(&mut report, audit::find_anyone(connection).await?.as_ref());
    let books = audit::list_books(connection).await?;
    check_books(&mut report, &books);
    let opened = std::mem::take(&mut audit.report().opened_books);
    check_opened(&mut report, &books, &opened, &audit.resets_known());
    let resets = std::mem::take(&mut audit.report().resets);
    check_resets(&mut report, &books, &resets, &audit.resets_known());
    audit.add(report);
    Ok(())
}

fn check_currencies(report: &mut Report, currencies: &[CurrencyRow]) {
    for (code, name, scale, crypto) in BUILT_IN {
        let is_there = currencies.iter().any(|row| {
            row.code == code && row.name == name && row.scale == scale && row.crypto == crypto
        });
        if !is_there {
            let what = format!("is not {name} with {scale} decimals any more");
            report.find(Place::Registered(code.to_owned()), what);
        }
    }
}

/// While nobody has to say who they are, everybody's keys are of this caller.
fn check_anyone(report: &mut Report, caller: Option<&CallerRow>) {
    let anyone = CallerRow {
        principal_id: 1,
        book_id: BookId::MAIN.0,
        kind: "anyone".to_owned(),
        name: Some("anyone".to_owned()),
        user_id: None,
    };
    if caller != Some(&anyone) {
        let what = "is not everybody in the main book any more";
        report.find(Place::Anyone, what.to_owned());
    }
}

/// The first book of a name was there from the beginning, or a transaction opened it, and no other.
fn check_opened(
    report: &mut Report,
    books: &[BookRow],
    opened: &[(BookId, Uuid)],
    known: &Range<DateTime<Utc>>,
) {
    let built_in = [BookName::MAIN, BookName::EVENTS];
    let built_in = built_in.each_ref().map(BookName::as_str);
    let chains = books.chunk_by(|one, other| one.name == other.name);
    let firsts = chains.filter_map(|chain| chain.first());
    let firsts = firsts.filter(|book| !built_in.contains(&book.name.as_str()));
    let mut unopened: HashMap<i64, &BookRow> = firsts.map(|book| (book.id, book)).collect();
    for (book, id) in opened {
        if unopened.remove(&book.0).is_none() {
            let what = format!("opened book {}, as something else did", book.0);
            report.find(Place::Transaction(*id), what);
        }
    }
    for book in unopened.into_values() {
        if known.contains(&book.opened_at) {
            let what = format!("is called {}, and no transaction opened it", book.name);
            report.find(Place::Book(BookId(book.id)), what);
        }
    }
}

fn check_books(report: &mut Report, books: &[BookRow]) {
    for name in [BookName::MAIN, BookName::EVENTS] {
        if !books.iter().any(|book| book.name == name.as_str()) {
            let what = format!("no book is called {}", name.as_str());
            report.find(Place::Book(BookId::MAIN), what);
        }
    }
    for chain in books.chunk_by(|one, other| one.name == other.name) {
        let is_main = chain
            .iter()
            .any(|book| book.name == BookName::MAIN.as_str());
        for book in chain {
            let alone = book.id == BookId::MAIN.0 && book.sealed_at.is_none();
            if (is_main && !alone) || (!is_main && book.id == BookId::MAIN.0) {
                let what = "is not the main book, which is the first and is never sealed";
                report.find(Place::Book(BookId(book.id)), what.to_owned());
            }
        }
        for pair in chain.windows(2) {
            if let [before, book] = pair
                && before.sealed_at != Some(book.opened_at)
            {
                let what = format!(
                    "was not opened when book {}, the one before of its name, was sealed",
                    before.id
                );
                report.find(Place::Book(BookId(book.id)), what);
            }
        }
        if let Some(last) = chain.last()
            && last.sealed_at.is_some()
        {
            let what = format!("is sealed, and no book {} is open", last.name);
            report.find(Place::Book(BookId(last.id)), what);
        }
    }
}

/// Every reset opened a book, and every book but the first of its name was opened by a reset. Books are read after the resets, so
/// those that are newer than `known` may have one that was not read.
fn check_resets(
    report: &mut Report,
    books: &[BookRow],
    resets: &[(DateTime<Utc>, Uuid)],
    known: &Range<DateTime<Utc>>,
) {
    let followers = || {
        books
            .chunk_by(|one, other| one.name == other.name)
            .flat_map(|chain| chain.iter().skip(1))
    };
    let mut unmatched: HashMap<DateTime<Utc>, i64> = HashMap::new();
    for book in followers() {
        *unmatched.entry(book.opened_at).or_default() += 1;
    }
    for (at, id) in resets {
        let opened = unmatched.entry(*at).or_default();
        *opened -= 1;
        if *opened < 0 && known.start <= *at {
            let what = "reset a book, but none was opened then".to_owned();
            report.find(Place::Transaction(*id), what);
        }
    }
    for book in followers().filter(|book| known.contains(&book.opened_at)) {
        if unmatched.get(&book.opened_at).is_some_and(|left| 0 < *left) {
            let what = "was opened by no reset".to_owned();
            report.find(Place::Book(BookId(book.id)), what);
        }
    }
}
