//! The audit: recomputes every balance, version and seal from the entries alone, beside live traffic.

mod accounts;
mod chain;
mod checkpoint;
mod identity;
mod place;
mod registry;
mod report;
mod seen;
mod seen_text;
mod text;
mod transactions;

use std::ops::Range;
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
use self::seen::Seen;
use crate::ledger::{AccountId, Kind};
use crate::storage::audit::{Reach, StoredTransaction};
use crate::storage::schema::{self, Age};
use crate::storage::{Connection, Database, StorageError, audit, connection};

pub use self::checkpoint::{Checkpoint, Unfit};
pub use self::place::{Finding, Place};
pub use self::report::{Report, Total};

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
    /// Names, users, books.
    pub registry_max: i64,
}

/// What an audit is to do.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Connections, each with a thread: 1 to [`JOBS_MAX`].
    pub jobs: usize,
    pub pages: Pages,
    pub extent: Extent,
}

/// How much of the ledger an audit reads.
#[derive(Clone, Debug)]
pub enum Extent {
    /// Everything. What the last full run saw must still be there, if its checkpoint is at hand.
    Everything(Option<Checkpoint>),
    /// What may have changed since.
    Since(Checkpoint),
}

/// What came of an audit.
#[derive(Debug)]
pub struct Audited {
    pub report: Report,
    /// Where the next audit can go on from, if this one found nothing.
    pub checkpoint: Checkpoint,
    /// Whether the schema is of a later program, so that what it is made of was not checked.
    pub is_newer: bool,
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
    /// None where everything is read.
    since: Option<DateTime<Utc>>,
    /// The time before which nothing was written any more when the audit began.
    settled: DateTime<Utc>,
    /// Since when nobody writes in a sealed book.
    sealed_books_since: DateTime<Utc>,
    /// What to remember, with nothing in it yet: as of the moment of the last full run, if there is one, and as of now.
    seen: Vec<Seen>,
    /// What is left to give to a job.
    registries: Mutex<Vec<Registry>>,
    /// The last account that was given to a job; none once all were.
    accounts: Mutex<Option<AccountId>>,
    /// The last transaction that was.
    transactions: Mutex<Option<Uuid>>,
    report: StdMutex<Report>,
}

/// A register that one job reads from end to end.
#[derive(Clone, Copy, Debug)]
enum Registry {
    Names,
    Users,
}

impl Default for Pages {
    fn default() -> Self {
        Self {
            accounts_max: 500,
            candidates_max: 20_000,
            entries_max: 5_000,
            transactions_max: 5_000,
            registry_max: 5_000,
        }
    }
}

/// Reads everything, or what may have changed since a checkpoint, in pages, over several connections. Changes nothing, locks
/// nothing, and raises no alarm over what is written meanwhile: heads are read first, then, later, the entries up to each
/// head's version. `progress` is called now and then with what was read so far, and about how many entries there are (0
/// where nobody knows).
///
/// # Errors
/// If the database does not answer, or is not the one of the checkpoint.
pub async fn run(
    database: &Database,
    settings: Settings,
    mut progress: impl FnMut(&Report, u64),
) -> Result<Audited, AuditError> {
    let Settings {
        jobs,
        pages,
        extent,
    } = settings;
    let mut connection = database.connect_audit().await?;
    let age = schema::fetch_age(&mut connection).await?;
    if let Age::Older { lacks } = age {
        let lack = format!("its schema lacks {lacks}: run passbook migrate");
        return Err(StorageError::Unfit(lack).into());
    }
    let reach = audit::fetch_reach(&mut connection).await?;
    let mut estimate = 0;
    let audit = Arc::new(Audit::new(pages, &reach, &extent)?);
    match &extent {
        Extent::Since(checkpoint) => checkpoint.check(&mut connection, &reach).await??,
        Extent::Everything(before) => {
            if let Some(before) = before {
                audit.check_anchor(&mut connection, &reach, before).await?;
            }
            estimate = audit::fetch_entries_estimate(&mut connection).await?;
        }
    }
    if age == Age::Same {
        audit.check_schema(&mut connection).await?;
    }
    work_together(&audit, database, jobs, |report| progress(report, estimate)).await?;
    registry::check_rest(&mut connection, &audit).await?;
    connection::close(connection).await;
    let mut report = audit.report().clone();
    let seen = match &extent {
        Extent::Since(since) => since.seen.clone(),
        Extent::Everything(_) => report.seen.pop(),
    };
    let before = match extent {
        Extent::Since(checkpoint) | Extent::Everything(Some(checkpoint)) => Some(checkpoint),
        Extent::Everything(None) => None,
    };
    if let Some(was) = before.as_ref().and_then(|before| before.seen.as_ref())
        && let Some(is) = report.seen.pop()
    {
        for (place, what) in was.differences(&is) {
            report.find(place, what);
        }
    }
    report.check_totals();
    let anchor = report.latest.or(before.and_then(|before| before.anchor()));
    Ok(Audited {
        checkpoint: Checkpoint::new(reach, anchor, seen),
        is_newer: matches!(age, Age::Newer { .. }),
        report,
    })
}

