//! What a request's trace and its line in the log say, and that no collector can hold up money.

use std::collections::BTreeMap;
use std::net::TcpListener;

use futures_util::future::select_all;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use reqwest::{Client, Method};
use serde_json::Value;

use crate::support::bank::{at_once, audit_of};
use crate::support::collector::{Collector, Manner, attribute, hex, is_error};
use crate::support::process::{Ended, Passbook, command};
use crate::support::{Locked, Reply, eventually, postgres};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";
const BALANCE: &str = "/api/users/1/balance";
/// Spans leave at once, as far as a test is concerned.
const PROMPT: (&str, &str) = ("OTEL_BSP_SCHEDULE_DELAY", "20");
/// Spans leave at the end alone.
const LATE: (&str, &str) = ("OTEL_BSP_SCHEDULE_DELAY", "3600000");

/// A service with user 1, on a database of its own.
struct Traced {
    passbook: Passbook,
    database: String,
}

impl Traced {
    async fn open(flags: &[&str], environment: &[(&str, &str)]) -> Self {
        let database = postgres::create_database().await;
        let mut command = command();
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--demo", "true"])
            .args(["--database-url", &database])
            .args(flags)
            .envs(environment.iter().copied());
        Self {
            passbook: Passbook::start(&mut command),
            database,
        }
    }

    async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Reply {
        let url = format!("{}{path}", self.passbook.url);
        let mut request = Client::new().request(method.clone(), url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if method == Method::PUT {
            request = request.body(r#"{"amount":-1}"#);
        }
        Reply::of(request.send().await.expect("an answer")).await
    }

    async fn withdraw(&self, headers: &[(&str, &str)]) -> Reply {
        self.send(Method::PUT, BALANCE, headers).await
    }

    /// Stops it; what it had logged.
    async fn close(self) -> String {
        self.passbook.signal("TERM");
        let Ended { code, stderr } = self.passbook.end();
        assert_eq!(code, Some(0), "{stderr}");
        let report = audit_of(&self.database).await;
        assert!(report.is_clean(), "{:#?}", report.findings);
        postgres::drop_database(&self.database).await;
        stderr
    }
}

fn traceparent(trace: &str, flags: &str) -> String {
    format!("00-{trace}-{CALLER}-{flags}")
}

/// The trace, the span and the flags of an answer.
fn answered(reply: &Reply) -> (String, String, String) {
    let header = reply.headers.get("traceparent").expect("a traceparent");
    let fields: Vec<&str> = header.split('-').collect();
    assert_eq!((fields.len(), fields[0]), (4, "00"), "{header}");
    let field = |number: usize| fields[number].to_owned();
    (field(1), field(2), field(3))
}

fn named<'s>(spans: &'s [Span], name: &str) -> &'s Span {
    let named: Vec<&Span> = spans.iter().filter(|span| span.name == name).collect();
    assert_eq!(named.len(), 1, "{name}: {spans:#?}");
    named[0]
}

/// The spans of a trace, once there are so many.
async fn spans_of(collector: &Collector, trace: &str, count: usize) -> Vec<Span> {
    eventually("the spans arrive", async || {
        count <= collector.trace(trace).len()
    })
    .await;
    let spans = collector.trace(trace);
    assert_eq!(spans.len(), count, "{spans:#?}");
    spans
}

/// The requests' lines in the log.
fn lines<'l>(log: &'l str, mark: &str) -> Vec<&'l str> {
    log.lines().filter(|line| line.contains(mark)).collect()
}

