//! `/v1/keys`, described.

use serde_json::{Value, json};
use utoipa::openapi::path::{OperationBuilder, Parameter};

use super::answers::{CALLER, COMMON, LIST, TARGET, nothing, problems, success};
use super::questions::{body, in_a_book, optional_body, paged, path};
use super::{API_KEY, TIME, shapes};
use crate::http::description::{Shapes, string};
use crate::http::v1::codes::Code;

/// Of what takes no `Idempotency-Key`, as it shows a key once or ends one, however often.
const ONCE: &[Code] = &[Code::MalformedJson, Code::IdempotencyKeyInvalid];
const MADE: &[Code] = &[Code::TooManyKeys];

pub(in crate::http::v1) fn make(shapes: &mut Shapes) -> OperationBuilder {
    let asked = json!({"name": "shop", "scopes": ["read", "write"], "books": ["main"], "expires_in": "90d"});
    let shape = shapes::new_api_key(shapes);
    let made = success(SHOWN_ONCE, shapes::made_api_key(shapes), made());
    let operation = in_a_book("Makes an API key, and its service if there is none of the name")
        .request_body(Some(body(shape, asked)))
        .response("201", made);
    problems(operation, shapes, &[COMMON, CALLER, ONCE, MADE])
}

pub(in crate::http::v1) fn list(shapes: &mut Shapes) -> OperationBuilder {
    let item = shapes::api_key(shapes);
    let shape = shapes::page(shapes, "v1.ApiKeys", &item);
    let page = json!({"data": [listed()], "next_cursor": null});
    let operation = paged(in_a_book("Lists API keys, those that have ended too"));
    let operation = operation.response("200", success("A page", shape, page));
    problems(operation, shapes, &[COMMON, CALLER, LIST])
}

pub(in crate::http::v1) fn rotate(shapes: &mut Shapes) -> OperationBuilder {
    let shape = shapes::rotation(shapes);
    let made = success(SHOWN_ONCE, shapes::made_api_key(shapes), made());
    let what = "Makes an API key like another, and ends the service's others after an overlap";
    let operation = in_a_book(what)
        .parameter(by_id())
        .request_body(Some(optional_body(shape, json!({"overlap": "24h"}))))
        .response("201", made);
    problems(operation, shapes, &[COMMON, CALLER, TARGET, ONCE, MADE])
}

pub(in crate::http::v1) fn revoke(shapes: &mut Shapes) -> OperationBuilder {
    let operation = in_a_book("Ends an API key")
        .parameter(by_id())
        .response("204", nothing("The key lets nobody in"));
    problems(operation, shapes, &[COMMON, CALLER, TARGET, ONCE])
}

const SHOWN_ONCE: &str = "The key, which is shown this once";

fn by_id() -> Parameter {
    let shape = string().pattern(Some(shapes::UUID));
    path("id", "The key's id", shape, API_KEY)
}

fn listed() -> Value {
    json!({
        "id": API_KEY, "principal": "shop", "prefix": "pbk_yhjs", "scopes": ["read", "write"], "books": ["main"],
        "created_at": TIME, "expires_at": null, "revoked_at": null,
    })
}

/// The one of 256 ones, which nobody has.
fn made() -> Value {
    let mut made = listed();
    made["key"] = json!("pbk_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp13sRzl1");
    made
}
