//! Everything the ledger can be asked to do.

use std::fmt;
use std::time::Duration;

use super::account::{AccountId, AccountName, UserId};
use super::book::{BookName, Books};
use super::email::Email;
use super::head::Head;
use super::money::{Amount, Currency, Magnitude};

#[derive(Clone, Debug)]
pub enum Action {
    Post(Posting),
    OpenUser(OpenUser),
    OpenAccount(OpenAccount),
    /// Seal the open book of that name, and open a new, empty one. Nothing is deleted.
    ResetBook(BookName),
}

/// Money from one party to another. Nothing at all moves if the amount is zero.
#[derive(Clone, Debug)]
pub struct Posting {
    pub from: Party,
    pub to: Party,
    pub amount: Magnitude,
    pub currency: Currency,
}

/// Who gives, or who takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Party {
    /// Everybody who has no account here.
    World,
    Account(AccountRef),
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
    /// Zero deposits nothing.
    pub opening_balance: Magnitude,
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
    /// Zero deposits nothing.
    pub opening_balance: Magnitude,
}

/// What is kept of a password, as a PHC string. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

/// What became of a command, as it is stored.
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

impl Kind {
    /// Whether the entries of a transaction say which accounts it was about.
    #[must_use]
    pub fn is_told_by_entries(self) -> bool {
        match self {
            Self::Deposit | Self::Withdrawal | Self::Transfer => true,
            Self::Opening | Self::Reset | Self::Empty => false,
        }
    }
}

impl Posting {
    /// Deposits what is positive, and withdraws what is negative.
    #[must_use]
    pub fn change(account: AccountRef, change: Amount, currency: Currency) -> Self {
        let (account, amount) = (Party::Account(account), change.magnitude());
        let (from, to) = if change.is_negative() {
            (account, Party::World)
        } else {
            (Party::World, account)
        };
        Self {
            from,
            to,
            amount,
            currency,
        }
    }

    #[must_use]
    pub fn kind(&self) -> Kind {
        match (&self.from, &self.to) {
            (Party::World, _) => Kind::Deposit,
            (Party::Account(_), Party::World) => Kind::Withdrawal,
            (Party::Account(_), Party::Account(_)) => Kind::Transfer,
        }
    }

    /// The accounts at its ends, the giving one first.
    pub fn accounts(&self) -> impl Iterator<Item = &AccountRef> {
        let ends = [&self.from, &self.to].into_iter();
        ends.filter_map(|party| match party {
            Party::World => None,
            Party::Account(account) => Some(account),
        })
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

impl Action {
    /// What a refusal of it is stored as.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Post(posting) => posting.kind(),
            Self::OpenUser(_) | Self::OpenAccount(_) => Kind::Opening,
            Self::ResetBook(_) => Kind::Reset,
        }
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PasswordHash")
    }
}