#[tokio::test]
async fn a_write_is_a_span_of_its_callers_trace_with_its_wait_and_its_commit() {
    let collector = Collector::open(Manner::Takes);
    let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url()), PROMPT];
    let service = Traced::open(&[], &environment).await;
    let headers = [
        ("traceparent", &*traceparent(TRACE, "01")),
        ("tracestate", "a=1"),
    ];
    let reply = service.withdraw(&headers).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let (trace, span_id, flags) = answered(&reply);
    assert_eq!((&*trace, &*flags), (TRACE, "01"));

    let spans = spans_of(&collector, TRACE, 3).await;
    let server = named(&spans, "PUT /api/users/{id}/balance");
    assert_eq!(hex(&server.span_id), span_id);
    assert_eq!(hex(&server.parent_span_id), CALLER);
    assert_eq!(server.trace_state, "a=1");
    assert_eq!(server.kind(), SpanKind::Server);
    let expected = [
        ("http.request.method", "PUT"),
        ("http.response.status_code", "200"),
        ("http.route", "/api/users/{id}/balance"),
        ("url.scheme", "http"),
    ];
    let attributes = server.attributes.iter().map(|attribute| &*attribute.key);
    let attributes: BTreeMap<&str, String> = attributes
        .map(|name| {
            (
                name,
                attribute(&server.attributes, name).expect("it is there"),
            )
        })
        .collect();
    let expected: BTreeMap<&str, String> = expected
        .map(|(name, value)| (name, value.to_owned()))
        .into();
    assert_eq!(attributes, expected, "nothing else, and no path");

    let (queue, commit) = (named(&spans, "queue"), named(&spans, "commit"));
    for span in [queue, commit] {
        assert_eq!(span.parent_span_id, server.span_id);
        assert!(!is_error(span));
    }
    assert!(server.start_time_unix_nano <= queue.start_time_unix_nano);
    assert_eq!(queue.end_time_unix_nano, commit.start_time_unix_nano);
    assert!(commit.start_time_unix_nano < commit.end_time_unix_nano);
    assert!(commit.end_time_unix_nano <= server.end_time_unix_nano);
    let of_commit = |name| attribute(&commit.attributes, name);
    assert_eq!(of_commit("db.system.name").as_deref(), Some("postgresql"));
    assert_eq!(of_commit("passbook.batch.size").as_deref(), Some("1"));
    assert_eq!(of_commit("passbook.batch.conflicts").as_deref(), Some("0"));
    service.close().await;
}

#[tokio::test]
async fn what_is_sent_says_whose_it_is_and_carries_the_headers_that_were_asked_for() {
    let collector = Collector::open(Manner::Takes);
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url()),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "deployment.environment.name=test",
        ),
        PROMPT,
    ];
    let service = Traced::open(&["--otlp-headers", "api-key=a%20secret"], &environment).await;
    let (trace, ..) = answered(&service.withdraw(&[]).await);
    spans_of(&collector, &trace, 3).await;
    let export = collector.exports().remove(0);
    assert!(
        export.head.starts_with("post /v1/traces http/1.1\r\n"),
        "{}",
        export.head
    );
    assert!(
        export
            .head
            .contains("\r\ncontent-type: application/x-protobuf\r\n")
    );
    assert!(
        export.head.contains("\r\napi-key: a secret\r\n"),
        "{}",
        export.head
    );
    let resource = collector.resource();
    let of_resource = |name| attribute(&resource, name);
    assert_eq!(of_resource("service.name").as_deref(), Some("passbook"));
    assert_eq!(
        of_resource("deployment.environment.name").as_deref(),
        Some("test")
    );
    service.close().await;
}

#[tokio::test]
async fn a_trace_begins_here_where_the_caller_has_none_or_one_that_is_malformed() {
    let collector = Collector::open(Manner::Takes);
    let environment = [
        (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            &*format!("{}/own", collector.url()),
        ),
        ("OTEL_SERVICE_NAME", "ours"),
        PROMPT,
    ];
    let service = Traced::open(&[], &environment).await;
    let malformed = traceparent(TRACE, "01").to_uppercase();
    let headers: [&[(&str, &str)]; 3] = [
        &[],
        &[("traceparent", &malformed)],
        &[("traceparent", "nonsense"), ("tracestate", "=")],
    ];
    for headers in headers {
        let reply = service.send(Method::GET, "/api/users/1", headers).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let (trace, span_id, flags) = answered(&reply);
        assert_ne!(trace, TRACE);
        assert_eq!(flags, "01");
        let spans = spans_of(&collector, &trace, 1).await;
        let server = named(&spans, "GET /api/users/{id}");
        assert_eq!(hex(&server.span_id), span_id);
        assert!(server.parent_span_id.is_empty());
    }
    let lost = service.send(Method::GET, "/nobody@example.com", &[]).await;
    assert_eq!(lost.status, 404);
    let spans = spans_of(&collector, &answered(&lost).0, 1).await;
    let server = named(&spans, "GET");
    assert_eq!(attribute(&server.attributes, "http.route"), None);
    // The caller's error is not ours.
    assert!(!is_error(server));
    let export = collector.exports().remove(0);
    assert!(
        export.head.starts_with("post /own http/1.1\r\n"),
        "{}",
        export.head
    );
    let resource = collector.resource();
    assert_eq!(
        attribute(&resource, "service.name").as_deref(),
        Some("ours")
    );
    service.close().await;
}

