//! Refusing a request for who asked for it, before anybody looks at what it asks for.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, web};

use crate::http::request::origin::Policy;
use crate::http::routing;

/// Refuses what a page of somebody else's asks for, and tells the pages that may read an answer that they may.
pub(in crate::http) async fn guard(
    policy: web::Data<Policy>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let reader = policy.cors.reader(request.request());
    let refusal = policy.refusal(request.request());
    let mut response = match refusal {
        Some(refusal) if refusal.is_of_reads() => {
            let (status, message) = refusal.words();
            let mut response = routing::refuse(request.request(), status, message);
            let no_store = HeaderValue::from_static("no-store");
            response.headers_mut().insert(CACHE_CONTROL, no_store);
            request.into_response(response).map_into_right_body()
        }
        refusal => {
            // What it is asked for is not known yet: if it writes, its gate refuses it.
            if let Some(refusal) = refusal {
                request.extensions_mut().insert(refusal);
            }
            next.call(request).await?.map_into_left_body()
        }
    };
    policy.cors.mark(reader, response.headers_mut());
    Ok(response)
}
