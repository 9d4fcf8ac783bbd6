//! What the bank can do: the only door that the interfaces use.

pub mod access;
mod accounts;
pub mod audit;
mod balances;
mod currencies;
mod history;
pub mod native;
mod passwords;
mod sessions;
mod sweeper;
mod users;

use std::time::Duration;

use prometheus::IntGauge;
use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use tokio::time::timeout;
use uuid::Uuid;

use self::access::Access;
use self::balances::Balances;
use self::passwords::Passwords;
use crate::engine::{Counts, Engine};
use crate::ledger::{
    Action, Answer, Command, Condition, Currency, CurrencyCode, Fault, Key, TransactionId,
};
use crate::storage::{self, Connection, Database, Pool, StorageError, Unreadable};
use crate::telemetry::throttle::Throttle;

/// How long a read may take, the wait for a connection included.
const READ_MAX: Duration = Duration::from_secs(5);
/// How long the last reads have when the service ends.
const CLOSE_MAX: Duration = Duration::from_secs(1);

static SILENCES: Throttle = Throttle::new();
static FAILURES: Throttle = Throttle::new();
static UNREADABLE: Throttle = Throttle::new();

pub use self::history::{Chain, Page};
pub use self::passwords::Password;
pub use self::sessions::{SessionToken, SignUp, SignedUp};
pub use crate::engine::{HotAccount, Passage, Settings as EngineSettings, Trail};
pub use crate::storage::currencies::Registered;
pub use crate::storage::entries::JournalEntry;
pub use crate::storage::users::UserBalance;

/// The ledger with everything around it that an interface needs.
pub struct Service {
    engine: Engine,
    reads: Pool,
    balances: Balances,
    currency: Currency,
    currencies: quick_cache::sync::Cache<String, Registered>,
    codes: quick_cache::sync::Cache<CurrencyCode, Currency>,
    passwords: Passwords,
    callers: native::Callers,
    running: native::Running,
    access: Access,
    requires_keys: bool,
}

/// How the service is set up.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub engine: EngineSettings,
    /// Connections for reads.
    pub pool_size_max: u32,
    /// Balance reads in a statement; 1 makes each a statement of its own.
    pub read_batch_size_max: usize,
    /// What an account holds where nobody says.
    pub currency: CurrencyCode,
    /// Whether what changes something by the native interface has to have a key.
    pub requires_keys: bool,
}

impl Service {
    /// Connects to a database whose schema is up to date.
    ///
    /// # Errors
    /// If the database cannot be reached or is not fit for money, or does not know the default currency.
    pub async fn start(database: Database, settings: Settings) -> Result<Self, StorageError> {
        let reads = Pool::new(&database, settings.pool_size_max);
        let code = settings.currency;
        let currency = reads
            .read(async |connection| storage::currencies::find(connection, code).await)
            .await?
            .ok_or_else(|| {
                StorageError::Unfit(format!(
                    "the default currency {code} is not in the registry"
                ))
            })?;
        storage::pooler::check(&database).await?;
        let access = Access::start(&database).await?;
        let engine = Engine::start(database, settings.engine).await?;
        let (batch_size_max, pool_size_max) =
            (settings.read_batch_size_max, settings.pool_size_max);
        Ok(Self {
            engine,
            balances: Balances::new(reads.clone(), batch_size_max, pool_size_max),
            reads,
            currency,
            currencies: currencies::known(),
            codes: currencies::known_codes(),
            passwords: Passwords::new(),
            callers: native::callers(),
            running: native::Running::default(),
            access,
            requires_keys: settings.requires_keys,
        })
    }

    /// What an account holds where nobody says.
    #[must_use]
    pub fn default_currency(&self) -> Currency {
        self.currency
    }

    /// Whether commands can be answered now.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.engine.is_connected()
    }

    /// What the engine has counted since the start.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.engine.counts()
    }

    /// Every metric of the service as it stands.
    #[must_use]
    pub fn metrics(&self) -> Vec<MetricFamily> {
        let pool = gauges([
            (
                "passbook_pool_connections",
                "Connections that read.",
                i64::from(self.reads.size()),
            ),
            (
                "passbook_pool_connections_idle",
                "Connections that could read and have nothing to do.",
                count(self.reads.idle()),
            ),
            (
                "passbook_pool_connections_max",
                "Connections that may be made for reads.",
                i64::from(self.reads.size_max()),
            ),
        ]);
        [self.engine.metrics(), pool].concat()
    }

    /// The accounts that have changed most since the start, the busiest first.
    #[must_use]
    pub fn hot_accounts(&self, limit: usize) -> Vec<HotAccount> {
        self.engine.hot_accounts(limit)
    }

    fn submit(&self, action: Action, key: Option<Key>) -> impl Future<Output = Answer> {
        self.submit_if(Vec::new(), action, key)
    }

    fn submit_if(
        &self,
        conditions: Vec<Condition>,
        action: Action,
        key: Option<Key>,
    ) -> impl Future<Output = Answer> {
        self.engine.submit(Command {
            key,
            conditions,
            ..Command::new(new_transaction(), action)
        })
    }

    /// Answers what waits, then disconnects.
    pub async fn close(&self) {
        self.engine.close().await;
        // A read that the network swallowed must not hold up the end.
        drop(timeout(CLOSE_MAX, self.reads.close()).await);
        drop(timeout(CLOSE_MAX, self.access.close()).await);
    }
}

/// Metrics that are looked up when somebody asks.
fn gauges<const N: usize>(values: [(&str, &str, i64); N]) -> Vec<MetricFamily> {
    let gauges = values.map(|(name, help, value)| {
        let gauge = IntGauge::new(name, help).expect("the names of metrics are well-formed");
        gauge.set(value);
        gauge.collect()
    });
    gauges.into_iter().flatten().collect()
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The identity of a command, given to it once.
fn new_transaction() -> TransactionId {
    TransactionId(Uuid::now_v7())
}

/// A read, in bounded time also where the network swallows the answer.
fn read<T>(
    pool: &Pool,
    exchange: impl AsyncFn(&mut Connection) -> Result<T, StorageError>,
) -> impl Future<Output = Result<T, Fault>> {
    // Fifteen kilobytes, the connecting included. A handler that may read would be as large, whether it reads or not.
    let pool = pool.clone();
    let exchange = Box::pin(async move { pool.read(exchange).await });
    async {
        let Ok(answer) = timeout(READ_MAX, exchange).await else {
            SILENCES.say(|held_back| tracing::warn!(held_back, "a read got no answer in time"));
            return Err(Fault::Unavailable);
        };
        answer.map_err(|error| fault(&error))
    }
}

/// A read that failed has changed nothing; what was wrong is for the log, not for the caller.
fn fault(error: &StorageError) -> Fault {
    match error {
        StorageError::Database(_) | StorageError::Unfit(_) | StorageError::Lost(_) => {
            FAILURES.say(|held_back| tracing::warn!(%error, held_back, "a read failed"));
        }
        StorageError::Corrupt(what) => return unreadable_row(&Unreadable(what.clone())),
    }
    Fault::Unavailable
}

/// What cannot be read here may be read by a newer program beside this one, so it is worth asking again.
fn unreadable_row(error: &Unreadable) -> Fault {
    UNREADABLE.say(|held_back| tracing::error!(%error, held_back, "a row cannot be read"));
    Fault::Unavailable
}
