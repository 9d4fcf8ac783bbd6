//! A socket whose peer may not keep an answer waiting for ever.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::limit::Limit;

/// How long a peer may take nothing of an answer that waits for it.
pub(super) const STALL_MAX: Duration = Duration::from_secs(5);

/// Fails if its peer takes nothing for too long. TLS and HTTP/2 buffer what they write, so only here is it known what the
/// peer took.
pub(super) struct Socket {
    stream: TcpStream,
    stall: Limit,
}

impl Socket {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            stall: Limit::of(STALL_MAX),
        }
    }

    /// Whether its peer takes nothing at the moment. More requests from it would only fill the memory.
    pub(super) fn is_stalled(&self) -> bool {
        self.stall.is_running()
    }

    /// Whether there is more to read; the task is woken when there is, if not now.
    pub(super) fn is_more(&self, context: &mut Context<'_>) -> bool {
        self.stream.poll_read_ready(context).is_ready()
    }

    /// What becomes of an attempt to write. The reader is woken when the peer takes something again.
    fn attempted(
        &mut self,
        polled: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if polled.is_ready() {
            if self.stall.is_running() {
                self.stall.stop();
                context.waker().wake_by_ref();
            }
            return polled;
        }
        if !self.stall.is_running() {
            self.stall.start();
        }
        if self.stall.is_over(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_stalled() {
            return Poll::Pending;
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.attempted(polled, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.attempted(polled, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
