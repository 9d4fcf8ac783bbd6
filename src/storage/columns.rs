//! The ledger's values on their way into columns and back.

use rust_decimal::Decimal;
use sha2::{Digest, Sha256};
use sqlx::FromRow;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::error::Unreadable;
use crate::ledger::{
    AccountId, Amount, BookId, CallerId, Currency, CurrencyCode, Head, HoldStatus, Kind, Scope,
    Seal, Status,
};

/// A row by itself, so that one whose columns cannot be read leaves the others readable.
///
/// # Errors
/// If a column holds what this program has no value for.
pub(super) fn read<'r, T: FromRow<'r, PgRow>>(row: &'r PgRow) -> Result<T, Unreadable> {
    T::from_row(row).map_err(|error| Unreadable(error.to_string()))
}

/// Exact for every amount: 10^27 minor units and 18 decimals are within the 28 digits of a [`Decimal`].
pub(super) fn decimal(amount: Amount, scale: u8) -> Decimal {
    Decimal::from_i128_with_scale(amount.minor(), u32::from(scale))
}

/// # Errors
/// If the column holds what no amount of the currency can be.
pub(super) fn amount(value: Decimal, scale: u8) -> Result<Amount, Unreadable> {
    let mut scaled = value;
    scaled.rescale(u32::from(scale));
    let exact = scaled == value && scaled.scale() == u32::from(scale);
    exact
        .then(|| Amount::from_minor(scaled.mantissa()))
        .flatten()
        .ok_or_else(|| Unreadable(format!("{value} is no amount with {scale} decimals")))
}

/// # Errors
/// If the columns hold what no currency can be.
pub(super) fn currency(code: &str, scale: i16) -> Result<Currency, Unreadable> {
    CurrencyCode::parse(code)
        .zip(u8::try_from(scale).ok())
        .map(|(code, scale)| Currency { code, scale })
        .ok_or_else(|| Unreadable(format!("{code} with {scale} decimals is no currency")))
}

/// # Errors
/// If the column does not hold the 32 bytes of a seal.
pub(super) fn seal(bytes: &[u8]) -> Result<Seal, Unreadable> {
    let bytes = bytes
        .try_into()
        .map_err(|_| Unreadable(format!("a seal of {} bytes", bytes.len())))?;
    Ok(Seal(bytes))
}

/// # Errors
/// If the column holds no status.
pub(super) fn parse_status(status: &str) -> Result<Status, Unreadable> {
    Status::parse(status).ok_or_else(|| Unreadable(format!("the account status {status}")))
}

/// # Errors
/// If the column holds no kind of transaction.
pub(super) fn parse_kind(kind: &str) -> Result<Kind, Unreadable> {
    Kind::parse(kind).ok_or_else(|| Unreadable(format!("the transaction kind {kind}")))
}

/// What a program from before there was more than money is refused by: it does not keep it beside the version.
pub(super) fn state_version(head: &Head) -> Option<i64> {
    (!head.is_plain()).then_some(head.version.0)
}

/// # Errors
/// If the column holds no status of a hold.
pub(super) fn parse_hold_status(status: &str) -> Result<HoldStatus, Unreadable> {
    HoldStatus::parse(status).ok_or_else(|| Unreadable(format!("the hold status {status}")))
}

pub(super) fn scope(scope: Scope) -> (&'static str, i64) {
    match scope {
        Scope::Account(account) => ("account", account.0),
        Scope::Book(book) => ("book", book.0),
        Scope::Caller(caller) => ("caller", caller.0),
    }
}

/// What a key is unique by: the first half of SHA-256 over its scope and itself, as in migration V13.
pub(super) fn key_hash(scope: Scope, key: &str) -> Uuid {
    let (kind, id) = self::scope(scope);
    let hash = Sha256::digest(format!("{kind} {id} {key}"));
    Uuid::from_bytes(std::array::from_fn(|index| hash[index]))
}

/// # Errors
/// If the columns hold no scope.
pub(super) fn parse_scope(kind: &str, id: i64) -> Result<Scope, Unreadable> {
    match kind {
        "account" => Ok(Scope::Account(AccountId(id))),
        "book" => Ok(Scope::Book(BookId(id))),
        "caller" => Ok(Scope::Caller(CallerId(id))),
        other => Err(Unreadable(format!("the scope {other}"))),
    }
}
