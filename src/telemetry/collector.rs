//! The HTTP client that takes spans to a collector, and says at most once a minute that it cannot.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use rustls::crypto::ring;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// How long one request to the collector may take, from its name to the end of the answer.
const EXPORT_MAX: Duration = Duration::from_secs(10);
/// How much of an answer is read, in bytes. Nobody looks at it.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;
/// How long nothing more is said of failures after one was.
const SILENCE: Duration = Duration::from_mins(1);

/// Blocking, as the thread that exports has nothing else to do.
#[derive(Debug)]
pub(super) struct Collector {
    agent: Agent,
    /// When a failure was last spoken of.
    complained: Mutex<Option<Instant>>,
}

impl Collector {
    /// `tls`: with the certificates that the system trusts, which takes a moment to read.
    pub(super) fn new(tls: Option<TlsConfig>) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(EXPORT_MAX));
        let config = match tls {
            Some(tls) => config.tls_config(tls),
            None => config,
        };
        Self {
            agent: config.build().new_agent(),
            complained: Mutex::default(),
        }
    }

    fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ureq::Error> {
        let (head, body) = request.into_parts();
        let response = self.agent.run(Request::from_parts(head, &body[..]))?;
        let (head, mut body) = response.into_parts();
        let body = body.with_config().limit(ANSWER_BYTES_MAX).read_to_vec()?;
        Ok(Response::from_parts(head, body.into()))
    }

    fn complain(&self, why: &dyn std::fmt::Display) {
        let complained = self.complained.lock();
        let mut complained = complained.unwrap_or_else(PoisonError::into_inner);
        if complained.is_none_or(|at| SILENCE <= at.elapsed()) {
            *complained = Some(Instant::now());
            tracing::warn!(%why, "traces do not reach the collector; those that it does not take in time are dropped");
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        match self.exchange(request) {
            Ok(response) => {
                if !response.status().is_success() {
                    self.complain(&response.status());
                }
                Ok(response)
            }
            Err(error) => {
                self.complain(&error);
                Err(error.into())
            }
        }
    }
}

/// TLS with the certificates that the system trusts.
pub(super) fn tls() -> TlsConfig {
    // What of the store cannot be read is not trusted; a collector that needs it is one that cannot be reached.
    let trusted = rustls_native_certs::load_native_certs().certs;
    let trusted: Vec<_> = trusted
        .iter()
        .map(|certificate| Certificate::from_der(certificate).to_owned())
        .collect();
    TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .root_certs(RootCerts::new_with_certs(&trusted))
        .build()
}
