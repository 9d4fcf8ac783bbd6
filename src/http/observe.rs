//! What is told of each request once it is answered: to the metrics, and where somebody asked for it, to its trace and the log.

use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, web};
use opentelemetry_sdk::trace::SdkTracer;
use tokio::time::Instant;
use uuid::Uuid;

use super::fault::RequestId;
use super::metrics::Metrics;
use super::routing::without_slash;
use super::trace::Trace;
use super::traceparent::{self, TRACEPARENT};

/// Who is told.
pub(super) struct Observer {
    pub metrics: Metrics,
    pub tracer: Option<SdkTracer>,
    /// Whether each request gets a line in the log.
    pub logs: bool,
}

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

impl Observer {
    /// The trace of a request, where its caller has begun one, or where somebody here asked for it.
    fn trace(&self, request: &ServiceRequest) -> Option<Trace> {
        let parent = traceparent::read(request.headers());
        let is_wanted = parent.is_some() || self.tracer.is_some() || self.logs;
        is_wanted.then(|| Trace::begin(parent, self.tracer.as_ref(), request.request()))
    }
}

/// Times each request, and tells of it.
pub(super) async fn observe(
    observer: web::Data<Observer>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let began = Instant::now();
    let active = observer.metrics.begin();
    let trace = observer.trace(&request);
    let mut response = match trace.as_ref().and_then(Trace::trail) {
        Some(trail) => trail.follow(next.call(request)).await?,
        None => next.call(request).await?,
    };
    drop(active);
    let answered = Answered::new(&response, began.elapsed());
    observer.metrics.record(&answered);
    if let Some(trace) = trace {
        if let Some(header) = trace.header() {
            let headers = response.headers_mut();
            headers.insert(TRACEPARENT.clone(), header);
        }
        if observer.logs {
            log(&answered, &trace);
        }
        trace.end(&answered);
    }
    Ok(response)
}

/// One line, under the names of OpenTelemetry's conventions. No path: there are ids and emails in it.
fn log(answered: &Answered, trace: &Trace) {
    tracing::info!(
        target: "passbook::request",
        {
            http.request.method = answered.method,
            http.route = (!answered.route.is_empty()).then_some(answered.route.as_str()),
            http.response.status_code = answered.status.as_u16(),
            http.server.request.duration = answered.duration.as_secs_f64(),
            trace_id = %trace.id(),
            request_id = answered.request_id.map(tracing::field::display)
        },
        "request"
    );
}

impl Answered {
    fn new(response: &ServiceResponse<impl MessageBody>, duration: Duration) -> Self {
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
