//! What the `microfin` dialect is asked, and how it answers, for the document of all operations.

use serde_json::{Value, json};
use utoipa::openapi::Response;
use utoipa::openapi::path::OperationBuilder;

use super::Done;
use super::accounts::{Opened, PAGE_MAX, Page};
use super::error::Failure;
use super::moves::{Moved, OneAccount, TwoAccounts};
use super::users::{Credentials, Newcomer};
use crate::http::description::{
    OF_A_BODY, REQUEST_ID, Shapes, UNAVAILABLE, key, limit, operation, optional_query, string,
};

const NOT_GZIP: &str = "Request body is not gzip, as its Content-Encoding says";
const NUMBER: &str = "000000000777";

pub(super) fn sign_up(shapes: &mut Shapes) -> OperationBuilder {
    let asked = json!({"name": "Grace", "email": "grace@example.org", "password": "Secret12"});
    operation("Opens a user, and begins a session")
        .parameter(key())
        .request_body(Some(shapes.body::<Newcomer>(asked)))
        .response(
            "200",
            done(
                shapes,
                "The user is opened; the cookie is set",
                "User Created Successfully",
            ),
        )
        .response(
            "400",
            failed(
                shapes,
                "The request cannot be understood, or the email is taken",
                "Email in Use",
            ),
        )
        .response("422", reused(shapes))
        .response("503", unavailable(shapes))
}

pub(super) fn sign_in(shapes: &mut Shapes) -> OperationBuilder {
    let asked = json!({"email": "ada@example.org", "password": "Secret12"});
    operation("Begins a session")
        .request_body(Some(shapes.body::<Credentials>(asked)))
        .response(
            "200",
            done(shapes, "The cookie is set", "User Signed In  Successfully"),
        )
        .response(
            "400",
            failed(
                shapes,
                "The request cannot be understood",
                "All fields are required",
            ),
        )
        .response(
            "401",
            failed(
                shapes,
                "Nobody has this email and password",
                "Invalid Password",
            ),
        )
        .response("503", unavailable(shapes))
}

pub(super) fn sign_out(shapes: &mut Shapes) -> OperationBuilder {
    let over = done(
        shapes,
        "The session is over",
        "User Signed Out Successfully",
    );
    let operation = operation("Ends the session")
        .response("200", over)
        .response(
            "400",
            failed(shapes, "The body cannot be decoded", NOT_GZIP),
        )
        .response("401", anonymous(shapes))
        .response("503", unavailable(shapes));
    with_any_body(shapes, operation)
}

pub(super) fn open(shapes: &mut Shapes) -> OperationBuilder {
    let opened = json!({
        "message": "New Account Created Successfully", "accountNumber": NUMBER, "balance": "0",
    });
    let wrong = "The key is none, or the body cannot be decoded";
    let operation = operation("Opens an account of the caller's")
        .parameter(key())
        .response(
            "200",
            shapes.answer::<Opened>("The account is opened", opened),
        )
        .response("400", failed(shapes, wrong, NOT_GZIP))
        .response("401", anonymous(shapes))
        .response("422", reused(shapes))
        .response("503", unavailable(shapes));
    with_any_body(shapes, operation)
}

pub(super) fn list(shapes: &mut Shapes) -> OperationBuilder {
    let account = json!({
        "accountNumber": NUMBER, "currency": "USD", "balance": "0.00", "version": 1,
    });
    let page = json!({"accounts": [account], "next": null});
    operation("Lists the caller's accounts")
        .parameter(limit(PAGE_MAX))
        .parameter(optional_query(
            "after",
            "`next` of the page before",
            string(),
        ))
        .response("200", shapes.answer::<Page>("A page", page))
        .response(
            "400",
            failed(shapes, "The query cannot be understood", "Invalid Input"),
        )
        .response("401", anonymous(shapes))
        .response("503", unavailable(shapes))
}

pub(super) fn deposit(shapes: &mut Shapes) -> OperationBuilder {
    let asked = json!({"accountNumber": NUMBER, "amount": 50});
    let body = shapes.body::<OneAccount>(asked);
    let answer = "Deposit request accepted";
    moved(shapes, "Deposits to anybody's account", answer).request_body(Some(body))
}

pub(super) fn withdraw(shapes: &mut Shapes) -> OperationBuilder {
    let asked = json!({"accountNumber": NUMBER, "amount": 5});
    let body = shapes.body::<OneAccount>(asked);
    let answer = "Withdrawal request accepted";
    moved(shapes, "Withdraws from an account of the caller's", answer).request_body(Some(body))
}

pub(super) fn transfer(shapes: &mut Shapes) -> OperationBuilder {
    let asked = json!({
        "senderAccountNumber": NUMBER, "receiverAccountNumber": "000000000874", "amount": 5,
    });
    let body = shapes.body::<TwoAccounts>(asked);
    let answer = "Transfer request accepted";
    moved(
        shapes,
        "Moves money from an account of the caller's",
        answer,
    )
    .request_body(Some(body))
}

fn moved(shapes: &mut Shapes, summary: &str, message: &str) -> OperationBuilder {
    let moved = json!({"message": message, "transactionId": REQUEST_ID, "balance": "50.00"});
    let no = "The request cannot be understood, or a rule says no";
    operation(summary)
        .parameter(key())
        .response("202", shapes.answer::<Moved>("The money has moved", moved))
        .response("400", failed(shapes, no, "Insufficient balance"))
        .response("401", anonymous(shapes))
        .response("422", reused(shapes))
        .response("503", unavailable(shapes))
}

/// A body is taken in, and nobody looks at it.
fn with_any_body(shapes: &mut Shapes, operation: OperationBuilder) -> OperationBuilder {
    OF_A_BODY
        .into_iter()
        .fold(operation, |operation, (status, what, message)| {
            operation.response(status.as_str(), failed(shapes, what, message))
        })
}

fn done(shapes: &mut Shapes, what: &str, message: &str) -> Response {
    shapes.answer::<Done>(what, said(message))
}

fn failed(shapes: &mut Shapes, what: &str, message: &str) -> Response {
    shapes.answer::<Failure>(what, said(message))
}

fn anonymous(shapes: &mut Shapes) -> Response {
    failed(shapes, "Nobody has signed in", "User not logged in")
}

fn reused(shapes: &mut Shapes) -> Response {
    let message = "Idempotency-Key was used for another request";
    failed(shapes, "The key was used otherwise", message)
}

fn unavailable(shapes: &mut Shapes) -> Response {
    shapes.unavailable::<Failure>(json!({"message": UNAVAILABLE, "requestId": REQUEST_ID}))
}

fn said(message: &str) -> Value {
    json!({"message": message})
}
