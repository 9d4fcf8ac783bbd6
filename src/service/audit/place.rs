//! Where a difference is, and what it is.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use crate::ledger::{AccountId, BookId, CurrencyCode, HoldId, UserId, Version};

/// One difference between what is stored and what follows from the entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub place: Place,
    pub what: String,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A table, a constraint, a trigger, …
    Schema(String),
    Account(AccountId),
    Entry(AccountId, Version),
    /// One or more of these, both included.
    Accounts(AccountId, AccountId),
    Hold(HoldId),
    Transaction(Uuid),
    /// One or more of those that entered between these, both included.
    Transactions(DateTime<Utc>, DateTime<Utc>),
    Name(BookId, String),
    ExternalId(BookId, String),
    /// Everybody, while nobody has to say who they are.
    Anyone,
    User(UserId),
    Book(BookId),
    /// The sums of a currency.
    Currency(CurrencyCode),
    /// A currency's row.
    Registered(String),
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, what } = self;
        write!(formatter, "{place}: {what}")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema(part) => formatter.write_str(part),
            Self::Account(account) => write!(formatter, "account {account}"),
            Self::Entry(account, version) => {
                write!(formatter, "account {account}, entry {}", version.0)
            }
            Self::Accounts(first, last) if first == last => write!(formatter, "account {first}"),
            Self::Accounts(first, last) => write!(formatter, "accounts {first} to {last}"),
            Self::Hold(HoldId(id)) => write!(formatter, "hold {id}"),
            Self::Transaction(id) => write!(formatter, "transaction {id}"),
            Self::Transactions(first, last) => {
                let [first, last] =
                    [first, last].map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true));
                write!(formatter, "transactions from {first} to {last}")
            }
            Self::Name(book, name) => write!(formatter, "name {name:?} of book {}", book.0),
            Self::ExternalId(book, id) => write!(formatter, "external id {id} of book {}", book.0),
            Self::Anyone => formatter.write_str("caller 1"),
            Self::User(user) => write!(formatter, "user {user}"),
            Self::Book(book) => write!(formatter, "book {}", book.0),
            Self::Currency(code) => write!(formatter, "currency {code}"),
            Self::Registered(code) => write!(formatter, "currency {code}"),
        }
    }
}
