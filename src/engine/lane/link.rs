//! The connection of a lane, which comes and goes, and exchanges over it, which end in bounded time.

use std::time::Duration;

use prometheus::IntGauge;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout};

use crate::storage::lane::{Commits, LaneConnection};
use crate::storage::{Connection, StorageError, connection};

/// Longer than the server lets a statement run, so that the server gives up first and says so.
const STATEMENT_WAIT: Duration = Duration::from_millis(3_300);

/// A connection, or none at the moment.
pub(super) struct Link {
    open: Option<LaneConnection>,
    /// When the server was last known to keep what it acknowledges.
    pub durable_at: Instant,
    /// How many lanes have a connection.
    connected: IntGauge,
}

impl Link {
    pub(super) fn new(connected: IntGauge) -> Self {
        Self {
            open: None,
            durable_at: Instant::now(),
            connected,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub(super) fn open(&mut self, connection: LaneConnection) {
        self.lose();
        self.connected.inc();
        self.durable_at = Instant::now();
        self.open = Some(connection);
    }

    pub(super) fn connection(&mut self) -> Result<&mut Connection, StorageError> {
        let open = self.open.as_mut().ok_or_else(not_connected)?;
        Ok(&mut open.connection)
    }

    /// How the server is told to commit.
    pub(super) fn commits(&self) -> Result<Commits, StorageError> {
        let open = self.open.as_ref().ok_or_else(not_connected)?;
        Ok(open.commits)
    }

    /// Gives the connection up. Whether there was one.
    pub(super) fn lose(&mut self) -> bool {
        self.take().is_some()
    }

    /// Ends the connection politely.
    pub(super) async fn close(&mut self) {
        if let Some(open) = self.take() {
            connection::close(open.connection).await;
        }
    }

    fn take(&mut self) -> Option<LaneConnection> {
        let open = self.open.take()?;
        self.connected.dec();
        Some(open)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.lose();
    }
}

/// An exchange with the database that ends in bounded time also if the network swallows the answer.
pub(super) async fn bounded<T, E: From<Elapsed>>(
    exchange: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    timeout(STATEMENT_WAIT, exchange).await?
}

fn not_connected() -> StorageError {
    StorageError::Lost("not connected".to_owned())
}
