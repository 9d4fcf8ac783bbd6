//! Certificates made by the test, and clients that trust them.

use std::fs::{self, Permissions};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Bytes;
use h2::client::SendRequest;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
};
use tempfile::TempDir;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

use super::bank::Reply;

/// Longer than the service may take for anything that is asked here.
const PATIENCE: Duration = Duration::from_secs(30);

/// A certification authority, with a directory for the files of a service.
pub(crate) struct Authority {
    directory: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, in PEM.
#[derive(Clone)]
pub(crate) struct Issued {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// Whom a client trusts, and how it speaks.
pub(crate) struct Client<'a> {
    pub(crate) trusts: &'a Authority,
    pub(crate) shows: Option<&'a Issued>,
    /// In its order of preference.
    pub(crate) protocols: &'a [&'a str],
    pub(crate) version: &'static SupportedProtocolVersion,
}

/// A connection by HTTP/2.
pub(crate) struct Http2 {
    pub(crate) sender: SendRequest<Bytes>,
    /// Ends with the connection.
    pub(crate) driver: JoinHandle<Result<(), h2::Error>>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = named(name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key"));
        let issuer = issuer.expect("a certificate");
        let directory = TempDir::new().expect("a directory");
        fs::write(directory.path().join("ca.pem"), issuer.pem()).expect("a file");
        Self { directory, issuer }
    }

    /// A certificate for this machine, and for a client of this name.
    pub(crate) fn issue(&self, name: &str) -> Issued {
        let hosts = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(hosts).expect("hosts");
        params.distinguished_name = named(name);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Issued {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }

    /// The same, as the files of a service.
    pub(crate) fn install(&self, issued: &Issued) {
        self.put("cert.pem", &issued.certificate);
        self.put("key.pem", &issued.key);
    }

    /// Replaces a file as a careful program does: nobody sees half of it.
    pub(crate) fn put(&self, file: &str, text: &str) {
        let new = self.path("new");
        fs::write(&new, text).expect("a file");
        fs::set_permissions(&new, Permissions::from_mode(0o600)).expect("a mode");
        fs::rename(&new, self.path(file)).expect("a file");
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.directory.path().join(file)
    }

    /// The flags of a service with the files that were installed.
    pub(crate) fn flags(&self) -> [String; 2] {
        let flag = |flag: &str, file| format!("--{flag}={}", self.path(file).display());
        [flag("tls-cert", "cert.pem"), flag("tls-key", "key.pem")]
    }

    /// The flag by which its clients need certificates of this authority.
    pub(crate) fn client_flag(&self) -> String {
        format!("--tls-client-ca={}", self.path("ca.pem").display())
    }

    pub(crate) fn client(&self) -> Client<'_> {
        Client {
            trusts: self,
            shows: None,
            protocols: &[],
            version: &TLS13,
        }
    }
}

impl<'a> Client<'a> {
    pub(crate) fn showing(mut self, issued: &'a Issued) -> Self {
        self.shows = Some(issued);
        self
    }

    pub(crate) fn speaking(mut self, protocols: &'a [&'a str]) -> Self {
        self.protocols = protocols;
        self
    }

    pub(crate) fn by_tls_1_2(mut self) -> Self {
        self.version = &TLS12;
        self
    }

    fn config(&self) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        let root = self.trusts.issuer.der().clone();
        roots.add(root).expect("a root");
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[self.version])
            .expect("a version")
            .with_root_certificates(roots);
        let mut config = match self.shows {
            None => builder.with_no_client_auth(),
            Some(issued) => {
                let certificate = certificate(issued);
                let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).expect("a key");
                let config = builder.with_client_auth_cert(vec![certificate], key);
                config.expect("a pair")
            }
        };
        let protocols = self.protocols.iter();
        config.alpn_protocols = protocols.map(|name| name.as_bytes().to_vec()).collect();
        config
    }

    pub(crate) async fn connect(&self, listen: SocketAddr) -> io::Result<TlsStream<TcpStream>> {
        self.connect_over(TcpStream::connect(listen).await?).await
    }

    /// The same of a client for whom little can wait, so that it is soon full.
    pub(crate) async fn connect_narrow(
        &self,
        listen: SocketAddr,
    ) -> io::Result<TlsStream<TcpStream>> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(4_096)?;
        self.connect_over(socket.connect(listen).await?).await
    }

    async fn connect_over(&self, socket: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let connector = TlsConnector::from(Arc::new(self.config()));
        let host = "localhost".try_into().expect("a name");
        timeout(PATIENCE, connector.connect(host, socket)).await?
    }

    /// A connection by HTTP/2 with its settings.
    pub(crate) async fn connect_http2(
        self,
        listen: SocketAddr,
        settings: &h2::client::Builder,
    ) -> Http2 {
        let stream = self.speaking(&["h2"]).connect(listen).await;
        let stream = stream.expect("a connection");
        let (sender, connection) = settings.handshake(stream).await.expect("HTTP/2");
        let driver = tokio::spawn(connection);
        Http2 { sender, driver }
    }
}

impl Http2 {
    /// Asks, and hears the whole answer.
    pub(crate) async fn ask(
        &mut self,
        method: &str,
        path: &str,
        body: &str,
    ) -> Result<Reply, h2::Error> {
        let request = request(method, path);
        let (response, mut stream) = self.sender.send_request(request, body.is_empty())?;
        if !body.is_empty() {
            stream.send_data(body.to_owned().into(), true)?;
        }
        let heard = timeout(PATIENCE, heard(response)).await;
        heard.expect("the service answers")
    }
}

/// A request for this machine, of JSON.
pub(crate) fn request(method: &str, path: &str) -> http::Request<()> {
    let request = http::Request::builder()
        .method(method)
        .uri(format!("https://localhost{path}"))
        .header("content-type", "application/json");
    request.body(()).expect("a request")
}

/// An answer with its body.
pub(crate) async fn heard(response: h2::client::ResponseFuture) -> Result<Reply, h2::Error> {
    let (head, mut body) = response.await?.into_parts();
    let mut bytes = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece?;
        body.flow_control().release_capacity(piece.len())?;
        bytes.extend_from_slice(&piece);
    }
    let headers = head.headers.iter();
    let text = |value: &http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    Ok(Reply {
        status: head.status.as_u16(),
        headers: headers
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect(),
        text: String::from_utf8_lossy(&bytes).into_owned(),
    })
}

/// The first certificate that a service shows.
pub(crate) fn shown(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    let (_, session) = stream.get_ref();
    let shown = session.peer_certificates().and_then(<[_]>::first);
    shown.expect("a certificate").clone().into_owned()
}

pub(crate) fn certificate(issued: &Issued) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(issued.certificate.as_bytes()).expect("a certificate")
}

fn named(name: &str) -> DistinguishedName {
    let mut named = DistinguishedName::new();
    named.push(DnType::CommonName, name);
    named
}
