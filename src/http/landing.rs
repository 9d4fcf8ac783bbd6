//! The path `/`: a page for a browser, and the `ledger` dialect's greeting for everybody else.

use actix_web::http::Method;
use actix_web::http::header::{ACCEPT, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, VARY};
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};

use super::ledger;
use super::operation::Operation;
use crate::service::Service;

pub(super) const OPERATIONS: &[Operation] = &[Operation::reads(Method::GET, "/", || web::to(page))];

/// Where the service is, where nobody says.
const DEFAULT: &str = "http://127.0.0.1:3000";

const PAGE: &str = include_str!("landing.html");
/// Nothing comes from elsewhere, and nothing is sent there.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

async fn page(service: Data<Service>, request: HttpRequest) -> HttpResponse {
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
        .replace("{{base_url}}", &base_url(&request))
        .replace("{{health_class}}", class)
        .replace("{{health}}", health);
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((VARY, "Accept"))
        .body(page)
}

fn asks_for_html(request: &HttpRequest) -> bool {
    let mut accepts = request.headers().get_all(ACCEPT);
    accepts.any(|accept| {
        accept
            .to_str()
            .is_ok_and(|accept| accept.to_ascii_lowercase().contains("text/html"))
    })
}

/// Where the page was asked for, to be pasted into a shell: what no host looks like is not repeated.
fn base_url(request: &HttpRequest) -> String {
    if !request.headers().contains_key(HOST) {
        return DEFAULT.to_owned();
    }
    let asked = request.connection_info();
    let is_plain = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
    };
    let (scheme, host) = (asked.scheme(), asked.host());
    if is_plain(host) && ["http", "https"].contains(&scheme) {
        format!("{scheme}://{host}")
    } else {
        DEFAULT.to_owned()
    }
}
