//! What is told of each request once it is answered: to the metrics, and where somebody asked for it, to its trace and the log.

pub(super) mod admin;
mod answered;
mod metrics;
mod trace;
mod traceparent;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, web};
use opentelemetry_sdk::trace::SdkTracer;
use tokio::time::Instant;

use self::answered::Answered;
use self::metrics::Metrics;
use self::trace::Trace;
use self::traceparent::{TRACEPARENT, TRACERESPONSE};
use crate::http::operation::is_native;
use crate::http::request::certificate::PeerCertificate;

/// Who is told.
pub(super) struct Observer {
    metrics: Metrics,
    tracer: Option<SdkTracer>,
    /// Whether each request gets a line in the log.
    logs: bool,
}

impl Observer {
    pub(super) fn new(tracer: Option<SdkTracer>, logs: bool) -> Self {
        Self {
            metrics: Metrics::new(),
            tracer,
            logs,
        }
    }

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
            // Clients of the dialects know it under the request's own name.
            let name = if is_native(response.request().path()) {
                &TRACERESPONSE
            } else {
                &TRACEPARENT
            };
            response.headers_mut().insert(name.clone(), header);
        }
        if observer.logs {
            let client = PeerCertificate::of(response.request());
            log(&answered, client.as_ref(), &trace);
        }
        trace.end(&answered);
    }
    Ok(response)
}

/// One line, under the names of OpenTelemetry's conventions. No path: there are ids and emails in it.
fn log(answered: &Answered, client: Option<&PeerCertificate>, trace: &Trace) {
    tracing::info!(
        target: "passbook::request",
        {
            http.request.method = answered.method,
            http.route = (!answered.route.is_empty()).then_some(answered.route.as_str()),
            http.response.status_code = answered.status.as_u16(),
            http.server.request.duration = answered.duration.as_secs_f64(),
            tls.client.name = client.map(PeerCertificate::name),
            trace_id = %trace.id(),
            request_id = answered.request_id.map(tracing::field::display)
        },
        "request"
    );
}
