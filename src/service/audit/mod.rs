//! The audit: recomputes every balance, version and seal from the entries alone, beside live traffic.

mod accepted;
mod accounts;
mod chain;
mod checkpoint;
mod head;
mod holds;
mod identity;
mod place;
mod postings;
mod registry;
mod report;
mod reversals;
mod seen;
mod seen_text;
mod state;
mod text;
mod texts;
mod transactions;

use std::panic;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinSet, spawn_blocking};
use tokio::time::interval;
use uuid::Uuid;

use self::state::{Audit, Registry};
use crate::ledger::Kind;
use crate::storage::audit::StoredTransaction;
use crate::storage::schema::{self, Age};
use crate::storage::{Connection, Database, StorageError, audit, connection};

pub use self::checkpoint::{Checkpoint, Unfit};
pub use self::place::{Finding, Place};
pub use self::report::{Report, Total};
pub use self::state::{AuditError, Extent, Pages};

/// Connections that an audit may use.
pub const JOBS_MAX: usize = 64;
/// How often progress is shown.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// What an audit is to do.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Connections, each with a thread: 1 to [`JOBS_MAX`].
    pub jobs: usize,
    pub pages: Pages,
    pub extent: Extent,
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
                Registry::ExternalIds => {
                    registry::check_external_ids(&mut connection, audit).await?;
                }
                Registry::Holds => holds::check_placed(&mut connection, audit).await?,
                Registry::Notes => texts::check_notes(&mut connection, audit).await?,
                Registry::AccountDetails => {
                    texts::check_account_details(&mut connection, audit).await?;
                }
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
        reversals::check(connection, &mut report, &page).await?;
        audit.add(report);
    }
}

fn check_transaction(report: &mut Report, transaction: &StoredTransaction) {
    report.transactions = report.transactions.saturating_add(1);
    transactions::check(report, transaction);
    if transaction.kind == Some(Kind::Reset) && transaction.refusal.is_none() {
        report.resets.push((transaction.created_at, transaction.id));
    }
    if let Some(book) = transaction
        .more
        .book()
        .filter(|_| transaction.refusal.is_none())
    {
        report.opened_books.push((book.id, transaction.id));
    }
    for seen in &mut report.seen {
        seen.add_transaction(transaction.id, transaction.created_at, &transaction.columns);
    }
}
