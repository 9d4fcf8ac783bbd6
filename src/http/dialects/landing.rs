//! The path `/`: a page for a browser with what it links, and the `ledger` dialect's greeting for everybody else.

use actix_web::http::Method;
use actix_web::http::header::{ACCEPT, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY};
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use utoipa::openapi::path::OperationBuilder;

use super::ledger;
use crate::http::access::Needs;
use crate::http::description::{Shapes, operation, text};
use crate::http::operation::Operation;
use crate::http::request::origin::Policy;
use crate::service::Service;

pub(in crate::http) const OPERATIONS: &[Operation] =
    &[Operation::reads(Method::GET, "/", || web::to(page), describe).needs(Needs::Nothing)];

const HTML: &str = "text/html; charset=utf-8";
const PAGE: &str = include_str!("landing.html");
/// Nothing comes from elsewhere, and nothing is sent there.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

async fn page(service: Data<Service>, policy: Data<Policy>, request: HttpRequest) -> HttpResponse {
    if !asks_for_html(&request) {
        return ledger::welcome();
    }
    let (health, class) = if service.is_healthy() {
        ("healthy", "ok")
    } else {
        ("unavailable", "down")
    };
    let page = PAGE
        .replace("{{version}}", env!("CARGO_PKG_VERSION"))
        .replace("{{base_url}}", &policy.url(&request))
        .replace("{{health_class}}", class)
        .replace("{{health}}", health);
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, HTML))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((VARY, "Accept"))
        .body(page)
}

fn describe(shapes: &mut Shapes) -> OperationBuilder {
    let mut answer = ledger::greeting(shapes);
    answer.content.extend(text("", HTML, None).content);
    operation("Greets: a page for a browser, a line of JSON for everybody else")
        .response("200", answer)
}

fn asks_for_html(request: &HttpRequest) -> bool {
    let mut accepts = request.headers().get_all(ACCEPT);
    accepts.any(|accept| {
        accept
            .to_str()
            .is_ok_and(|accept| accept.to_ascii_lowercase().contains("text/html"))
    })
}
