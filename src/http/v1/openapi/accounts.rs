//! `/v1/accounts`, described.

use serde_json::{Value, json};
use utoipa::openapi::path::{OperationBuilder, Parameter};

use super::answers::{
    CALLER, COMMAND, COMMON, LIST, MATCHED, POST, TARGET, located, not_modified, problems,
    replayable, success, tagged,
};
use super::questions::{
    body, by_metadata, by_version, filter, if_match, if_none_match, in_a_book, key, optional_body,
    paged, patch, path, required_key,
};
use super::{ACCOUNT, TIME, shapes};
use crate::http::description::{Shapes, string};
use crate::http::v1::codes::Code;

pub(in crate::http::v1) fn open(shapes: &mut Shapes) -> OperationBuilder {
    let asked = json!({"currency": "USD", "external_id": "customers:1042"});
    let shape = shapes::new_account(shapes);
    let made = tagged("The account is opened", shapes::account(shapes), example());
    let operation = in_a_book("Opens an account")
        .parameter(required_key())
        .request_body(Some(body(shape, asked)))
        .response("201", replayable(located(made)));
    let own = &[
        Code::ExternalIdTaken,
        Code::UserNotFound,
        Code::AccountClosed,
    ];
    problems(operation, shapes, &[COMMON, CALLER, COMMAND, POST, own])
}

pub(in crate::http::v1) fn show(shapes: &mut Shapes) -> OperationBuilder {
    let shown = tagged(
        "The account as it stands",
        shapes::account(shapes),
        example(),
    );
    let operation = in_a_book("Shows an account")
        .parameter(id())
        .parameter(by_version())
        .parameter(if_none_match())
        .response("200", shown)
        .response("304", not_modified());
    let own = &[Code::VersionMismatch];
    problems(operation, shapes, &[COMMON, CALLER, TARGET, own])
}

pub(in crate::http::v1) fn list(shapes: &mut Shapes) -> OperationBuilder {
    let item = shapes::account(shapes);
    let shape = shapes::page(shapes, "v1.Accounts", &item);
    let page = json!({"data": [example()], "next_cursor": null});
    let external_id = || string().pattern(Some(shapes::EXTERNAL_ID));
    let statuses = string().enum_values(Some(["open", "frozen", "closed"]));
    let operation = paged(in_a_book("Lists accounts"))
        .parameter(filter(
            "owner",
            "Of this user",
            string().pattern(Some(shapes::USER)),
        ))
        .parameter(filter(
            "external_id",
            "The one of this external id",
            external_id(),
        ))
        .parameter(filter(
            "external_id_prefix",
            "Whose external ids begin so",
            external_id(),
        ))
        .parameter(filter(
            "currency",
            "Of this currency",
            string().pattern(Some(shapes::CURRENCY)),
        ))
        .parameter(filter("status", "Of this status", statuses))
        .parameter(by_metadata())
        .response("200", success("A page", shape, page));
    problems(operation, shapes, &[COMMON, CALLER, LIST])
}

pub(in crate::http::v1) fn change(shapes: &mut Shapes) -> OperationBuilder {
    let asked = json!({"overdraft_limit": "50.00", "metadata": {"tier": "gold"}});
    let shape = shapes::account_change(shapes);
    let changed = tagged(
        "The account as it is now",
        shapes::account(shapes),
        example(),
    );
    let operation = in_a_book("Changes an account's limit and metadata")
        .parameter(id())
        .parameter(key())
        .parameter(if_match())
        .request_body(Some(patch(shape, asked)))
        .response("200", replayable(changed));
    let own = &[
        Code::InsufficientFunds,
        Code::AccountClosed,
        Code::AmountTooLarge,
    ];
    problems(
        operation,
        shapes,
        &[COMMON, CALLER, COMMAND, TARGET, MATCHED, own],
    )
}

pub(in crate::http::v1) fn freeze(shapes: &mut Shapes) -> OperationBuilder {
    status(
        shapes,
        "Freezes an account, which then lets no money out",
        &[],
    )
}

pub(in crate::http::v1) fn unfreeze(shapes: &mut Shapes) -> OperationBuilder {
    status(shapes, "Opens a frozen account again", &[])
}

pub(in crate::http::v1) fn close(shapes: &mut Shapes) -> OperationBuilder {
    let own = &[Code::BalanceNotZero, Code::HasActiveHolds];
    status(shapes, "Closes an account for good", own)
}

fn status(shapes: &mut Shapes, summary: &str, more: &[Code]) -> OperationBuilder {
    let shape = shapes::nothing(shapes);
    let changed = tagged(
        "The account as it is now",
        shapes::account(shapes),
        example(),
    );
    let operation = in_a_book(summary)
        .parameter(id())
        .parameter(required_key())
        .parameter(if_match())
        .request_body(Some(optional_body(shape, json!({}))))
        .response("200", replayable(changed));
    let own = &[Code::AccountClosed];
    problems(
        operation,
        shapes,
        &[COMMON, CALLER, COMMAND, POST, TARGET, MATCHED, own, more],
    )
}

fn id() -> Parameter {
    path(
        "id",
        "The account's number",
        string().pattern(Some(shapes::NUMBER)),
        ACCOUNT,
    )
}

fn example() -> Value {
    json!({
        "id": ACCOUNT, "external_id": "customers:1042", "owner": null, "currency": "USD",
        "balance": "0.00", "held": "0.00", "available": "0.00", "overdraft_limit": "0.00",
        "version": 1, "status": "open", "metadata": {}, "opened_at": TIME, "updated_at": TIME,
    })
}
