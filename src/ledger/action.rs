//! Everything the ledger can be asked to do.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::account::{AccountId, AccountName, ExternalId, Status, UserId};
use super::book::{BookName, Books};
use super::details::{AccountDetails, MetadataPatch, Salt};
use super::email::Email;
use super::entry::TransactionId;
use super::figure::Figure;
use super::head::Head;
use super::hold::HoldId;
use super::money::{Amount, Currency, Magnitude};

#[derive(Clone, Debug)]
pub enum Action {
    /// Money from one party to another, as often as is said, in order, all or nothing.
    Post(Vec<Posting>),
    /// The postings of a transaction turned round, the last first.
    Reverse(TransactionId),
    PlaceHold(NewHold),
    ChangeHold(HoldId, HoldChange),
    VoidHold(HoldId),
    /// Write down which holds of an account have expired, which every command on it does.
    Expire(AccountId),
    Amend(AccountRef, Amendment),
    OpenUser(OpenUser),
    OpenAccount(OpenAccount),
    OpenBook(BookName),
    /// Seal the open book of that name, and open a new, empty one. Nothing is deleted.
    ResetBook(BookName),
}

/// Money from one party to another. Nothing at all moves if the amount is zero.
#[derive(Clone, Debug)]
pub struct Posting {
    pub from: Party,
    pub to: Party,
    pub amount: Quantity,
    /// None if a hold says it.
    pub currency: Option<Currency>,
}

/// How much moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quantity {
    Exactly(Magnitude),
    /// In whichever currency the account is.
    Written(Figure),
    /// Whatever is available, or remains of the hold.
    All,
}

/// Who gives, or who takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Party {
    /// Everybody who has no account here.
    World,
    Account(AccountRef),
    /// The account of a hold, out of what is held. It only gives.
    Hold(Capture),
}

/// How a hold is captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capture {
    pub hold: HoldId,
    /// Whether what remains after it is free again.
    pub is_final: bool,
    /// Whether it may be more than remains.
    pub may_exceed: bool,
}

/// Money that is to be set aside.
#[derive(Clone, Debug)]
pub struct NewHold {
    pub account: AccountRef,
    pub amount: Magnitude,
    pub currency: Currency,
    pub expires_at: Option<DateTime<Utc>>,
}

/// What becomes of a hold. What is not said stays.
#[derive(Clone, Debug)]
pub struct HoldChange {
    pub amount: Option<Figure>,
    pub expires_at: Option<DateTime<Utc>>,
}

/// What becomes of an account.
#[derive(Clone, Debug)]
pub enum Amendment {
    Status(Status),
    Details(DetailsChange),
}

/// What is not said stays.
#[derive(Clone, Debug)]
pub struct DetailsChange {
    /// How far below zero the balance may go.
    pub overdraft_limit: Option<Figure>,
    pub metadata: Option<MetadataPatch>,
    /// What goes before the metadata in its digest.
    pub salt: Salt,
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

/// A person, and their first account if they get one at once.
#[derive(Clone, Debug)]
pub struct OpenUser {
    pub name: Option<String>,
    pub email: Option<Email>,
    /// None where the user does not sign in.
    pub password_hash: Option<PasswordHash>,
    /// None where the user is not signed in at once.
    pub session: Option<NewSession>,
    pub account: Option<FirstAccount>,
}

/// The account that a user gets at once.
#[derive(Clone, Copy, Debug)]
pub struct FirstAccount {
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
    /// What its callers call it, unique in its book.
    pub external_id: Option<ExternalId>,
    /// How far below zero its balance may go.
    pub overdraft_limit: Magnitude,
    pub details: Option<AccountDetails>,
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
    /// Several postings.
    Transaction,
    Opening,
    HoldPlaced,
    HoldChanged,
    HoldVoided,
    HoldExpired,
    /// The limit of an account, or what is said of it.
    Amended,
    Frozen,
    Unfrozen,
    Closed,
    /// A user without an account.
    UserOpened,
    BookOpened,
    /// A book was sealed, and a new one opened.
    Reset,
    /// Asked for nothing, and got it.
    Empty,
}

impl Kind {
    pub const ALL: [Self; 17] = [
        Self::Deposit,
        Self::Withdrawal,
        Self::Transfer,
        Self::Transaction,
        Self::Opening,
        Self::HoldPlaced,
        Self::HoldChanged,
        Self::HoldVoided,
        Self::HoldExpired,
        Self::Amended,
        Self::Frozen,
        Self::Unfrozen,
        Self::Closed,
        Self::UserOpened,
        Self::BookOpened,
        Self::Reset,
        Self::Empty,
    ];

