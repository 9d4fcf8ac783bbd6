//! Lets in who may ask for an operation, and tells its handler who that is.

use std::fmt;
use std::sync::Arc;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpRequest, web};

use crate::http::access::{self, Identity, Needs, Shown};
use crate::http::fault::RETRY_AFTER_SECONDS;
use crate::http::routing;
use crate::http::routing::Asking;
use crate::http::settings::{Access, Mode};
use crate::ledger::access::{ApiKey, Scope};
use crate::ledger::{BookName, UserId};
use crate::service::access::{Granted, Refused};
use crate::service::{Service, SessionToken};

/// What `WWW-Authenticate` says to who shows nothing, and to who shows what is of nobody (RFC 6750, section 3).
static CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer");
static INVALID: HeaderValue = HeaderValue::from_static("Bearer error=\"invalid_token\"");
static INSUFFICIENT: HeaderValue = HeaderValue::from_static("Bearer error=\"insufficient_scope\"");

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Denied {
    /// Nobody knows who they are.
    Stranger,
    /// What they show is of nobody, or of nobody any more.
    Invalid,
    /// They are somebody who may not.
    Forbidden,
    /// The key's scope is too small.
    Insufficient(Scope),
    /// Nobody can tell now.
    Unavailable,
}

pub(in crate::http) async fn gate(
    access: web::Data<Access>,
    service: web::Data<Service>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let identity = match routing::asking(request.request()) {
        None => Ok(Identity::Anyone),
        Some(asking) => admit(&access, &service, request.request(), asking).await,
    };
    match identity {
        Ok(identity) => {
            request.extensions_mut().insert(identity);
            let mut response = next.call(request).await?;
            // A dialect's own 401 says how to do better as well.
            let is_refused = response.status() == StatusCode::UNAUTHORIZED;
            let headers = response.headers_mut();
            if is_refused
                && access.mode == Mode::Required
                && !headers.contains_key(WWW_AUTHENTICATE)
            {
                headers.insert(WWW_AUTHENTICATE, CHALLENGE.clone());
            }
            Ok(response.map_into_left_body())
        }
        Err(denied) => {
            let mut response =
                routing::refuse(request.request(), denied.status(), &denied.to_string());
            let headers = response.headers_mut();
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            if let Some(challenge) = denied.challenge() {
                headers.insert(WWW_AUTHENTICATE, challenge.clone());
            }
            if denied == Denied::Unavailable {
                headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
            }
            Ok(request.into_response(response).map_into_right_body())
        }
    }
}

/// Lets somebody in, or not.
async fn admit(
    access: &Access,
    service: &Service,
    request: &HttpRequest,
    asking: Asking,
) -> Result<Identity, Denied> {
    let needs = access.settled(asking.needs);
    // Where nobody has to say who they are, only the native API asks: `microfin` looks at its sessions by itself.
    let is_open = access.mode == Mode::Open;
    if needs == Needs::Nothing || is_open && !asking.is_native {
        return Ok(Identity::Anyone);
    }
    let shown = match access::bearer(request) {
        // A browser sends its cookie along wherever nobody has asked for it.
        Shown::Nothing if !is_open => {
            access::cookie(request).map_or(Shown::Nothing, Shown::Session)
        }
        shown => shown,
    };
    match shown {
        Shown::Nothing if is_open => Ok(Identity::Anyone),
        Shown::Nothing => Err(Denied::Stranger),
        Shown::Nonsense => Err(Denied::Invalid),
        Shown::Key(key) => {
            let granted = check(service, &key)?;
            may(&granted, needs)?;
            // The dialects, and what is for whoever runs them, are of the main book.
            if asking.acts_in_main && !granted.books.contains(&BookName::MAIN) {
                return Err(Denied::Forbidden);
            }
            Ok(Identity::Service(granted))
        }
        Shown::Session(token) => {
            let user = find_session(service, &token).await?;
            match needs {
                Needs::KeyOrSession(_) | Needs::Session => Ok(Identity::Person(user)),
                _ => Err(Denied::Forbidden),
            }
        }
    }
}

fn check(service: &Service, key: &ApiKey) -> Result<Arc<Granted>, Denied> {
    service
        .access()
        .check(key)
        .map_err(|refused| match refused {
            Refused::Unknown | Refused::Expired | Refused::Revoked => Denied::Invalid,
            Refused::CannotAsk => Denied::Unavailable,
        })
}

/// Whether a key is enough for what is asked.
fn may(granted: &Granted, needs: Needs) -> Result<(), Denied> {
    let least = match needs {
        Needs::Key(least) | Needs::KeyOrSession(least) => least,
        Needs::Administrator => Scope::Admin,
        // What is somebody's own is nobody else's, whatever they may.
        _ => return Err(Denied::Forbidden),
    };
    if least <= granted.scope {
        Ok(())
    } else {
        Err(Denied::Insufficient(least))
    }
}

async fn find_session(service: &Service, token: &SessionToken) -> Result<UserId, Denied> {
    match service.find_session(token).await {
        Ok(user) => user.ok_or(Denied::Invalid),
        Err(_) => Err(Denied::Unavailable),
    }
}

impl Denied {
    fn status(self) -> StatusCode {
        match self {
            Self::Stranger | Self::Invalid => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::Insufficient(_) => StatusCode::FORBIDDEN,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn challenge(self) -> Option<&'static HeaderValue> {
        match self {
            Self::Stranger => Some(&CHALLENGE),
            Self::Invalid => Some(&INVALID),
            Self::Insufficient(_) => Some(&INSUFFICIENT),
            Self::Forbidden | Self::Unavailable => None,
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stranger => formatter.write_str("Show who you are, by a key or a session"),
            Self::Invalid => {
                formatter.write_str("The key or session is not valid, or not any more")
            }
            Self::Forbidden => formatter.write_str("You may not do this"),
            Self::Insufficient(least) => {
                write!(formatter, "The key needs the scope {}", least.name())
            }
            Self::Unavailable => {
                formatter.write_str("Service is unavailable, nothing was applied, retry later")
            }
        }
    }
}
