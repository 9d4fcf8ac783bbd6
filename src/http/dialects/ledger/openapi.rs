//! What the `ledger` dialect is asked, and how it answers, for the document of all operations.

use std::borrow::Cow;

use serde_json::{Value, json};
use utoipa::openapi::path::{OperationBuilder, Parameter};
use utoipa::openapi::schema::{ObjectBuilder, Schema};
use utoipa::openapi::{RefOr, Response};
use utoipa::{PartialSchema, ToSchema};

use super::{Balances, Created, Moved, Transferred, Welcome};
use crate::http::description::{
    AMOUNT, Amount, Digits, Shapes, key, operation, positive, query, string,
};
use crate::http::dialects::failure::{described, unavailable};
use crate::http::request::number::Number;

const TRANSACTION_ID: &str = "01932b4e-7c1a-7000-8000-000000000001";

/// The fields of a request, which stand in a query, a form or a JSON body. Each operation has its own.
#[derive(ToSchema)]
#[schema(as = ledger::Create)]
#[expect(dead_code, reason = "the shape of what is read field by field")]
struct Create {
    name: String,
    #[schema(format = Email)]
    email: String,
}

#[derive(ToSchema)]
#[schema(as = ledger::Change)]
#[expect(dead_code, reason = "the shape of what is read field by field")]
struct Change {
    user_id: Digits,
    amount: Amount,
    currency_type: String,
}

#[derive(ToSchema)]
#[schema(as = ledger::Transfer)]
#[expect(dead_code, reason = "the shape of what is read field by field")]
struct Transfer {
    source_user_id: Digits,
    target_user_id: Digits,
    amount: Amount,
    currency_type: String,
}

#[derive(ToSchema)]
#[schema(as = ledger::Show)]
#[expect(dead_code, reason = "the shape of what is read field by field")]
struct Show {
    user_id: Digits,
    currency_type: Option<String>,
}

/// `GET /`, for everybody but a browser.
pub(in crate::http) fn greeting(shapes: &mut Shapes) -> Response {
    shapes.answer::<Welcome>("A greeting, or a page", json!({"message": "Welcome!"}))
}

/// What a user's balances look like.
pub(in crate::http) fn balances() -> Value {
    json!({"user_id": 1, "bitcoin": 37.5, "ethereum": 0, "matic": 0})
}

pub(super) fn get_create(shapes: &mut Shapes) -> OperationBuilder {
    create(shapes)
        .parameter(query("name", "The user's name", string(), "Lin"))
        .parameter(query(
            "email",
            "Which nobody else has",
            string(),
            "lin@example.org",
        ))
}

pub(super) fn post_create(shapes: &mut Shapes) -> OperationBuilder {
    let asked = json!({"name": "Kim", "email": "kim@example.org"});
    create(shapes).request_body(Some(shapes.form::<Create>(asked)))
}

pub(super) fn get_deposit(shapes: &mut Shapes) -> OperationBuilder {
    asked_change(change(shapes, "Deposits"))
}

pub(super) fn post_deposit(shapes: &mut Shapes) -> OperationBuilder {
    posted_change(shapes, "Deposits")
}

pub(super) fn get_withdraw(shapes: &mut Shapes) -> OperationBuilder {
    asked_change(change(shapes, "Withdraws"))
}

pub(super) fn post_withdraw(shapes: &mut Shapes) -> OperationBuilder {
    posted_change(shapes, "Withdraws")
}

pub(super) fn get_transfer(shapes: &mut Shapes) -> OperationBuilder {
    transfer(shapes)
        .parameter(query("source_user_id", "Who gives", positive(), 1))
        .parameter(query("target_user_id", "Who gets it", positive(), 2))
        .parameter(amount())
        .parameter(currency())
}

pub(super) fn post_transfer(shapes: &mut Shapes) -> OperationBuilder {
    let asked = json!({
        "source_user_id": 1, "target_user_id": 2, "amount": 0.25, "currency_type": "bitcoin",
    });
    transfer(shapes).request_body(Some(shapes.form::<Transfer>(asked)))
}