    /// As it is stored and shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Withdrawal => "withdrawal",
            Self::Transfer => "transfer",
            Self::Transaction => "transaction",
            Self::Opening => "opening",
            Self::HoldPlaced => "hold_placed",
            Self::HoldChanged => "hold_changed",
            Self::HoldVoided => "hold_voided",
            Self::HoldExpired => "hold_expired",
            Self::Amended => "amended",
            Self::Frozen => "frozen",
            Self::Unfrozen => "unfrozen",
            Self::Closed => "closed",
            Self::UserOpened => "user_opened",
            Self::BookOpened => "book_opened",
            Self::Reset => "reset",
            Self::Empty => "empty",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it moves money by postings.
    #[must_use]
    pub fn is_money(self) -> bool {
        matches!(
            self,
            Self::Deposit | Self::Withdrawal | Self::Transfer | Self::Transaction
        )
    }

    /// Whether the entries of a transaction say which accounts it was about.
    #[must_use]
    pub fn is_told_by_entries(self) -> bool {
        !matches!(
            self,
            Self::Opening | Self::UserOpened | Self::BookOpened | Self::Reset | Self::Empty
        )
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
        Self::new(from, to, amount, currency)
    }

    #[must_use]
    pub fn new(from: Party, to: Party, amount: Magnitude, currency: Currency) -> Self {
        Self {
            from,
            to,
            amount: Quantity::Exactly(amount),
            currency: Some(currency),
        }
    }

    #[must_use]
    pub fn kind(&self) -> Kind {
        match (&self.from, &self.to) {
            (Party::World, _) => Kind::Deposit,
            (_, Party::World) => Kind::Withdrawal,
            (_, _) => Kind::Transfer,
        }
    }

    /// The accounts at its ends, the giving one first.
    pub fn accounts(&self) -> impl Iterator<Item = &AccountRef> {
        let ends = [&self.from, &self.to].into_iter();
        ends.filter_map(|party| match party {
            Party::World | Party::Hold(_) => None,
            Party::Account(account) => Some(account),
        })
    }

    /// The hold that it captures.
    #[must_use]
    pub fn hold(&self) -> Option<HoldId> {
        match &self.from {
            Party::Hold(capture) => Some(capture.hold),
            Party::World | Party::Account(_) => None,
        }
    }
}

impl OpenAccount {
    /// An account of which nothing more is said.
    #[must_use]
    pub fn plain(owner: Option<UserId>, currency: Currency, opening_balance: Magnitude) -> Self {
        Self {
            owner,
            currency,
            opening_balance,
            external_id: None,
            overdraft_limit: Magnitude::ZERO,
            details: None,
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

impl Action {
    /// One posting, and nothing else.
    #[must_use]
    pub fn post(posting: Posting) -> Self {
        Self::Post(vec![posting])
    }

    /// What a refusal of it is stored as.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Post(postings) => match postings.as_slice() {
                [posting] => posting.kind(),
                _ => Kind::Transaction,
            },
            Self::Reverse(_) => Kind::Transaction,
            Self::PlaceHold(_) => Kind::HoldPlaced,
            Self::ChangeHold(..) => Kind::HoldChanged,
            Self::VoidHold(_) => Kind::HoldVoided,
            Self::Expire(_) => Kind::HoldExpired,
            Self::Amend(_, Amendment::Status(status)) => Kind::of_status(*status),
            Self::Amend(_, Amendment::Details(_)) => Kind::Amended,
            Self::OpenUser(open) => match open.account {
                Some(_) => Kind::Opening,
                None => Kind::UserOpened,
            },
            Self::OpenAccount(_) => Kind::Opening,
            Self::OpenBook(_) => Kind::BookOpened,
            Self::ResetBook(_) => Kind::Reset,
        }
    }

    /// Its postings, if it has some of its own.
    #[must_use]
    pub fn postings(&self) -> &[Posting] {
        match self {
            Self::Post(postings) => postings,
            _ => &[],
        }
    }

    /// The account that it names besides those of postings.
    #[must_use]
    pub fn account(&self) -> Option<&AccountRef> {
        match self {
            Self::PlaceHold(hold) => Some(&hold.account),
            Self::Amend(account, _) => Some(account),
            _ => None,
        }
    }
}

impl Kind {
    /// The transaction that gives an account a status.
    #[must_use]
    pub fn of_status(status: Status) -> Self {
        match status {
            Status::Open => Self::Unfrozen,
            Status::Frozen => Self::Frozen,
            Status::Closed => Self::Closed,
        }
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PasswordHash")
    }
}