#[tokio::test]
async fn what_is_not_sampled_is_not_sent_and_is_passed_on_as_such() {
    let collector = Collector::open(Manner::Takes);
    let url = collector.url();
    let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", &*url), LATE];
    // The sampler, and which of three requests it takes: of a caller who samples, of one who does not, of none.
    for (sampler, ratio, sampled) in [
        ("parentbased_always_on", "", [true, false, true]),
        ("parentbased_always_off", "", [true, false, false]),
        ("parentbased_traceidratio", "0", [true, false, false]),
        ("traceidratio", "1", [true, true, true]),
        ("always_off", "", [false, false, false]),
    ] {
        let settings = [
            ("OTEL_TRACES_SAMPLER", sampler),
            ("OTEL_TRACES_SAMPLER_ARG", ratio),
        ];
        let service = Traced::open(&[], &[&environment[..], &settings].concat()).await;
        let number = collector.exports().len();
        let of = |kind: usize| format!("{number:016x}{:016x}", kind + 1);
        let (yes, no) = (traceparent(&of(0), "01"), traceparent(&of(1), "00"));
        let mut replies = Vec::new();
        for headers in [&[("traceparent", &*yes)][..], &[("traceparent", &*no)], &[]] {
            replies.push(service.withdraw(headers).await);
        }
        service.close().await;
        for (reply, sampled) in replies.iter().zip(sampled) {
            let (trace, _, flags) = answered(reply);
            assert_eq!(flags, if sampled { "01" } else { "00" }, "{sampler}");
            let spans = collector.trace(&trace).len();
            assert_eq!(spans, if sampled { 3 } else { 0 }, "{sampler}");
        }
    }
}

#[tokio::test]
async fn without_settings_only_those_who_have_a_trace_hear_of_one_and_nothing_is_sent() {
    let collector = Collector::open(Manner::Takes);
    let url = collector.url();
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", &*url);
    for environment in [
        &[PROMPT][..],
        &[PROMPT, endpoint, ("OTEL_SDK_DISABLED", "true")],
        &[PROMPT, endpoint, ("OTEL_TRACES_EXPORTER", "none")],
    ] {
        let service = Traced::open(&[], environment).await;
        let silent = service.withdraw(&[]).await;
        assert!(!silent.headers.contains_key("traceparent"), "{silent:?}");
        let malformed = service.withdraw(&[("traceparent", "nonsense")]).await;
        assert!(
            !malformed.headers.contains_key("traceparent"),
            "{malformed:?}"
        );
        for flags in ["00", "01"] {
            let header = traceparent(TRACE, flags);
            let reply = service.withdraw(&[("traceparent", &header)]).await;
            let (trace, span_id, said) = answered(&reply);
            assert_eq!((&*trace, &*said), (TRACE, flags));
            assert_ne!(span_id, CALLER);
        }
        let log = service.close().await;
        assert_eq!(lines(&log, TRACE), [""; 0], "no line that nobody asked for");
    }
    assert_eq!(collector.connections(), 0);
}

#[tokio::test]
async fn a_request_is_one_line_in_the_log_with_the_id_of_its_trace() {
    let collector = Collector::open(Manner::Takes);
    let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url()), PROMPT];
    for traced in [true, false] {
        let environment = if traced { &environment[..] } else { &[] };
        for format in ["text", "json"] {
            let flags = ["--log-requests", "--log-format", format];
            let service = Traced::open(&flags, environment).await;
            let email = "/api/users/1?email=a@example.com";
            let reply = service.send(Method::GET, email, &[]).await;
            let (trace, ..) = answered(&reply);
            if traced {
                spans_of(&collector, &trace, 1).await;
            }
            let log = service.close().await;
            let lines = lines(&log, &trace);
            assert_eq!(lines.len(), 1, "{log}");
            assert!(
                !log.contains("a@example.com") && !log.contains("users/1"),
                "{log}"
            );
            if format == "text" {
                let fields = [
                    " INFO ",
                    r#" http.request.method="GET" "#,
                    r#" http.route="/api/users/{id}" "#,
                    " http.response.status_code=200 ",
                    " http.server.request.duration=0.",
                    &format!(" trace_id={trace}"),
                ];
                for field in fields {
                    assert!(lines[0].contains(field), "{field}: {}", lines[0]);
                }
            } else {
                let line: Value = serde_json::from_str(lines[0]).expect("JSON");
                assert_eq!(line["level"], "INFO");
                assert_eq!(line["target"], "passbook::request");
                let fields = &line["fields"];
                assert_eq!(fields["http.request.method"], "GET");
                assert_eq!(fields["http.route"], "/api/users/{id}");
                assert_eq!(fields["http.response.status_code"], 200);
                assert_eq!(fields["trace_id"], *trace);
                assert!(fields["http.server.request.duration"].is_number());
            }
        }
    }
}

