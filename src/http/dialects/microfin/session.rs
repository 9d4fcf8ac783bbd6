//! Sessions as requests show them, by a bearer token or a cookie, and as responses begin and end them.

use actix_web::http::header::{CACHE_CONTROL, SET_COOKIE};
use actix_web::{HttpRequest, HttpResponseBuilder};

use super::error::Problem;
use crate::http::access::{COOKIE_NAME, session_token};
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
    set(response, request, token.as_str(), "");
}

/// Ends a session at the client.
pub(super) fn end(response: &mut HttpResponseBuilder, request: &HttpRequest) {
    set(response, request, "", "; Max-Age=0");
}

/// Sets the cookie (RFC 6265, section 4.1), in a response that no cache may keep.
fn set(response: &mut HttpResponseBuilder, request: &HttpRequest, value: &str, age: &str) {
    let is_secure = request.connection_info().scheme() == "https";
    let secure = if is_secure { "; Secure" } else { "" };
    let cookie = format!("{COOKIE_NAME}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}");
    response
        .insert_header((SET_COOKIE, cookie))
        .insert_header((CACHE_CONTROL, "no-store"));
}
