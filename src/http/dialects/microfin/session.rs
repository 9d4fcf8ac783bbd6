//! Sessions as requests show them, by a bearer token or a cookie, and as responses begin and end them.

use actix_web::http::header::{CACHE_CONTROL, SET_COOKIE};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponseBuilder};

use super::error::Problem;
use crate::http::access::{COOKIE_NAME, HOST_COOKIE_NAME, session_token};
use crate::http::request::authority::Scheme;
use crate::http::request::origin::Policy;
use crate::ledger::UserId;
use crate::service::{Service, SessionToken};

/// Whose session the request shows.
pub(super) async fn caller(service: &Service, request: &HttpRequest) -> Result<UserId, Problem> {
    let token = session_token(request).ok_or(Problem::NotSignedIn)?;
    let user = service.find_session(&token).await?;
    user.ok_or(Problem::NotSignedIn)
}

/// Begins a session at the client. The cookie has no age: the service ends it, where it knows of the last use.
pub(super) fn begin(
    response: &mut HttpResponseBuilder,
    request: &HttpRequest,
    token: &SessionToken,
) {
    set(response, request, name(request), token.as_str(), "");
}

/// Ends a session at the client.
pub(super) fn end(response: &mut HttpResponseBuilder, request: &HttpRequest) {
    let over = "; Max-Age=0";
    set(response, request, name(request), "", over);
    // One of before the service spoke TLS would be taken for a session once the other is gone.
    if name(request) != COOKIE_NAME {
        set(response, request, COOKIE_NAME, "", over);
    }
}

fn name(request: &HttpRequest) -> &'static str {
    let policy = request.app_data::<Data<Policy>>();
    if policy.is_some_and(|policy| policy.has_tls()) {
        HOST_COOKIE_NAME
    } else {
        COOKIE_NAME
    }
}

/// Sets the cookie (RFC 6265, section 4.1), in a response that no cache may keep.
fn set(
    response: &mut HttpResponseBuilder,
    request: &HttpRequest,
    name: &str,
    value: &str,
    age: &str,
) {
    let policy = request.app_data::<Data<Policy>>();
    let is_secure = policy.is_some_and(|policy| policy.scheme_of(request) == Scheme::Https);
    let secure = if is_secure { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}");
    response
        .append_header((SET_COOKIE, cookie))
        .insert_header((CACHE_CONTROL, "no-store"));
}
