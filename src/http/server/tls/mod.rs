//! TLS: the handshake of each connection, with the certificate of the moment.

mod files;
mod name;
mod renewal;

use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

pub use self::files::TlsError;

use self::files::{HTTP_2, Mark};
use super::socket::Socket;
use crate::http::request::certificate::PeerCertificate;
use crate::http::settings::TlsFiles;

/// How long a handshake may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(5);

/// What the files say, or said when they were last of use.
pub struct Tls {
    files: TlsFiles,
    /// What the files were at the start.
    loaded: Mark,
    config: RwLock<Arc<ServerConfig>>,
}

/// A peer that speaks TLS.
pub(super) struct Handshaken {
    pub(super) stream: TlsStream<Socket>,
    /// Whom it showed itself to be, if it was asked.
    pub(super) peer: Option<PeerCertificate>,
    pub(super) protocol: Protocol,
}

/// What was agreed on (RFC 7301). Who names no protocol speaks the older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

impl Tls {
    /// # Errors
    /// If a file is of no use.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        files::warn_of_open_key(&files);
        let contents = files::read(&files)?;
        let config = contents.configure(&files)?;
        Ok(Self {
            files,
            loaded: contents.mark(),
            config: RwLock::new(Arc::new(config)),
        })
    }

    /// # Errors
    /// If the peer speaks no TLS that is spoken here, takes too long, or lacks a certificate that it needs.
    pub(super) async fn accept(&self, socket: Socket) -> io::Result<Handshaken> {
        let acceptor = TlsAcceptor::from(self.config());
        let stream = timeout(HANDSHAKE_MAX, acceptor.accept(socket)).await??;
        let (_, session) = stream.get_ref();
        let protocol = match session.alpn_protocol() {
            Some(HTTP_2) => Protocol::Http2,
            Some(_) | None => Protocol::Http1,
        };
        let shown = session.peer_certificates().and_then(<[_]>::first);
        let peer = shown.map(|shown| {
            let peer = name::of(shown).and_then(|name| PeerCertificate::named(&name));
            peer.ok_or_else(|| io::Error::other("the certificate has no name"))
        });
        Ok(Handshaken {
            peer: peer.transpose()?,
            protocol,
            stream,
        })
    }

    fn config(&self) -> Arc<ServerConfig> {
        let config = self.config.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&config)
    }

    fn replace(&self, config: ServerConfig) {
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }
}
