//! `/v1/idempotency-keys`, described.

use serde_json::json;
use utoipa::openapi::path::OperationBuilder;

use super::answers::{CALLER, COMMON, TARGET, problems, success};
use super::questions::{in_a_book, path};
use super::{TRANSACTION, shapes};
use crate::http::description::{Shapes, string};
use crate::http::v1::codes::Code;

/// A part of a path, percent-encoded where it has to be.
const SEGMENT: &str = "^[A-Za-z0-9_~-]{1,255}$";

pub(in crate::http::v1) fn show(shapes: &mut Shapes) -> OperationBuilder {
    let found = json!({
        "key": "order-17", "state": "done", "status": 201, "transaction": TRANSACTION,
        "location": format!("/v1/transactions/{TRANSACTION}"),
    });
    let what = "What the key stands for, and its answer";
    let shown = success(what, shapes::key(shapes), found);
    let key = string().pattern(Some(SEGMENT));
    let operation = in_a_book("Says what became of a request under a key")
        .parameter(path("key", "The key, percent-encoded", key, "order-17"))
        .response("200", shown);
    let own = &[Code::IdempotencyKeyInvalid];
    problems(operation, shapes, &[COMMON, CALLER, TARGET, own])
}
