//! What a reader or a program learns the service from: the document of all operations, its browser, and the dialects.

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use actix_web::web::{self, Bytes, Data};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde_json::json;
use utoipa::openapi::path::OperationBuilder;
use utoipa::openapi::schema::{AdditionalProperties, Schema};
use utoipa::openapi::{ObjectBuilder, RefOr};
use utoipa::{PartialSchema, ToSchema};
use utoipa_swagger_ui::{Config, SwaggerFile};

use crate::http::access::Needs;
use crate::http::description::{Shapes, operation, string, text};
use crate::http::document::Document;
use crate::http::operation::Operation;

pub(in crate::http) const OPERATIONS: &[Operation] = &[
    Operation::reads(
        Method::GET,
        "/openapi.json",
        || web::to(document),
        describe_document,
    )
    .needs(Needs::Docs),
    Operation::reads(
        Method::GET,
        "/docs",
        || web::to(async || page()),
        |_| shown("Shows this document to a reader", HTML),
    )
    .needs(Needs::Docs),
    Operation::reads(
        Method::GET,
        "/docs/start.js",
        || web::to(async || said(SCRIPT).body(START)),
        |_| shown("What the page of the document begins with", SCRIPT),
    )
    .needs(Needs::Docs),
    Operation::reads(
        Method::GET,
        "/docs/swagger-ui-bundle.js",
        || web::to(async || vendored("swagger-ui-bundle.js", SCRIPT)),
        |_| shown("What the page of the document is made of", SCRIPT),
    )
    .needs(Needs::Docs),
    Operation::reads(
        Method::GET,
        "/docs/swagger-ui.css",
        || web::to(async || vendored("swagger-ui.css", STYLE)),
        |_| shown("What the page of the document looks like", STYLE),
    )
    .needs(Needs::Docs),
    Operation::reads(
        Method::GET,
        "/docs/dialects.md",
        // As text: browsers show that, and save what is called Markdown.
        || web::to(async || said(TEXT).body(DIALECTS)),
        |_| shown("Tells of the dialects in prose", TEXT),
    )
    .needs(Needs::Docs),
    Operation::reads(
        Method::GET,
        "/docs/v1.md",
        || web::to(async || said(TEXT).body(NATIVE)),
        |_| shown("Tells of the native API in prose", TEXT),
    )
    .needs(Needs::Docs),
];

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

const PAGE: &str = include_str!("index.html");
const START: &str = include_str!("start.js");
/// What every dialect is asked, and how it answers.
const DIALECTS: &str = include_str!("../../../../docs/dialects.md");
/// The native API in prose.
const NATIVE: &str = include_str!("../../../../docs/v1.md");
/// Nothing comes from elsewhere, and nothing is sent there. The page's scripts set styles, and draw marks from `data:`.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A document of OpenAPI, of which a standard says the rest.
struct Described;

async fn document(document: Data<Document>) -> HttpResponse {
    said("application/json").body(document.0.clone())
}

fn page() -> HttpResponse {
    said(HTML)
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .body(PAGE)
}

/// A file of the browser that is built in; another release of this program may bring another.
fn vendored(name: &'static str, kind: &'static str) -> HttpResponse {
    let file = utoipa_swagger_ui::serve(name, Arc::new(Config::default()));
    match file {
        Ok(Some(SwaggerFile {
            bytes: Cow::Borrowed(bytes),
            ..
        })) => said(kind).body(Bytes::from_static(bytes)),
        Ok(_) | Err(_) => unreachable!("{name} is built in as it is"),
    }
}

fn said(kind: &'static str) -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, kind))
        .insert_header((CACHE_CONTROL, "no-store"));
    response
}

fn describe_document(shapes: &mut Shapes) -> OperationBuilder {
    let answer = shapes.answer::<Described>("OpenAPI 3.1", json!({"openapi": "3.1.0"}));
    operation("Describes every operation").response("200", answer)
}

fn shown(summary: &str, kind: &str) -> OperationBuilder {
    operation(summary).response("200", text("As it is built in", kind, None))
}

impl PartialSchema for Described {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .property("openapi", string())
            .required("openapi")
            .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(true)))
            .into()
    }
}

impl ToSchema for Described {}
