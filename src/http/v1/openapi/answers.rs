//! What an operation answers: its success, and every problem that it may have.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::path::OperationBuilder;
use utoipa::openapi::{ContentBuilder, Header, HeaderBuilder, Ref, Response, ResponseBuilder};
use uuid::Uuid;

use super::{ACCOUNT, TIME, TRANSACTION, shapes};
use crate::http::description::{self, REQUEST_ID, Shapes, string};
use crate::http::v1::codes::Code;
use crate::http::v1::problem::{Flaw, PROBLEM, Problem, Sight};
use crate::ledger::TransactionId;

/// Of whatever is asked in a query, and takes an answer in JSON.
pub(super) const COMMON: &[Code] = &[Code::ValidationFailed, Code::NotAcceptable];
/// Of whatever reads the database in the name of somebody.
pub(super) const CALLER: &[Code] = &[
    Code::Unauthenticated,
    Code::Forbidden,
    Code::Overloaded,
    Code::Unavailable,
];
pub(super) const LIST: &[Code] = &[Code::InvalidCursor];
pub(super) const TARGET: &[Code] = &[Code::NotFound];
/// Of whatever is a command.
pub(super) const COMMAND: &[Code] = &[
    Code::MalformedJson,
    Code::IdempotencyKeyInvalid,
    Code::IdempotencyKeyInUse,
    Code::IdempotencyKeyReused,
    Code::OutcomeUnknown,
];
pub(super) const POST: &[Code] = &[Code::IdempotencyKeyMissing];
pub(super) const MATCHED: &[Code] = &[Code::PreconditionFailed, Code::PreconditionRequired];
/// Of whatever moves money, or sets it aside.
pub(super) const MONEY: &[Code] = &[
    Code::InsufficientFunds,
    Code::AccountFrozen,
    Code::AccountClosed,
];

/// What goes wrong, status by status, each code with an example.
pub(super) fn problems(
    operation: OperationBuilder,
    shapes: &mut Shapes,
    codes: &[&[Code]],
) -> OperationBuilder {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in Code::ALL {
        if codes.iter().any(|some| some.contains(&code)) {
            by_status
                .entry(code.status().as_u16())
                .or_default()
                .push(code);
        }
    }
    by_status
        .into_iter()
        .fold(operation, |operation, (status, codes)| {
            operation.response(status.to_string(), problem(shapes, &codes))
        })
}

/// A success that nobody keeps.
pub(super) fn success(what: &str, shape: Ref, example: Value) -> Response {
    description::json(what, shape, example)
}

/// A success that shows nothing.
pub(super) fn nothing(what: &str) -> Response {
    ResponseBuilder::new().description(what).build()
}

/// The object, with its tag.
pub(super) fn tagged(what: &str, shape: Ref, example: Value) -> Response {
    let mut response = success(what, shape, example);
    add(&mut response, "ETag", "The tag of what is shown");
    response
}

/// What was made, with where it is.
pub(super) fn located(mut response: Response) -> Response {
    add(&mut response, "Location", "Where what was made is");
    response
}

/// The answer to a command.
pub(super) fn replayable(mut response: Response) -> Response {
    add(
        &mut response,
        "Idempotent-Replayed",
        "If the answer was given before: `true`",
    );
    response
}

/// Whoever asks has it already.
pub(super) fn not_modified() -> Response {
    let what = "It is the one that `If-None-Match` names";
    let mut response = ResponseBuilder::new().description(what).build();
    add(&mut response, "ETag", "The tag that it has");
    response
}

fn problem(shapes: &mut Shapes, codes: &[Code]) -> Response {
    let what = codes
        .iter()
        .map(|code| format!("`{}`: {}.", code.name(), code.title()));
    let what: Vec<String> = what.collect();
    let examples = codes.iter().map(|code| (code.name(), example(*code)));
    let content = ContentBuilder::new()
        .schema(Some(shapes::problem(shapes)))
        .examples_from_iter(examples)
        .build();
    let response = ResponseBuilder::new().description(what.join(" "));
    let mut response = response.content(PROBLEM, content).build();
    for code in codes {
        match code {
            Code::Unauthenticated => add(&mut response, "WWW-Authenticate", "What is asked for"),
            Code::PreconditionFailed => add(&mut response, "ETag", "The tag that it has now"),
            Code::Unavailable => {
                add(
                    &mut response,
                    "Retry-After",
                    "Seconds after which to ask again",
                );
            }
            Code::IdempotencyKeyInUse => {
                let what = "If the key is in use: seconds after which to ask again";
                add(&mut response, "Retry-After", what);
            }
            _ => {}
        }
        if code.is_remembered() {
            let what = "If the answer was given before: `true`";
            add(&mut response, "Idempotent-Replayed", what);
        }
    }
    response
}

/// A problem as it is answered.
fn example(code: Code) -> Example {
    let mut problem = match code {
        Code::ValidationFailed => Problem::of_flaws(vec![Flaw {
            pointer: "/frm".to_owned(),
            detail: "is not known here".to_owned(),
        }]),
        _ => Problem::new(code, code.title()),
    };
    if is_of_an_account(code) {
        problem = problem.seen(Sight {
            account: ACCOUNT.to_owned(),
            version: 7,
            balance: "12.50".to_owned(),
            available: "12.50".to_owned(),
            at: TIME.to_owned(),
        });
    }
    if code == Code::AlreadyReversed || code == Code::IdempotencyKeyReused {
        problem = problem.of(TransactionId(known_id(TRANSACTION)));
    }
    problem.request_id = known_id(REQUEST_ID);
    let value = serde_json::from_slice(&problem.to_bytes()).expect("a problem is JSON");
    ExampleBuilder::new().value(Some(value)).build()
}

fn known_id(text: &str) -> Uuid {
    Uuid::try_parse(text).expect("the id of an example")
}

fn is_of_an_account(code: Code) -> bool {
    [
        Code::VersionMismatch,
        Code::ConditionFailed,
        Code::BalanceNotZero,
        Code::HasActiveHolds,
        Code::TooManyHolds,
        Code::InsufficientFunds,
        Code::AccountFrozen,
        Code::AccountClosed,
    ]
    .contains(&code)
}

fn add(response: &mut Response, name: &str, what: &str) {
    let header: Header = HeaderBuilder::new()
        .schema(Some(string().build()))
        .description(Some(what))
        .build();
    response.headers.insert(name.to_owned(), header.into());
}
