//! What the `users` dialect is asked, and how it answers, for the document of all operations.

use std::borrow::Cow;

use serde_json::{Value, json};
use utoipa::openapi::path::{OperationBuilder, Parameter};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{ObjectBuilder, Ref, RefOr, Response};
use utoipa::{PartialSchema, ToSchema};

use super::error::{Errors, Failure};
use super::{ChangeBalance, Health, NewBalance, Open, Success, User};
use crate::http::description::{REQUEST_ID, Shapes, UNAVAILABLE, key, operation, path_id, string};

const AT: &str = "2026-11-28T09:00:00.000Z";

pub(super) fn health(shapes: &mut Shapes) -> OperationBuilder {
    let ok = json!({"status": "ok", "timestamp": AT});
    let away = json!({"status": "unavailable", "timestamp": AT});
    operation("Says whether the service can answer")
        .response("200", shapes.answer::<Health>("It can", ok))
        .response("503", shapes.answer::<Health>("The database is away", away))
}

pub(super) fn open(shapes: &mut Shapes) -> OperationBuilder {
    let asked = json!({"name": "Alan", "email": "alan@example.org", "balance": 20});
    let user = success(&json!({"id": 2, "balance": 20.0, "createdAt": AT, "updatedAt": AT}));
    let wrong = wrong("balance", "Balance must not be negative");
    let taken = failure(409, "Email already in use");
    let reused = failure(422, "Idempotency-Key was used for another request");
    operation("Opens a user, with an account")
        .parameter(key())
        .request_body(Some(shapes.optional_body::<Open>(asked)))
        .response(
            "201",
            shapes.answer::<Success<User>>("The user is opened", user),
        )
        .response("400", invalid(shapes, wrong))
        .response(
            "409",
            shapes.answer::<Failure>("The email is another user's", taken),
        )
        .response(
            "422",
            shapes.answer::<Failure>("The key was used otherwise", reused),
        )
        .response("503", shapes.unavailable::<Failure>(unavailable()))
}

pub(super) fn show(shapes: &mut Shapes) -> OperationBuilder {
    let user = success(&json!({"id": 1, "balance": 10000.0, "createdAt": AT, "updatedAt": AT}));
    let wrong = wrong("userId", "User ID must be a positive integer");
    operation("Shows a user's balance")
        .parameter(user_id())
        .response(
            "200",
            shapes.answer::<Success<User>>("The user as it stands", user),
        )
        .response(
            "400",
            shapes.answer::<Errors>("The id is no positive integer", wrong),
        )
        .response("404", unknown(shapes))
        .response("503", shapes.unavailable::<Failure>(unavailable()))
}

pub(super) fn change_balance(shapes: &mut Shapes) -> OperationBuilder {
    let changed = json!({
        "success": true,
        "data": {"id": 1, "balance": 9997.5, "updatedAt": AT},
        "message": "Balance updated successfully",
    });
    let wrong = wrong("amount", "Amount must be a number");
    let reused = failure(422, "Idempotency-Key was used for another request");
    operation("Changes a user's balance by a signed amount")
        .parameter(user_id())
        .parameter(key())
        .request_body(Some(shapes.body::<ChangeBalance>(json!({"amount": -2.5}))))
        .response(
            "200",
            shapes.answer::<Success<NewBalance>>("The money has moved", changed),
        )
        .response("400", invalid(shapes, wrong))
        .response("404", unknown(shapes))
        .response(
            "422",
            shapes.answer::<Failure>("The key was used otherwise", reused),
        )
        .response("503", shapes.unavailable::<Failure>(unavailable()))
}

fn user_id() -> Parameter {
    path_id("The user's id")
}

fn invalid(shapes: &mut Shapes, wrong: Value) -> Response {
    let refused = failure(400, "Insufficient funds");
    let examples = [("fields", wrong), ("rule", refused)];
    shapes.either::<Errors, Failure>("Fields are wrong, or a rule says no", examples)
}

fn unknown(shapes: &mut Shapes) -> Response {
    shapes.answer::<Failure>("There is no such user", failure(404, "User not found"))
}

fn success(data: &Value) -> Value {
    json!({"success": true, "data": data})
}

fn wrong(field: &str, message: &str) -> Value {
    json!({"success": false, "errors": [{"field": field, "message": message}]})
}

fn failure(code: u16, message: &str) -> Value {
    json!({"success": false, "error": {"message": message, "code": code}})
}

fn unavailable() -> Value {
    let mut failure = failure(503, UNAVAILABLE);
    failure["error"]["requestId"] = REQUEST_ID.into();
    failure
}

/// By hand, as a derived shape has one name for every `T`.
impl<T: ToSchema> PartialSchema for Success<T> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .property("success", bool::schema())
            .required("success")
            .property("data", Ref::from_schema_name(T::name()))
            .required("data")
            .property("message", string())
            .into()
    }
}

impl<T: ToSchema> ToSchema for Success<T> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("{}.success", T::name()))
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}
