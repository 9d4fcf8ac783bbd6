//! Everything the ledger can be asked to do, with the receipt for having done it.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    AccountId, AccountName, Amount, BookId, BookName, Books, Currency, Email, Head, UserId, Version,
};

/// One request to the ledger: applied whole, exactly once, or refused.
#[derive(Clone, Debug)]
pub struct Command {
    /// Given once, when the command enters, and kept through every retry.
    pub id: TransactionId,
    pub action: Action,
    pub key: Option<Key>,
    /// The version that the account in scope must have for the command to apply.
    pub expected_version: Option<Version>,
}

#[derive(Clone, Debug)]
pub enum Action {
    Move(Move),
    OpenUser(OpenUser),
    OpenAccount(OpenAccount),
    /// Seal the open book of that name, and open a new, empty one. Nothing is deleted.
    ResetBook(BookName),
}

/// Money from one party to another. Nothing at all moves where the amount is zero.
#[derive(Clone, Debug)]
pub struct Move {
    parties: Parties,
    amount: Amount,
    currency: Currency,
}

/// Who gives and who takes. The outside world is a party of every move but a transfer, and has no account.
#[derive(Clone, Debug)]
pub enum Parties {
    Deposit { to: AccountRef },
    Withdrawal { from: AccountRef },
    Transfer { from: AccountRef, to: AccountRef },
}

/// How a command calls an account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AccountRef {
    Id(AccountId),
    /// An account as long as it belongs to that user; to anybody else it does not exist.
    Owned(AccountId, UserId),
    Named(NamedAccount),
}

/// An account by its name in a book. The first money to reach the name opens it, in the currency of that money.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NamedAccount {
    pub book: BookName,
    pub name: AccountName,
    /// Whose it is, or will be. The user must exist.
    pub owner: Option<UserId>,
}

/// A person, their first account, and what is on it from the start.
#[derive(Clone, Debug)]
pub struct OpenUser {
    pub name: Option<String>,
    pub email: Option<Email>,
    /// None where the user does not sign in.
    pub password_hash: Option<PasswordHash>,
    /// None where the user is not signed in at once.
    pub session: Option<NewSession>,
    pub currency: Currency,
    /// Not negative. Zero deposits nothing.
    pub opening_balance: Amount,
}

/// A session that begins with the user, so that nobody is opened whom the caller does not hear of.
#[derive(Clone, Copy, Debug)]
pub struct NewSession {
    /// SHA-256 of the token, which itself is never stored.
    pub token_hash: [u8; 32],
    /// How long it lives in any case, by the clock of the database.
    pub lifetime: Duration,
}

/// An account without a name: it is called by its id, or by the number that follows from it.
#[derive(Clone, Debug)]
pub struct OpenAccount {
    /// Who must exist.
    pub owner: Option<UserId>,
    pub currency: Currency,
    /// Not negative. Zero deposits nothing.
    pub opening_balance: Amount,
}

/// What is kept of a password, as a PHC string. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

/// A UUID of version 7 (RFC 9562).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TransactionId(pub Uuid);

/// What a caller sends along to be able to ask again without asking twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// 1 to 255 visible ASCII characters; what the service asks by itself has a blank in it, which no caller can send.
    pub text: String,
    /// Over all that was asked, the interface and the caller.
    pub digest: [u8; 32],
}

/// Where a key is unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    Account(AccountId),
    Book(BookId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Deposit,
    Withdrawal,
    Transfer,
    Opening,
    /// A book was sealed, and a new one opened.
    Reset,
    /// Asked for nothing, and got it.
    Empty,
}

/// What became of an accepted command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub transaction: TransactionId,
    pub kind: Kind,
    pub created_at: DateTime<Utc>,
    /// Each account it spoke of, the giving one first. Empty where there was no account to speak of.
    pub standings: Vec<Standing>,
}

