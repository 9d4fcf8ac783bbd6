//! Who asks, and what an operation needs of them.

mod credentials;

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{Error, FromRequest, HttpMessage as _, HttpRequest};

pub(in crate::http) use self::credentials::{
    COOKIE_NAME, HOST_COOKIE_NAME, Shown, bearer, cookie, session_token,
};
use crate::ledger::UserId;
use crate::ledger::access::Scope;
use crate::service::access::{Actor, Granted};

/// What whoever asks for an operation has to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Needs {
    /// Nothing: it is everybody's.
    Nothing,
    /// A key with this scope.
    Key(Scope),
    /// A key with the scope `admin` and the main book, as what is asked for is of the whole ledger.
    Administrator,
    /// A key with this scope; or a session, for what is its person's own.
    KeyOrSession(Scope),
    /// A session, for what is its person's own.
    Session,
    /// Nothing as long as people make themselves users; else a key that may write.
    SignUp,
    /// A session as long as people put money into their own accounts; else a key that may write.
    Deposit,
    /// Nothing if the metrics are everybody's, else a key that may read.
    Metrics,
    /// The same of the documentation.
    Docs,
}

/// Who asks.
#[derive(Clone, Debug)]
pub(in crate::http) enum Identity {
    /// Everybody, if nobody has to say who they are.
    Anyone,
    /// A service, by one of its keys.
    Service(Arc<Granted>),
    /// A user who has signed in.
    Person(UserId),
}

impl Identity {
    /// The person, who sees only what is their own.
    pub(in crate::http) fn person(&self) -> Option<UserId> {
        match self {
            Self::Person(user) => Some(*user),
            Self::Anyone | Self::Service(_) => None,
        }
    }

    /// Who an audit event says it was.
    pub(in crate::http) fn actor(&self) -> Actor {
        match self {
            Self::Anyone => Actor::Anyone,
            Self::Service(granted) => Actor::Service(granted.name.clone()),
            Self::Person(user) => Actor::Person(*user),
        }
    }

    /// Whether they have a scope, as a person never has.
    pub(in crate::http) fn has(&self, least: Scope) -> bool {
        match self {
            Self::Anyone => true,
            Self::Service(granted) => least <= granted.scope,
            Self::Person(_) => false,
        }
    }

    /// Whether they may see what belongs to somebody. If not, it looks as if it were not there.
    pub(in crate::http) fn sees(&self, owner: Option<UserId>) -> bool {
        self.person().is_none_or(|person| owner == Some(person))
    }
}

/// Who the gate let in.
impl FromRequest for Identity {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}

impl Identity {
    /// Who the gate let in with a request.
    pub(in crate::http) fn of(request: &HttpRequest) -> Self {
        let extensions = request.extensions();
        extensions.get().cloned().unwrap_or(Self::Anyone)
    }
}
