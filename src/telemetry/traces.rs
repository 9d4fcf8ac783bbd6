//! Traces by OTLP over HTTP, under OpenTelemetry's own settings (SDK configuration 1.55, OTLP exporter 1.55).

use std::collections::HashMap;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use percent_encoding::percent_decode_str;
use thiserror::Error;
use ureq::http::{HeaderName, HeaderValue, Uri};

use super::collector::{self, Collector};

/// What the service is called where nobody says.
const SERVICE_NAME: &str = "passbook";
/// How long the last spans have to leave when the service ends.
const FLUSH_MAX: Duration = Duration::from_secs(2);

/// OpenTelemetry's settings as they were given; what is empty is not set, as its specification has it.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub sdk_disabled: Option<String>,
    pub exporter: Option<String>,
    pub endpoint: Option<String>,
    pub traces_endpoint: Option<String>,
    pub headers: Option<String>,
    pub protocol: Option<String>,
    pub sampler: Option<String>,
    pub sampler_arg: Option<String>,
    pub service_name: Option<String>,
}

/// A setting that cannot be followed, in words for whoever set it. Never its value, where that may be a secret.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("{name}: {reason}")]
pub struct Error {
    name: &'static str,
    reason: String,
}

/// Spans on their way to a collector: gathered in a bounded queue, sent in batches by a thread of their own, and dropped where
/// the collector does not keep up.
pub struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Nothing where traces are not asked for: no endpoint, no exporter, or the SDK disabled.
    ///
    /// # Errors
    /// Where a setting cannot be followed. Whether the collector is there is not asked.
    pub fn start(settings: &Settings) -> Result<Option<Self>, Error> {
        let Some(endpoint) = endpoint(settings)? else {
            return Ok(None);
        };
        let is_secure = endpoint.scheme_str() == Some("https");
        let collector = Collector::new(is_secure.then(collector::tls));
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(collector)
            .with_protocol(protocol(settings)?)
            .with_endpoint(endpoint.to_string())
            .with_headers(headers(settings)?)
            .build()
            .map_err(|error| Error::new("OTEL_EXPORTER_OTLP", error.to_string()))?;
        let provider = SdkTracerProvider::builder()
            .with_sampler(sampler(settings)?)
            .with_resource(resource(settings))
            .with_batch_exporter(exporter)
            .build();
        Ok(Some(Self { provider }))
    }

    #[must_use]
    pub fn tracer(&self) -> SdkTracer {
        self.provider.tracer(SERVICE_NAME)
    }

    /// Sends what is left, in bounded time; what does not leave by then is dropped.
    pub async fn stop(self) {
        let provider = self.provider.clone();
        let stopping =
            tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(FLUSH_MAX));
        if !matches!(stopping.await, Ok(Ok(()))) {
            tracing::warn!("the collector did not take the last traces in time");
        }
    }
}

impl Drop for Traces {
    /// Who is told to stop at once does not wait for a collector, as the SDK would.
    fn drop(&mut self) {
        drop(self.provider.shutdown_with_timeout(Duration::ZERO));
    }
}

impl Error {
    fn new(name: &'static str, reason: impl Into<String>) -> Self {
        Self {
            name,
            reason: reason.into(),
        }
    }
}

