//! A connection by HTTP/2 (RFC 9113): its requests side by side, until it is idle or the service stops.

mod exchange;

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Poll, ready};

use actix_http::{Request, Response};
use actix_service::Service;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::web::Bytes;
use h2::Reason;
use h2::server::Builder;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

use super::KEEP_ALIVE;
use super::connection::HEAD_ARRIVAL_MAX;
use super::drain::Drain;
use super::limit::Limit;
use super::socket::Socket;
use crate::http::request::certificate::PeerCertificate;

/// Requests that are answered at once, whether or not their client still waits for them.
const STREAMS_MAX: u32 = 100;
/// The head of a request, in bytes as RFC 9113 counts them (section 6.5.2).
const HEAD_BYTES_MAX: u32 = 16 * 1024;
/// What is taken in of one body before its handler asks for it, in bytes: a whole body.
const WINDOW: u32 = 64 * 1024;
/// The same of all bodies of a connection.
const WINDOWS: u32 = 4 * WINDOW;
/// What is kept of an answer that the socket does not take yet, in bytes.
const SEND_BUFFER_MAX: usize = 64 * 1024;
/// Requests that were taken back before anybody looked at them. A client with more of them is cut off (CVE-2023-44487).
const TAKEN_BACK_MAX: usize = 20;

/// Where requests come from.
#[derive(Clone)]
pub(super) struct Peer {
    pub(super) address: Option<SocketAddr>,
    pub(super) certificate: Option<PeerCertificate>,
}

/// Serves a connection to its end. Requests that are not answered by then are given up, as those of HTTP/1.1 are.
///
/// actix has a server of its own for this. It sets none of these limits but the windows, and tells nobody that it stops.
pub(super) async fn serve<S, B>(
    stream: TlsStream<Socket>,
    peer: Peer,
    service: Rc<S>,
    drain: &Drain,
) -> Result<(), h2::Error>
where
    S: Service<Request> + 'static,
    S::Response: Into<Response<B>>,
    S::Error: Into<Response<BoxBody>>,
    B: MessageBody + 'static,
{
    let handshake = limits().handshake::<_, Bytes>(stream);
    let Ok(connection) = timeout(HEAD_ARRIVAL_MAX, handshake).await else {
        return Ok(());
    };
    let mut connection = connection?;
    let mut stops = pin!(drain.begun());
    let mut idle = Limit::of(KEEP_ALIVE);
    let mut is_leaving = false;
    let mut answers = JoinSet::new();
    poll_fn(|context| {
        if !is_leaving && stops.as_mut().poll(context).is_ready() {
            connection.graceful_shutdown();
            is_leaving = true;
        }
        loop {
            while let Poll::Ready(Some(_)) = answers.poll_join_next(context) {}
            if STREAMS_MAX as usize <= answers.len() {
                return connection.poll_closed(context);
            }
            if !answers.is_empty() {
                idle.stop();
            } else if !idle.is_running() {
                idle.start();
            }
            if !is_leaving && idle.is_over(context) {
                connection.abrupt_shutdown(Reason::NO_ERROR);
                is_leaving = true;
            }
            match ready!(connection.poll_accept(context)) {
                Some(request) => {
                    let (request, respond) = request?;
                    let (service, peer) = (Rc::clone(&service), peer.clone());
                    answers.spawn_local(exchange::answer(service, peer, request, respond));
                }
                None => return Poll::Ready(Ok(())),
            }
        }
    })
    .await
}

fn limits() -> Builder {
    let mut limits = Builder::new();
    limits
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEAD_BYTES_MAX)
        .initial_window_size(WINDOW)
        .initial_connection_window_size(WINDOWS)
        .max_send_buffer_size(SEND_BUFFER_MAX)
        .max_pending_accept_reset_streams(TAKEN_BACK_MAX);
    limits
}
