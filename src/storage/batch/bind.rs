//! The values of a plan as the parameters of its statement, in their order.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::super::{CommitError, columns};
use crate::ledger::plan::{Expected, NewAccount, NewEntry, NewTransaction, NewUser, Plan, Swap};
use crate::ledger::{BookId, NewSession};

pub(super) type Query<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

pub(super) fn swaps<'q>(query: Query<'q>, swaps: &[Swap]) -> Query<'q> {
    let before: Vec<Expected> = swaps.iter().map(|swap| swap.expected).collect();
    let heads = || swaps.iter().map(|swap| &swap.head);
    expected(query, &before)
        .bind(heads().map(|head| head.version.0).collect::<Vec<i64>>())
        .bind(heads().map(|head| head.seal.0).collect::<Vec<[u8; 32]>>())
        .bind(
            heads()
                .map(|head| columns::decimal(head.balance, head.currency.scale))
                .collect::<Vec<Decimal>>(),
        )
        .bind(
            heads()
                .map(|head| head.last_entry_at)
                .collect::<Vec<DateTime<Utc>>>(),
        )
}

pub(super) fn expected<'q>(query: Query<'q>, expected: &[Expected]) -> Query<'q> {
    let floor = |head: &Expected| columns::decimal(head.floor, head.currency.scale);
    query
        .bind(expected.iter().map(|head| head.id.0).collect::<Vec<i64>>())
        .bind(
            expected
                .iter()
                .map(|head| head.version.0)
                .collect::<Vec<i64>>(),
        )
        .bind(
            expected
                .iter()
                .map(|head| head.seal.0)
                .collect::<Vec<[u8; 32]>>(),
        )
        .bind(
            expected
                .iter()
                .map(|head| columns::status(head.status))
                .collect::<Vec<&str>>(),
        )
        .bind(expected.iter().map(floor).collect::<Vec<Decimal>>())
}

pub(super) fn books<'q>(query: Query<'q>, plan: &Plan<'_>) -> Query<'q> {
    let sealed = || plan.sealed_books.iter();
    let new = || plan.new_books.iter();
    query
        .bind(ids(&plan.books))
        .bind(sealed().map(|(book, _)| book.0).collect::<Vec<i64>>())
        .bind(sealed().map(|(_, at)| *at).collect::<Vec<DateTime<Utc>>>())
        .bind(new().map(|book| book.id.0).collect::<Vec<i64>>())
        .bind(new().map(|book| book.name.as_str()).collect::<Vec<&str>>())
        .bind(
            new()
                .map(|book| book.opened_at)
                .collect::<Vec<DateTime<Utc>>>(),
        )
        .bind(
            new()
                .map(|book| book.sealed_at)
                .collect::<Vec<Option<DateTime<Utc>>>>(),
        )
}

pub(super) fn ids(books: &[BookId]) -> Vec<i64> {
    books.iter().map(|book| book.0).collect()
}

pub(super) fn users<'q>(query: Query<'q>, users: &[NewUser<'_>]) -> Query<'q> {
    let emails = || users.iter().map(|user| user.email);
    query
        .bind(users.iter().map(|user| user.id.0).collect::<Vec<i64>>())
        .bind(texts(users.iter().map(|user| user.name)))
        .bind(texts(emails().map(|email| Some(email?.canonical()))))
        .bind(texts(emails().map(|email| email?.typed_otherwise())))
        .bind(
            users
                .iter()
                .map(|user| user.created_at)
                .collect::<Vec<DateTime<Utc>>>(),
        )
        .bind(texts(
            users
                .iter()
                .map(|user| user.password_hash.map(|hash| hash.0.as_str())),
        ))
}

fn texts<'t>(texts: impl Iterator<Item = Option<&'t str>>) -> Vec<Option<String>> {
    texts.map(|text| text.map(str::to_owned)).collect()
}

pub(super) fn accounts<'q>(query: Query<'q>, accounts: &[NewAccount]) -> Query<'q> {
    let heads = || accounts.iter().map(|account| &account.head);
    query
        .bind(heads().map(|head| head.id.0).collect::<Vec<i64>>())
        .bind(heads().map(|head| head.book.0).collect::<Vec<i64>>())
        .bind(
            heads()
                .map(|head| head.owner.map(|owner| owner.0))
                .collect::<Vec<Option<i64>>>(),
        )
        .bind(
            heads()
                .map(|head| head.currency.code.to_string())
                .collect::<Vec<String>>(),
        )
        .bind(
            heads()
                .map(|head| head.opened_at)
                .collect::<Vec<DateTime<Utc>>>(),
        )
        .bind(
            heads()
                .map(|head| columns::decimal(head.balance, head.currency.scale))
                .collect::<Vec<Decimal>>(),
        )
        .bind(
            heads()
                .map(|head| columns::decimal(head.floor, head.currency.scale))
                .collect::<Vec<Decimal>>(),
        )
        .bind(heads().map(|head| head.version.0).collect::<Vec<i64>>())
        .bind(heads().map(|head| head.seal.0).collect::<Vec<[u8; 32]>>())
        .bind(
            heads()
                .map(|head| columns::status(head.status))
                .collect::<Vec<&str>>(),
        )
        .bind(
            heads()
                .map(|head| head.last_entry_at)
                .collect::<Vec<DateTime<Utc>>>(),
        )
        .bind(
            accounts
                .iter()
                .map(|account| {
                    account
                        .name
                        .as_ref()
                        .map(|name| name.name.as_str().to_owned())
                })
                .collect::<Vec<Option<String>>>(),
        )
}