/// Where spans are sent to, if they are.
fn endpoint(settings: &Settings) -> Result<Option<Uri>, Error> {
    // "true" alone disables; anything else does not (Environment Variable Specification, Boolean).
    let disabled = set(settings.sdk_disabled.as_ref());
    let exports = match set(settings.exporter.as_ref()) {
        None | Some("otlp") => true,
        Some("none") => false,
        Some(_) => return Err(Error::new("OTEL_TRACES_EXPORTER", "not otlp or none")),
    };
    if disabled.is_some_and(|disabled| disabled.eq_ignore_ascii_case("true")) || !exports {
        return Ok(None);
    }
    if let Some(endpoint) = set(settings.traces_endpoint.as_ref()) {
        return url("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint).map(Some);
    }
    let Some(base) = set(settings.endpoint.as_ref()) else {
        return Ok(None);
    };
    let base = format!("{}/v1/traces", base.trim_end_matches('/'));
    url("OTEL_EXPORTER_OTLP_ENDPOINT", &base).map(Some)
}

fn url(name: &'static str, text: &str) -> Result<Uri, Error> {
    let is_whole = |url: &Uri| {
        url.host().is_some_and(|host| !host.is_empty())
            && matches!(url.scheme_str(), Some("http" | "https"))
    };
    // Not the text: there may be a password in it.
    let url = text.parse().ok().filter(is_whole);
    url.ok_or_else(|| Error::new(name, "not a URL such as http://localhost:4318"))
}

fn protocol(settings: &Settings) -> Result<Protocol, Error> {
    match set(settings.protocol.as_ref()) {
        None | Some("http/protobuf") => Ok(Protocol::HttpBinary),
        Some(_) => Err(Error::new(
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "http/protobuf alone is spoken",
        )),
    }
}

/// `name=value,name=value`, the values percent-encoded.
fn headers(settings: &Settings) -> Result<HashMap<String, String>, Error> {
    let list = set(settings.headers.as_ref()).unwrap_or_default();
    let items = list.split(',').map(str::trim);
    let headers = items.filter(|item| !item.is_empty()).map(|item| {
        let (name, value) = item.split_once('=')?;
        let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
        let name: HeaderName = name.trim().parse().ok()?;
        HeaderValue::from_str(&value).ok()?;
        Some((name.as_str().to_owned(), value.into_owned()))
    });
    headers.collect::<Option<_>>().ok_or_else(|| {
        Error::new(
            "OTEL_EXPORTER_OTLP_HEADERS",
            "not name=value,name=value with percent-encoded values",
        )
    })
}

fn sampler(settings: &Settings) -> Result<Sampler, Error> {
    let ratio = || {
        let ratio = set(settings.sampler_arg.as_ref()).map_or(Ok(1.0), str::parse);
        let ratio = ratio.ok().filter(|ratio| (0.0..=1.0).contains(ratio));
        let ratio = ratio
            .ok_or_else(|| Error::new("OTEL_TRACES_SAMPLER_ARG", "not a number from 0 to 1"))?;
        Ok(Sampler::TraceIdRatioBased(ratio))
    };
    let parent_based = |root| Sampler::ParentBased(Box::new(root));
    match set(settings.sampler.as_ref()) {
        None | Some("parentbased_always_on") => Ok(parent_based(Sampler::AlwaysOn)),
        Some("parentbased_always_off") => Ok(parent_based(Sampler::AlwaysOff)),
        Some("parentbased_traceidratio") => ratio().map(parent_based),
        Some("always_on") => Ok(Sampler::AlwaysOn),
        Some("always_off") => Ok(Sampler::AlwaysOff),
        Some("traceidratio") => ratio(),
        Some(_) => Err(Error::new(
            "OTEL_TRACES_SAMPLER",
            "not one of always_on, always_off, traceidratio, and the same after parentbased_",
        )),
    }
}

/// What the spans are about. `OTEL_SERVICE_NAME` wins over `OTEL_RESOURCE_ATTRIBUTES`, which wins over our own words.
fn resource(settings: &Settings) -> Resource {
    let ours = [
        KeyValue::new("service.name", SERVICE_NAME),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
    ];
    let resource = Resource::builder_empty()
        .with_attributes(ours)
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_detector(Box::new(EnvResourceDetector::new()));
    match set(settings.service_name.as_ref()) {
        Some(name) => resource.with_service_name(name.to_owned()).build(),
        None => resource.build(),
    }
}

fn set(value: Option<&String>) -> Option<&str> {
    let value = value.map(|value| value.trim());
    value.filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{Settings, endpoint, headers, protocol, sampler};

    #[test]
    fn an_endpoint_of_all_signals_gets_the_path_of_traces_and_one_of_traces_does_not() {
        let base = |text: &str| {
            endpoint(&Settings {
                endpoint: Some(text.to_owned()),
                ..Settings::default()
            })
        };
        for (text, expected) in [
            ("http://a:4318", "http://a:4318/v1/traces"),
            ("http://a:4318/", "http://a:4318/v1/traces"),
            ("https://a/b/", "https://a/b/v1/traces"),
        ] {
            let url = base(text).expect("a URL").expect("an endpoint");
            assert_eq!(url.to_string(), expected);
        }
        assert_eq!(base(""), Ok(None));
        let own = endpoint(&Settings {
            endpoint: Some("http://a:4318".to_owned()),
            traces_endpoint: Some("http://b/c".to_owned()),
            ..Settings::default()
        });
        assert_eq!(own.expect("a URL").expect("one").to_string(), "http://b/c");
    }

    #[test]
    fn the_specification_has_two_ways_to_turn_traces_off() {
        for (sdk_disabled, exporter, is_on) in [
            ("", "", true),
            ("false", "otlp", true),
            ("1", "otlp", true),
            ("TRUE", "otlp", false),
            ("", "none", false),
        ] {
            let endpoint = endpoint(&Settings {
                endpoint: Some("http://a:4318".to_owned()),
                sdk_disabled: Some(sdk_disabled.to_owned()),
                exporter: Some(exporter.to_owned()),
                ..Settings::default()
            });
            assert_eq!(
                endpoint.expect("settings").is_some(),
                is_on,
                "{sdk_disabled} {exporter}"
            );
        }
    }

    #[test]
    fn headers_are_decoded_and_those_that_are_none_are_refused() {
        let parse = |text: &str| {
            headers(&Settings {
                headers: Some(text.to_owned()),
                ..Settings::default()
            })
        };
        let headers = parse("api-key=a%20b, X-B = c=d ,").expect("headers");
        assert_eq!(headers["api-key"], "a b");
        assert_eq!(headers["x-b"], "c=d");
        assert_eq!(headers.len(), 2);
        for odd in ["api-key", "a b=c", "a=%00", "=a"] {
            assert!(parse(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn what_is_not_spoken_is_refused() {
        let refused = |settings: &Settings| {
            endpoint(settings).is_err() || protocol(settings).is_err() || sampler(settings).is_err()
        };
        let all: [fn(&mut Settings, Option<String>); 5] = [
            |settings, text| settings.endpoint = text,
            |settings, text| settings.traces_endpoint = text,
            |settings, text| settings.protocol = text,
            |settings, text| settings.sampler = text,
            |settings, text| settings.exporter = text,
        ];
        for set in all {
            for (text, is_refused) in [("", false), ("grpc", true), ("a b", true)] {
                let mut settings = Settings::default();
                set(&mut settings, Some(text.to_owned()));
                assert_eq!(refused(&settings), is_refused, "{settings:?}");
            }
        }
        for (ratio, is_refused) in [
            ("0", false),
            ("0.25", false),
            ("1.1", true),
            ("NaN", true),
            ("x", true),
        ] {
            let settings = Settings {
                sampler: Some("traceidratio".to_owned()),
                sampler_arg: Some(ratio.to_owned()),
                ..Settings::default()
            };
            assert_eq!(refused(&settings), is_refused, "{ratio}");
        }
    }
}
