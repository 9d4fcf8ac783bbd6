//! Connections for reads: each is checked before it is used, and a read that fails for its connection's sake is tried once more.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::time::timeout;

use super::connection::is_in_recovery;
use super::{Connection, Database, StorageError};

/// How long a read waits for a connection of the pool.
const ACQUIRE_MAX: Duration = Duration::from_secs(2);
/// How long a connection may take to show that it is alive.
const CHECK_MAX: Duration = Duration::from_secs(1);
/// Longer than the server lets a statement run, so that the server gives up first and says so.
const STATEMENT_WAIT: Duration = Duration::from_millis(3_300);

/// Connections for reads.
#[derive(Clone)]
pub struct Pool {
    connections: PgPool,
    distrusted: Distrusted,
}

/// Connections that were made before then are not used any more. What was wrong with one of them, a plan of before a migration, a
/// server that is gone, is likely to be wrong with all.
#[derive(Clone)]
struct Distrusted(Arc<Mutex<Instant>>);

impl Pool {
    /// Connects on first use.
    #[must_use]
    pub fn new(database: &Database, size_max: u32) -> Self {
        let distrusted = Distrusted(Arc::new(Mutex::new(Instant::now())));
        let trust = distrusted.clone();
        let connections = PgPoolOptions::new()
            .max_connections(size_max)
            .acquire_timeout(ACQUIRE_MAX)
            // The check of a read asks the server anyway.
            .test_before_acquire(false)
            .before_acquire(move |_, about| {
                let made = Instant::now().checked_sub(about.age);
                let is_trusted = made.is_some_and(|made| *trust.lock() <= made);
                Box::pin(async move { Ok(is_trusted) })
            })
            .connect_lazy_with(database.read_options());
        Self {
            connections,
            distrusted,
        }
    }

    /// What is read over one connection, whole. Where that fails for the connection's sake, the whole is read once more, over a
    /// connection that is made anew.
    pub async fn read<T>(
        &self,
        exchange: impl AsyncFn(&mut Connection) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        match self.attempt(&exchange).await {
            Err(error) if error.is_of_connection() => {
                tracing::debug!(%error, "a read is tried once more");
                self.attempt(&exchange).await
            }
            answer => answer,
        }
    }

    async fn attempt<T>(
        &self,
        exchange: &impl AsyncFn(&mut Connection) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let mut connection = self.connections.acquire().await?;
        let answer = match check(&mut connection).await {
            Ok(()) => within(STATEMENT_WAIT, exchange(&mut connection)).await,
            Err(error) => Err(error),
        };
        if let Err(error) = &answer
            && error.is_of_connection()
        {
            *self.distrusted.lock() = Instant::now();
            // Without a word to the server: it may be gone.
            drop(connection.detach());
        }
        answer
    }

    /// How many connections there are.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.connections.size()
    }

    /// How many of them have nothing to do.
    #[must_use]
    pub fn idle(&self) -> usize {
        self.connections.num_idle()
    }

    /// How many there may be.
    #[must_use]
    pub fn size_max(&self) -> u32 {
        self.connections.options().get_max_connections()
    }

    /// Waits for the last reads, and disconnects.
    pub async fn close(&self) {
        self.connections.close().await;
    }
}

impl Distrusted {
    fn lock(&self) -> MutexGuard<'_, Instant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a connection is alive, and leads to the server that takes the writes: a standby shows what was.
async fn check(connection: &mut Connection) -> Result<(), StorageError> {
    if within(CHECK_MAX, is_in_recovery(connection)).await? {
        return Err(StorageError::Unfit(
            "the server is a standby, which may lag behind".to_owned(),
        ));
    }
    Ok(())
}

/// An exchange with the database that ends in bounded time also where the network swallows the answer.
async fn within<T>(
    time: Duration,
    exchange: impl Future<Output = Result<T, StorageError>>,
) -> Result<T, StorageError> {
    timeout(time, exchange).await.unwrap_or_else(|_| {
        let silence = io::Error::new(io::ErrorKind::TimedOut, "no answer in time");
        Err(sqlx::Error::Io(silence).into())
    })
}
