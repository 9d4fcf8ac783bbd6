//! What each scenario needs beforehand, and asks for.

use std::sync::Arc;

use super::case::{Load, Scenario};
use super::popularity::Popularity;
use super::requests::What;
use super::target::Size;

/// What the acceptance run asks for, and what has to come of it: every second withdrawal.
pub(super) const ACCEPTANCE_REQUESTS: u64 = 10_000;
pub(super) const ACCEPTANCE_SUCCESSES: u64 = 5_000;
pub(super) const ACCEPTANCE_AMOUNT: u64 = 2;
pub(super) const ACCEPTANCE_BALANCE: u64 = 10_000;
/// Users who sign in.
const SIGN_IN_USERS: u64 = 8;
/// Postings of a transaction that has several.
const POSTINGS: u8 = 10;
/// Copies of each request in a storm of retries.
const COPIES: u64 = 3;

/// What has to be there before anything is measured.
pub(super) struct Opening {
    pub what: What,
    pub count: u64,
    pub load: Load,
}

/// The users and accounts of one side.
pub(super) struct Accounts {
    pub users: Arc<[i64]>,
    /// The first of the users alone.
    pub first: Arc<[i64]>,
    /// The accounts of the users, where they are asked for by id.
    pub ids: Arc<[i64]>,
    /// In the names of accounts and the emails of users.
    pub prefix: u64,
    pub popularity: Arc<Popularity>,
}

impl Scenario {
    /// How many accounts are opened for it, in a ledger of this size.
    pub(super) fn accounts(self, size: Size) -> u64 {
        self.opening(size, 0).count
    }

    /// What has to be there before, in a ledger of this size.
    pub(super) fn opening(self, size: Size, prefix: u64) -> Opening {
        let (what, count) = match self {
            Self::Withdraw10k => (What::OpenUsers, 1),
            // What it grows by goes to all accounts.
            Self::Hot if size.grow == 0 => (What::OpenUsers, 1),
            Self::Hot
            | Self::Spread
            | Self::Mixed
            | Self::RetryStorm
            | Self::One
            | Self::Reads
            | Self::History
            | Self::Transactions
            | Self::Postings
            | Self::Holds => (What::OpenUsers, size.accounts),
            Self::Transfers => (What::OpenNames { prefix }, size.accounts),
            Self::SignIn => (What::SignUp { prefix }, SIGN_IN_USERS),
        };
        // Passwords are checked two at a time.
        let connections = if self == Self::SignIn { 2 } else { 256 };
        let load = Load {
            connections,
            per_s: None,
        };
        Opening { what, count, load }
    }

    /// What is asked while it is measured. For the acceptance run, what warms it up.
    pub(super) fn requests(self, accounts: &Accounts) -> What {
        let prefix = accounts.prefix;
        let users = || Arc::clone(&accounts.users);
        let withdraw = |users, copies| What::Withdraw {
            users,
            amount: 1,
            copies,
        };
        match self {
            Self::Withdraw10k | Self::Hot => withdraw(Arc::clone(&accounts.first), 1),
            Self::Spread | Self::One => withdraw(users(), 1),
            Self::RetryStorm => withdraw(users(), COPIES),
            Self::Mixed => What::Mixed { users: users() },
            Self::Reads => What::Read { users: users() },
            Self::History => What::Page {
                accounts: Arc::clone(&accounts.ids),
            },
            Self::Transactions | Self::Postings => What::Post {
                accounts: Arc::clone(&accounts.ids),
                postings: if self == Self::Postings { POSTINGS } else { 1 },
            },
            Self::Holds => What::Hold {
                accounts: Arc::clone(&accounts.ids),
            },
            Self::Transfers => What::Transfer {
                prefix,
                popularity: Arc::clone(&accounts.popularity),
            },
            Self::SignIn => What::SignIn {
                prefix,
                users: SIGN_IN_USERS,
            },
        }
    }
}
