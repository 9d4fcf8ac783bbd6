//! An operation, of which a dialect has a list.

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpResponse, Route};

/// One of the interfaces that are served.
pub(super) struct Dialect {
    pub operations: &'static [Operation],
    /// What is refused before the dialect is asked, in its own shape.
    pub refuse: fn(StatusCode, &str) -> HttpResponse,
}

/// One operation of a dialect: what is asked where, and what answers.
pub(super) struct Operation {
    pub method: Method,
    pub path: &'static str,
    pub effect: Effect,
    pub route: fn() -> Route,
}

/// What an operation does to the books, however it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Reads,
    Writes,
}

impl Operation {
    pub(super) const fn reads(method: Method, path: &'static str, route: fn() -> Route) -> Self {
        Self {
            method,
            path,
            effect: Effect::Reads,
            route,
        }
    }

    pub(super) const fn writes(method: Method, path: &'static str, route: fn() -> Route) -> Self {
        Self {
            method,
            path,
            effect: Effect::Writes,
            route,
        }
    }

    /// Whether it answers to `HEAD` as well: what reads by `GET`, without the body (RFC 9110, section 9.3.2).
    pub(super) fn has_head(&self) -> bool {
        self.method == Method::GET && self.effect == Effect::Reads
    }

    pub(super) fn answers(&self, method: &Method) -> bool {
        self.method == *method || *method == Method::HEAD && self.has_head()
    }
}

/// A path without the slash at its end, which may be left out.
pub(super) fn without_slash(path: &str) -> &str {
    path.strip_suffix('/')
        .filter(|path| !path.is_empty())
        .unwrap_or(path)
}
