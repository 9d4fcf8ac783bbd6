//! `/v1/currencies`, described.

use serde_json::json;
use utoipa::openapi::path::OperationBuilder;

use super::answers::{COMMON, LIST, problems, success};
use super::questions::paged;
use super::shapes;
use crate::http::description::{Shapes, operation};
use crate::http::v1::codes::Code;

pub(in crate::http::v1) fn list(shapes: &mut Shapes) -> OperationBuilder {
    let item = shapes::currency(shapes);
    let shape = shapes::page(shapes, "v1.Currencies", &item);
    let currency = json!({"code": "USD", "name": "US dollar", "scale": 2, "crypto": false});
    let page = json!({"data": [currency], "next_cursor": null});
    let operation = paged(operation("Lists the currencies that accounts may have"));
    let operation = operation.response("200", success("A page", shape, page));
    let own = &[Code::Overloaded, Code::Unavailable];
    problems(operation, shapes, &[COMMON, LIST, own])
}
