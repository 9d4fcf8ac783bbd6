//! Every refusal and every fault that a dialect needs words for, for its table test.

use actix_web::ResponseError;
use actix_web::body::to_bytes;
use uuid::Uuid;

use crate::ledger::{AccountId, Amount, Fault, Native, Rejection, Side, TransactionId, Version};

pub(in crate::http) const TRANSACTION: TransactionId =
    TransactionId(Uuid::from_u128(0x019b_7600_0000_7000_8000_0000_0000_0007));

/// How many there are: a table with fewer rows does not compile.
pub(in crate::http) const REJECTIONS: usize = 14;

/// One of each refusal: of account 7, at version 3.
pub(in crate::http) fn rejections() -> [Rejection; REJECTIONS] {
    let account = AccountId(7);
    let all = [
        Rejection::UserNotFound { side: Side::Source },
        Rejection::UserNotFound { side: Side::Target },
        Rejection::AccountNotFound { side: Side::Source },
        Rejection::AccountNotFound { side: Side::Target },
        Rejection::KeyReused {
            transaction: TRANSACTION,
        },
        Rejection::InsufficientFunds {
            account: Some(account),
            available: Amount::ZERO,
        },
        Rejection::SameAccount { account },
        Rejection::CurrencyMismatch { account },
        Rejection::VersionMismatch {
            account,
            current: Version(3),
        },
        Rejection::AmountTooLarge { account },
        Rejection::AccountFrozen { account },
        Rejection::AccountClosed { account },
        Rejection::EmailTaken,
        Rejection::Native(Native::NotFound),
    ];
    for rejection in &all {
        // A new refusal does not compile until it stands here, and then above.
        match rejection {
            Rejection::UserNotFound {
                side: Side::Source | Side::Target,
            }
            | Rejection::AccountNotFound {
                side: Side::Source | Side::Target,
            }
            | Rejection::KeyReused { .. }
            | Rejection::InsufficientFunds { .. }
            | Rejection::SameAccount { .. }
            | Rejection::CurrencyMismatch { .. }
            | Rejection::VersionMismatch { .. }
            | Rejection::AmountTooLarge { .. }
            | Rejection::AccountFrozen { .. }
            | Rejection::AccountClosed { .. }
            | Rejection::EmailTaken
            | Rejection::Native(_) => {}
        }
    }
    all
}

/// Each fault with the status and the message that it has in every dialect.
pub(in crate::http) const FAULTS: [(Fault, u16, &str); 4] = [
    (
        Fault::Overloaded,
        503,
        "Service is busy, nothing was applied, retry later",
    ),
    (
        Fault::Unavailable,
        503,
        "Service is unavailable, nothing was applied, retry later",
    ),
    (
        Fault::OutcomeUnknown,
        503,
        "Outcome unknown, retry with the same Idempotency-Key",
    ),
    (Fault::Bug, 500, "Internal server error"),
];

/// The status and the body of a problem's response; a request id, which is new each time, is left out.
pub(in crate::http) async fn said(problem: &impl ResponseError) -> (u16, String) {
    let response = problem.error_response();
    assert_eq!(response.status(), problem.status_code());
    let status = response.status();
    let retry = response.headers().contains_key("retry-after");
    assert_eq!(
        retry,
        status.as_u16() == 503,
        "Retry-After on a 503, and nowhere else"
    );
    let body = to_bytes(response.into_body()).await.expect("a body");
    let body = String::from_utf8(body.to_vec()).expect("UTF-8");
    let id = body.find("\"requestId\":\"").map(|at| at + 13);
    match id {
        Some(at) => (
            status.as_u16(),
            format!("{}{}", &body[..at], &body[at + 36..]),
        ),
        None => (status.as_u16(), body),
    }
}