pub(super) fn post_balance(shapes: &mut Shapes) -> OperationBuilder {
    let body = shapes.form::<Show>(json!({"user_id": 1}));
    let balances = shapes.answer::<Balances>("The balances as they stand", balances());
    operation("Shows a user's balances")
        .request_body(Some(body))
        .response("200", balances)
        .response("400", invalid(shapes))
        .response("404", unknown(shapes))
        .response("503", unavailable(shapes))
}

fn create(shapes: &mut Shapes) -> OperationBuilder {
    let created = json!({"user_id": 3, "name": "Lin", "email": "lin@example.org"});
    operation("Opens a user")
        .parameter(key())
        .response(
            "200",
            shapes.answer::<Created>("The user is opened", created),
        )
        .response(
            "400",
            described(
                shapes,
                "The request cannot be understood",
                "name is required",
            ),
        )
        .response(
            "409",
            described(
                shapes,
                "The email is another user's",
                "Email already in use.",
            ),
        )
        .response("422", reused(shapes))
        .response("503", unavailable(shapes))
}

fn change(shapes: &mut Shapes, verb: &str) -> OperationBuilder {
    let moved = json!({
        "transaction_id": TRANSACTION_ID, "user_id": 1, "amount": 0.5, "currency_type": "bitcoin",
    });
    let short = "Insufficient funds for withdrawal.";
    operation(&format!("{verb} an amount of a crypto currency"))
        .parameter(key())
        .response("200", shapes.answer::<Moved>("The money has moved", moved))
        .response("400", invalid(shapes))
        .response("404", unknown(shapes))
        .response("422", described(shapes, "A rule says no", short))
        .response("503", unavailable(shapes))
}

fn asked_change(change: OperationBuilder) -> OperationBuilder {
    change
        .parameter(query("user_id", "Whose account", positive(), 1))
        .parameter(amount())
        .parameter(currency())
}

fn posted_change(shapes: &mut Shapes, verb: &str) -> OperationBuilder {
    let asked = json!({"user_id": 1, "amount": 0.5, "currency_type": "bitcoin"});
    change(shapes, verb).request_body(Some(shapes.form::<Change>(asked)))
}

fn transfer(shapes: &mut Shapes) -> OperationBuilder {
    let transferred = json!({
        "transaction_id": TRANSACTION_ID, "source_user_id": 1, "target_user_id": 2,
        "amount": 0.25, "currency_type": "bitcoin",
    });
    let short = "Insufficient funds for transfer.";
    operation("Moves an amount of a crypto currency to another user")
        .parameter(key())
        .response(
            "200",
            shapes.answer::<Transferred>("The money has moved", transferred),
        )
        .response("400", invalid(shapes))
        .response("404", unknown(shapes))
        .response("422", described(shapes, "A rule says no", short))
        .response("503", unavailable(shapes))
}

fn amount() -> Parameter {
    let shape = string().pattern(Some(AMOUNT));
    query(
        "amount",
        "Greater than zero, with a point or none",
        shape,
        "0.25",
    )
}

fn currency() -> Parameter {
    let what = "A crypto currency, by its name";
    query("currency_type", what, string(), "bitcoin")
}

fn invalid(shapes: &mut Shapes) -> Response {
    let error = "amount must be greater than zero";
    described(shapes, "The request cannot be understood", error)
}

fn unknown(shapes: &mut Shapes) -> Response {
    described(shapes, "There is no such user", "Source user id not found.")
}

fn reused(shapes: &mut Shapes) -> Response {
    let error = "Idempotency-Key was used for another request.";
    described(shapes, "The key was used otherwise", error)
}

impl PartialSchema for Balances {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .property("user_id", positive())
            .required("user_id")
            .additional_properties(Some(Number::schema()))
            .description(Some("Each balance stands under the name of its currency"))
            .into()
    }
}

impl ToSchema for Balances {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("ledger.Balances")
    }
}
