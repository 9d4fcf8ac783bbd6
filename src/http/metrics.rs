//! Requests, errors and durations, by route, under the names of OpenTelemetry's conventions for HTTP servers (semconv 1.27).

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{Error, web};
#[cfg(target_os = "linux")]
use prometheus::process_collector::ProcessCollector;
use prometheus::proto::MetricFamily;
use prometheus::{HistogramOpts, HistogramVec, IntGauge, Opts, Registry};
use tokio::time::Instant;

/// Upper bounds in seconds, as the conventions give them, with finer ones below.
const DURATIONS: [f64; 17] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0,
    7.5, 10.0,
];
const LABELS: [&str; 3] = [
    "http_request_method",
    "http_route",
    "http_response_status_code",
];

pub(super) struct Metrics {
    registry: Registry,
    duration: HistogramVec,
    active: IntGauge,
}

/// A request that is being answered, until it is dropped.
struct Active<'m>(&'m IntGauge);

impl Metrics {
    pub(super) fn new() -> Self {
        let registry = Registry::new();
        let duration = HistogramOpts::new(
            "http_server_request_duration_seconds",
            "Time from the head of a request until its answer begins.",
        );
        let duration = HistogramVec::new(duration.buckets(DURATIONS.to_vec()), &LABELS)
            .expect("the names of metrics are well-formed");
        let active = Opts::new(
            "http_server_active_requests",
            "Requests that are being answered.",
        );
        let active = IntGauge::with_opts(active).expect("the names of metrics are well-formed");
        let version = Opts::new("passbook_build_info", "1, with the version as a label.")
            .const_label("version", env!("CARGO_PKG_VERSION"));
        let build = IntGauge::with_opts(version).expect("the names of metrics are well-formed");
        build.set(1);
        for metric in [Box::new(active.clone()), Box::new(build)] {
            registry
                .register(metric)
                .expect("no two metrics have one name");
        }
        registry
            .register(Box::new(duration.clone()))
            .expect("no two metrics have one name");
        #[cfg(target_os = "linux")]
        registry
            .register(Box::new(ProcessCollector::for_self()))
            .expect("no two metrics have one name");
        Self {
            registry,
            duration,
            active,
        }
    }

    /// Every metric as it stands, and what the system says of the process.
    pub(super) fn gather(&self) -> Vec<MetricFamily> {
        self.registry.gather()
    }
}

impl Drop for Active<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Times each request.
pub(super) async fn observe(
    metrics: web::Data<Metrics>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let began = Instant::now();
    metrics.active.inc();
    let active = Active(&metrics.active);
    let response = next.call(request).await?;
    drop(active);
    let request = response.request();
    let method = known(request.method());
    let route = request
        .match_pattern()
        .map_or(String::new(), |pattern| plain(&pattern));
    metrics
        .duration
        .with_label_values(&[method, &route, response.status().as_str()])
        .observe(began.elapsed().as_secs_f64());
    Ok(response)
}

/// A route's pattern without the expressions that its parts match, and without slashes that may be left out.
fn plain(pattern: &str) -> String {
    let mut route = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, part)) = rest.split_once('{') {
        let (name, after) = part.split_once('}').unwrap_or((part, ""));
        route.push_str(before);
        match name.split_once(':') {
            Some((_, "/?")) => {}
            Some((name, _)) => route.push_str(&format!("{{{name}}}")),
            None => route.push_str(&format!("{{{name}}}")),
        }
        rest = after;
    }
    route.push_str(rest);
    route
}

/// Any client can make up methods; those that are none are one.
fn known(method: &Method) -> &'static str {
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
