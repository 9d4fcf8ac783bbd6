//! `/v1/books`, described.

use serde_json::{Value, json};
use utoipa::openapi::path::OperationBuilder;

use super::answers::{CALLER, COMMAND, COMMON, LIST, POST, problems, replayable, success};
use super::questions::{body, in_a_book, paged, required_key};
use super::{TIME, shapes};
use crate::http::description::Shapes;
use crate::http::v1::codes::Code;

pub(in crate::http::v1) fn open(shapes: &mut Shapes) -> OperationBuilder {
    let shape = shapes::new_book(shapes);
    let made = success("The book is open", shapes::book(shapes), example());
    let operation = in_a_book("Opens a book, which has accounts of its own")
        .parameter(required_key())
        .request_body(Some(body(shape, json!({"name": "sandbox"}))))
        .response("201", replayable(made));
    let own = &[Code::BookTaken];
    problems(operation, shapes, &[COMMON, CALLER, COMMAND, POST, own])
}

pub(in crate::http::v1) fn list(shapes: &mut Shapes) -> OperationBuilder {
    let item = shapes::book(shapes);
    let shape = shapes::page(shapes, "v1.Books", &item);
    let page = json!({"data": [example()], "next_cursor": null});
    let operation = paged(in_a_book("Lists books"));
    let operation = operation.response("200", success("A page", shape, page));
    problems(operation, shapes, &[COMMON, CALLER, LIST])
}

fn example() -> Value {
    json!({"name": "sandbox", "opened_at": TIME})
}