/// Lets the jobs check all there is, and shows now and then how far they are.
async fn work_together(
    audit: &Arc<Audit>,
    database: &Database,
    jobs: usize,
    mut progress: impl FnMut(&Report),
) -> Result<(), StorageError> {
    let mut working = JoinSet::new();
    for _ in 0..jobs.clamp(1, JOBS_MAX) {
        let (audit, database) = (Arc::clone(audit), database.clone());
        working.spawn(work_on_a_thread(audit, database));
    }
    let mut ticks = interval(PROGRESS_INTERVAL);
    let mut outcome = Ok(());
    loop {
        tokio::select! {
            _ = ticks.tick() => progress(&audit.report()),
            ended = working.join_next() => match ended {
                Some(ended) => outcome = outcome.and(ended.unwrap_or_else(resume)),
                None => return outcome,
            },
        }
    }
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
        while let Some(registry) = audit.take_registry().await {
            match registry {
                Registry::Names => registry::check_names(&mut connection, audit).await?,
                Registry::Users => registry::check_users(&mut connection, audit).await?,
            }
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
        audit.registries.lock().await.clear();
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
        let mut report = audit.part();
        for transaction in &page {
            check_transaction(&mut report, transaction);
        }
        audit.add(report);
    }
}

fn check_transaction(report: &mut Report, transaction: &StoredTransaction) {
    report.transactions = report.transactions.saturating_add(1);
    transactions::check(report, transaction);
    if transaction.kind == Some(Kind::Reset) && transaction.refusal.is_none() {
        report.resets.push((transaction.created_at, transaction.id));
    }
    for seen in &mut report.seen {
        seen.add_transaction(transaction.id, transaction.created_at, &transaction.columns);
    }
}

impl Audit {
    fn new(pages: Pages, reach: &Reach, extent: &Extent) -> Result<Self, StorageError> {
        let settled = checkpoint::settled(reach.now);
        let (since, seen, registries) = match extent {
            Extent::Since(checkpoint) => (Some(checkpoint.since()), Vec::new(), Vec::new()),
            Extent::Everything(before) => {
                let was = before.as_ref().and_then(|before| before.seen.as_ref());
                let seen = was.map(Seen::emptied).into_iter();
                let next = Seen::begin(reach, settled, random_key()?);
                let registries = vec![Registry::Names, Registry::Users];
                (None, seen.chain([next]).collect(), registries)
            }
        };
        let first = since.map_or(Uuid::nil(), checkpoint::first_to_read);
        let report = Report {
            seen: seen.clone(),
            ..Report::default()
        };
        Ok(Self {
            pages,
            since,
            settled,
            sealed_books_since: reach.sealed_books_since,
            seen,
            registries: Mutex::new(registries),
            accounts: Mutex::new(Some(AccountId(i64::MIN))),
            transactions: Mutex::new(Some(first)),
            report: StdMutex::new(report),
        })
    }

    /// A report of some part, with nothing in it yet.
    fn part(&self) -> Report {
        Report {
            seen: self.seen.clone(),
            ..Report::default()
        }
    }

    /// The moments as of which the audit remembers what it sees.
    fn moments(&self) -> Vec<DateTime<Utc>> {
        self.seen.iter().map(|seen| seen.moment).collect()
    }

    /// The times of which all resets are read.
    fn resets_known(&self) -> Range<DateTime<Utc>> {
        self.since.unwrap_or(DateTime::<Utc>::MIN_UTC)..self.settled
    }

    /// Whether everything is there that the design relies on.
    async fn check_schema(&self, connection: &mut Connection) -> Result<(), StorageError> {
        let mut report = self.part();
        for flaw in schema::list_flaws(connection).await? {
            let what = flaw.to_string();
            report.find(Place::Schema(flaw.part), what);
        }
        self.add(report);
        Ok(())
    }

    /// Whether the entry is there that the audit before ended with. Who reads everything can say so beside the rest.
    async fn check_anchor(
        &self,
        connection: &mut Connection,
        reach: &Reach,
        before: &Checkpoint,
    ) -> Result<(), AuditError> {
        match before.check(connection, reach).await? {
            Ok(()) => Ok(()),
            Err(Unfit::OtherHistory { account, version }) => {
                let mut report = self.part();
                let what = "is not there as the audit before saw it".to_owned();
                report.find(Place::Entry(account, version), what);
                self.add(report);
                Ok(())
            }
            Err(unfit) => Err(unfit.into()),
        }
    }

    async fn take_registry(&self) -> Option<Registry> {
        self.registries.lock().await.pop()
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

/// What nobody else knows, to add digests up with.
fn random_key() -> Result<[u8; 32], StorageError> {
    let mut key = [0; 32];
    let filled = getrandom::fill(&mut key);
    filled.map_err(|error| StorageError::Unfit(format!("no random numbers: {error}")))?;
    Ok(key)
}
