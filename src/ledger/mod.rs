//! What is true: the rules of bookkeeping, pure of IO, clock, concurrency and randomness.

// Money is exact and checked: no float, no silent cast, no overflow.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::indexing_slicing
)]

pub mod access;
pub mod account;
pub mod action;
pub mod answer;
pub mod book;
pub mod command;
pub mod details;
pub mod email;
pub mod entry;
pub mod error;
pub mod figure;
pub mod head;
pub mod hold;
pub mod key;
pub mod money;
pub mod native;
mod number;
pub mod planner;
pub mod seal;

#[cfg(test)]
mod key_tests;
#[cfg(test)]
mod money_tests;
#[cfg(test)]
mod seal_tests;

pub use account::{AccountId, AccountName, ExternalId, State, Status, UserId, Version};
pub use action::{
    AccountRef, Action, Amendment, Capture, DetailsChange, FirstAccount, HoldChange, Kind,
    NamedAccount, NewHold, NewSession, OpenAccount, OpenUser, Party, PasswordHash, Posting,
    Quantity,
};
pub use answer::{Answer, Answered, More, Part, Posted, Receipt, Seen, Sight, Standing};
pub use book::{BookId, BookName, Books, OpenBook};
pub use command::{Bound, Caller, Command, Condition, Measure, Object, Rule, Target};
pub use details::{AccountDetails, DetailsDigest, Metadata, MetadataPatch, Note, Salt};
pub use email::Email;
pub use entry::{Change, Entry, EntryKind, HoldAfter, HoldKind, Stamp, TransactionId};
pub use error::{Fault, Rejection, Side};
pub use figure::Figure;
pub use head::{Break, Head, Step};
pub use hold::{Hold, HoldId, HoldStatus};
pub use key::{CallerId, Key, Said, Scope};
pub use money::{Amount, Currency, CurrencyCode, Magnitude};
pub use native::Native;
pub use planner::needs::{Needs, Openings};
pub use planner::plan;
pub use planner::plan::{Plan, View};
pub use seal::{Seal, Sealed};
