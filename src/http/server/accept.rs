//! What becomes of an accepted connection: HTTP/1.1, or a handshake and what was agreed on in it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use actix_http::error::DispatchError;
use actix_http::{HttpService, Request, Response};
use actix_service::{Service, ServiceFactory, ServiceFactoryExt as _, fn_factory, fn_service};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::rt::net::TcpStream;

use super::connection::{Connection, HEAD_ARRIVAL_MAX};
use super::drain::Drain;
use super::http2::{self, Peer};
use super::socket::Socket;
use super::tls::{Handshaken, Protocol, Tls};
use super::transport::Transport;
use super::{KEEP_ALIVE, LINGER_MAX};

/// Speaks HTTP/1.1 at once.
pub(super) fn plain<F, B>(app: F, listen: SocketAddr) -> impl ServiceFactory<TcpStream, Config = ()>
where
    F: ServiceFactory<Request, Config = (), InitError = ()> + 'static,
    F::Error: Into<Response<BoxBody>>,
    F::Response: Into<Response<B>>,
    B: MessageBody + 'static,
{
    fn_service(async |stream: TcpStream| {
        let peer = stream.peer_addr().ok();
        let transport = Transport::Plain(Socket::new(stream));
        Ok((Connection::new(transport, None), peer))
    })
    .and_then(http1(app, listen))
}

/// Speaks TLS, and in it the protocol that the peer chooses. Each of the two has an app of its own.
pub(super) fn tls<F, B>(
    apps: [F; 2],
    listen: SocketAddr,
    tls: Arc<Tls>,
    drain: Arc<Drain>,
) -> impl ServiceFactory<TcpStream, Config = ()>
where
    F: ServiceFactory<Request, Config = (), InitError = ()> + 'static,
    F::Error: Into<Response<BoxBody>>,
    F::Response: Into<Response<B>>,
    B: MessageBody + 'static,
{
    let [app, of_http2] = apps;
    let of_http1 = http1(app, listen);
    fn_factory(move || {
        let (of_http1, of_http2) = (of_http1.new_service(()), of_http2.new_service(()));
        let (tls, drain) = (Arc::clone(&tls), Arc::clone(&drain));
        async move {
            let of_http1 = Rc::new(of_http1.await?);
            let of_http2 = Rc::new(of_http2.await?);
            Ok::<_, ()>(fn_service(move |stream: TcpStream| {
                let (of_http1, of_http2) = (Rc::clone(&of_http1), Rc::clone(&of_http2));
                let (tls, drain) = (Arc::clone(&tls), Arc::clone(&drain));
                async move {
                    let address = stream.peer_addr().ok();
                    match tls.accept(Socket::new(stream)).await {
                        Ok(peer) => serve(peer, address, &*of_http1, of_http2, &drain).await,
                        // Any stranger can have this said, so it is for whoever looks for it.
                        Err(error) => tracing::debug!(%error, "a TLS handshake failed"),
                    }
                    Ok::<(), Infallible>(())
                }
            }))
        }
    })
}

/// Serves a connection to its end. How it ends is its peer's affair.
async fn serve<S, B>(
    peer: Handshaken,
    address: Option<SocketAddr>,
    of_http1: &impl Service<(Connection, Option<SocketAddr>), Error = DispatchError>,
    of_http2: Rc<S>,
    drain: &Drain,
) where
    S: Service<Request> + 'static,
    S::Response: Into<Response<B>>,
    S::Error: Into<Response<BoxBody>>,
    B: MessageBody + 'static,
{
    let Handshaken {
        stream,
        peer: certificate,
        protocol,
    } = peer;
    match protocol {
        Protocol::Http1 => {
            let transport = Transport::Tls(Box::new(stream));
            let connection = Connection::new(transport, certificate);
            if let Err(error) = of_http1.call((connection, address)).await {
                tracing::debug!(%error, "a connection ended badly");
            }
        }
        Protocol::Http2 => {
            let peer = Peer {
                address,
                certificate,
            };
            if let Err(error) = http2::serve(stream, peer, of_http2, drain).await {
                tracing::debug!(%error, "a connection ended badly");
            }
        }
    }
}

/// What `HttpServer` does, but for the stream between actix and the socket.
fn http1<F, B>(
    app: F,
    listen: SocketAddr,
) -> impl ServiceFactory<
    (Connection, Option<SocketAddr>),
    Config = (),
    Error = DispatchError,
    InitError = (),
>
where
    F: ServiceFactory<Request, Config = (), InitError = ()> + 'static,
    F::Error: Into<Response<BoxBody>>,
    F::Response: Into<Response<B>>,
    B: MessageBody + 'static,
{
    HttpService::build()
        .client_request_timeout(HEAD_ARRIVAL_MAX)
        .client_disconnect_timeout(LINGER_MAX)
        .keep_alive(KEEP_ALIVE)
        .local_addr(listen)
        .on_connect_ext(Connection::introduce)
        .h1(app)
}
