//! How HTTP is set up.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::ValueEnum;
use opentelemetry_sdk::trace::SdkTracer;

use super::access::Needs;
use crate::ledger::access::Scope;

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
    pub access: Access,
    /// Whether each request gets a line in the log.
    pub logs_requests: bool,
    /// What makes a span of each request, where traces are asked for.
    pub tracer: Option<SdkTracer>,
}

/// The files of TLS, in PEM.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The certificate of the service, and those behind it up to its root.
    pub certificate: PathBuf,
    /// Its key, without a passphrase.
    pub key: PathBuf,
    /// Who vouches for clients. If there is none, clients need no certificates.
    pub client_ca: Option<PathBuf>,
}

/// Whether clients may reset the book of the `events` dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resets {
    Allowed,
    Refused,
}

/// Who may come in.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    pub mode: Mode,
    /// Whether people make themselves users, and put money into their own accounts.
    pub self_service: bool,
    /// Whether the metrics are everybody's.
    pub open_metrics: bool,
    /// Whether the documentation is everybody's.
    pub open_docs: bool,
}

/// Whether whoever asks has to say who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Nobody has to say who they are, and everybody may do everything
    Open,
    /// A key or a session is required
    Required,
}

impl Access {
    /// What is needed, once the settings have their say.
    pub(super) fn settled(self, needs: Needs) -> Needs {
        let (is_everybodys, otherwise) = match needs {
            Needs::SignUp => (self.self_service, Needs::Key(Scope::Write)),
            Needs::Deposit if self.self_service => return Needs::Session,
            Needs::Deposit => (false, Needs::Key(Scope::Write)),
            Needs::Metrics => (self.open_metrics, Needs::Key(Scope::Read)),
            Needs::Docs => (self.open_docs, Needs::Key(Scope::Read)),
            _ => return needs,
        };
        if is_everybodys {
            Needs::Nothing
        } else {
            otherwise
        }
    }
}
