//! Who asks, and in which book.

use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};

use super::codes::Code;
use super::problem::Problem;
use crate::ledger::BookName;
use crate::service::access::Actor;
use crate::service::native::{Principal, Who};
use crate::service::{Service, SessionToken};

/// The field that names a book.
const BOOK: &str = "Passbook-Book";

/// # Errors
/// If the request names a book that is not there, or shows a session that is none.
pub(super) async fn asks(service: &Service, headers: &HeaderMap) -> Result<Who, Problem> {
    let principal = principal(service, headers).await?;
    in_book(service, headers, principal).await
}

/// Who asks for what only those may who administer the service.
///
/// # Errors
/// As [`asks`], and if it is a person: nobody administers by a session.
pub(super) async fn administers(service: &Service, headers: &HeaderMap) -> Result<Actor, Problem> {
    let principal = principal(service, headers).await?;
    in_book(service, headers, principal).await?;
    match principal {
        Principal::Anyone => Ok(Actor::Anyone),
        Principal::Person(_) | Principal::Service(_) => {
            Err(Problem::new(Code::Forbidden, "A session does not do this"))
        }
    }
}

async fn in_book(
    service: &Service,
    headers: &HeaderMap,
    principal: Principal,
) -> Result<Who, Problem> {
    let mut lines = headers.get_all(BOOK);
    let name = match lines.next() {
        None => BookName::MAIN,
        Some(line) => {
            let name = line.to_str().ok().and_then(BookName::parse);
            name.filter(|_| lines.next().is_none())
                .ok_or_else(forbidden)?
        }
    };
    service.who(principal, name).await?.ok_or_else(forbidden)
}

/// Everybody, unless a session says that it is a person.
async fn principal(service: &Service, headers: &HeaderMap) -> Result<Principal, Problem> {
    let Some(authorization) = headers.get(AUTHORIZATION) else {
        return Ok(Principal::Anyone);
    };
    let authorization = authorization.to_str().ok();
    let bearer = authorization.and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
    });
    let token = bearer.and_then(SessionToken::parse);
    let user = match token {
        Some(token) => service.find_session(&token).await?,
        None => None,
    };
    user.map(Principal::Person).ok_or_else(unauthenticated)
}

fn forbidden() -> Problem {
    Problem::new(Code::Forbidden, "There is no such book that you may use")
}

fn unauthenticated() -> Problem {
    let problem = Problem::new(Code::Unauthenticated, "The token is of no session");
    let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
    problem.with(WWW_AUTHENTICATE, challenge)
}
