//! Refusing a request for who asked for it, before anybody looks at what it asks for.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, web};

use crate::http::request::origin::{Policy, Refusal};
use crate::http::routing;

/// Refuses what a page of somebody else's asks for, and tells the pages that may read an answer that they may.
pub(in crate::http) async fn guard(
    policy: web::Data<Policy>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let reader = policy.cors.reader(request.request());
    let refusal = policy.refusal(request.request());
    let holds = |refusal: &Refusal| refusal.is_of_reads() || routing::is_write(request.request());
    let mut response = match refusal.filter(holds) {
        None => next.call(request).await?.map_into_left_body(),
        Some(refusal) => {
            let (status, message) = refusal.words();
            let mut response = routing::refuse(request.request(), status, message);
            let no_store = HeaderValue::from_static("no-store");
            response.headers_mut().insert(CACHE_CONTROL, no_store);
            request.into_response(response).map_into_right_body()
        }
    };
    policy.cors.mark(reader, response.headers_mut());
    Ok(response)
}
