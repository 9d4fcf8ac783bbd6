//! What an operation is asked: fields of its head, of its path, of its query, and its body.

use serde_json::Value;
use utoipa::openapi::path::{OperationBuilder, Parameter, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::ObjectBuilder;
use utoipa::openapi::{Ref, Required};

use super::shapes;
use crate::http::description::{self, JSON, integer, operation, string};
use crate::http::request::idempotency;
use crate::http::v1::values::WHOLE_MAX;

const BOOK: &str = "^[a-z][a-z0-9_-]{0,63}$";
/// Bare, or in quotes (RFC 9651, section 3.3.3).
const KEY: &str = r#"^([!#-~][!-~]*|"[!#-\[\]-~]+")$"#;
const TAG: &str = r#"^(\*|"[1-9][0-9]{0,17}")$"#;
const TAGS: &str = r#"^(\*|(W/)?"[!#-~]+")$"#;

/// Whatever is done in a book.
pub(super) fn in_a_book(summary: &str) -> OperationBuilder {
    let what = "The book that it is about; `main` if it is not given";
    let shape = string().pattern(Some(BOOK));
    operation(summary).parameter(optional(ParameterIn::Header, "Passbook-Book", what, shape))
}

/// A list, in its pages.
pub(super) fn paged(operation: OperationBuilder) -> OperationBuilder {
    let order = string()
        .enum_values(Some(["desc", "asc"]))
        .default(Some("desc".into()));
    let cursor = string().pattern(Some("^[A-Za-z0-9_-]+$"));
    operation
        .parameter(description::limit(20).build())
        .parameter(filter(
            "order",
            "Descending or ascending: by id, or by name where there is no id",
            order,
        ))
        .parameter(filter("cursor", "`next_cursor` of the page before", cursor))
}

pub(super) fn filter(name: &str, what: &str, shape: ObjectBuilder) -> Parameter {
    optional(ParameterIn::Query, name, what, shape)
}

/// An account's number.
pub(super) fn by_account() -> Parameter {
    filter(
        "account",
        "Of this account alone",
        string().pattern(Some(shapes::NUMBER)),
    )
}

/// A moment, of which a range begins or ends.
pub(super) fn by_time(name: &str, what: &str) -> Parameter {
    filter(name, what, string().pattern(Some(shapes::MOMENT)))
}

/// What metadata has to have.
pub(super) fn by_metadata() -> Parameter {
    let what = "A member that metadata has to have, by its name: `metadata.KEY=`. Several are all required.";
    filter("metadata.order", what, string().max_length(Some(500)))
}

/// The version that the answer has at least.
pub(super) fn by_version() -> Parameter {
    let shape = integer().minimum(Some(1));
    let shape = shape.maximum(Some(WHOLE_MAX));
    filter("min_version", "The least version that will do", shape)
}

/// What a path names.
pub(super) fn path(name: &str, what: &str, shape: ObjectBuilder, example: &str) -> Parameter {
    description::parameter(ParameterIn::Path, name, what, shape)
        .required(Required::True)
        .example(Some(example.into()))
        .build()
}

/// The key of a `POST`, which has to be there.
pub(super) fn required_key() -> Parameter {
    description::parameter(ParameterIn::Header, "Idempotency-Key", KEY_IS, key_shape())
        .required(Required::True)
        .example(Some("order-17".into()))
        .build()
}

/// The key of what may do without one.
pub(super) fn key() -> Parameter {
    optional(ParameterIn::Header, "Idempotency-Key", KEY_IS, key_shape())
}

/// What a change is made of.
pub(super) fn if_match() -> Parameter {
    let what = "The `ETag` of what is changed, or `*`";
    let shape = string().pattern(Some(TAG));
    description::parameter(ParameterIn::Header, "If-Match", what, shape)
        .required(Required::True)
        .example(Some("*".into()))
        .build()
}

/// What is acted on, if it matters.
pub(super) fn may_match() -> Parameter {
    let what = "The `ETag` of what is acted on, if it has to be that";
    optional(
        ParameterIn::Header,
        "If-Match",
        what,
        string().pattern(Some(TAG)),
    )
}

/// What is known already.
pub(super) fn if_none_match() -> Parameter {
    let what = "An `ETag` that is known already; the answer is 304 if it is the same";
    let shape = string().pattern(Some(TAGS));
    optional(ParameterIn::Header, "If-None-Match", what, shape)
}

/// A body that has to be sent.
pub(super) fn body(shape: Ref, example: Value) -> RequestBody {
    let body = of(shape, example).required(Some(Required::True));
    body.build()
}

/// A body that may be left out.
pub(super) fn optional_body(shape: Ref, example: Value) -> RequestBody {
    of(shape, example).build()
}

/// A body of a `PATCH` (RFC 7396).
pub(super) fn patch(shape: Ref, example: Value) -> RequestBody {
    let merge = description::content(shape.clone(), example.clone());
    let body = of(shape, example).content("application/merge-patch+json", merge);
    body.required(Some(Required::True)).build()
}

const KEY_IS: &str =
    "The same request under the same key is carried out once, and answered as the first time.";

fn key_shape() -> ObjectBuilder {
    let longest = idempotency::LENGTH_MAX;
    string()
        .min_length(Some(1))
        .max_length(Some(longest))
        .pattern(Some(KEY))
}

fn of(shape: Ref, example: Value) -> RequestBodyBuilder {
    RequestBody::builder().content(JSON, description::content(shape, example))
}

fn optional(place: ParameterIn, name: &str, what: &str, shape: ObjectBuilder) -> Parameter {
    description::parameter(place, name, what, shape).build()
}
