//! Whom a client showed itself to be, by a certificate that the service trusts.

use std::rc::Rc;

use actix_web::{HttpMessage as _, HttpRequest};

/// The name in the certificate of a client. It stands for a service, not for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) struct PeerCertificate(Rc<str>);

impl PeerCertificate {
    /// `None` if no such name can be told from another, or shown in a line: empty, blank at an end, or with controls.
    pub(in crate::http) fn named(name: &str) -> Option<Self> {
        let is_plain = !name.is_empty() && name.trim() == name && !name.contains(char::is_control);
        is_plain.then(|| Self(name.into()))
    }

    /// Who sent a request. Nobody if client certificates are not asked for.
    pub(in crate::http) fn of(request: &HttpRequest) -> Option<Self> {
        // A connection of HTTP/1.1 says it once, one of HTTP/2 with each request.
        let of_connection = request.conn_data::<Self>().cloned();
        of_connection.or_else(|| request.extensions().get::<Self>().cloned())
    }

    pub(in crate::http) fn name(&self) -> &str {
        &self.0
    }
}
