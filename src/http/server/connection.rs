//! A connection: how long its peer may hold it, and how far it may get ahead of the answers.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use actix_web::HttpMessage as _;
use actix_web::dev::{Extensions, Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use actix_web::web::Bytes;
use futures_core::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, timeout_at};

use super::head::Head;
use super::limit::Limit;
use super::transport::Transport;
use crate::http::request::body;
use crate::http::request::certificate::PeerCertificate;

/// How long the head of a request may take to arrive, from its first byte.
pub(super) const HEAD_ARRIVAL_MAX: Duration = Duration::from_secs(5);
/// What is read at once, in bytes.
const PIECE_MAX: usize = 2 * 1024;

/// What a connection is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The first request has not come. actix limits its head itself, and says so with a 408.
    New,
    /// Nothing has come since the last request was answered.
    Idle,
    /// Something has: the head of the next request, or what is left of a body that nobody wanted.
    Arriving,
    /// A request is being answered.
    Answering,
    /// The same, and its handler waits for more of the body, for which it has a limit of its own.
    Receiving,
}

/// An accepted connection.
///
/// actix limits the first head of a connection, and none after it; it waits for ever for a peer to take an answer; and
/// it reads requests ahead by the thousand, and says in each answer what holds of the last it has read. So the stream
/// between them ends where the next head is late, fails where nothing of an answer is taken, and gives no more than
/// belongs to one request.
pub(super) struct Connection {
    stream: Transport,
    /// Whom the peer showed itself to be.
    peer: Option<PeerCertificate>,
    exchange: Rc<Exchange>,
    arrival: Limit,
    head: Head,
    /// What was read and belongs to later: less than a piece.
    ahead: Vec<u8>,
    /// Something was given, and actix has not looked at it yet.
    given: bool,
}

/// What a connection and its requests tell each other.
struct Exchange {
    phase: Cell<Phase>,
    body: Cell<Length>,
    /// The body of the request that was answered, where its handler did not take it to its end.
    unread: Cell<Option<Payload>>,
    /// Who waits to read what is there already.
    held: Cell<Option<Waker>>,
}

/// What has not been given yet of the body of the request that is being answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Bytes(u64),
    /// In chunks, which say themselves where they end.
    Unknown,
}

/// A request that is being answered, until it is dropped.
pub(super) struct Serving {
    exchange: Option<Rc<Exchange>>,
    /// Whether its body is known to have no more than a body may.
    is_small: bool,
    /// Until when its body has to be there.
    arrival: Instant,
}

/// The body of a request, which says when more of it is wanted, and is left to the connection if nobody wants it.
struct Body {
    payload: Payload,
    exchange: Rc<Exchange>,
}

impl Connection {
    pub(super) fn new(stream: Transport, peer: Option<PeerCertificate>) -> Self {
        let exchange = Exchange {
            phase: Cell::new(Phase::New),
            body: Cell::new(Length::Bytes(0)),
            unread: Cell::default(),
            held: Cell::default(),
        };
        Self {
            stream,
            peer,
            exchange: Rc::new(exchange),
            arrival: Limit::of(HEAD_ARRIVAL_MAX),
            head: Head::new(),
            ahead: Vec::new(),
            given: false,
        }
    }

    /// Lets the requests of this connection say that they are being answered, and know whose they are.
    pub(super) fn introduce(&self, data: &mut Extensions) {
        data.insert(Rc::clone(&self.exchange));
        if let Some(peer) = &self.peer {
            data.insert(peer.clone());
        }
    }
}

impl Exchange {
    fn enter(&self, phase: Phase) {
        self.phase.set(phase);
        if self.wants_more()
            && let Some(held) = self.held.take()
        {
            held.wake();
        }
    }

    /// Whether what comes next is for now, and not for after the answer.
    fn wants_more(&self) -> bool {
        match self.phase.get() {
            Phase::New | Phase::Idle | Phase::Arriving => true,
            Phase::Answering => false,
            Phase::Receiving => self.body.get() != Length::Bytes(0),
        }
    }
}

impl Serving {
    /// Without effect where the request did not come over a [`Connection`].
    pub(super) fn begin(request: &mut ServiceRequest) -> Self {
        let exchange = request.conn_data::<Rc<Exchange>>().cloned();
        let length = Length::of(request);
        if let Some(exchange) = &exchange {
            exchange.enter(Phase::Answering);
            exchange.body.set(length);
            let payload = request.take_payload();
            if !matches!(payload, Payload::None) {
                let exchange = Rc::clone(exchange);
                let payload = Box::pin(Body { payload, exchange });
                request.set_payload(Payload::Stream { payload });
            }
        }
        Self {
            exchange,
            is_small: length.is_small(),
            arrival: Instant::now() + body::ARRIVAL_MAX,
        }
    }

