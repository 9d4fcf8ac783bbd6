//! Idempotency keys: their text, where each is unique, and the digest of what is asked under it.
//!
//! A digest is stored for good, so what stands in one never changes. Each is over the interface, the operation, the caller if
//! there is one, and every value.

use sha2::{Digest as _, Sha256};

use super::account::{AccountId, UserId, Version};
use super::action::{AccountRef, Action, Posting};
use super::book::BookId;
use super::command::Command;
use super::details::Salt;
use super::email::Email;
use super::money::{Amount, Currency, Magnitude};

/// What a caller sends along to be able to ask again without asking twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// 1 to 255 visible ASCII characters; what the service asks by itself has a blank in it, which no caller can send.
    pub text: String,
    /// Over all that was asked, the interface and the caller.
    pub digest: [u8; 32],
    /// What the caller said beside it by the native interface, which can be erased.
    pub said: Option<Box<Said>>,
}

/// A text that a digest is over under a salt, so that nobody finds it by guessing once the salt is erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub text: Vec<u8>,
    pub salt: Salt,
}

/// The format of the digests of the native interface.
const FORMAT_NATIVE: u8 = 1;
/// The first half of such a digest is over what was asked, the second over what was said.
const HALF: usize = 16;

/// A principal in a book: who asks by the native interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallerId(pub i64);

/// Where a key is unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    Account(AccountId),
    Book(BookId),
    Caller(CallerId),
}

impl CallerId {
    /// Everybody, in the main book, while nobody has to say who they are.
    pub const ANYONE: Self = Self(1);
}

/// Where the key of a command is unique: under its caller, if it has one. By a dialect, money is under the account that it
/// leaves, or reaches from the world; what is opened, under the main book, which is never reset. None if there is no such
/// account.
pub fn scope(
    command: &Command,
    find: impl FnOnce(&AccountRef) -> Option<AccountId>,
) -> Option<Scope> {
    if let Some(caller) = &command.caller {
        return Some(Scope::Caller(caller.id));
    }
    let account = match &command.action {
        Action::Post(postings) => postings.iter().flat_map(Posting::accounts).next()?,
        Action::PlaceHold(hold) => &hold.account,
        Action::Amend(account, _) => account,
        Action::Expire(account) => return Some(Scope::Account(*account)),
        Action::Reverse(_)
        | Action::ChangeHold(..)
        | Action::VoidHold(_)
        | Action::OpenUser(_)
        | Action::OpenAccount(_)
        | Action::OpenBook(_)
        | Action::ResetBook(_) => return Some(Scope::Book(BookId::MAIN)),
    };
    find(account).map(Scope::Account)
}

/// The service's own, which no client's request is: their digests are hashes.
#[must_use]
pub fn own(text: &str) -> Key {
    Key {
        text: text.to_owned(),
        digest: [0; 32],
        said: None,
    }
}

/// `/v1`: over what was asked, in one canonical form, and what was said beside it.
#[must_use]
pub fn native(text: String, asked: &[u8], said: Option<Said>) -> Key {
    let mut hash = Sha256::new();
    hash.update([FORMAT_NATIVE]);
    hash.update(asked);
    let asked: [u8; 32] = hash.finalize().into();
    let mut digest = [0; 32];
    let (first, second) = digest.split_at_mut(HALF);
    first.copy_from_slice(asked.split_at(HALF).0);
    if let Some(said) = &said {
        second.copy_from_slice(&said.digest(&said.salt));
    }
    Key {
        text,
        digest,
        said: said.map(Box::new),
    }
}

impl Key {
    /// Whether it was used for the same before. What was said then is compared under the salt of then; if that was erased, it
    /// may have been anything.
    #[must_use]
    pub fn asks_again(&self, digest: &[u8; 32], salt: Option<&Salt>) -> bool {
        if self.digest == *digest {
            return true;
        }
        let Some(said) = &self.said else {
            return false;
        };
        let (asked, before) = digest.split_at(HALF);
        let is_same = match salt {
            Some(salt) => said.digest(salt) == before,
            None => before != [0; HALF],
        };
        is_same && self.digest.split_at(HALF).0 == asked
    }
}

impl Said {
    fn digest(&self, salt: &Salt) -> [u8; HALF] {
        let mut hash = Sha256::new();
        hash.update(salt.0);
        hash.update(&self.text);
        let digest: [u8; 32] = hash.finalize().into();
        let mut half = [0; HALF];
        half.copy_from_slice(digest.split_at(HALF).0);
        half
    }
}

/// `PUT /api/users/{id}/balance`
#[must_use]
pub fn users_change(text: String, user: UserId, change: Amount, currency: Currency) -> Key {
    let (user, change) = (user.to_string(), minor(change));
    let code = currency.code;
    key(
        text,
        &["users", "change_balance", &user, code.as_str(), &change],
    )
}

