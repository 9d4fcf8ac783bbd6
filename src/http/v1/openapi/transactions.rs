//! `/v1/transactions`, described.

use serde_json::{Value, json};
use utoipa::openapi::path::{OperationBuilder, Parameter};

use super::answers::{
    CALLER, COMMAND, COMMON, LIST, MONEY, POST, TARGET, located, not_modified, problems,
    replayable, success, tagged,
};
use super::questions::{
    body, by_account, by_metadata, by_time, filter, if_none_match, in_a_book, key, optional_body,
    paged, path, required_key,
};
use super::{ACCOUNT, OTHER, TIME, TRANSACTION, shapes};
use crate::http::description::{Shapes, string};
use crate::http::v1::codes::Code;

pub(in crate::http::v1) fn post(shapes: &mut Shapes) -> OperationBuilder {
    let asked = json!({
        "postings": [{"from": ACCOUNT, "to": OTHER, "amount": "12.50", "currency": "USD"}],
        "conditions": [{"account": ACCOUNT, "available_at_least": "0.00"}],
        "reference": "invoice 17", "metadata": {"order": "17"},
    });
    let shape = shapes::new_transaction(shapes);
    let transaction = shapes::transaction(shapes);
    let made = tagged("The money has moved", transaction.clone(), example());
    let dry = success("What would happen; nothing is kept", transaction, example());
    let operation = in_a_book("Moves money, all or nothing")
        .description(Some("Everything but a dry run needs a key."))
        .parameter(key())
        .request_body(Some(body(shape, asked)))
        .response("200", dry)
        .response("201", replayable(located(made)));
    let own = &[
        Code::VersionMismatch,
        Code::ConditionFailed,
        Code::HoldNotActive,
        Code::AccountNotFound,
        Code::CurrencyMismatch,
        Code::SameAccount,
        Code::AmountTooLarge,
        Code::HoldNotFound,
        Code::HoldAmountExceeded,
    ];
    problems(
        operation,
        shapes,
        &[COMMON, CALLER, COMMAND, POST, MONEY, own],
    )
}

pub(in crate::http::v1) fn list(shapes: &mut Shapes) -> OperationBuilder {
    let item = shapes::transaction(shapes);
    let shape = shapes::page(shapes, "v1.Transactions", &item);
    let page = json!({"data": [example()], "next_cursor": null});
    let reference = string().max_length(Some(255));
    let operation = paged(in_a_book("Lists transactions"))
        .parameter(by_account())
        .parameter(filter("reference", "Of this reference", reference))
        .parameter(by_time("from", "Recorded at this time or later"))
        .parameter(by_time("to", "Recorded before this time"))
        .parameter(by_time("effective_from", "Effective at this time or later"))
        .parameter(by_time("effective_to", "Effective before this time"))
        .parameter(by_metadata())
        .response("200", success("A page", shape, page));
    problems(operation, shapes, &[COMMON, CALLER, LIST])
}

pub(in crate::http::v1) fn show(shapes: &mut Shapes) -> OperationBuilder {
    let transaction = shapes::transaction(shapes);
    let operation = in_a_book("Shows a transaction")
        .parameter(id())
        .parameter(if_none_match())
        .response("200", tagged("The transaction", transaction, example()))
        .response("304", not_modified());
    problems(operation, shapes, &[COMMON, CALLER, TARGET])
}

pub(in crate::http::v1) fn reverse(shapes: &mut Shapes) -> OperationBuilder {
    let shape = shapes::saying(shapes);
    let transaction = shapes::transaction(shapes);
    let made = tagged("The money has moved back", transaction, reversal());
    let operation = in_a_book("Turns a transaction round, once and whole")
        .parameter(id())
        .parameter(required_key())
        .request_body(Some(optional_body(
            shape,
            json!({"reference": "refund of invoice 17"}),
        )))
        .response("201", replayable(located(made)));
    let own = &[
        Code::AlreadyReversed,
        Code::AmountTooLarge,
        Code::NotReversible,
    ];
    problems(
        operation,
        shapes,
        &[COMMON, CALLER, COMMAND, POST, TARGET, MONEY, own],
    )
}

pub(super) fn example() -> Value {
    json!({
        "id": TRANSACTION, "kind": "transfer",
        "postings": [{"from": ACCOUNT, "to": OTHER, "amount": "12.50", "currency": "USD"}],
        "reference": "invoice 17", "metadata": {"order": "17"}, "effective_at": TIME,
        "reverses": null, "reversed_by": null, "created_at": TIME,
        "accounts": [
            {"id": ACCOUNT, "version": 3, "balance": "87.50", "held": "0.00", "available": "87.50"},
            {"id": OTHER, "version": 2, "balance": "12.50", "held": "0.00", "available": "12.50"},
        ],
    })
}

fn reversal() -> Value {
    let mut example = example();
    example["id"] = json!("019b7600-0000-7000-8000-00000000000c");
    example["reverses"] = json!(TRANSACTION);
    let posting = &mut example["postings"][0];
    posting["from"] = json!(OTHER);
    posting["to"] = json!(ACCOUNT);
    example
}

fn id() -> Parameter {
    path(
        "id",
        "The transaction's id",
        string().pattern(Some(shapes::UUID)),
        TRANSACTION,
    )
}
