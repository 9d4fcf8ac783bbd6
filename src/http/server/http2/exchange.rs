//! A request of HTTP/2 and its answer, between `h2` and actix.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use actix_http::{HttpMessage as _, Payload, Request, Response};
use actix_service::Service;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::error::PayloadError;
use actix_web::http::header::{
    CONNECTION, CONTENT_LENGTH, DATE, EXPECT, HeaderName, HeaderValue, HttpDate, TRANSFER_ENCODING,
    UPGRADE,
};
use actix_web::http::{Method, StatusCode, Version};
use actix_web::web::Bytes;
use futures_core::Stream;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use tokio::time::timeout;

use super::Peer;
use crate::http::server::socket::STALL_MAX;

/// What a body is asked for with, by who waits for a word before it comes (RFC 9110, section 10.1.1).
const CONTINUE: &[u8] = b"100-continue";

/// A body as it comes.
struct Incoming(RecvStream);

/// Has a request answered. If that fails, the client hears of it or is gone, and nobody else need know.
pub(super) async fn answer<S, B>(
    service: Rc<S>,
    peer: Peer,
    request: http::Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
) where
    S: Service<Request>,
    S::Response: Into<Response<B>>,
    S::Error: Into<Response<BoxBody>>,
    B: MessageBody,
{
    let Some(request) = translated(request, peer) else {
        return respond.send_reset(Reason::PROTOCOL_ERROR);
    };
    let is_head = *request.method() == Method::HEAD;
    let waits = request.headers().get(EXPECT);
    if waits.is_some_and(|waits| waits.as_bytes().eq_ignore_ascii_case(CONTINUE)) {
        let mut interim = http::Response::new(());
        *interim.status_mut() = http::StatusCode::CONTINUE;
        drop(respond.send_informational(interim));
    }
    let sent = match service.call(request).await {
        Ok(response) => send(response.into(), respond, is_head).await,
        Err(error) => send(error.into(), respond, is_head).await,
    };
    if let Err(error) = sent {
        tracing::debug!(%error, "an answer was not taken");
    }
}

/// The request as actix knows it. `None` if it cannot be, though `h2` let it pass.
fn translated(request: http::Request<RecvStream>, peer: Peer) -> Option<Request> {
    let (parts, body) = request.into_parts();
    let payload = if body.is_end_stream() {
        Payload::None
    } else {
        Payload::Stream {
            payload: Box::pin(Incoming(body)) as _,
        }
    };
    let mut request = Request::with_payload(payload);
    let head = request.head_mut();
    head.method = Method::from_bytes(parts.method.as_str().as_bytes()).ok()?;
    head.uri = parts.uri.to_string().parse().ok()?;
    head.version = Version::HTTP_2;
    head.peer_addr = peer.address;
    for (name, value) in &parts.headers {
        let name = HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
        let value = HeaderValue::from_bytes(value.as_bytes()).ok()?;
        head.headers.append(name, value);
    }
    if let Some(certificate) = peer.certificate {
        request.extensions_mut().insert(certificate);
    }
    Some(request)
}

async fn send(
    response: Response<impl MessageBody>,
    mut respond: SendResponse<Bytes>,
    is_head: bool,
) -> Result<(), h2::Error> {
    let (response, body) = response.into_parts();
    let mut size = body.size();
    if response.status() == StatusCode::NO_CONTENT {
        size = BodySize::None;
    }
    let is_over = size.is_eof() || is_head;
    let mut stream = respond.send_response(head(&response, size), is_over)?;
    if is_over {
        return Ok(());
    }
    let mut body = pin!(body);
    while let Some(piece) = poll_fn(|context| body.as_mut().poll_next(context)).await {
        let Ok(mut piece) = piece else {
            stream.send_reset(Reason::INTERNAL_ERROR);
            return Ok(());
        };
        while !piece.is_empty() {
            stream.reserve_capacity(piece.len());
            let room = timeout(STALL_MAX, poll_fn(|context| stream.poll_capacity(context))).await;
            let Ok(Some(room)) = room else {
                stream.send_reset(Reason::CANCEL);
                return Ok(());
            };
            let length = room?.min(piece.len());
            stream.send_data(piece.split_to(length), false)?;
        }
    }
    stream.send_data(Bytes::new(), true)
}

/// The head of an answer, without what is of HTTP/1.1 alone (RFC 9113, section 8.2.2).
fn head(response: &Response<()>, size: BodySize) -> http::Response<()> {
    let mut head = http::Response::new(());
    let status = response.status().as_u16();
    *head.status_mut() = http::StatusCode::from_u16(status).expect("a status is one");
    let headers = head.headers_mut();
    for (name, value) in response.headers() {
        if ![CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE].contains(name) {
            headers.append(name_of(name), value_of(value));
        }
    }
    if let BodySize::Sized(length) = size {
        headers.insert(http::header::CONTENT_LENGTH, length.into());
    }
    if !response.headers().contains_key(DATE) {
        let date = HttpDate::from(SystemTime::now()).to_string();
        let date = http::HeaderValue::from_str(&date).expect("a date is visible");
        headers.insert(http::header::DATE, date);
    }
    head
}

fn name_of(name: &HeaderName) -> http::HeaderName {
    http::HeaderName::from_bytes(name.as_str().as_bytes()).expect("a name is one in each version")
}

fn value_of(value: &HeaderValue) -> http::HeaderValue {
    http::HeaderValue::from_bytes(value.as_bytes()).expect("a value is one in each version")
}

impl Stream for Incoming {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(piece) = ready!(self.0.poll_data(context)) else {
            return Poll::Ready(None);
        };
        let taken = piece.and_then(|piece| {
            self.0.flow_control().release_capacity(piece.len())?;
            Ok(piece)
        });
        Poll::Ready(Some(taken.map_err(|error| io::Error::other(error).into())))
    }
}