/// An account right after a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub account: AccountId,
    pub owner: Option<UserId>,
    pub currency: Currency,
    /// Signed: what the command changed.
    pub amount: Amount,
    pub balance: Amount,
    pub version: Version,
    /// When its last entry was made until then, or when it was opened.
    pub last_entry_at: DateTime<Utc>,
}

impl Move {
    /// `None` where the amount is negative: that would be a move the other way.
    #[must_use]
    pub fn new(parties: Parties, amount: Amount, currency: Currency) -> Option<Self> {
        (!amount.is_negative()).then_some(Self {
            parties,
            amount,
            currency,
        })
    }

    /// Deposits what is positive, and withdraws what is negative.
    #[must_use]
    pub fn change(account: AccountRef, change: Amount, currency: Currency) -> Self {
        let parties = if change.is_negative() {
            Parties::Withdrawal { from: account }
        } else {
            Parties::Deposit { to: account }
        };
        Self {
            parties,
            amount: change.magnitude(),
            currency,
        }
    }

    #[must_use]
    pub fn parties(&self) -> &Parties {
        &self.parties
    }

    #[must_use]
    pub fn amount(&self) -> Amount {
        self.amount
    }

    #[must_use]
    pub fn currency(&self) -> Currency {
        self.currency
    }
}

impl Parties {
    #[must_use]
    pub fn from(&self) -> Option<&AccountRef> {
        match self {
            Self::Deposit { .. } => None,
            Self::Withdrawal { from } | Self::Transfer { from, .. } => Some(from),
        }
    }

    #[must_use]
    pub fn to(&self) -> Option<&AccountRef> {
        match self {
            Self::Withdrawal { .. } => None,
            Self::Deposit { to } | Self::Transfer { to, .. } => Some(to),
        }
    }

    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Deposit { .. } => Kind::Deposit,
            Self::Withdrawal { .. } => Kind::Withdrawal,
            Self::Transfer { .. } => Kind::Transfer,
        }
    }
}

impl AccountRef {
    /// Whether a head can be what the reference means: a remembered name may have belonged to another history, in which
    /// the id was somebody else's, or to a book that is sealed by now.
    #[must_use]
    pub fn fits(&self, head: &Head, books: &Books) -> bool {
        match self {
            Self::Id(id) | Self::Owned(id, _) => head.id == *id,
            Self::Named(name) => head.owner == name.owner && books.id(name.book) == Some(head.book),
        }
    }
}

impl NamedAccount {
    /// The account of a user in a currency.
    #[must_use]
    pub fn of_user(user: UserId, currency: Currency) -> Self {
        Self {
            book: BookName::MAIN,
            name: AccountName::of_user(user, currency.code),
            owner: Some(user),
        }
    }
}

impl Standing {
    /// An account as it stands now, after a command that changed it by so much.
    #[must_use]
    pub fn of(head: &Head, amount: Amount) -> Self {
        Self {
            account: head.id,
            owner: head.owner,
            currency: head.currency,
            amount,
            balance: head.balance,
            version: head.version,
            last_entry_at: head.last_entry_at,
        }
    }
}

impl Action {
    /// The book that can be reset and that the command names, if it does.
    #[must_use]
    pub fn book(&self) -> Option<BookName> {
        let named = self.accounts().find_map(|reference| match reference {
            AccountRef::Named(name) => Some(name.book),
            AccountRef::Id(_) | AccountRef::Owned(..) => None,
        });
        match self {
            Self::ResetBook(book) => Some(*book),
            Self::Move(_) | Self::OpenUser(_) | Self::OpenAccount(_) => {
                named.filter(|book| *book != BookName::MAIN)
            }
        }
    }

    /// The accounts that the command names.
    pub fn accounts(&self) -> impl Iterator<Item = &AccountRef> {
        let parties = match self {
            Self::Move(money) => Some(money.parties()),
            Self::OpenUser(_) | Self::OpenAccount(_) | Self::ResetBook(_) => None,
        };
        parties
            .into_iter()
            .flat_map(|parties| parties.from().into_iter().chain(parties.to()))
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PasswordHash")
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Debug for TransactionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
