//! `/problems`, described.

use serde_json::{Value, json};
use utoipa::openapi::path::OperationBuilder;
use utoipa::openapi::{ContentBuilder, Ref, Response, ResponseBuilder};

use super::answers::{COMMON, TARGET, problems};
use super::questions::path;
use super::shapes;
use crate::http::description::{self, JSON, Shapes, operation, string};
use crate::http::v1::codes::Code;

pub(in crate::http::v1) fn list(shapes: &mut Shapes) -> OperationBuilder {
    let shape = shapes::all_explained(shapes);
    let answer = page(shape, json!({"data": [example()]}));
    let operation = operation("Lists every code of a problem").response("200", answer);
    problems(operation, shapes, &[COMMON])
}

pub(in crate::http::v1) fn show(shapes: &mut Shapes) -> OperationBuilder {
    let code = string().pattern(Some("^[a-z_]{1,40}$"));
    let code = path("code", "The code", code, Code::InsufficientFunds.name());
    let answer = page(shapes::explained(shapes), example());
    let operation = operation("Explains a problem, and what to do").parameter(code);
    problems(operation.response("200", answer), shapes, &[COMMON, TARGET])
}

/// In whichever form is wanted.
fn page(shape: Ref, example: Value) -> Response {
    let text = || ContentBuilder::new().schema(Some(string().build())).build();
    ResponseBuilder::new()
        .description("For people as text or HTML, for programs as JSON")
        .content(JSON, description::content(shape, example))
        .content("text/plain; charset=utf-8", text())
        .content("text/html; charset=utf-8", text())
        .build()
}

fn example() -> Value {
    let code = Code::InsufficientFunds;
    json!({
        "type": code.path(), "code": code.name(), "status": code.status().as_u16(),
        "title": code.title(), "explanation": code.explanation(),
        "remembered": code.is_remembered(),
    })
}
