//! A collector of traces: takes what is sent by OTLP over HTTP, on a port of its own, until it is dropped.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use prost::Message;

/// What it does with those who come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    Takes,
    /// Listens, and never says a word.
    Hangs,
}

pub(crate) struct Collector {
    address: SocketAddr,
    taken: Arc<Taken>,
    listening: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Taken {
    connections: AtomicUsize,
    ended: AtomicBool,
    exports: Mutex<Vec<Export>>,
}

/// What came in one request.
#[derive(Clone, Debug)]
pub(crate) struct Export {
    /// The request's head, in lower case.
    pub(crate) head: String,
    pub(crate) request: ExportTraceServiceRequest,
}

impl Collector {
    pub(crate) fn open(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let taken: Arc<Taken> = Arc::default();
        let noted = Arc::clone(&taken);
        let listening = thread::spawn(move || {
            let mut hung = Vec::new();
            for peer in listener.incoming().map_while(Result::ok) {
                if noted.ended.load(Ordering::SeqCst) {
                    break;
                }
                noted.connections.fetch_add(1, Ordering::SeqCst);
                if manner == Manner::Hangs {
                    hung.push(peer);
                    continue;
                }
                let noted = Arc::clone(&noted);
                // Ends when the service closes its connection.
                thread::spawn(move || while take(&peer, &noted).is_some() {});
            }
        });
        Self {
            address,
            taken,
            listening: Some(listening),
        }
    }

    /// The endpoint for all signals.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.taken.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn exports(&self) -> Vec<Export> {
        self.taken.exports.lock().expect("exports").clone()
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        let exports = self.exports().into_iter();
        exports
            .flat_map(|export| export.request.resource_spans)
            .flat_map(|resource| resource.scope_spans)
            .flat_map(|scope| scope.spans)
            .collect()
    }

    /// What the first request says of whose spans they are.
    pub(crate) fn resource(&self) -> Vec<KeyValue> {
        let export = self.exports().remove(0);
        let resource = export.request.resource_spans[0].resource.clone();
        resource.expect("a resource").attributes
    }

    /// The spans of a trace.
    pub(crate) fn trace(&self, id: &str) -> Vec<Span> {
        let mut spans = self.spans();
        spans.retain(|span| hex(&span.trace_id) == id);
        spans
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.taken.ended.store(true, Ordering::SeqCst);
        // It waits for somebody to come.
        drop(TcpStream::connect(self.address));
        if let Some(listening) = self.listening.take() {
            drop(listening.join());
        }
    }
}

/// Takes one request, and answers it. Nothing where the connection ends.
fn take(peer: &TcpStream, taken: &Taken) -> Option<()> {
    let mut reader = BufReader::new(peer);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let read = reader.read_line(&mut head).ok()?;
        (0 < read).then_some(())?;
    }
    let head = head.to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))?;
    let mut body = vec![0; length.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let request = ExportTraceServiceRequest::decode(&body[..]).expect("protobuf");
    let mut exports = taken.exports.lock().expect("exports");
    exports.push(Export { head, request });
    drop(exports);
    let answer =
        b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n";
    (&mut &*peer).write_all(answer).ok()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits = |byte: &u8| {
        let digit = |value: u8| char::from_digit(value.into(), 16).expect("a digit");
        [digit(byte >> 4), digit(byte & 15)]
    };
    bytes.iter().flat_map(digits).collect()
}

/// Whether the span says that something went wrong.
pub(crate) fn is_error(span: &Span) -> bool {
    let status = span.status.as_ref().map(Status::code);
    status.is_some_and(|status| status == StatusCode::Error)
}

/// An attribute as text, whatever its type.
pub(crate) fn attribute(attributes: &[KeyValue], name: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == name)?;
    match &found.value {
        Some(AnyValue {
            value: Some(any_value::Value::StringValue(text)),
        }) => Some(text.clone()),
        Some(AnyValue {
            value: Some(any_value::Value::IntValue(number)),
        }) => Some(number.to_string()),
        other => panic!("{name}: {other:?}"),
    }
}
