//! A request once it is answered, as far as it may be told of.

use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::{Method, StatusCode};
use uuid::Uuid;

use crate::http::fault::RequestId;
use crate::http::operation::without_slash;

/// A request with its answer. What a client can make up is not in it.
pub(super) struct Answered {
    pub method: &'static str,
    /// Empty where there is none for the path.
    pub route: String,
    pub status: StatusCode,
    /// From the head of the request until its answer begins.
    pub duration: Duration,
    /// Under which a fault was logged.
    pub request_id: Option<Uuid>,
}

impl Answered {
    pub(super) fn new(response: &ServiceResponse<impl MessageBody>, duration: Duration) -> Self {
        let request = response.request();
        let route = request.match_pattern();
        let extensions = response.response().extensions();
        Self {
            method: known(request.method()),
            route: route.map_or(String::new(), |path| without_slash(&path).to_owned()),
            status: response.status(),
            duration,
            request_id: extensions.get().map(|RequestId(id)| *id),
        }
    }
}

/// Any client can make up methods; those that are none are one.
pub(super) fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "CONNECT" => "CONNECT",
        "OPTIONS" => "OPTIONS",
        "TRACE" => "TRACE",
        "PATCH" => "PATCH",
        _ => "_OTHER",
    }
}
