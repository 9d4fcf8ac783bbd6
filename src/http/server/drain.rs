//! Knowing when the last request is answered, so that the service can stop without dropping one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::middleware::Next;
use actix_web::{Error, web};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::connection::Serving;

/// How often it is checked whether requests are still being answered.
const POLL: Duration = Duration::from_millis(5);

/// Requests in flight.
#[derive(Debug, Default)]
pub(super) struct Drain {
    in_flight: AtomicUsize,
    draining: AtomicBool,
    begins: Notify,
}

impl Drain {
    /// From now on every answer closes its connection. Waits until no request is in flight; `false` where time runs out.
    pub(super) async fn drain(&self, limit: Duration) -> bool {
        self.draining.store(true, Ordering::SeqCst);
        self.begins.notify_waiters();
        let until = Instant::now() + limit;
        while 0 < self.in_flight.load(Ordering::SeqCst) {
            if until <= Instant::now() {
                return false;
            }
            sleep(POLL).await;
        }
        true
    }

    /// Waits until the service stops.
    pub(super) async fn begun(&self) {
        let begins = self.begins.notified();
        if !self.draining.load(Ordering::SeqCst) {
            begins.await;
        }
    }
}

/// A request in flight, until it is dropped.
struct InFlight<'d>(&'d Drain);

impl<'d> InFlight<'d> {
    fn new(drain: &'d Drain) -> Self {
        drain.in_flight.fetch_add(1, Ordering::SeqCst);
        Self(drain)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Counts each request, and tells its connection of it.
pub(super) async fn count(
    drain: web::Data<Drain>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let drain: Arc<Drain> = drain.into_inner();
    let in_flight = InFlight::new(&drain);
    let serving = Serving::begin(&mut request);
    let mut response = next.call(request).await?;
    if drain.draining.load(Ordering::SeqCst) {
        // Not as a header: the encoder writes its own idea of the connection over that.
        let head = response.response_mut().head_mut();
        head.set_connection_type(ConnectionType::Close);
    } else {
        serving.discard().await;
    }
    drop((serving, in_flight));
    Ok(response)
}
