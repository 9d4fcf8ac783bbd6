//! What a request shows of whoever asks: a bearer token, or the cookie of a session.

use actix_web::HttpRequest;
use actix_web::http::header::{AUTHORIZATION, COOKIE};

use crate::ledger::access::ApiKey;
use crate::service::SessionToken;

/// The cookie that has a session's token.
pub(in crate::http) const COOKIE_NAME: &str = "sessionId";
/// The same if the service speaks TLS: no other host and no page without TLS can set it (RFC 6265bis, section 4.1.3.2).
pub(in crate::http) const HOST_COOKIE_NAME: &str = "__Host-sessionId";

/// What a request shows in its field `Authorization`.
pub(in crate::http) enum Shown {
    Nothing,
    Key(ApiKey),
    Session(SessionToken),
    /// No token that anybody could have.
    Nonsense,
}

/// The bearer token of a request (RFC 6750, section 2.1). Of several, the first that can be one.
pub(in crate::http) fn bearer(request: &HttpRequest) -> Shown {
    if !request.headers().contains_key(AUTHORIZATION) {
        return Shown::Nothing;
    }
    let key = bearers(request).find_map(ApiKey::parse).map(Shown::Key);
    let session = || {
        bearers(request)
            .find_map(SessionToken::parse)
            .map(Shown::Session)
    };
    key.or_else(session).unwrap_or(Shown::Nonsense)
}

/// The token of the session that a request shows: a bearer token before a cookie.
pub(in crate::http) fn session_token(request: &HttpRequest) -> Option<SessionToken> {
    let bearer = bearers(request).find_map(SessionToken::parse);
    bearer.or_else(|| cookie(request))
}

fn bearers(request: &HttpRequest) -> impl Iterator<Item = &str> {
    let headers = request.headers().get_all(AUTHORIZATION);
    headers.filter_map(|header| {
        let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
        let is_bearer = scheme.eq_ignore_ascii_case("Bearer");
        is_bearer.then(|| token.trim())
    })
}

/// The token in a session's cookie.
pub(in crate::http) fn cookie(request: &HttpRequest) -> Option<SessionToken> {
    cookie_named(HOST_COOKIE_NAME, request).or_else(|| cookie_named(COOKIE_NAME, request))
}

fn cookie_named(name: &str, request: &HttpRequest) -> Option<SessionToken> {
    let headers = request.headers().get_all(COOKIE);
    // Byte by byte: what another cookie holds need not be text.
    let mut cookies = headers.flat_map(|header| header.as_bytes().split(|byte| *byte == b';'));
    cookies.find_map(|cookie| {
        let (named, value) = str::from_utf8(cookie).ok()?.split_once('=')?;
        (named.trim() == name).then(|| SessionToken::parse(value.trim()))?
    })
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
        let token = session_token(&request.to_http_request())?;
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
                vec![cookie("sessionId={a}; __Host-sessionId={b}")],
                Some("b"),
            ),
            (vec![cookie("__Host-sessionId=1; sessionId={a}")], Some("a")),
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
