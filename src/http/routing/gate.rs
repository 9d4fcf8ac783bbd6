//! The gate before each operation: who may not ask for it goes no further, and its handler is told who asks.

use std::fmt;
use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, HeaderMap, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage as _, HttpRequest};

use crate::http::access::{self, Identity, Needs, Shown};
use crate::http::fault::RETRY_AFTER_SECONDS;
use crate::http::operation::{Effect, Operation, is_native};
use crate::http::request::origin::Refusal;
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

/// Carries an operation out for whoever may ask for it, and for nobody else.
pub(super) async fn pass(
    operation: &Operation,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let refusal = request.extensions().get::<Refusal>().copied();
    if let Some(refusal) = refusal.filter(|_| operation.effect == Effect::Writes) {
        let (status, message) = refusal.words();
        return Ok(refused(request, status, message, |_| {}));
    }
    let access = *data::<Access>(&request).get_ref();
    let service = data::<Service>(&request).clone();
    match admit(access, &service, request.request(), operation).await {
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
            Ok(response)
        }
        Err(denied) => {
            let message = denied.to_string();
            Ok(refused(request, denied.status(), &message, |headers| {
                if let Some(challenge) = denied.challenge() {
                    headers.insert(WWW_AUTHENTICATE, challenge.clone());
                }
                if denied == Denied::Unavailable {
                    headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
                }
            }))
        }
    }
}

/// What the server was started with.
fn data<T: 'static>(request: &ServiceRequest) -> &Data<T> {
    request.app_data().expect("the server has it")
}

fn refused(
    request: ServiceRequest,
    status: StatusCode,
    message: &str,
    more: impl FnOnce(&mut HeaderMap),
) -> ServiceResponse {
    let mut response = super::refuse(request.request(), status, message);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    more(headers);
    request.into_response(response)
}

/// Lets somebody in, or not.
async fn admit(
    access: Access,
    service: &Service,
    request: &HttpRequest,
    operation: &Operation,
) -> Result<Identity, Denied> {
    let needs = access.settled(operation.needs);
    // Where nobody has to say who they are, only the native API asks: `microfin` looks at its sessions by itself.
    let is_open = access.mode == Mode::Open;
    if needs == Needs::Nothing || is_open && !is_native(operation.path) {
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
            if acts_in_main(operation) && !granted.books.contains(&BookName::MAIN) {
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

/// Whether an operation is about the main book alone.
fn acts_in_main(operation: &Operation) -> bool {
    match operation.needs {
        Needs::Administrator => true,
        Needs::Metrics | Needs::Docs => false,
        _ => !is_native(operation.path),
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
