//! `/v1/users`, described.

use serde_json::{Value, json};
use utoipa::openapi::path::OperationBuilder;

use super::answers::{
    CALLER, COMMAND, COMMON, LIST, POST, TARGET, located, problems, replayable, success,
};
use super::questions::{filter, in_a_book, optional_body, paged, path, required_key};
use super::{TIME, shapes};
use crate::http::description::{Shapes, string};
use crate::http::v1::codes::Code;

pub(in crate::http::v1) fn open(shapes: &mut Shapes) -> OperationBuilder {
    let asked = json!({"name": "Grace", "email": "hopper@example.org"});
    let shape = shapes::new_user(shapes);
    let made = success("The user is there", shapes::user(shapes), example());
    let operation = in_a_book("Adds a user, who may own accounts")
        .parameter(required_key())
        .request_body(Some(optional_body(shape, asked)))
        .response("201", replayable(located(made)));
    let own = &[Code::EmailTaken];
    problems(operation, shapes, &[COMMON, CALLER, COMMAND, POST, own])
}

pub(in crate::http::v1) fn list(shapes: &mut Shapes) -> OperationBuilder {
    let item = shapes::user(shapes);
    let shape = shapes::page(shapes, "v1.Users", &item);
    let page = json!({"data": [example()], "next_cursor": null});
    let email = string().pattern(Some("^[a-z0-9]{1,20}@[a-z0-9]{1,20}[.][a-z]{2,5}$"));
    let operation = paged(in_a_book("Lists users"))
        .parameter(filter("email", "The one of this email", email))
        .response("200", success("A page", shape, page));
    problems(operation, shapes, &[COMMON, CALLER, LIST])
}

pub(in crate::http::v1) fn show(shapes: &mut Shapes) -> OperationBuilder {
    let id = string().pattern(Some(shapes::USER));
    let shown = success("The user", shapes::user(shapes), example());
    let operation = in_a_book("Shows a user")
        .parameter(path("id", "The user's id", id, "1"))
        .response("200", shown);
    problems(operation, shapes, &[COMMON, CALLER, TARGET])
}

fn example() -> Value {
    json!({"id": "1", "name": "Grace", "email": "hopper@example.org", "created_at": TIME})
}
