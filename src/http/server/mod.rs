//! The HTTP server: binds, serves every dialect, and stops without dropping a request.

mod accept;
mod connection;
mod drain;
mod guard;
mod head;
mod http2;
mod limit;
mod socket;
mod tls;
mod transport;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_server::ServerHandle;
use actix_service::map_config;
use actix_web::dev::AppConfig;
use actix_web::middleware::from_fn;
use actix_web::{App, web};
use tokio::net::TcpSocket;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

pub use self::tls::{Tls, TlsError};

use self::drain::Drain;
use crate::http::observe::{self, Observer};
use crate::http::request::authority::Scheme;
use crate::http::request::origin::Policy;
use crate::http::routing;
use crate::http::settings::Settings;
use crate::service::Service;

/// How long a connection may be idle between requests.
const KEEP_ALIVE: Duration = Duration::from_mins(1);
/// How long the rest of a body that nobody wanted is taken in, so that its sender reads the answer first.
const LINGER_MAX: Duration = Duration::from_secs(1);
/// How long requests in flight have when the service stops: longer than any of them may take.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// For an answer to leave the socket once its request is done.
const FLUSH: Duration = Duration::from_millis(50);
/// Connections that wait to be accepted. The system may have a lower limit.
const BACKLOG: u32 = 4_096;

/// A server that runs.
pub struct Server {
    handle: ServerHandle,
    task: JoinHandle<io::Result<()>>,
    drain: Arc<Drain>,
    listen: SocketAddr,
    /// Looks whether the certificate was replaced.
    renewal: Option<JoinHandle<()>>,
}

impl Server {
    /// # Errors
    /// Where the address cannot be bound.
    pub fn start(
        service: Arc<Service>,
        settings: Settings,
        tls: Option<Arc<Tls>>,
    ) -> io::Result<Self> {
        let listener = bind(settings.listen)?;
        let listen = listener.local_addr()?;
        let scheme = tls.as_ref().map_or(Scheme::Http, |_| Scheme::Https);
        let policy = Policy::new(scheme, listen, settings.hosts, settings.cors_origins);
        let policy = web::Data::new(policy);
        let service = web::Data::from(service);
        let drain = Arc::new(Drain::default());
        let drain_data = web::Data::from(Arc::clone(&drain));
        let observer = web::Data::new(Observer::new(settings.tracer, settings.logs_requests));
        let document = web::Data::new(routing::document());
        let app = move || {
            let app = App::new()
                .app_data(document.clone())
                .app_data(service.clone())
                .app_data(drain_data.clone())
                .app_data(observer.clone())
                .app_data(policy.clone())
                .app_data(web::Data::new(settings.resets))
                .app_data(web::Data::new(settings.access))
                .wrap(from_fn(guard::guard))
                .wrap(from_fn(observe::observe))
                .wrap(from_fn(drain::count))
                .configure(routing::routes);
            map_config(app, |()| AppConfig::default())
        };
        let builder = actix_server::Server::build()
            .workers(settings.workers)
            .disable_signals();
        let builder = match &tls {
            None => builder.listen("http", listener, move || accept::plain(app(), listen)),
            Some(tls) => {
                let (tls, drain) = (Arc::clone(tls), Arc::clone(&drain));
                builder.listen("https", listener, move || {
                    accept::tls([app(), app()], listen, Arc::clone(&tls), Arc::clone(&drain))
                })
            }
        };
        let server = builder?.run();
        let handle = server.handle();
        let renewal = match tls {
            None => None,
            Some(tls) => {
                let hangups = signal(SignalKind::hangup())?;
                Some(tokio::spawn(async move { tls.renew(hangups).await }))
            }
        };
        Ok(Self {
            handle,
            task: tokio::spawn(server),
            drain,
            listen,
            renewal,
        })
    }

    /// The address that is listened on, with the port that was taken.
    #[must_use]
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Accepts no more connections, and waits until what is in flight is answered. Bounded in time also where a peer is slow.
    pub async fn drain(&self) {
        self.handle.pause().await;
        if !self.drain.drain(DRAIN_MAX).await {
            tracing::warn!("some requests were not answered in time; their connections are closed");
        }
    }

    /// Closes every connection. By now nothing is applied any more: what still comes in on an open connection is refused.
    pub async fn stop(self) {
        self.drain.drain(FLUSH).await;
        tokio::time::sleep(FLUSH).await;
        self.handle.stop(false).await;
        if let Some(renewal) = self.renewal {
            renewal.abort();
        }
        match self.task.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the HTTP server ended badly"),
            Err(error) => tracing::error!(%error, "the HTTP server panicked"),
        }
    }
}

/// Whether an address can be listened on.
///
/// # Errors
/// Where it cannot.
pub fn check_free(address: SocketAddr) -> io::Result<()> {
    bind(address).map(drop)
}

fn bind(listen: SocketAddr) -> io::Result<TcpListener> {
    let socket = match listen {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // Not to wait for the connections of a service that has just ended.
    socket.set_reuseaddr(true)?;
    socket.bind(listen)?;
    socket.listen(BACKLOG)?.into_std()
}
