//! What is said of an account: its id, its name, its version, its status.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::details::DetailsDigest;
use super::money::{Amount, CurrencyCode};

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

/// What callers call an account, unique in its book: 1 to 255 of `[A-Za-z0-9_.:-]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExternalId(Arc<str>);

/// A frozen account takes money in and lets none out; a closed one does neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    #[default]
    Open,
    Frozen,
    Closed,
}

/// All of an account that its entries change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub balance: Amount,
    /// What is set aside of the balance. Not negative.
    pub held: Amount,
    /// What is not held never goes below it.
    pub floor: Amount,
    pub status: Status,
    /// What is said of the account, if anything was ever.
    pub details: Option<DetailsDigest>,
}

impl State {
    /// Whether there is nothing but a balance.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.held.is_zero()
            && self.floor.is_zero()
            && self.status == Status::Open
            && self.details.is_none()
    }

    /// What may leave the account.
    #[must_use]
    pub fn available(&self) -> Amount {
        self.balance
            .saturating_sub(self.held)
            .saturating_sub(self.floor)
    }
}

impl Status {
    pub const ALL: [Self; 3] = [Self::Open, Self::Frozen, Self::Closed];

    /// As it is stored and shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Frozen => "frozen",
            Self::Closed => "closed",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

impl Version {
    /// The opening itself.
    pub const OPENING: Self = Self(1);

    /// The version that the next entry makes. No account has 2^63 entries.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
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

impl ExternalId {
    /// The longest, in characters.
    pub const LENGTH_MAX: usize = 255;

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
        let fits = !text.is_empty() && text.len() <= Self::LENGTH_MAX && text.bytes().all(is_fit);
        fits.then(|| Self(text.into()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
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
