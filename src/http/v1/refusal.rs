//! What a rule of the ledger refused, in the words of the interface.

use uuid::Uuid;

use super::codes::Code;
use super::conditional::EntityTag;
use super::problem::{Flaw, Problem, Sight as Shown};
use super::values;
use crate::ledger::{Native, Part, Rejection, Sight};

/// The problem that a refusal is. What is shown of a remembered one is what was seen then.
pub(super) fn problem(rejection: &Rejection, sight: Option<&Sight>, request_id: Uuid) -> Problem {
    let part = sight.and_then(|sight| sight.part);
    let pointer = part.map(pointer);
    let mut problem = match rejection {
        Rejection::Native(Native::NotInCurrency { currency }) => {
            let pointer = pointer.clone().unwrap_or_default();
            Flaw::new(pointer, format!("is no amount of {currency}")).into()
        }
        Rejection::Native(Native::MetadataTooLarge) => {
            Flaw::new("/metadata", "would be more than an account can have").into()
        }
        rejection => {
            let (code, detail) = words(rejection);
            let problem = Problem::new(code, detail);
            match pointer {
                Some(pointer) => problem.at(pointer),
                None => problem,
            }
        }
    };
    problem = match rejection {
        Rejection::KeyReused { transaction }
        | Rejection::Native(Native::AlreadyReversed { transaction }) => problem.of(*transaction),
        Rejection::Native(Native::PreconditionFailed { current }) => {
            let (name, value) = EntityTag::of_version(*current).header();
            problem.with(name, value)
        }
        _ => problem,
    };
    if let Some(seen) = sight.and_then(|sight| sight.account.as_ref().zip(Some(sight.at))) {
        let (account, at) = seen;
        problem = problem.seen(Shown {
            account: account.account.to_number(),
            version: account.version.0,
            balance: account.balance.clone(),
            available: account.available.clone(),
            at: values::time_text(at),
        });
    }
    let first = sight.and_then(|sight| sight.request_id.parse().ok());
    problem.request_id = first.unwrap_or(request_id);
    problem
}

fn pointer(part: Part) -> String {
    match part {
        Part::Posting(place) => format!("/postings/{place}"),
        Part::Condition(place) => format!("/conditions/{place}"),
    }
}

fn words(rejection: &Rejection) -> (Code, &'static str) {
    match rejection {
        Rejection::UserNotFound { .. } | Rejection::Native(Native::OwnerNotFound) => {
            (Code::UserNotFound, "There is no such user")
        }
        Rejection::AccountNotFound { .. } => (Code::AccountNotFound, "There is no such account"),
        Rejection::KeyReused { .. } => (
            Code::IdempotencyKeyReused,
            "The key was used for another request",
        ),
        Rejection::InsufficientFunds { .. } => (
            Code::InsufficientFunds,
            "The account has not enough available",
        ),
        Rejection::SameAccount { .. } => (Code::SameAccount, "An account cannot pay itself"),
        Rejection::CurrencyMismatch { .. } => {
            (Code::CurrencyMismatch, "The account holds another currency")
        }
        Rejection::VersionMismatch { .. } => {
            (Code::VersionMismatch, "The account has another version")
        }
        Rejection::AmountTooLarge { .. } => (
            Code::AmountTooLarge,
            "The account would hold more than an account can",
        ),
        Rejection::AccountFrozen { .. } => (Code::AccountFrozen, "The account is frozen"),
        Rejection::AccountClosed { .. } => (Code::AccountClosed, "The account is closed"),
        Rejection::EmailTaken => (Code::EmailTaken, "Another user has this email"),
        Rejection::Native(native) => native_words(native),
    }
}

fn native_words(native: &Native) -> (Code, &'static str) {
    match native {
        Native::NotFound => (Code::NotFound, "There is nothing here that you may see"),
        Native::PreconditionFailed { .. } => (
            Code::PreconditionFailed,
            "It has changed since; read it again",
        ),
        Native::ConditionFailed { .. } => (Code::ConditionFailed, "A bound does not hold"),
        Native::NotInCurrency { .. } | Native::MetadataTooLarge => {
            (Code::ValidationFailed, "A field is not valid")
        }
        Native::NoAccount => (Code::SameAccount, "The world cannot pay itself"),
        Native::AlreadyReversed { .. } => {
            (Code::AlreadyReversed, "The transaction was reversed before")
        }
        Native::NotReversible => (Code::NotReversible, "The transaction moved no money"),
        Native::HoldNotFound => (Code::HoldNotFound, "There is no such hold"),
        Native::HoldNotActive { .. } => (Code::HoldNotActive, "The hold is not active any more"),
        Native::HoldAmountExceeded { .. } => (
            Code::HoldAmountExceeded,
            "The hold does not have as much, or more of it is captured already",
        ),
        Native::HasActiveHolds { .. } => (Code::HasActiveHolds, "The account has active holds"),
        Native::TooManyHolds { .. } => (
            Code::TooManyHolds,
            "The account has as many active holds as an account can",
        ),
        Native::BalanceNotZero { .. } => (Code::BalanceNotZero, "The balance is not zero"),
        Native::ExternalIdTaken => (
            Code::ExternalIdTaken,
            "Another account of the book has this external id",
        ),
        Native::BookTaken => (Code::BookTaken, "There is an open book of this name"),
        Native::OwnerNotFound => (Code::UserNotFound, "There is no such user"),
        Native::TimeOutOfRange => (
            Code::TimeOutOfRange,
            "The time is not after the decision, or more than 90 days after it",
        ),
    }
}
