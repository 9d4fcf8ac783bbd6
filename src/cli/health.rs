//! `passbook health`: asks a running service; for container health checks, where there is no other HTTP client.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

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
    let verdict = match timeout(ANSWER_MAX, ask(address)).await {
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

/// The status line of the answer.
async fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request =
        format!("GET /api/health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(4_096).read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}
