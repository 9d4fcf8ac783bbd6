//! An audit that is under way: how it reads, what is left to give to its jobs, and what they have found.

use std::ops::Range;
use std::sync::{Mutex as StdMutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use thiserror::Error;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::checkpoint::{self, Checkpoint, Unfit};
use super::place::Place;
use super::report::Report;
use super::seen::Seen;
use crate::ledger::AccountId;
use crate::storage::audit::{self, Reach};
use crate::storage::schema;
use crate::storage::{Connection, StorageError};

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

/// How much of the ledger an audit reads.
#[derive(Clone, Debug)]
pub enum Extent {
    /// Everything. What the last full run saw must still be there, if its checkpoint is at hand.
    Everything(Option<Checkpoint>),
    /// What may have changed since.
    Since(Checkpoint),
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
pub(super) struct Audit {
    pub(super) pages: Pages,
    /// None where everything is read.
    pub(super) since: Option<DateTime<Utc>>,
    /// The time before which nothing was written any more when the audit began.
    pub(super) settled: DateTime<Utc>,
    /// Since when nobody writes in a sealed book.
    pub(super) sealed_books_since: DateTime<Utc>,
    /// What to remember, with nothing in it yet: as of the moment of the last full run, if there is one, and as of now.
    pub(super) seen: Vec<Seen>,
    /// The id after which transactions and holds are read.
    pub(super) first: Uuid,
    /// What is left to give to a job.
    pub(super) registries: Mutex<Vec<Registry>>,
    /// The last account that was given to a job; none once all were.
    pub(super) accounts: Mutex<Option<AccountId>>,
    /// The last transaction that was.
    pub(super) transactions: Mutex<Option<Uuid>>,
    pub(super) report: StdMutex<Report>,
}

/// A register that one job reads from end to end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Registry {
    Names,
    Users,
    ExternalIds,
    Holds,
    Notes,
    AccountDetails,
}

/// Accounts after one, up to and including the last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk {
    pub(super) after: AccountId,
    pub(super) last: AccountId,
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

impl Audit {
    pub(super) fn new(pages: Pages, reach: &Reach, extent: &Extent) -> Result<Self, StorageError> {
        let settled = checkpoint::settled(reach.now);
        let (since, seen, registries) = match extent {
            Extent::Since(checkpoint) => {
                let registries = vec![Registry::Holds, Registry::Notes];
                (Some(checkpoint.since()), Vec::new(), registries)
            }
            Extent::Everything(before) => {
                let was = before.as_ref().and_then(|before| before.seen.as_ref());
                let seen = was.map(Seen::emptied).into_iter();
                let next = Seen::begin(reach, settled, random_key()?);
                let registries = vec![
                    Registry::Names,
                    Registry::Users,
                    Registry::ExternalIds,
                    Registry::Holds,
                    Registry::Notes,
                    Registry::AccountDetails,
                ];
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
            first,
            registries: Mutex::new(registries),
            accounts: Mutex::new(Some(AccountId(i64::MIN))),
            transactions: Mutex::new(Some(first)),
            report: StdMutex::new(report),
        })
    }

    /// A report of some part, with nothing in it yet.
    pub(super) fn part(&self) -> Report {
        Report {
            seen: self.seen.clone(),
            ..Report::default()
        }
    }

    /// The moments as of which the audit remembers what it sees.
    pub(super) fn moments(&self) -> Vec<DateTime<Utc>> {
        self.seen.iter().map(|seen| seen.moment).collect()
    }

    /// The times of which all resets are read.
    pub(super) fn resets_known(&self) -> Range<DateTime<Utc>> {
        self.since.unwrap_or(DateTime::<Utc>::MIN_UTC)..self.settled
    }

    /// Whether everything is there that the design relies on.
    pub(super) async fn check_schema(
        &self,
        connection: &mut Connection,
    ) -> Result<(), StorageError> {
        let mut report = self.part();
        for flaw in schema::list_flaws(connection).await? {
            let what = flaw.to_string();
            report.find(Place::Schema(flaw.part), what);
        }
        self.add(report);
        Ok(())
    }

    /// Whether the entry is there that the audit before ended with. Who reads everything can say so beside the rest.
    pub(super) async fn check_anchor(
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

    pub(super) async fn take_registry(&self) -> Option<Registry> {
        self.registries.lock().await.pop()
    }

    /// The next accounts for a job. The last of them have no end: past the last account of all there must be no entry.
    pub(super) async fn take_accounts(
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

    pub(super) async fn take_transactions(
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

    pub(super) fn add(&self, part: Report) {
        self.report().absorb(part);
    }

    pub(super) fn report(&self) -> MutexGuard<'_, Report> {
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
