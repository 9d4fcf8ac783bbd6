//! Which path is whose: the operations of every dialect, and what answers where there is none.

mod gate;

use actix_web::body::BoxBody;
use actix_web::dev::ServiceRequest;
use actix_web::guard::fn_guard;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use super::dialects::{accounts, balance, docs, events, failure, landing, ledger, microfin, users};
use super::document::Document;
use super::observe::admin;
use super::operation::{Dialect, Effect, Operation, is_native, is_under, without_slash};
use super::v1;

/// Under it, what is at no operation's path or method is not found, in the shape of the `users` dialect.
const API: &str = "/api";

/// Every method that some operation answers, for who asks of the service as a whole.
static METHODS: HeaderValue =
    HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");

const DIALECTS: &[Dialect] = &[
    Dialect {
        name: "landing",
        purpose: "Where a visitor begins",
        operations: landing::OPERATIONS,
        refuse: failure::refuse,
        refusal: failure::refusal,
    },
    Dialect {
        name: "docs",
        purpose: "What this document says, for people and for programs",
        operations: docs::OPERATIONS,
        refuse: failure::refuse,
        refusal: failure::refusal,
    },
    Dialect {
        name: "balance",
        purpose: "A path that two dialects share",
        operations: balance::OPERATIONS,
        refuse: failure::refuse,
        refusal: failure::refusal,
    },
    Dialect {
        name: "users",
        purpose: "A user's balance, changed by a signed amount",
        operations: users::OPERATIONS,
        refuse: users::refuse,
        refusal: users::refusal,
    },
    Dialect {
        name: "accounts",
        purpose: "Accounts by their ids, with optimistic locking by the client",
        operations: accounts::OPERATIONS,
        refuse: failure::refuse,
        refusal: failure::refusal,
    },
    Dialect {
        name: "events",
        purpose: "Accounts by names of the caller's own, in a book that can be reset",
        operations: events::OPERATIONS,
        refuse: failure::refuse,
        refusal: failure::refusal,
    },
    Dialect {
        name: "ledger",
        purpose: "Users with an account for each crypto currency",
        operations: ledger::OPERATIONS,
        refuse: failure::refuse,
        refusal: failure::refusal,
    },
    Dialect {
        name: "microfin",
        purpose: "Users who sign in, and their numbered accounts",
        operations: microfin::OPERATIONS,
        refuse: microfin::refuse,
        refusal: microfin::refusal,
    },
    Dialect {
        name: "v1",
        purpose: "The native API",
        operations: v1::OPERATIONS,
        refuse: v1::refuse,
        refusal: v1::refusal,
    },
    Dialect {
        name: "admin",
        purpose: "For whoever runs the service",
        operations: admin::OPERATIONS,
        refuse: failure::refuse,
        refusal: failure::refusal,
    },
];

/// Every operation, dialect by dialect.
fn all() -> impl Iterator<Item = &'static Operation> {
    DIALECTS.iter().flat_map(|dialect| dialect.operations)
}

fn at_path(path: &str) -> impl Iterator<Item = &'static Operation> {
    all().filter(move |operation| operation.path == path)
}

/// The method and the path of every operation. A part of a path in braces stands for a value.
pub fn operations() -> impl Iterator<Item = (&'static str, &'static str)> {
    all().map(|operation| (operation.method.as_str(), operation.path))
}

/// The same of the operations that write, by whichever method.
pub fn writes() -> impl Iterator<Item = (&'static str, &'static str)> {
    let writes = all().filter(|operation| operation.effect == Effect::Writes);
    writes.map(|operation| (operation.method.as_str(), operation.path))
}

/// What every operation is asked and answers, for readers and programs.
pub(super) fn document() -> Document {
    Document::new(DIALECTS)
}

