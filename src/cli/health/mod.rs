//! `passbook health`: asks a running service; for container health checks, where there is no other HTTP client.

mod pinned;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;

use super::say;
use crate::app::AppError;
use crate::config::HealthArgs;

/// How long the service may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// Whether the service says that it is healthy.
pub(super) async fn run(args: &HealthArgs) -> Result<bool, AppError> {
    let mut address = args.listen.address()?;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let tls = match &args.tls_cert {
        None => None,
        Some(certificate) => Some(pinned::config(certificate, client(args)).map_err(unusable)?),
    };
    let verdict = match timeout(ANSWER_MAX, ask(address, tls)).await {
        Ok(Ok(status)) if status.contains(" 200 ") => Ok(()),
        Ok(Ok(status)) => Err(format!("answers {status}")),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("does not answer".to_owned()),
    };
    match &verdict {
        Ok(()) => say("healthy\n"),
        Err(reason) => say(&format!("not healthy: {address} {reason}\n")),
    }
    Ok(verdict.is_ok())
}

/// The certificate and the key to show to a service that asks.
fn client(args: &HealthArgs) -> Option<(&Path, &Path)> {
    args.client_cert.as_deref().zip(args.client_key.as_deref())
}

fn unusable((path, reason): (PathBuf, String)) -> AppError {
    AppError::File { path, reason }
}

/// The status line of the answer.
async fn ask(address: SocketAddr, tls: Option<ClientConfig>) -> io::Result<String> {
    let stream = TcpStream::connect(address).await?;
    let Some(config) = tls else {
        return ask_over(stream, address).await;
    };
    // Whatever its names are: it is known by its certificate.
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector.connect(address.ip().into(), stream).await?;
    ask_over(stream, address).await
}

async fn ask_over(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    address: SocketAddr,
) -> io::Result<String> {
    let request =
        format!("GET /api/health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(4_096).read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}
