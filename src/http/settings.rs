//! How HTTP is set up.

use std::net::SocketAddr;

use opentelemetry_sdk::trace::SdkTracer;

pub use super::request::authority::{Host, Origin};

/// How the server is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Port 0 takes any free port.
    pub listen: SocketAddr,
    /// Threads that speak HTTP.
    pub workers: usize,
    /// Names that the service answers to, beside those of this machine. Any, where there are none and others reach it.
    pub hosts: Vec<Host>,
    /// Whose pages may ask, and read the answers.
    pub cors_origins: Vec<Origin>,
    pub resets: Resets,
    /// Whether each request gets a line in the log.
    pub logs_requests: bool,
    /// What makes a span of each request, where traces are asked for.
    pub tracer: Option<SdkTracer>,
}

/// Whether clients may reset the book of the `events` dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resets {
    Allowed,
    Refused,
}
