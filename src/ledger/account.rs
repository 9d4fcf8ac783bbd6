//! The head of an account: what the next entry is written on top of.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Amount, BookId, Currency, CurrencyCode, Seal};

/// A number from the accounts' sequence; positive, with gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccountId(pub i64);

/// A number from the users' sequence; positive, with gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub i64);

/// How many entries an account has had, its opening included: 1 is the opening, the first entry makes it 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version(pub i64);

/// What an account is called within a book. A name never points elsewhere later.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountName(Arc<str>);

/// A frozen account takes money in and lets none out; a closed one does neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Open,
    Frozen,
    Closed,
}

/// The state of an account right after its last entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub id: AccountId,
    pub book: BookId,
    pub owner: Option<UserId>,
    pub currency: Currency,
    pub opened_at: DateTime<Utc>,
    pub balance: Amount,
    /// The balance never goes below it.
    pub floor: Amount,
    pub version: Version,
    pub seal: Seal,
    pub status: Status,
    pub last_entry_at: DateTime<Utc>,
}

impl Version {
    /// The opening itself.
    pub const OPENING: Self = Self(1);
}

impl AccountName {
    /// The longest name, in characters.
    pub const LENGTH_MAX: usize = 255;

    /// The account of a user in a currency.
    #[must_use]
    pub fn of_user(user: UserId, currency: CurrencyCode) -> Self {
        Self(format!("user:{user}:{currency}").into())
    }

    /// A name that somebody chose: 1 to 255 characters that PostgreSQL can hold.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let length = text.chars().count();
        let fits = 0 < length && length <= Self::LENGTH_MAX && !text.contains('\0');
        fits.then(|| Self(text.into()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Head {
    /// A new account: no money, no entry, and the genesis seal that its identity gives.
    #[must_use]
    pub fn open(
        id: AccountId,
        book: BookId,
        owner: Option<UserId>,
        currency: Currency,
        at: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            book,
            owner,
            currency,
            opened_at: at,
            balance: Amount::ZERO,
            floor: Amount::ZERO,
            version: Version::OPENING,
            seal: Seal::genesis(id, book, owner, currency, at),
            status: Status::Open,
            last_entry_at: at,
        }
    }

    /// The seal of its opening, on which the first entry follows.
    #[must_use]
    pub fn genesis(&self) -> Seal {
        Seal::genesis(
            self.id,
            self.book,
            self.owner,
            self.currency,
            self.opened_at,
        )
    }

    /// What may leave the account.
    #[must_use]
    pub fn available(&self) -> Amount {
        self.balance.checked_sub(self.floor).unwrap_or(self.balance)
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_1_to_255_characters_that_the_database_can_hold() {
        for text in ["a", " ", "\u{e4}", &"\u{e4}".repeat(255)] {
            let name = AccountName::parse(text);
            assert_eq!(name.as_ref().map(AccountName::as_str), Some(text));
        }
        for text in ["", "a\0b", &"a".repeat(256)] {
            assert_eq!(AccountName::parse(text), None, "{text:?}");
        }
    }
}
