//! Sessions as requests show them, by a cookie or a bearer token, and as responses begin and end them.

use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, COOKIE, SET_COOKIE};
use actix_web::{HttpRequest, HttpResponseBuilder};

use super::error::Problem;
use crate::ledger::UserId;
use crate::service::{Service, SessionToken};

const NAME: &str = "sessionId";

/// Whose session the request shows.
pub(super) async fn caller(service: &Service, request: &HttpRequest) -> Result<UserId, Problem> {
    let token = token(request).ok_or(Problem::NotSignedIn)?;
    let user = service.find_session(&token).await?;
    user.ok_or(Problem::NotSignedIn)
}

/// The token of a request: a bearer token (RFC 6750, section 2.1) before a cookie, and of several the first that can be one.
pub(super) fn token(request: &HttpRequest) -> Option<SessionToken> {
    bearer(request).or_else(|| cookie(request))
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

fn bearer(request: &HttpRequest) -> Option<SessionToken> {
    request.headers().get_all(AUTHORIZATION).find_map(|header| {
        let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
        let is_bearer = scheme.eq_ignore_ascii_case("Bearer");
        is_bearer.then(|| SessionToken::parse(token.trim()))?
    })
}

fn cookie(request: &HttpRequest) -> Option<SessionToken> {
    let headers = request.headers().get_all(COOKIE);
    // Byte by byte: what another cookie holds need not be text.
    let mut cookies = headers.flat_map(|header| header.as_bytes().split(|byte| *byte == b';'));
    cookies.find_map(|cookie| {
        let (name, value) = str::from_utf8(cookie).ok()?.split_once('=')?;
        (name.trim() == NAME).then(|| SessionToken::parse(value.trim()))?
    })
}

/// Sets the cookie (RFC 6265, section 4.1), in a response that no cache may keep.
fn set(response: &mut HttpResponseBuilder, request: &HttpRequest, value: &str, age: &str) {
    let is_secure = request.connection_info().scheme() == "https";
    let secure = if is_secure { "; Secure" } else { "" };
    let cookie = format!("{NAME}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}");
    response
        .insert_header((SET_COOKIE, cookie))
        .insert_header((CACHE_CONTROL, "no-store"));
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    /// The token that is found among headers; `a` stands for one token, `b` for another.
    fn found(headers: &[(&str, &str)]) -> Option<String> {
        let mut request = TestRequest::default();
        for (name, value) in headers {
            let value = value
                .replace("{a}", &"a".repeat(64))
                .replace("{b}", &"b".repeat(64));
            request = request.append_header((*name, value));
        }
        let token = token(&request.to_http_request())?;
        Some(token.as_str()[..1].to_owned())
    }

    #[test]
    fn a_token_is_a_bearers_or_else_a_cookie() {
        let bearer = |value| ("Authorization", value);
        let cookie = |value| ("Cookie", value);
        assert_eq!(found(&[]), None);
        let rows = [
            (vec![bearer("Bearer {a}")], Some("a")),
            (vec![bearer("bearer  {a} ")], Some("a")),
            (vec![bearer("Basic {a}")], None),
            (vec![bearer("{a}")], None),
            (vec![bearer("Bearer {a}{a}")], None),
            (vec![cookie("sessionId={a}")], Some("a")),
            (vec![cookie("x=1; sessionId={a};y")], Some("a")),
            (vec![cookie("x=\u{e4}; sessionId={a}")], Some("a")),
            (vec![cookie("SessionId={a}; xsessionId={a}")], None),
            (
                vec![cookie("sessionId=1; sessionId={a}; sessionId={b}")],
                Some("a"),
            ),
            (vec![cookie("x=1"), cookie("sessionId={b}")], Some("b")),
            (
                vec![cookie("sessionId={a}"), bearer("Bearer {b}")],
                Some("b"),
            ),
            (
                vec![cookie("sessionId={a}"), bearer("Basic {b}")],
                Some("a"),
            ),
            (vec![bearer("Basic {a}"), bearer("Bearer {b}")], Some("b")),
        ];
        for (headers, token) in rows {
            assert_eq!(found(&headers).as_deref(), token, "{headers:?}");
        }
    }
}
