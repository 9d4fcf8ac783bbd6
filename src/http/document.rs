//! The document of all operations (OpenAPI 3.1), put together of what each says of itself.

use actix_web::body::MessageBody as _;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::http::{Method, StatusCode};
use actix_web::web::Bytes;
use serde_json::Value;
use utoipa::openapi::path::{self, HttpMethod, Paths};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, Info, License, OpenApiBuilder, Response, ResponseBuilder,
};

use super::access::Needs;
use super::description::{OF_A_BODY, OF_ACCESS, REQUEST_ID, Shapes, content, schemes, securities};
use super::operation::{Dialect, Effect, Operation};
use super::request::origin::Refusal;

/// The document as it is served, written once.
pub(super) struct Document(pub Bytes);

impl Document {
    pub(super) fn new(dialects: &[Dialect]) -> Self {
        let mut shapes = Shapes::default();
        let mut paths = Paths::new();
        for dialect in dialects {
            for operation in dialect.operations {
                let described = describe(dialect, operation, &mut shapes);
                let method = method(&operation.method);
                paths.add_path_operation(operation.path, vec![method], described);
            }
        }
        let components = ComponentsBuilder::new().schemas_from_iter(shapes.into_map());
        let components = schemes()
            .into_iter()
            .fold(components, |components, (name, scheme)| {
                components.security_scheme(name, scheme)
            });
        let mut info = Info::new("Passbook", env!("CARGO_PKG_VERSION"));
        info.description = Some(env!("CARGO_PKG_DESCRIPTION").to_owned());
        info.license = Some(License::new(env!("CARGO_PKG_LICENSE")));
        let tags = dialects.iter().map(|dialect| {
            let tag = TagBuilder::new().name(dialect.name);
            tag.description(Some(dialect.purpose)).build()
        });
        let document = OpenApiBuilder::new()
            .info(info)
            .paths(paths)
            .components(Some(components.build()))
            .tags(Some(tags))
            .build();
        let text = serde_json::to_string_pretty(&document).expect("a document of texts");
        Self(Bytes::from(text + "\n"))
    }
}

/// What an operation says of itself, and what holds of every one like it.
fn describe(dialect: &Dialect, operation: &Operation, shapes: &mut Shapes) -> path::Operation {
    let mut described = (operation.describe)(shapes).build();
    described.tags = Some(vec![dialect.name.to_owned()]);
    described.operation_id = Some(id(operation));
    described.security = securities(operation.needs);
    let mut common = vec![(
        Refusal::OtherHost,
        "The service does not answer to that host",
    )];
    if operation.effect == Effect::Writes {
        let what = "A browser asks for the page of another site, or ahead of time";
        common.push((Refusal::OtherSite, what));
    }
    let common = common.into_iter().map(|(refusal, what)| {
        let (status, message) = refusal.words();
        (status, what, message)
    });
    let of_a_body = described.request_body.is_some();
    let of_a_body = OF_A_BODY.into_iter().filter(|_| of_a_body);
    let is_everybodys = operation.needs == Needs::Nothing;
    let of_access = OF_ACCESS.into_iter().filter(|_| !is_everybodys);
    for (status, what, message) in common.chain(of_a_body).chain(of_access) {
        let answers = &mut described.responses.responses;
        answers
            .entry(status.as_str().to_owned())
            .or_insert_with(|| refused(dialect, shapes, status, what, message).into());
    }
    described
}

/// What a dialect refuses without being asked, with its own answer as the example.
fn refused(
    dialect: &Dialect,
    shapes: &mut Shapes,
    status: StatusCode,
    what: &str,
    message: &str,
) -> Response {
    let response = (dialect.refuse)(status, message);
    let kind = response.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).expect("a type");
    let kind = kind.to_owned();
    let said = response.into_body().try_into_bytes();
    let said = said.expect("a body that is there");
    let mut example: Value = serde_json::from_slice(&said).expect("a body in JSON");
    // The document is the same each time.
    if let Some(id) = example.get_mut("request_id") {
        *id = REQUEST_ID.into();
    }
    let content = content((dialect.refusal)(shapes), example);
    ResponseBuilder::new()
        .description(what)
        .content(kind, content)
        .build()
}

/// The method and the names in the path, which no other operation has.
fn id(operation: &Operation) -> String {
    let names = operation
        .path
        .split(|letter: char| !letter.is_alphanumeric());
    let names = names.filter(|name| !name.is_empty());
    let method = operation.method.as_str().to_lowercase();
    names.fold(method, |id, name| id + "_" + name)
}

fn method(method: &Method) -> HttpMethod {
    match method.as_str() {
        "GET" => HttpMethod::Get,
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        other => unreachable!("no operation is asked by {other}"),
    }
}
