//! An operation, of which a dialect has a list.

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpResponse, Route};
use utoipa::openapi::Ref;

use super::access::Needs;
use super::description::{Describe, Shapes};
use crate::ledger::access::Scope;

/// One of the interfaces that are served.
pub(super) struct Dialect {
    pub name: &'static str,
    /// For whom it is, in a sentence.
    pub purpose: &'static str,
    pub operations: &'static [Operation],
    /// What is refused before the dialect is asked, in its own shape.
    pub refuse: fn(StatusCode, &str) -> HttpResponse,
    /// The name of that shape.
    pub refusal: fn(&mut Shapes) -> Ref,
}

/// One operation of a dialect: what is asked where, and what answers.
pub(super) struct Operation {
    pub method: Method,
    pub path: &'static str,
    pub effect: Effect,
    pub needs: Needs,
    pub route: fn() -> Route,
    /// What `/openapi.json` says of it.
    pub describe: Describe,
}

/// What an operation does to the books, however it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Reads,
    Writes,
}

impl Operation {
    /// What reads, for keys that may read; and for sessions, which see their person's own.
    pub(super) const fn reads(
        method: Method,
        path: &'static str,
        route: fn() -> Route,
        describe: Describe,
    ) -> Self {
        Self {
            method,
            path,
            effect: Effect::Reads,
            needs: Needs::KeyOrSession(Scope::Read),
            route,
            describe,
        }
    }

    /// What writes, for keys that may write.
    pub(super) const fn writes(
        method: Method,
        path: &'static str,
        route: fn() -> Route,
        describe: Describe,
    ) -> Self {
        Self {
            method,
            path,
            effect: Effect::Writes,
            needs: Needs::Key(Scope::Write),
            route,
            describe,
        }
    }

    /// The same for whoever shows something else.
    pub(super) const fn needs(mut self, needs: Needs) -> Self {
        self.needs = needs;
        self
    }

    /// Whether it answers to `HEAD` as well: what reads by `GET`, without the body (RFC 9110, section 9.3.2).
    pub(super) fn has_head(&self) -> bool {
        self.method == Method::GET && self.effect == Effect::Reads
    }

    pub(super) fn answers(&self, method: &Method) -> bool {
        self.method == *method || *method == Method::HEAD && self.has_head()
    }
}

/// Whether a path belongs to the native API, in which no path has a slash at its end.
pub(super) fn is_native(path: &str) -> bool {
    ["/v1", "/problems"]
        .into_iter()
        .any(|prefix| is_under(prefix, path))
}

/// Whether a path is a prefix, or goes on from it.
pub(super) fn is_under(prefix: &str, path: &str) -> bool {
    let rest = path.strip_prefix(prefix);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A path without the slash at its end, which may be left out.
pub(super) fn without_slash(path: &str) -> &str {
    path.strip_suffix('/')
        .filter(|path| !path.is_empty())
        .unwrap_or(path)
}
