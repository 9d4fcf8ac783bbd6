//! What can be measured: scenarios, each under a load.

use std::fmt;

use clap::ValueEnum;
use serde::Serialize;

/// As many as the acceptance run asks for at once.
const ACCEPTANCE_CONNECTIONS: usize = 1_000;

/// A scenario under a load.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub scenario: Scenario,
    pub load: Load,
}

/// How requests arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Load {
    /// Keep-alive connections; each has one request in flight at most.
    pub connections: usize,
    /// Requests that arrive in a second, whatever the answers take: an open loop. None: a closed one.
    pub per_s: Option<u32>,
}

impl fmt::Display for Load {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.per_s, self.connections) {
            (Some(per_s), _) => write!(formatter, "{per_s} requests/s"),
            (None, 1) => write!(formatter, "1 connection"),
            (None, connections) => write!(formatter, "{connections} connections"),
        }
    }
}

/// What the clients do.
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
    /// Pages of the newest entries, of any of many accounts (needs the database)
    History,
    /// Transactions of /v1 with one posting, between any two of many accounts in USD (needs the database)
    Transactions,
    /// The same with ten postings
    Postings,
    /// Holds of /v1 on any of many accounts in USD, each placed and then captured (needs the database)
    Holds,
    /// Sign-ins with a password
    #[value(name = "signin")]
    SignIn,
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
            Self::History => "history",
            Self::Transactions => "transactions",
            Self::Postings => "postings",
            Self::Holds => "holds",
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
            | Self::Reads
            | Self::History
            | Self::Transactions
            | Self::Postings
            | Self::Holds => &[1, 16, 64, 256],
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
            | Self::History
            | Self::Transactions
            | Self::Postings
            | Self::Holds
            | Self::SignIn => false,
        }
    }

    /// Whether it asks for accounts by their numbers, which the database has to tell.
    #[must_use]
    pub fn is_over_ids(self) -> bool {
        matches!(
            self,
            Self::History | Self::Transactions | Self::Postings | Self::Holds
        )
    }

    /// Whether it is about the same users as the others of which this is so, and may be measured beside them.
    #[must_use]
    pub fn is_over_users(self) -> bool {
        match self {
            Self::Hot
            | Self::Spread
            | Self::Mixed
            | Self::RetryStorm
            | Self::One
            | Self::Reads
            | Self::History
            | Self::Transactions
            | Self::Postings
            | Self::Holds => true,
            Self::Withdraw10k | Self::Transfers | Self::SignIn => false,
        }
    }
}
