//! What the `accounts` dialect is asked, and how it answers, for the document of all operations.

use serde_json::{Value, json};
use utoipa::openapi::Response;
use utoipa::openapi::path::{OperationBuilder, Parameter};

use super::error::Failure;
use super::history::Transactions;
use super::transaction::{Made, Transaction};
use super::{Balance, Open, Opened};
use crate::http::description::{
    REQUEST_ID, Shapes, UNAVAILABLE, key, limit, operation, optional_query, path_id, positive,
};

const TRANSACTION_ID: &str = "txn01932b4e7c1a70008000000000000001";

pub(super) fn open(shapes: &mut Shapes) -> OperationBuilder {
    let opened = json!({"accountId": 7, "balance": 1000.0, "version": 2});
    let duplicate = json!({
        "error": "Duplicate transaction", "transactionId": TRANSACTION_ID, "accountId": 7,
    });
    let reused = failure("Idempotency-Key was used for another request");
    operation("Opens an account")
        .parameter(key())
        .request_body(Some(
            shapes.optional_body::<Open>(json!({"balance": 1000.0})),
        ))
        .response(
            "201",
            shapes.answer::<Opened>("The account is opened", opened),
        )
        .response("400", invalid(shapes, "balance must not be negative"))
        .response("408", crash(shapes, &Value::Null))
        .response(
            "409",
            shapes.answer::<Failure>("It was carried out before", duplicate),
        )
        .response(
            "422",
            shapes.answer::<Failure>("The key was used otherwise", reused),
        )
        .response("503", unavailable(shapes))
}

pub(super) fn balance(shapes: &mut Shapes) -> OperationBuilder {
    let balance = json!({"balance": 1000.0, "version": 2});
    operation("Shows an account's balance and version")
        .parameter(account_id())
        .response(
            "200",
            shapes.answer::<Balance>("The account as it stands", balance),
        )
        .response(
            "400",
            invalid(shapes, "account id must be a positive integer"),
        )
        .response("404", unknown(shapes))
        .response("503", unavailable(shapes))
}

pub(super) fn make(shapes: &mut Shapes) -> OperationBuilder {
    let asked = json!({
        "moneyWithdraw/Deposit": 49, "typeOfTransaction": "Deposit", "expectedversion": 2,
    });
    let made = json!({
        "id": TRANSACTION_ID, "type": "Deposit", "amount": 49.0, "newBalance": 1049.0,
        "newVersion": "3", "timestamp": "2026-11-28T09:00:00Z",
    });
    let mismatch = json!({"error": "Version mismatch", "CurrentVersion": 3});
    let short = failure("Insufficient Balance");
    let conflict = "The version is another, or the request was carried out before";
    operation("Deposits or withdraws, at a version if one is named")
        .description(Some(
            "Each field has a second name, and is given under one of the two.",
        ))
        .parameter(account_id())
        .parameter(key())
        .request_body(Some(shapes.body::<Transaction>(asked)))
        .response("201", shapes.answer::<Made>("The money has moved", made))
        .response("400", invalid(shapes, "amount must be greater than zero"))
        .response("404", unknown(shapes))
        .response("408", crash(shapes, &json!(2)))
        .response("409", shapes.answer::<Failure>(conflict, mismatch))
        .response("422", shapes.answer::<Failure>("A rule says no", short))
        .response("503", unavailable(shapes))
}

pub(super) fn list(shapes: &mut Shapes) -> OperationBuilder {
    let page = json!({
        "transactions": [{
            "id": TRANSACTION_ID, "type": "Deposit", "amount": 49.0, "newBalance": 1049.0,
            "newVersion": "3", "timestamp": "2026-11-28T09:00:00Z",
        }],
        "next": 3,
    });
    operation("Lists what went into an account and out of it, newest first")
        .parameter(account_id())
        .parameter(limit(20))
        .parameter(optional_query(
            "before",
            "`next` of the page before",
            positive(),
        ))
        .response("200", shapes.answer::<Transactions>("A page", page))
        .response("400", invalid(shapes, "limit must be from 1 to 100"))
        .response("404", unknown(shapes))
        .response("503", unavailable(shapes))
}

fn account_id() -> Parameter {
    path_id("The account's id")
}

fn invalid(shapes: &mut Shapes, error: &str) -> Response {
    shapes.answer::<Failure>("The request cannot be understood", failure(error))
}

fn unknown(shapes: &mut Shapes) -> Response {
    shapes.answer::<Failure>("There is no such account", failure("Account not found"))
}

fn crash(shapes: &mut Shapes, version: &Value) -> Response {
    let what =
        "The outcome is not known: ask again with the same key. Or the body took longer than 5 s.";
    let crash =
        json!({"error": "Server Crashes", "CurrentVersion": version, "requestId": REQUEST_ID});
    shapes.answer::<Failure>(what, crash)
}

fn unavailable(shapes: &mut Shapes) -> Response {
    shapes.unavailable::<Failure>(json!({"error": UNAVAILABLE, "requestId": REQUEST_ID}))
}

fn failure(error: &str) -> Value {
    json!({"error": error})
}
