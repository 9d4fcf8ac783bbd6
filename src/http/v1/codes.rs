//! The codes of what goes wrong: the one table that makes the problems and the pages that explain them.

use actix_web::http::StatusCode;

use self::Keep::{Forgotten, Remembered};

/// What went wrong. A code never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Code {
    MalformedJson,
    ValidationFailed,
    IdempotencyKeyMissing,
    IdempotencyKeyInvalid,
    InvalidCursor,
    Unauthenticated,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    NotAcceptable,
    RequestTimeout,
    VersionMismatch,
    ConditionFailed,
    IdempotencyKeyInUse,
    AlreadyReversed,
    HoldNotActive,
    ExternalIdTaken,
    EmailTaken,
    BalanceNotZero,
    HasActiveHolds,
    TooManyHolds,
    BookTaken,
    TooManyKeys,
    PeriodClosedAlready,
    PreconditionFailed,
    TooLarge,
    UnsupportedMediaType,
    MisdirectedRequest,
    InsufficientFunds,
    AccountNotFound,
    AccountFrozen,
    AccountClosed,
    CurrencyMismatch,
    SameAccount,
    AmountTooLarge,
    HoldNotFound,
    HoldAmountExceeded,
    UserNotFound,
    NotReversible,
    PeriodClosed,
    TimeOutOfRange,
    IdempotencyKeyReused,
    PreconditionRequired,
    RateLimited,
    InternalError,
    Overloaded,
    Unavailable,
    OutcomeUnknown,
}

/// Whether the same key gets the same refusal for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    Remembered,
    Forgotten,
}

/// What the table says of a code.
struct Row(
    /* status */ u16,
    /* name */ &'static str,
    Keep,
    /* title */ &'static str,
    /* explanation */ &'static str,
);

impl Code {
    /// In the order of their status.
    pub(in crate::http) const ALL: [Self; 48] = [
        Self::MalformedJson,
        Self::ValidationFailed,
        Self::IdempotencyKeyMissing,
        Self::IdempotencyKeyInvalid,
        Self::InvalidCursor,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::RequestTimeout,
        Self::VersionMismatch,
        Self::ConditionFailed,
        Self::IdempotencyKeyInUse,
        Self::AlreadyReversed,
        Self::HoldNotActive,
        Self::ExternalIdTaken,
        Self::EmailTaken,
        Self::BalanceNotZero,
        Self::HasActiveHolds,
        Self::TooManyHolds,
        Self::BookTaken,
        Self::TooManyKeys,
        Self::PeriodClosedAlready,
        Self::PreconditionFailed,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::MisdirectedRequest,
        Self::InsufficientFunds,
        Self::AccountNotFound,
        Self::AccountFrozen,
        Self::AccountClosed,
        Self::CurrencyMismatch,
        Self::SameAccount,
        Self::AmountTooLarge,
        Self::HoldNotFound,
        Self::HoldAmountExceeded,
        Self::UserNotFound,
        Self::NotReversible,
        Self::PeriodClosed,
        Self::TimeOutOfRange,
        Self::IdempotencyKeyReused,
        Self::PreconditionRequired,
        Self::RateLimited,
        Self::InternalError,
        Self::Overloaded,
        Self::Unavailable,
        Self::OutcomeUnknown,
    ];

