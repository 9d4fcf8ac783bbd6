//! An operation, of which a dialect has a list.

use actix_web::Route;
use actix_web::http::Method;

/// One operation of a dialect: what is asked where, and what answers.
pub(super) struct Operation {
    pub method: Method,
    pub path: &'static str,
    pub route: fn() -> Route,
}
