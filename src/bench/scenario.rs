//! What the clients of a benchmark do.

use std::sync::Arc;

use clap::ValueEnum;

use super::load::Load;
use super::popularity::Popularity;
use super::requests::What;

/// What the acceptance run asks for, and what has to come of it: every second withdrawal.
pub(super) const ACCEPTANCE_REQUESTS: u64 = 10_000;
pub(super) const ACCEPTANCE_SUCCESSES: u64 = 5_000;
pub(super) const ACCEPTANCE_AMOUNT: u64 = 2;
pub(super) const ACCEPTANCE_BALANCE: u64 = 10_000;
const ACCEPTANCE_CONNECTIONS: usize = 1_000;
/// Users who sign in.
const SIGN_IN_USERS: u64 = 8;
/// Copies of each request in a storm of retries.
const COPIES: u64 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// 10,000 withdrawals of 2 from 10000, over 1,000 connections: exactly 5,000 have to succeed
    #[value(name = "withdraw-10k")]
    Withdraw10k,
    /// Withdrawals from one account
    Hot,
    /// Withdrawals from any of many accounts
    Spread,
    /// Transfers between many accounts, all alike or, with --zipf, the k-th 1/k as often as the first
    Transfers,
    /// Half balance reads, a quarter withdrawals, a quarter deposits, on many accounts
    Mixed,
    /// Withdrawals from many accounts, each sent three times under one key
    RetryStorm,
    /// Withdrawals by a single client, from any of many accounts
    One,
    /// Balance reads, of any of many accounts
    Reads,
    /// Sign-ins with a password
    #[value(name = "signin")]
    SignIn,
}

/// The users and accounts of one side.
pub(super) struct Accounts {
    pub users: Arc<[i64]>,
    /// In the names of accounts and the emails of users.
    pub prefix: u64,
    pub popularity: Arc<Popularity>,
}

impl Scenario {
    /// What it is called on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Withdraw10k => "withdraw-10k",
            Self::Hot => "hot",
            Self::Spread => "spread",
            Self::Transfers => "transfers",
            Self::Mixed => "mixed",
            Self::RetryStorm => "retry-storm",
            Self::One => "one",
            Self::Reads => "reads",
            Self::SignIn => "signin",
        }
    }

    /// The connections to measure with, one after the other, where nobody says.
    #[must_use]
    pub fn connections(self) -> &'static [usize] {
        match self {
            Self::Withdraw10k => &[ACCEPTANCE_CONNECTIONS],
            Self::One => &[1],
            // A password takes a processor for a while, and only two are checked at once.
            Self::SignIn => &[1, 4],
            Self::Hot
            | Self::Spread
            | Self::Transfers
            | Self::Mixed
            | Self::RetryStorm
            | Self::Reads => &[1, 16, 64, 256],
        }
    }

    /// Whether its load is part of what it is, and cannot be chosen.
    #[must_use]
    pub fn is_fixed(self) -> bool {
        match self {
            Self::Withdraw10k | Self::One => true,
            Self::Hot
            | Self::Spread
            | Self::Transfers
            | Self::Mixed
            | Self::RetryStorm
            | Self::Reads
            | Self::SignIn => false,
        }
    }

    /// What has to be there before, and how many of it, of so many accounts that were asked for.
    pub(super) fn opening(self, accounts: u64, prefix: u64) -> (What, u64) {
        match self {
            Self::Withdraw10k | Self::Hot => (What::OpenUsers, 1),
            Self::Spread | Self::Mixed | Self::RetryStorm | Self::One | Self::Reads => {
                (What::OpenUsers, accounts)
            }
            Self::Transfers => (What::OpenNames { prefix }, accounts),
            Self::SignIn => (What::SignUp { prefix }, SIGN_IN_USERS),
        }
    }

    /// The load of an opening: passwords are checked two at a time.
    pub(super) fn opening_load(self) -> Load {
        let connections = if self == Self::SignIn { 2 } else { 256 };
        Load {
            connections,
            per_s: None,
        }
    }

    /// What is asked while it is measured. For the acceptance run, what warms it up.
    pub(super) fn requests(self, accounts: &Accounts) -> What {
        let users = Arc::clone(&accounts.users);
        let prefix = accounts.prefix;
        let withdraw = |copies| What::Withdraw {
            users: Arc::clone(&users),
            amount: 1,
            copies,
        };
        match self {
            Self::Withdraw10k | Self::Hot | Self::Spread | Self::One => withdraw(1),
            Self::RetryStorm => withdraw(COPIES),
            Self::Mixed => What::Mixed { users },
            Self::Reads => What::Read { users },
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