    pub(in crate::http) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.name() == name)
    }

    /// As it stands in a problem.
    pub(in crate::http) fn name(self) -> &'static str {
        self.row().1
    }

    /// Where it is explained, which is also its type (RFC 9457, section 3.1.1).
    pub(in crate::http) fn path(self) -> String {
        format!("/problems/{}", self.name())
    }

    pub(in crate::http) fn status(self) -> StatusCode {
        StatusCode::from_u16(self.row().0).expect("the table has statuses")
    }

    /// The same for every problem of this code (RFC 9457, section 3.1.4).
    pub(in crate::http) fn title(self) -> &'static str {
        self.row().3
    }

    /// What it means, and what to do.
    pub(in crate::http) fn explanation(self) -> &'static str {
        self.row().4
    }

    /// Whether a retry with the same key gets the same refusal, for good.
    pub(in crate::http) fn is_remembered(self) -> bool {
        self.row().2 == Remembered
    }

    #[expect(clippy::too_many_lines, reason = "a table")]
    #[rustfmt::skip]
    fn row(self) -> Row {
        match self {
            Self::MalformedJson => Row(400, "malformed_json", Forgotten, "The body is not JSON",
                "The body cannot be parsed at all. Send one JSON object (RFC 8259) in UTF-8, without a byte order \
                 mark."),
            Self::ValidationFailed => Row(400, "validation_failed", Forgotten, "The request is not valid",
                "A field is unknown, missing, given twice, of the wrong type or out of its range. `errors` names each \
                 by its place in the body (RFC 6901). Mend all of them and send the request again; the same key may be \
                 used."),
            Self::IdempotencyKeyMissing => Row(400, "idempotency_key_missing", Forgotten, "A key is required",
                "Every POST that changes something needs an Idempotency-Key, so that a retry is safe. Make one up for \
                 each operation, a UUID for example, and send the same one with each retry."),
            Self::IdempotencyKeyInvalid => Row(400, "idempotency_key_invalid", Forgotten, "The key is not valid",
                "An Idempotency-Key is one string of 1 to 255 visible ASCII characters, in quotes (RFC 9651) or bare, \
                 without parameters, given once."),
            Self::InvalidCursor => Row(400, "invalid_cursor", Forgotten, "The cursor is not of this list",
                "A cursor belongs to the list that gave it, with the same filters and order. Begin again without one."),
            Self::Unauthenticated => Row(401, "unauthenticated", Forgotten, "Nobody is known by that",
                "The request has no credentials, or none that are valid. Send a valid token: `Authorization: Bearer \
                 …`."),
            Self::Forbidden => Row(403, "forbidden", Forgotten, "Not allowed",
                "The caller is known and may not do this. Ask for the scope or the book that it needs."),
            Self::NotFound => Row(404, "not_found", Forgotten, "Not found",
                "There is nothing at this path, or nothing that the caller may see. Look at the path and the id; no \
                 path ends with a slash."),
            Self::MethodNotAllowed => Row(405, "method_not_allowed", Forgotten, "Method not allowed",
                "The path exists, but not with this method. The field `Allow` of the answer lists the methods that it \
                 has."),
            Self::NotAcceptable => Row(406, "not_acceptable", Forgotten, "No acceptable representation",
                "The answer exists in no form that `Accept` allows. Ask for `application/json`, or leave the field \
                 out."),
            Self::RequestTimeout => Row(408, "request_timeout", Forgotten, "The body did not arrive in time",
                "The service waits for a body for a few seconds only. Nothing was done. Send it again, whole."),
            Self::VersionMismatch => Row(409, "version_mismatch", Remembered, "The account has another version",
                "The account changed since you read it, or has not got that far yet. Read it, decide again, and send a \
                 new request with a new key."),
            Self::ConditionFailed => Row(409, "condition_failed", Remembered, "A condition does not hold",
                "A bound under `conditions` does not hold after the last posting, so nothing was done. `pointer` names \
                 the condition."),
            Self::IdempotencyKeyInUse => Row(409, "idempotency_key_in_use", Forgotten, "The key is being used",
                "The first request under the key has no answer yet. Wait as long as `Retry-After` says, then send the \
                 same request again."),
            Self::AlreadyReversed => Row(409, "already_reversed", Remembered, "The transaction is reversed already",
                "A transaction is reversed once. `transaction` is the reversal."),
            Self::HoldNotActive => Row(409, "hold_not_active", Remembered, "The hold is not active",
                "The hold is captured, voided or expired, so it cannot be changed. Place a new one if the money is \
                 still needed."),
            Self::ExternalIdTaken => Row(409, "external_id_taken", Remembered, "Another account has this external id",
                "An external id names one account in a book. Find that account by `external_id`, or choose another."),
            Self::EmailTaken => Row(409, "email_taken", Remembered, "Another user has this email",
                "An email belongs to one user. Find the user by it, or use another."),
            Self::BalanceNotZero => Row(409, "balance_not_zero", Remembered, "The balance is not zero",
                "An account is closed at a balance of zero only. Move the money away first."),
            Self::HasActiveHolds => Row(409, "has_active_holds", Remembered, "The account has active holds",
                "An account with an active hold cannot be closed. Capture or void its holds first."),
            Self::TooManyHolds => Row(409, "too_many_holds", Remembered, "The account has too many holds",
                "An account has at most 1,000 active holds. Capture or void some, or wait until some expire."),
            Self::BookTaken => Row(409, "book_taken", Remembered, "The name of the book is taken",
                "There is an open book of this name. Use it, or choose another name."),
            Self::TooManyKeys => Row(409, "too_many_keys", Forgotten, "There are as many API keys as there can be",
                "At most 10,000 API keys live at a time. Revoke some, or wait until some expire."),
            Self::PeriodClosedAlready => Row(409, "period_closed_already", Remembered, "The period is closed already",
                "The books are closed through a later day, and are never opened again."),
            Self::PreconditionFailed => Row(412, "precondition_failed", Forgotten, "The object has changed",
                "`If-Match` names another version than the current one, which `ETag` has. Read it, decide again, and \
                 retry; the same key may be used."),
            Self::TooLarge => Row(413, "too_large", Forgotten, "The body is too large",
                "The body has more bytes than this operation takes, as it came or once it is inflated. Send less at a \
                 time."),
            Self::UnsupportedMediaType => Row(415, "unsupported_media_type", Forgotten, "Unsupported media type",
                "The body is of a kind that is not read here. Send `Content-Type: application/json`; the answer's \
                 `Accept`, `Accept-Patch` or `Accept-Encoding` lists what is read."),
            Self::MisdirectedRequest => Row(421, "misdirected_request", Forgotten, "The service has another name",
                "The request came under a host name that is not this service's. Whoever runs it can allow the name by \
                 PASSBOOK_HOSTS."),
            Self::InsufficientFunds => Row(422, "insufficient_funds", Remembered, "Not enough money",
                "The account has less available than the request needs. Nothing was done; `available` is what it had."),
            Self::AccountNotFound => Row(422, "account_not_found", Remembered, "There is no such account",
                "An account in the body does not exist in this book. Look at its number: the last two digits check the \
                 others."),
            Self::AccountFrozen => Row(422, "account_frozen", Remembered, "The account is frozen",
                "A frozen account takes money in, lets none out, and takes no new hold. Ask for it to be unfrozen."),
            Self::AccountClosed => Row(422, "account_closed", Remembered, "The account is closed",
                "A closed account can be read and does nothing else, and neither does one of a sealed book."),
            Self::CurrencyMismatch => Row(422, "currency_mismatch", Remembered, "The account holds another currency",
                "Both sides of a posting hold its currency. Nothing is exchanged here."),
            Self::SameAccount => Row(422, "same_account", Remembered, "Both sides are the same",
                "A posting has two different sides, of which one may be `world`."),
            Self::AmountTooLarge => Row(422, "amount_too_large", Remembered, "The amount is too large",
                "The balance that the amount would make is beyond 10^27 minor units of the currency."),
            Self::HoldNotFound => Row(422, "hold_not_found", Remembered, "There is no such hold",
                "A hold in the body does not exist in this book. Look at its id."),
            Self::HoldAmountExceeded => Row(422, "hold_amount_exceeded", Remembered, "More than the hold has",
                "The request takes more than what remains of the hold, or lowers it below what is captured."),
            Self::UserNotFound => Row(422, "user_not_found", Remembered, "There is no such user",
                "A user in the body does not exist. Look at the id."),
            Self::NotReversible => Row(422, "not_reversible", Remembered, "The transaction cannot be reversed",
                "A transaction that moved no money has nothing to reverse."),
            Self::PeriodClosed => Row(422, "period_closed", Remembered, "The period is closed",
                "`effective_at` is in a period whose books are closed. Use a later time."),
            Self::TimeOutOfRange => Row(422, "time_out_of_range", Remembered, "The time is out of range",
                "A time is too early or too late for what it is for. `detail` says which times are possible."),
            Self::IdempotencyKeyReused => Row(422, "idempotency_key_reused", Forgotten, "The key was used before",
                "A key stands for one request, which `transaction` names if it made one. Use a new key for a new \
                 request."),
            Self::PreconditionRequired => Row(428, "precondition_required", Forgotten, "If-Match is required",
                "This change needs `If-Match` with the `ETag` that you have read, or `*`, so that nobody's change is \
                 lost."),
            Self::RateLimited => Row(429, "rate_limited", Forgotten, "Too many requests",
                "The caller has asked too often. Nothing was done. Wait as long as `Retry-After` says, then send it \
                 again with the same key."),
            Self::InternalError => Row(500, "internal_error", Forgotten, "Internal error",
                "The fault is the service's, and nothing was applied. Tell whoever runs it the `request_id`."),
            Self::Overloaded => Row(503, "overloaded", Forgotten, "The service is busy",
                "Too much waits already. Nothing was applied. Wait as long as `Retry-After` says, then retry with the \
                 same key."),
            Self::Unavailable => Row(503, "unavailable", Forgotten, "The service is unavailable",
                "The database is away or takes no writes. Nothing was applied. Wait as long as `Retry-After` says, \
                 then retry with the same key."),
            Self::OutcomeUnknown => Row(503, "outcome_unknown", Forgotten, "The outcome is unknown",
                "The database went away in the middle, so this may have been applied or not. Retry with the same key: \
                 it is done once, whatever happened."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the contract lists them; those that are remembered are marked.
    const CONTRACT: [(u16, &str); 15] = [
        (
            400,
            "malformed_json validation_failed idempotency_key_missing idempotency_key_invalid invalid_cursor",
        ),
        (401, "unauthenticated"),
        (403, "forbidden"),
        (404, "not_found"),
        (405, "method_not_allowed"),
        (406, "not_acceptable"),
        (408, "request_timeout"),
        (
            409,
            "version_mismatch* condition_failed* idempotency_key_in_use already_reversed* hold_not_active* \
             external_id_taken* email_taken* balance_not_zero* has_active_holds* too_many_holds* book_taken* too_many_keys \
             period_closed_already*",
        ),
        (412, "precondition_failed"),
        (413, "too_large"),
        (415, "unsupported_media_type"),
        (421, "misdirected_request"),
        (
            422,
            "insufficient_funds* account_not_found* account_frozen* account_closed* currency_mismatch* \
             same_account* amount_too_large* hold_not_found* hold_amount_exceeded* user_not_found* \
             not_reversible* period_closed* time_out_of_range* idempotency_key_reused",
        ),
        (428, "precondition_required"),
        (429, "rate_limited"),
    ];
    const FAULTS: [(u16, &str); 2] = [
        (500, "internal_error"),
        (503, "overloaded unavailable outcome_unknown"),
    ];

    #[test]
    fn the_table_is_the_contracts() {
        let rows = CONTRACT.into_iter().chain(FAULTS);
        let rows = rows.flat_map(|(status, codes)| {
            codes
                .split_whitespace()
                .map(move |code| (status, code.to_owned()))
        });
        let listed = Code::ALL.map(|code| {
            let mark = if code.is_remembered() { "*" } else { "" };
            (code.status().as_u16(), format!("{}{mark}", code.name()))
        });
        assert_eq!(listed.to_vec(), rows.collect::<Vec<_>>());
    }

    #[test]
    fn every_row_of_the_table_is_listed() {
        let table = include_str!("codes.rs").split("#[cfg(test)]").next();
        let rows = table.map(|table| table.matches(" => Row(").count());
        assert_eq!(rows, Some(Code::ALL.len()));
    }

    #[test]
    fn a_name_is_one_code_and_is_explained() {
        for code in Code::ALL {
            assert_eq!(Code::parse(code.name()), Some(code));
            assert!(!code.title().ends_with('.'), "{code:?}");
            assert!(code.explanation().ends_with('.'), "{code:?}");
        }
        assert_eq!(Code::parse("Not_Found"), None);
        assert_eq!(Code::parse(""), None);
    }
}