    /// Takes in what its handler left of a small body and throws it away, as actix would close the connection. Chunks it
    /// takes in itself. If the body is large, late or broken, the connection closes.
    pub(super) async fn discard(&self) {
        let Some(exchange) = self.exchange.clone().filter(|_| self.is_small) else {
            return;
        };
        let Some(payload) = exchange.unread.take() else {
            return;
        };
        let mut body = Body { payload, exchange };
        let rest = poll_fn(|context| {
            while let Some(Ok(_)) = ready!(Pin::new(&mut body).poll_next(context)) {}
            Poll::Ready(())
        });
        drop(timeout_at(self.arrival, rest).await);
    }
}

impl Length {
    fn of(request: &ServiceRequest) -> Self {
        let headers = request.headers();
        if headers.contains_key(TRANSFER_ENCODING) {
            return Self::Unknown;
        }
        // actix has refused what is no length, and two of them.
        let length = headers.get(CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.trim().parse().ok());
        Self::Bytes(length.unwrap_or(0))
    }

    fn is_small(self) -> bool {
        match self {
            Self::Bytes(length) => {
                usize::try_from(length).is_ok_and(|length| length <= body::SIZE_MAX)
            }
            Self::Unknown => false,
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(exchange) = &self.exchange {
            drop(exchange.unread.take());
            exchange.enter(Phase::Idle);
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        let payload = mem::replace(&mut self.payload, Payload::None);
        let is_over = matches!(payload, Payload::None);
        self.exchange.unread.set((!is_over).then_some(payload));
    }
}

impl Stream for Body {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = Pin::new(&mut self.payload).poll_next(context);
        self.exchange.enter(match polled {
            Poll::Pending => Phase::Receiving,
            Poll::Ready(_) => Phase::Answering,
        });
        if let Poll::Ready(None | Some(Err(_))) = polled {
            self.payload = Payload::None;
        }
        polled
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // More requests from who takes no answers would only fill the memory. Writing wakes the reader again.
        if self.stream.is_stalled() {
            return Poll::Pending;
        }
        if !self.exchange.wants_more() {
            if self.is_more(context) {
                self.exchange.held.set(Some(context.waker().clone()));
            }
            return Poll::Pending;
        }
        if self.exchange.phase.get() == Phase::Arriving && self.arrival.is_over(context) {
            return Poll::Ready(Ok(()));
        }
        if self.given {
            self.given = false;
            if self.is_more(context) {
                context.waker().wake_by_ref();
            }
            return Poll::Pending;
        }
        let mut length = PIECE_MAX.min(buffer.remaining());
        if let (Phase::Receiving, Length::Bytes(left)) =
            (self.exchange.phase.get(), self.exchange.body.get())
        {
            length = length.min(usize::try_from(left).unwrap_or(usize::MAX));
        }
        let mut piece = ReadBuf::new(buffer.initialize_unfilled_to(length));
        ready!(self.poll_piece(context, &mut piece))?;
        let given = self.give(piece.filled_mut());
        buffer.advance(given);
        Poll::Ready(Ok(()))
    }
}

impl Connection {
    /// Whether there may be more to read; the task is woken when there is, if not now.
    fn is_more(&self, context: &mut Context<'_>) -> bool {
        !self.ahead.is_empty() || self.stream.is_more(context)
    }

    /// What comes next: what was read ahead stays where it is until it is given.
    fn poll_piece(
        &mut self,
        context: &mut Context<'_>,
        piece: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.ahead.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, piece);
        }
        let length = self.ahead.len().min(piece.remaining());
        piece.put_slice(&self.ahead[..length]);
        Poll::Ready(Ok(()))
    }

    /// How much of a piece is given now: not more than one request's. The rest is kept.
    fn give(&mut self, piece: &mut [u8]) -> usize {
        let exchange = Rc::clone(&self.exchange);
        let given = match (exchange.phase.get(), exchange.body.get()) {
            (Phase::Receiving, Length::Bytes(left)) => {
                let given = u64::try_from(piece.len()).unwrap_or(left);
                exchange.body.set(Length::Bytes(left.saturating_sub(given)));
                None
            }
            (Phase::Receiving, Length::Unknown) => self.head.skip(piece),
            (Phase::New | Phase::Idle | Phase::Arriving | Phase::Answering, _) => {
                self.head.read(piece)
            }
        };
        let given = given.unwrap_or(piece.len());
        if self.ahead.is_empty() {
            self.ahead.extend_from_slice(&piece[given..]);
        } else {
            self.ahead.drain(..given);
            if self.ahead.is_empty() {
                self.ahead = Vec::new();
            }
        }
        self.given = true;
        if 0 < given && exchange.phase.get() == Phase::Idle {
            exchange.enter(Phase::Arriving);
            self.arrival.start();
        }
        given
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