#[tokio::test]
async fn a_fault_is_an_error_of_ours_and_its_line_has_the_id_that_the_caller_saw() {
    let collector = Collector::open(Manner::Takes);
    let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url()), PROMPT];
    let flags = ["--log-requests", "--log-format", "json"];
    let flags = [
        &flags[..],
        &["--lanes", "1", "--queue-max", "1", "--batch-size-max", "1"],
    ]
    .concat();
    let service = Traced::open(&flags, &environment).await;
    let accounts = Locked::accounts(&service.database).await;
    let writes = (0..6).map(|_| Box::pin(service.withdraw(&[])));
    // A lane and the queue take one each, and those wait for the row: the first to be answered is turned away.
    let (refused, _, rest) = select_all(writes).await;
    assert_eq!(refused.status, 503, "{refused:?}");
    accounts.release().await;
    at_once(rest).await;
    let request_id = refused.json()["error"]["requestId"].clone();
    let request_id = request_id.as_str().expect("an id").to_owned();
    let (trace, ..) = answered(&refused);
    spans_of(&collector, &trace, 2).await;
    let log = service.close().await;
    let spans = collector.trace(&trace);
    let server = named(&spans, "PUT /api/users/{id}/balance");
    assert_eq!(
        attribute(&server.attributes, "error.type").as_deref(),
        Some("503")
    );
    assert!(is_error(server));
    let queue = named(&spans, "queue");
    assert!(is_error(queue));
    let line = lines(&log, &trace);
    assert_eq!(line.len(), 1, "{log}");
    let line: Value = serde_json::from_str(line[0]).expect("JSON");
    assert_eq!(line["fields"]["request_id"], *request_id);
    assert_eq!(line["fields"]["http.response.status_code"], 503);
}

#[tokio::test]
async fn a_collector_that_is_away_or_hangs_holds_up_nothing() {
    let hung = Collector::open(Manner::Hangs);
    let gone = TcpListener::bind("127.0.0.1:0").expect("a port");
    let away = format!("http://{}", gone.local_addr().expect("an address"));
    drop(gone);
    let hangs = (hung.url(), "the collector did not take the last traces");
    let away = (away, "traces do not reach the collector");
    for (url, complaint) in [hangs, away] {
        let environment = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &*url),
            // Soon full, so that spans have to be dropped.
            ("OTEL_BSP_MAX_QUEUE_SIZE", "8"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4"),
            PROMPT,
        ];
        let service = Traced::open(&[], &environment).await;
        for _ in 0..50 {
            assert_eq!(service.withdraw(&[]).await.status, 200);
        }
        // In bounded time, and without a line for each span that was lost.
        let log = service.close().await;
        assert_eq!(lines(&log, complaint).len(), 1, "{log}");
    }
    assert_ne!(hung.connections(), 0);
}

#[tokio::test]
async fn what_is_left_leaves_when_the_service_ends() {
    let collector = Collector::open(Manner::Takes);
    let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url()), LATE];
    let service = Traced::open(&[], &environment).await;
    let (trace, ..) = answered(&service.withdraw(&[]).await);
    assert_eq!(collector.connections(), 0, "not yet");
    let log = service.close().await;
    assert_eq!(lines(&log, "did not take"), [""; 0]);
    assert_eq!(collector.trace(&trace).len(), 3);
}

#[test]
fn settings_that_cannot_be_followed_are_refused_in_one_line_without_their_secrets() {
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "secret"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "ftp://secret/"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "secret"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_TRACES_SAMPLER_ARG", "2"),
    ] {
        let mut command = command();
        command
            .args(["serve", "--database-url", "postgres://127.0.0.1:1/none"])
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
            .env("OTEL_TRACES_SAMPLER", "traceidratio")
            .env(name, value);
        let ended = Ended::of(&command.output().expect("the program runs"));
        let complaint = ended.complaint();
        assert!(complaint.contains(name), "{complaint}");
        assert!(!complaint.contains("secret"), "{complaint}");
    }
}