/// `POST /api/users`. The texts are put together as JSON, in which null and an empty string are two things.
#[must_use]
pub fn users_open(
    text: String,
    name: Option<&str>,
    email: Option<&Email>,
    balance: Magnitude,
    currency: Currency,
) -> Key {
    let texts = serde_json::json!([name, email.map(Email::in_lower_case)]).to_string();
    let (code, balance) = (currency.code, minor(balance.amount()));
    key(text, &["users", "open", &texts, code.as_str(), &balance])
}

/// `POST /accounts`
#[must_use]
pub fn accounts_open(text: String, balance: Magnitude, currency: Currency) -> Key {
    let balance = minor(balance.amount());
    key(
        text,
        &["accounts", "open", &balance, currency.code.as_str()],
    )
}

/// `POST /accounts/{id}/transactions`
#[must_use]
pub fn accounts_transact(
    text: String,
    account: AccountId,
    change: Amount,
    currency: Currency,
    expected: Option<Version>,
) -> Key {
    let direction = if change.is_negative() {
        "Withdraw"
    } else {
        "Deposit"
    };
    let amount = minor(change.magnitude().amount());
    let expected = expected.map_or_else(String::new, |version| version.0.to_string());
    let (account, code) = (account.to_string(), currency.code);
    let code = code.as_str();
    let asked = [
        "accounts", "transact", &account, direction, &amount, code, &expected,
    ];
    key(text, &asked)
}

/// `POST /reset`
#[must_use]
pub fn events_reset(text: String) -> Key {
    key(text, &["events", "reset"])
}

/// `POST /event`
#[must_use]
pub fn events_event(
    text: String,
    origin: Option<&str>,
    destination: Option<&str>,
    amount: Magnitude,
    currency: Currency,
) -> Key {
    let kind = word(origin.is_some(), destination.is_some());
    let (origin, destination) = (origin.unwrap_or_default(), destination.unwrap_or_default());
    let (code, amount) = (currency.code, minor(amount.amount()));
    key(
        text,
        &["events", kind, origin, destination, code.as_str(), &amount],
    )
}

/// `/create`
#[must_use]
pub fn ledger_create(text: String, name: &str, email: &Email) -> Key {
    key(text, &["ledger", "create", name, email.in_lower_case()])
}

/// `/deposit` and `/withdraw`
#[must_use]
pub fn ledger_change(text: String, user: UserId, change: Amount, currency: Currency) -> Key {
    let (change, user) = (minor(change), user.to_string());
    key(text, &["ledger", currency.code.as_str(), &change, &user])
}

/// `/transfer`
#[must_use]
pub fn ledger_transfer(
    text: String,
    [source, target]: [UserId; 2],
    amount: Magnitude,
    currency: Currency,
) -> Key {
    let (source, target) = (source.to_string(), target.to_string());
    let (code, amount) = (currency.code, minor(amount.amount()));
    key(text, &["ledger", code.as_str(), &amount, &source, &target])
}

/// `/api/signup`. Without the password, as a digest is stored and fast; the service tells another password apart.
#[must_use]
pub fn microfin_sign_up(text: String, name: &str, email: &Email) -> Key {
    key(text, &["microfin", "sign_up", name, email.in_lower_case()])
}

/// `/api/accountGeneration`
#[must_use]
pub fn microfin_open(text: String, caller: UserId, currency: Currency) -> Key {
    let (caller, code) = (caller.to_string(), currency.code);
    key(text, &["microfin", "open_account", &caller, code.as_str()])
}

/// `/api/deposit`, `/api/withdraw` and `/api/transfer`
#[must_use]
pub fn microfin_move(
    text: String,
    caller: Option<UserId>,
    [from, to]: [Option<AccountId>; 2],
    amount: Magnitude,
    currency: Currency,
) -> Key {
    let operation = word(from.is_some(), to.is_some());
    let [from, to] = [from, to].map(|it| it.map(|id| id.to_string()).unwrap_or_default());
    let caller = caller.map(|user| user.to_string()).unwrap_or_default();
    let (amount, code) = (minor(amount.amount()), currency.code);
    let asked = [
        "microfin",
        operation,
        &caller,
        &from,
        &to,
        code.as_str(),
        &amount,
    ];
    key(text, &asked)
}

fn word(gives: bool, takes: bool) -> &'static str {
    match (gives, takes) {
        (true, true) => "transfer",
        (true, false) => "withdraw",
        (false, _) => "deposit",
    }
}

fn minor(amount: Amount) -> String {
    amount.minor().to_string()
}

/// Each value with its length before it, so that no two lists of values read the same.
fn key(text: String, asked: &[&str]) -> Key {
    let mut hash = Sha256::new();
    for value in asked {
        let length = u64::try_from(value.len()).unwrap_or(u64::MAX);
        hash.update(length.to_be_bytes());
        hash.update(value.as_bytes());
    }
    let digest = hash.finalize().into();
    Key {
        text,
        digest,
        said: None,
    }
}
