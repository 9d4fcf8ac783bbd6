//! `/v1/holds`, described.

use serde_json::{Value, json};
use utoipa::openapi::path::{OperationBuilder, Parameter};

use super::answers::{
    CALLER, COMMAND, COMMON, LIST, MATCHED, MONEY, POST, TARGET, located, not_modified, problems,
    replayable, success, tagged,
};
use super::questions::{
    body, by_account, by_time, filter, if_match, if_none_match, in_a_book, key, may_match,
    optional_body, paged, patch, path, required_key,
};
use super::{ACCOUNT, HOLD, OTHER, TIME, shapes, transactions};
use crate::http::description::{Shapes, string};
use crate::http::v1::codes::Code;

pub(in crate::http::v1) fn place(shapes: &mut Shapes) -> OperationBuilder {
    let asked = json!({"account": ACCOUNT, "amount": "30.00", "currency": "USD"});
    let shape = shapes::new_hold(shapes);
    let made = tagged("The money is set aside", shapes::hold(shapes), example());
    let operation = in_a_book("Sets money of an account aside")
        .parameter(required_key())
        .request_body(Some(body(shape, asked)))
        .response("201", replayable(located(made)));
    let own = &[
        Code::TooManyHolds,
        Code::AccountNotFound,
        Code::CurrencyMismatch,
        Code::AmountTooLarge,
        Code::TimeOutOfRange,
    ];
    problems(
        operation,
        shapes,
        &[COMMON, CALLER, COMMAND, POST, MONEY, own],
    )
}

pub(in crate::http::v1) fn list(shapes: &mut Shapes) -> OperationBuilder {
    let item = shapes::hold(shapes);
    let shape = shapes::page(shapes, "v1.Holds", &item);
    let page = json!({"data": [example()], "next_cursor": null});
    let statuses = string().enum_values(Some(["active", "captured", "voided", "expired"]));
    let operation = paged(in_a_book("Lists holds"))
        .parameter(by_account())
        .parameter(filter("status", "Of this status", statuses))
        .parameter(by_time("expires_before", "That expire before this time"))
        .response("200", success("A page", shape, page));
    problems(operation, shapes, &[COMMON, CALLER, LIST])
}

pub(in crate::http::v1) fn show(shapes: &mut Shapes) -> OperationBuilder {
    let shown = tagged("The hold as it stands", shapes::hold(shapes), example());
    let operation = in_a_book("Shows a hold")
        .parameter(id())
        .parameter(if_none_match())
        .response("200", shown)
        .response("304", not_modified());
    problems(operation, shapes, &[COMMON, CALLER, TARGET])
}

pub(in crate::http::v1) fn change(shapes: &mut Shapes) -> OperationBuilder {
    let shape = shapes::hold_change(shapes);
    let changed = tagged("The hold as it is now", shapes::hold(shapes), example());
    let operation = in_a_book("Raises, lowers or extends an active hold")
        .parameter(id())
        .parameter(key())
        .parameter(if_match())
        .request_body(Some(patch(shape, json!({"amount": "40.00"}))))
        .response("200", replayable(changed));
    let own = &[
        Code::HoldNotActive,
        Code::AmountTooLarge,
        Code::HoldAmountExceeded,
        Code::TimeOutOfRange,
    ];
    problems(
        operation,
        shapes,
        &[COMMON, CALLER, COMMAND, TARGET, MATCHED, MONEY, own],
    )
}

pub(in crate::http::v1) fn capture(shapes: &mut Shapes) -> OperationBuilder {
    let shape = shapes::new_capture(shapes);
    let made = tagged("The money has moved", shapes::capture(shapes), captured());
    let operation = in_a_book("Takes money that a hold has set aside")
        .parameter(id())
        .parameter(required_key())
        .parameter(may_match())
        .request_body(Some(body(shape, json!({"to": OTHER, "amount": "12.50"}))))
        .response("201", replayable(located(made)));
    let own = &[
        Code::HoldNotActive,
        Code::AccountNotFound,
        Code::CurrencyMismatch,
        Code::SameAccount,
        Code::AmountTooLarge,
        Code::HoldAmountExceeded,
        Code::PreconditionFailed,
    ];
    problems(
        operation,
        shapes,
        &[COMMON, CALLER, COMMAND, POST, TARGET, MONEY, own],
    )
}

pub(in crate::http::v1) fn void(shapes: &mut Shapes) -> OperationBuilder {
    let shape = shapes::nothing(shapes);
    let voided = tagged("The hold is voided", shapes::hold(shapes), example());
    let operation = in_a_book("Lets go what a hold has set aside")
        .parameter(id())
        .parameter(required_key())
        .parameter(may_match())
        .request_body(Some(optional_body(shape, json!({}))))
        .response("200", replayable(voided));
    let own = &[
        Code::HoldNotActive,
        Code::AccountClosed,
        Code::PreconditionFailed,
    ];
    problems(
        operation,
        shapes,
        &[COMMON, CALLER, COMMAND, POST, TARGET, own],
    )
}

fn captured() -> Value {
    let mut example = transactions::example();
    example["postings"][0]["hold"] = json!(HOLD);
    example["hold"] = self::example();
    example
}

fn example() -> Value {
    json!({
        "id": HOLD, "account": ACCOUNT, "currency": "USD", "amount": "30.00", "captured": "0.00",
        "remaining": "30.00", "status": "active", "reference": null, "metadata": {},
        "expires_at": "2026-12-05T09:00:00.000000Z", "version": 4, "created_at": TIME,
    })
}

fn id() -> Parameter {
    path(
        "id",
        "The hold's id",
        string().pattern(Some(shapes::UUID)),
        HOLD,
    )
}
