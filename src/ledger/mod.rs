//! What is true: the rules of bookkeeping, pure of IO, clock, concurrency and randomness.

// Money is exact and checked: no float, no silent cast, no overflow.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::indexing_slicing
)]

pub mod account;
pub mod action;
pub mod answer;
pub mod book;
pub mod command;
pub mod email;
pub mod entry;
pub mod error;
pub mod head;
pub mod key;
pub mod money;
mod number;
pub mod planner;
pub mod seal;

#[cfg(test)]
mod key_tests;
#[cfg(test)]
mod money_tests;
#[cfg(test)]
mod seal_tests;

pub use account::{AccountId, AccountName, Status, UserId, Version};
pub use action::{
    AccountRef, Action, Kind, NamedAccount, NewSession, OpenAccount, OpenUser, Party, PasswordHash,
    Posting,
};
pub use answer::{Answer, Answered, Receipt, Standing};
pub use book::{BookId, BookName, Books, OpenBook};
pub use command::{Command, Condition};
pub use email::Email;
pub use entry::{Change, Entry, TransactionId};
pub use error::{Fault, Rejection, Side};
pub use head::{Break, Head};
pub use key::{Key, Scope};
pub use money::{Amount, Currency, CurrencyCode, Magnitude};
pub use planner::needs::{Needs, Openings};
pub use planner::plan;
pub use planner::plan::{Plan, View};
pub use seal::{Seal, Sealed};
