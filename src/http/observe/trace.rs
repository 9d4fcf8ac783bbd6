//! The trace that a request belongs to, and the spans that tell what became of it.

use std::sync::Arc;
use std::time::SystemTime;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderValue;
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt as _, TraceFlags,
    TraceId, TraceState, Tracer as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SdkTracer, Span};

use super::answered::{Answered, known};
use super::traceparent;
use crate::ledger::Fault;
use crate::service::{Passage, Trail};

/// A request's trace. Its spans end when it is dropped, also where the caller went away and there is no answer.
pub(super) struct Trace {
    /// Our part of it, under its own id.
    context: SpanContext,
    /// Where the request is sampled.
    spans: Option<Box<Spans>>,
}

/// By the conventions for HTTP servers (semconv 1.27), but without the path: there are ids and emails in it.
struct Spans {
    tracer: SdkTracer,
    server: Span,
    trail: Trail,
}

impl Trace {
    /// A part of the trace that the request's caller has begun, or of a new one.
    pub(super) fn begin(
        parent: Option<SpanContext>,
        tracer: Option<&SdkTracer>,
        request: &HttpRequest,
    ) -> Self {
        match tracer {
            Some(tracer) => Self::record(parent, tracer, request),
            None => Self::pass_on(parent),
        }
    }

    fn record(parent: Option<SpanContext>, tracer: &SdkTracer, request: &HttpRequest) -> Self {
        let method = known(request.method());
        let parent = parent.map_or_else(Context::new, |parent| {
            Context::new().with_remote_span_context(parent)
        });
        let server = tracer
            .span_builder(span_name(method, ""))
            .with_kind(SpanKind::Server)
            .with_attributes([
                KeyValue::new("http.request.method", method),
                KeyValue::new("url.scheme", scheme(request)),
            ])
            .start_with_context(tracer, &parent);
        let context = server.span_context().clone();
        let spans = server.is_recording().then(|| {
            Box::new(Spans {
                tracer: tracer.clone(),
                server,
                trail: Trail::default(),
            })
        });
        Self { context, spans }
    }

    /// Nobody records anything here, and whoever is asked next may see that.
    fn pass_on(parent: Option<SpanContext>) -> Self {
        let (trace_id, flags, state) = parent.map_or_else(
            || {
                let trace_id = TraceId::from(fastrand::u128(1..));
                (trace_id, TraceFlags::NOT_SAMPLED, TraceState::NONE)
            },
            |parent| {
                let state = parent.trace_state().clone();
                (parent.trace_id(), parent.trace_flags(), state)
            },
        );
        let span_id = fastrand::u64(1..).into();
        Self {
            context: SpanContext::new(trace_id, span_id, flags, false, state),
            spans: None,
        }
    }

    pub(super) fn id(&self) -> TraceId {
        self.context.trace_id()
    }

    /// What the answer says of it.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        traceparent::write(&self.context)
    }

    /// What notes the commands of the request, where somebody will look at it.
    pub(super) fn trail(&self) -> Option<&Trail> {
        self.spans.as_ref().map(|spans| &spans.trail)
    }

    /// Ends the trace with an answer.
    pub(super) fn end(mut self, answered: &Answered) {
        if let Some(spans) = &mut self.spans {
            spans.answer(answered);
        }
    }
}

impl Spans {
    fn answer(&mut self, answered: &Answered) {
        let server = &mut self.server;
        let status = answered.status;
        server.update_name(span_name(answered.method, &answered.route));
        let code = i64::from(status.as_u16());
        server.set_attribute(KeyValue::new("http.response.status_code", code));
        if !answered.route.is_empty() {
            server.set_attribute(KeyValue::new("http.route", answered.route.clone()));
        }
        // A 4xx is the caller's error, not ours.
        if status.is_server_error() {
            server.set_attribute(KeyValue::new("error.type", status.as_str().to_owned()));
            server.set_status(Status::error(""));
        }
        if let Some(id) = answered.request_id {
            server.set_attribute(KeyValue::new("passbook.request_id", id.to_string()));
        }
    }
}

impl Drop for Spans {
    fn drop(&mut self) {
        let server = self.server.span_context().clone();
        let parent = Context::new().with_remote_span_context(server);
        for passage in self.trail.passages() {
            end_passage(&self.tracer, &parent, &passage);
        }
    }
}

/// A span for the time that a command waited for a lane, and one for the time that a lane had it. Made here, and not in the
/// engine, so that no lane spends time on them.
fn end_passage(tracer: &SdkTracer, parent: &Context, passage: &Arc<Passage>) {
    let answered = passage.answered();
    let end = answered.map_or_else(SystemTime::now, |ended| ended.at);
    // Without an answer the caller was turned away, or did not wait for it.
    let fault = answered.map_or(Some("no_answer"), |ended| ended.fault.map(Fault::name));
    let span = |builder: SpanBuilder, end: SystemTime, fault: Option<&'static str>| {
        let mut span = builder.start_with_context(tracer, parent);
        if let Some(fault) = fault {
            span.set_attribute(KeyValue::new("error.type", fault));
            span.set_status(Status::error(""));
        }
        span.end_with_timestamp(end);
    };
    let queue = SpanBuilder::from_name("queue").with_start_time(passage.submitted);
    let Some(taken) = passage.taken() else {
        return span(queue, end, fault);
    };
    span(queue, taken, None);
    let mut attributes = vec![KeyValue::new("db.system.name", "postgresql")];
    if let Some(committed) = passage.committed() {
        let size = i64::try_from(committed.batch_size).unwrap_or(i64::MAX);
        attributes.push(KeyValue::new("passbook.batch.size", size));
        let conflicts = i64::from(committed.conflicts);
        attributes.push(KeyValue::new("passbook.batch.conflicts", conflicts));
    }
    let commit = SpanBuilder::from_name("commit")
        .with_kind(SpanKind::Client)
        .with_start_time(taken)
        .with_attributes(attributes);
    span(commit, end, fault);
}

fn span_name(method: &'static str, route: &str) -> String {
    let method = if method == "_OTHER" { "HTTP" } else { method };
    if route.is_empty() {
        method.to_owned()
    } else {
        format!("{method} {route}")
    }
}

/// As whoever is in front of the service says; nothing else that a client can make up.
fn scheme(request: &HttpRequest) -> &'static str {
    if request.connection_info().scheme() == "https" {
        "https"
    } else {
        "http"
    }
}
