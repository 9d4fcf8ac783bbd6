//! What is true: the rules of bookkeeping, pure of IO, clock, concurrency and randomness.

// Money is exact and checked: no float, no silent cast, no overflow.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::indexing_slicing
)]

pub mod account;
pub mod book;
pub mod command;
pub mod email;
pub mod entry;
pub mod error;
pub mod head;
mod locate;
pub mod money;
mod number;
mod openings;
pub mod plan;
mod planner;
mod rules;
pub mod seal;

#[cfg(test)]
mod naive;
#[cfg(test)]
mod opening_tests;
#[cfg(test)]
mod plan_properties;
#[cfg(test)]
mod plan_tests;
#[cfg(test)]
mod seal_tests;

pub use account::{AccountId, AccountName, Status, UserId, Version};
pub use book::{BookId, BookName, Books, OpenBook};
pub use command::{
    AccountRef, Action, Command, Key, Kind, Move, NamedAccount, NewSession, OpenAccount, OpenUser,
    Parties, PasswordHash, Receipt, Scope, Standing, TransactionId,
};
pub use email::Email;
pub use entry::{Change, Entry, Sealed};
pub use error::{Answer, Answered, Fault, Rejection, Side};
pub use head::{Break, Head};
pub use money::{Amount, Currency, CurrencyCode};
pub use plan::{Plan, View};
pub use planner::plan;
pub use seal::Seal;
