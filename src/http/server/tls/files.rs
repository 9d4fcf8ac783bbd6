//! The files of TLS: read, held against each other, and made into what a handshake needs.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use thiserror::Error;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig};

use crate::http::settings::TlsFiles;

const CERTIFICATE: &str = "PASSBOOK_TLS_CERT";
const KEY: &str = "PASSBOOK_TLS_KEY";
const CLIENT_CA: &str = "PASSBOOK_TLS_CLIENT_CA";

/// The most that a file may have, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// What everybody may do with a file, in its mode: read it.
const READ_BY_ALL: u32 = 0o004;
/// The protocols that are offered (RFC 7301), the best first.
pub(super) const HTTP_2: &[u8] = b"h2";
const HTTP_1_1: &[u8] = b"http/1.1";

/// A file is of no use.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("cannot use {} ({setting}): {reason}", path.display())]
pub struct TlsError {
    setting: &'static str,
    path: PathBuf,
    reason: String,
}

/// What stood in the files at one look.
pub(super) struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

/// What stands for contents: the same for the same, and nothing can be learnt from it.
pub(super) type Mark = [u8; 32];

/// # Errors
/// If a file cannot be read.
pub(super) fn read(files: &TlsFiles) -> Result<Contents, TlsError> {
    Ok(Contents {
        certificate: read_file(&files.certificate, CERTIFICATE)?,
        key: read_file(&files.key, KEY)?,
        client_ca: match &files.client_ca {
            Some(path) => Some(read_file(path, CLIENT_CA)?),
            None => None,
        },
    })
}

/// Says so if the key is no secret on this machine.
pub(super) fn warn_of_open_key(files: &TlsFiles) {
    let mode = fs::metadata(&files.key).map(|file| file.permissions().mode());
    if mode.is_ok_and(|mode| mode & READ_BY_ALL != 0) {
        tracing::warn!(
            "everybody on this machine may read {} ({KEY}): chmod o-r takes that away",
            files.key.display()
        );
    }
}

impl Contents {
    pub(super) fn mark(&self) -> Mark {
        let mut digest = Sha256::new();
        let ca = self.client_ca.as_deref().unwrap_or_default();
        for part in [&self.certificate, &self.key, ca] {
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
        digest.finalize().into()
    }

    /// # Errors
    /// If there is no certificate, no key or no CA, or the key is of another certificate.
    pub(super) fn configure(&self, files: &TlsFiles) -> Result<ServerConfig, TlsError> {
        let refuse = |setting, path: &Path, reason: String| TlsError {
            setting,
            path: path.to_owned(),
            reason,
        };
        let of_certificate = |reason| refuse(CERTIFICATE, &files.certificate, reason);
        let of_key = |reason| refuse(KEY, &files.key, reason);
        let chain = certificates(&self.certificate).map_err(of_certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|_| of_key("it has no private key in PEM without a passphrase".to_owned()))?;
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .expect("the provider knows both versions");
        let builder = match (&self.client_ca, &files.client_ca) {
            (Some(ca), Some(path)) => {
                let of_ca = |reason| refuse(CLIENT_CA, path, reason);
                let roots = Arc::new(roots(ca).map_err(of_ca)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
                let verifier = verifier.map_err(|error| of_ca(error.to_string()))?;
                builder.with_client_cert_verifier(verifier)
            }
            (None, _) | (_, None) => builder.with_no_client_auth(),
        };
        let config = builder.with_single_cert(chain, key);
        let mut config = config.map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => of_key(format!(
                "it is not the key of the certificate in {}",
                files.certificate.display()
            )),
            rustls::Error::InvalidCertificate(_) => of_certificate(error.to_string()),
            _ => of_key(error.to_string()),
        })?;
        config.alpn_protocols = [HTTP_2, HTTP_1_1].map(<[u8]>::to_vec).to_vec();
        if self.client_ca.is_some() {
            // A connection that goes on with the session of another would not show its certificate.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        Ok(config)
    }
}

fn read_file(path: &Path, setting: &'static str) -> Result<Vec<u8>, TlsError> {
    let refuse = |reason| TlsError {
        setting,
        path: path.to_owned(),
        reason,
    };
    let file = File::open(path).map_err(|error| refuse(error.to_string()))?;
    let mut bytes = Vec::new();
    let mut limited = file.take(FILE_BYTES_MAX + 1);
    match limited.read_to_end(&mut bytes) {
        Err(error) => Err(refuse(error.to_string())),
        Ok(_) if FILE_BYTES_MAX < bytes.len() as u64 => {
            Err(refuse("it has more than 1 MiB".to_owned()))
        }
        Ok(_) => Ok(bytes),
    }
}

/// The certificates of a text in PEM (RFC 7468), of which there has to be one.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(read) if !read.is_empty() => Ok(read),
        Ok(_) => Err("it has no certificate in PEM".to_owned()),
        Err(error) => Err(format!("its PEM is broken: {error}")),
    }
}

fn roots(pem: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem)? {
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    Ok(roots)
}
