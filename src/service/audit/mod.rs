//! The audit: recomputes every balance, version and seal from the entries alone, beside live traffic.

mod accounts;
mod chain;
mod checkpoint;
mod report;

use std::panic;
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use thiserror::Error;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::task::{JoinError, JoinSet, spawn_blocking};
use tokio::time::interval;
use uuid::Uuid;

use self::accounts::Chunk;
use crate::ledger::AccountId;
use crate::storage::{Connection, Database, StorageError, audit, connection};

pub use self::checkpoint::{Checkpoint, Unfit};
pub use self::report::{Finding, Place, Report, Total};

/// Connections that an audit may use.
pub const JOBS_MAX: usize = 64;
/// How often progress is shown.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// How an audit reads. Each page is one short statement, so that no snapshot is held for long.
#[derive(Clone, Copy, Debug)]
pub struct Pages {
    /// Accounts that are followed together.
    pub accounts_max: i64,
    /// Accounts of which those that have changed are looked for by one statement.
    pub candidates_max: i64,
    pub entries_max: i64,
    pub transactions_max: i64,
}

/// What an audit is to do.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Connections, each with a thread: 1 to [`JOBS_MAX`].
    pub jobs: usize,
    pub pages: Pages,
    /// Where there is one, only what may have changed after it is checked.
    pub since: Option<Checkpoint>,
}

/// What came of an audit.
#[derive(Debug)]
pub struct Audited {
    pub report: Report,
    /// Where the next audit can go on from, if this one found nothing.
    pub checkpoint: Checkpoint,
}

/// Why there is no report.
#[derive(Debug, Error)]
pub enum AuditError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Unfit(#[from] Unfit),
}

/// An audit that is under way, shared by its jobs.
struct Audit {
    pages: Pages,
    since: Option<DateTime<Utc>>,
    /// The last account that was given to a job; none once all were.
    accounts: Mutex<Option<AccountId>>,
    /// The last transaction that was.
    transactions: Mutex<Option<Uuid>>,
    report: StdMutex<Report>,
}

impl Default for Pages {
    fn default() -> Self {
        Self {
            accounts_max: 500,
            candidates_max: 20_000,
            entries_max: 5_000,
            transactions_max: 5_000,
        }
    }
}

/// Reads everything, or what may have changed since a checkpoint, in pages, over several connections. Changes nothing, locks
/// nothing, and raises no alarm over what is written meanwhile: heads are read first, then, later, the entries up to each
/// head's version. `progress` is called now and then with what was read so far, and about how many entries there are (0
/// where nobody knows).
///
/// # Errors
/// Where the database does not answer, or is not the one of the checkpoint.
pub async fn run(
    database: &Database,
    settings: Settings,
    mut progress: impl FnMut(&Report, u64),
) -> Result<Audited, AuditError> {
    let Settings { jobs, pages, since } = settings;
    let mut connection = database.connect_audit().await?;
    let standing = audit::fetch_standing(&mut connection).await?;
    let mut estimate = 0;
    match &since {
        Some(checkpoint) => checkpoint.check(&mut connection, &standing).await??,
        None => estimate = audit::fetch_entries_estimate(&mut connection).await?,
    }
    connection::close(connection).await;

    let audit = Arc::new(Audit::new(pages, since.as_ref().map(Checkpoint::since)));
    let mut working = JoinSet::new();
    for _ in 0..jobs.clamp(1, JOBS_MAX) {
        let (audit, database) = (Arc::clone(&audit), database.clone());
        working.spawn(work_on_a_thread(audit, database));
    }
    let mut ticks = interval(PROGRESS_INTERVAL);
    let mut outcome = Ok(());
    loop {
        tokio::select! {
            _ = ticks.tick() => progress(&audit.report(), estimate),
            ended = working.join_next() => match ended {
                Some(ended) => outcome = outcome.and(ended.unwrap_or_else(resume)),
                None => break,
            },
        }
    }
    outcome?;
    let mut report = audit.report().clone();
    report.check_totals();
    let anchor = report.latest.or(since.and_then(|since| since.anchor()));
    let checkpoint = Checkpoint::new(standing, anchor);
    Ok(Audited { report, checkpoint })
}

/// A job computes about as much as it waits, so it does not share a thread with the others.
async fn work_on_a_thread(audit: Arc<Audit>, database: Database) -> Result<(), StorageError> {
    let handle = Handle::current();
    let worked = spawn_blocking(move || handle.block_on(work(&audit, &database)));
    worked.await.unwrap_or_else(resume)
}

/// Nobody cancels a job, so it can only have panicked.
fn resume<T>(failure: JoinError) -> T {
    panic::resume_unwind(failure.into_panic())
}

/// Checks whatever is left to check. A job that fails leaves nothing to the others.
async fn work(audit: &Audit, database: &Database) -> Result<(), StorageError> {
    let worked = async {
        let mut connection = database.connect_audit().await?;
        while let Some(chunk) = audit.take_accounts(&mut connection).await? {
            accounts::check(&mut connection, audit, chunk).await?;
        }
        while let Some((after, last)) = audit.take_transactions(&mut connection).await? {
            check_transactions(&mut connection, audit, after, last).await?;
        }
        connection::close(connection).await;
        Ok(())
    };
    let worked = worked.await;
    if worked.is_err() {
        *audit.accounts.lock().await = None;
        *audit.transactions.lock().await = None;
    }
    worked
}

async fn check_transactions(
    connection: &mut Connection,
    audit: &Audit,
    mut after: Uuid,
    last: Uuid,
) -> Result<(), StorageError> {
    let limit = audit.pages.transactions_max;
    loop {
        let page = audit::list_transactions(connection, after, last, limit).await?;
        let Some(end) = page.last() else {
            return Ok(());
        };
        after = end.id;
        let mut report = Report::default();
        for transaction in &page {
            report.check_transaction(transaction);
        }
        audit.add(report);
    }
}

impl Audit {
    fn new(pages: Pages, since: Option<DateTime<Utc>>) -> Self {
        let first = since.map_or(Uuid::nil(), checkpoint::first_transaction);
        Self {
            pages,
            since,
            accounts: Mutex::new(Some(AccountId(i64::MIN))),
            transactions: Mutex::new(Some(first)),
            report: StdMutex::default(),
        }
    }

    /// The next accounts for a job. The last of them have no end: past the last account of all there must be no entry.
    async fn take_accounts(
        &self,
        connection: &mut Connection,
    ) -> Result<Option<Chunk>, StorageError> {
        let mut taken = self.accounts.lock().await;
        let Some(after) = *taken else {
            return Ok(None);
        };
        let places = match self.since {
            None => self.pages.accounts_max,
            Some(_) => self.pages.candidates_max,
        };
        *taken = audit::find_account_after(connection, after, places).await?;
        let last = taken.unwrap_or(AccountId(i64::MAX));
        Ok(Some(Chunk { after, last }))
    }

    async fn take_transactions(
        &self,
        connection: &mut Connection,
    ) -> Result<Option<(Uuid, Uuid)>, StorageError> {
        let mut taken = self.transactions.lock().await;
        let Some(after) = *taken else {
            return Ok(None);
        };
        let places = self.pages.transactions_max;
        *taken = audit::find_transaction_after(connection, after, places).await?;
        Ok(Some((after, taken.unwrap_or(Uuid::max()))))
    }

    fn add(&self, part: Report) {
        self.report().absorb(part);
    }

    fn report(&self) -> MutexGuard<'_, Report> {
        // A report is whole between any two additions.
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
