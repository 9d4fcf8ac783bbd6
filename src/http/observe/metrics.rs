//! Requests, errors and durations, by route, under the names of OpenTelemetry's conventions for HTTP servers (semconv 1.27).

#[cfg(target_os = "linux")]
use prometheus::process_collector::ProcessCollector;
use prometheus::proto::MetricFamily;
use prometheus::{HistogramOpts, HistogramVec, IntGauge, Opts, Registry};

use super::answered::Answered;

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
pub(super) struct Active<'m>(&'m IntGauge);

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

    /// Counts a request as being answered until what is returned is dropped.
    pub(super) fn begin(&self) -> Active<'_> {
        self.active.inc();
        Active(&self.active)
    }

    /// Takes in how long a request took.
    pub(super) fn record(&self, answered: &Answered) {
        let labels = [answered.method, &answered.route, answered.status.as_str()];
        self.duration
            .with_label_values(&labels)
            .observe(answered.duration.as_secs_f64());
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
