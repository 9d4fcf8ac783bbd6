//! Which path is whose: the operations of every dialect, and what answers where there is none.

use actix_web::guard::fn_guard;
use actix_web::http::header;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use super::operation::Operation;
use super::{accounts, admin, balance, events, failure, landing, ledger, microfin, users};

/// Under it, what is at no operation's path or method is not found, in the shape of the `users` dialect.
const API: &str = "/api";

/// Every operation, dialect by dialect.
fn all() -> impl Iterator<Item = &'static Operation> {
    [
        landing::OPERATIONS,
        balance::OPERATIONS,
        users::OPERATIONS,
        accounts::OPERATIONS,
        events::OPERATIONS,
        ledger::OPERATIONS,
        microfin::OPERATIONS,
        admin::OPERATIONS,
    ]
    .into_iter()
    .flatten()
}

/// The method and the path of every operation. A part of a path in braces stands for a value; what follows a colon there is
/// the expression that it matches.
pub fn operations() -> impl Iterator<Item = (&'static str, &'static str)> {
    all().map(|operation| (operation.method.as_str(), operation.path))
}

/// Registers every operation, and what answers everywhere else.
pub(super) fn routes(config: &mut ServiceConfig) {
    let mut paths: Vec<&str> = Vec::new();
    for operation in all() {
        if !paths.contains(&operation.path) {
            paths.push(operation.path);
        }
    }
    for path in paths {
        let mut resource = web::resource(path);
        let mut allowed: Vec<&str> = Vec::new();
        for operation in all().filter(|operation| operation.path == path) {
            // actix's own guard by method keeps a list in each request, for a 405 of its own.
            let is_asked = fn_guard(|asked| asked.head().method == operation.method);
            resource = resource.route((operation.route)().guard(is_asked));
            allowed.push(operation.method.as_str());
        }
        let allowed = allowed.join(", ");
        config.service(
            resource.default_service(web::to(move |request: HttpRequest| {
                let response = no_method(&request, &allowed);
                async { response }
            })),
        );
    }
    config.default_service(web::to(async |request: HttpRequest| nowhere(&request)));
}

/// What is at no dialect's path.
fn nowhere(request: &HttpRequest) -> HttpResponse {
    if is_api(request.path()) {
        return users::not_found();
    }
    failure::error(HttpResponse::NotFound(), "Not found")
}

fn no_method(request: &HttpRequest, allowed: &str) -> HttpResponse {
    if is_api(request.path()) {
        return users::not_found();
    }
    let mut response = HttpResponse::MethodNotAllowed();
    response.insert_header((header::ALLOW, allowed));
    failure::error(response, "Method not allowed")
}

fn is_api(path: &str) -> bool {
    let rest = path.strip_prefix(API);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