/// Registers every operation, with a slash at the end of its path and without, and what answers everywhere else. Paths
/// of the native API have no slash at their end.
pub(super) fn routes(config: &mut ServiceConfig) {
    let mut paths: Vec<&str> = Vec::new();
    for operation in all() {
        if !paths.contains(&operation.path) {
            paths.push(operation.path);
        }
    }
    for path in &paths {
        route(config, path, path);
    }
    // Behind the others, as actix tries one path after the other.
    let has_slash = |path: &&&str| !path.ends_with('/') && !is_native(path);
    for path in paths.iter().filter(has_slash) {
        route(config, path, &format!("{path}/"));
    }
    config.default_service(web::to(async |request: HttpRequest| nowhere(&request)));
}

/// Registers the operations of a path under it or another.
fn route(config: &mut ServiceConfig, path: &str, at: &str) {
    let mut resource = web::resource(at);
    let mut allowed: Vec<&str> = Vec::new();
    for operation in at_path(path) {
        // actix's own guard by method keeps a list in each request, for a 405 of its own.
        let is_asked = fn_guard(|asked| operation.answers(&asked.head().method));
        // On the route itself, so that there is no way to it but through the gate, however its path is written.
        let gate = from_fn(async |request: ServiceRequest, next: Next<BoxBody>| {
            gate::pass(operation, request, next).await
        });
        resource = resource.route((operation.route)().guard(is_asked).wrap(gate));
        allowed.push(operation.method.as_str());
        if operation.has_head() {
            allowed.push(Method::HEAD.as_str());
        }
    }
    allowed.push(Method::OPTIONS.as_str());
    let allowed = HeaderValue::from_str(&allowed.join(", ")).expect("methods are visible");
    config.service(
        resource.default_service(web::to(move |request: HttpRequest| {
            let response = no_operation(&request, &allowed);
            async { response }
        })),
    );
}

/// Whether there is such an operation at the path of a request.
fn asked_at(request: &HttpRequest, is_such: impl FnMut(&Operation) -> bool) -> bool {
    path_of(request).is_some_and(|path| at_path(&path).any(is_such))
}

/// Refuses a request in the shape of whoever its path belongs to.
pub(super) fn refuse(request: &HttpRequest, status: StatusCode, message: &str) -> HttpResponse {
    let path = path_of(request);
    let has_path = |operation: &Operation| Some(operation.path) == path.as_deref();
    let mut dialects = DIALECTS.iter();
    let dialect = dialects.find(|dialect| dialect.operations.iter().any(has_path));
    let refuse = match dialect {
        Some(dialect) => dialect.refuse,
        None if is_api(request.path()) => users::refuse,
        None if is_native(request.path()) => v1::refuse,
        None => failure::refuse,
    };
    refuse(status, message)
}

/// The path of the operations that a request may be for.
fn path_of(request: &HttpRequest) -> Option<String> {
    request
        .match_pattern()
        .map(|at| without_slash(&at).to_owned())
}

/// What is at no dialect's path.
fn nowhere(request: &HttpRequest) -> HttpResponse {
    if request.method() == Method::OPTIONS && request.path() == "*" {
        return options(&METHODS);
    }
    refuse(request, StatusCode::NOT_FOUND, not_found(request))
}

/// What has a path but not its method.
fn no_operation(request: &HttpRequest, allowed: &HeaderValue) -> HttpResponse {
    if request.method() == Method::OPTIONS {
        return options(allowed);
    }
    // Under `/api` a method is not found, but for `HEAD`, which who asks takes for a `GET` without effect.
    let is_head_of_write = *request.method() == Method::HEAD
        && asked_at(request, |operation| operation.method == Method::GET);
    if is_api(request.path()) && !is_head_of_write {
        return users::refuse(StatusCode::NOT_FOUND, not_found(request));
    }
    let status = StatusCode::METHOD_NOT_ALLOWED;
    let mut response = refuse(request, status, "Method not allowed");
    response.headers_mut().insert(ALLOW, allowed.clone());
    response
}

fn options(allowed: &HeaderValue) -> HttpResponse {
    let mut response = HttpResponse::NoContent();
    response.insert_header((ALLOW, allowed));
    response.finish()
}

fn not_found(request: &HttpRequest) -> &'static str {
    if is_api(request.path()) {
        "Resource not found"
    } else {
        "Not found"
    }
}

fn is_api(path: &str) -> bool {
    is_under(API, path)
}