pub(super) fn sessions<'q>(query: Query<'q>, users: &[NewUser<'_>]) -> Query<'q> {
    let begun = users
        .iter()
        .filter_map(|user| Some((user.id.0, user.session?)));
    let (ids, sessions): (Vec<i64>, Vec<&NewSession>) = begun.unzip();
    let hashes = sessions.iter().map(|session| session.token_hash);
    let seconds = sessions
        .iter()
        .map(|session| session.lifetime.as_secs_f64());
    query
        .bind(hashes.collect::<Vec<[u8; 32]>>())
        .bind(ids)
        .bind(seconds.collect::<Vec<f64>>())
}

pub(super) fn transactions<'q>(
    query: Query<'q>,
    transactions: &[NewTransaction<'_>],
) -> Result<Query<'q>, CommitError> {
    let rows = || transactions.iter();
    let refusals: Vec<Option<String>> = rows()
        .map(|row| row.refusal.as_ref().map(serde_json::to_string).transpose())
        .collect::<Result<_, _>>()
        .map_err(|error| CommitError::BadData(error.to_string()))?;
    let key = |row: &NewTransaction<'_>| row.key.map(|key| key.text.clone());
    let key_hash = |row: &NewTransaction<'_>| {
        let key = row.key?;
        Some(columns::key_hash(row.scope, &key.text))
    };
    Ok(query
        .bind(rows().map(|row| row.id.0).collect::<Vec<uuid::Uuid>>())
        .bind(
            rows()
                .map(|row| columns::kind(row.kind))
                .collect::<Vec<&str>>(),
        )
        .bind(
            rows()
                .map(|row| columns::scope(row.scope).0)
                .collect::<Vec<&str>>(),
        )
        .bind(
            rows()
                .map(|row| columns::scope(row.scope).1)
                .collect::<Vec<i64>>(),
        )
        .bind(
            rows()
                .map(|row| row.created_at)
                .collect::<Vec<DateTime<Utc>>>(),
        )
        .bind(
            rows()
                .map(|row| row.account.map(|(account, _)| account.0))
                .collect::<Vec<Option<i64>>>(),
        )
        .bind(
            rows()
                .map(|row| row.account.map(|(_, version)| version.0))
                .collect::<Vec<Option<i64>>>(),
        )
        .bind(rows().map(key).collect::<Vec<Option<String>>>())
        .bind(rows().map(key_hash).collect::<Vec<Option<uuid::Uuid>>>())
        .bind(
            rows()
                .map(|row| row.key.map(|key| key.digest))
                .collect::<Vec<Option<[u8; 32]>>>(),
        )
        .bind(refusals))
}

pub(super) fn entries<'q>(query: Query<'q>, entries: &[NewEntry]) -> Query<'q> {
    let rows = || entries.iter().map(|entry| &entry.sealed.entry);
    let decimals =
        |amount: fn(&NewEntry) -> Decimal| entries.iter().map(amount).collect::<Vec<Decimal>>();
    query
        .bind(rows().map(|row| row.account.0).collect::<Vec<i64>>())
        .bind(rows().map(|row| row.version.0).collect::<Vec<i64>>())
        .bind(
            rows()
                .map(|row| row.change.counterparty().map(|account| account.0))
                .collect::<Vec<Option<i64>>>(),
        )
        .bind(
            rows()
                .map(|row| row.created_at)
                .collect::<Vec<DateTime<Utc>>>(),
        )
        .bind(
            rows()
                .map(|row| row.transaction.0)
                .collect::<Vec<uuid::Uuid>>(),
        )
        .bind(decimals(|entry| {
            columns::decimal(entry.sealed.entry.change.amount(), entry.currency.scale)
        }))
        .bind(decimals(|entry| {
            columns::decimal(entry.sealed.entry.balance, entry.currency.scale)
        }))
        .bind(
            entries
                .iter()
                .map(|entry| entry.sealed.seal.0)
                .collect::<Vec<[u8; 32]>>(),
        )
}
