//! What a lane does with a batch until every command has its answer.

use std::time::Duration;

use chrono::Utc;
use tokio::time::{Instant, timeout};

use super::batch::{self, Batch};
use super::lane::Lane;
use super::passage::Committed;
use crate::ledger::{Answered, BookName, Command, Fault, Head, NamedAccount, OpenBook, plan};
use crate::storage::lane::Commits;
use crate::storage::{self, CommitError, StorageError};
use crate::telemetry::throttle::Throttle;

/// Longer than the server lets a statement run, so that the server gives up first and says so.
const STATEMENT_WAIT: Duration = Duration::from_millis(3_300);
/// After so many conflicts in a row a batch locks its accounts before it plans.
const CONFLICTS_MAX: u32 = 3;

static OUT_OF_TIME: Throttle = Throttle::new();

/// What a statement did: the answers that it made true, and what to remember of it.
#[derive(Default)]
pub(super) struct Written {
    pub answers: Vec<Answered>,
    pub heads: Vec<Head>,
    pub names: Vec<(NamedAccount, Head)>,
    /// How many accounts and users were opened.
    pub accounts: usize,
    pub users: usize,
    pub books: Vec<(BookName, OpenBook)>,
}

impl Lane {
    /// Answers every command of the batch. After [`super::SETTLE_MAX`] no round begins any more.
    pub(super) async fn settle(&mut self, batch: Batch) {
        let mut batches = vec![batch];
        while let Some(mut batch) = batches.pop() {
            if batch.until() <= Instant::now() {
                let commands = batch.work.len();
                OUT_OF_TIME.say(|held_back| {
                    tracing::warn!(commands, held_back, "a batch ran out of time");
                });
                batch.fail(Fault::Unavailable);
                continue;
            }
            match self.round(&mut batch).await {
                Ok(written) => self.answer(batch, written),
                // The last to be pushed is the next to be worked on, so that nobody overtakes.
                Err(error) => batches.extend(self.recover(batch, error).await.into_iter().rev()),
            }
        }
    }

    /// One attempt: what is already done, the heads, the plan, the statement.
    async fn round(&mut self, batch: &mut Batch) -> Result<Written, CommitError> {
        if self.connection.is_none() && !self.reconnect(Some(batch.until())).await {
            return Err(CommitError::Lost("the database is away".to_owned()));
        }
        self.check_durability().await?;
        self.read(batch).await?;
        if self.shared.memory.is_any_held(batch.view.heads.keys()) {
            batch.cautious = true;
        }
        let written = if batch.suspect || batch.cautious || CONFLICTS_MAX <= batch.conflicts {
            self.write_locked(batch).await
        } else {
            match self.commits {
                Commits::WithStatement => self.write(batch).await,
                Commits::Explicitly => self.write_and_commit(batch).await,
            }
        };
        batch.suspect |= matches!(written, Err(CommitError::Lost(_)));
        written
    }

    /// Plans on the heads as they are taken to be, and lets the one statement confirm them.
    pub(super) async fn write(&mut self, batch: &Batch) -> Result<Written, CommitError> {
        let connection = self.connection.as_mut().ok_or_else(not_connected)?;
        let commands: Vec<&Command> = batch.commands().collect();
        let now = Utc::now();
        // In this order: what suspends the process in between makes the plan late, which the statement finds.
        if batch.is_late() {
            return Err(CommitError::ClockApart);
        }
        let plan = plan(&commands, &batch.view, now);
        bounded(storage::batch::write(connection, &plan)).await?;
        Ok(Written {
            names: plan
                .accounts
                .iter()
                .filter_map(|account| Some((account.name.clone()?, account.head.clone())))
                .collect(),
            accounts: plan.accounts.len(),
            users: plan.users.len(),
            books: plan
                .new_books
                .iter()
                .map(|new| {
                    let (id, opened_at) = (new.id, new.opened_at);
                    (new.name, OpenBook { id, opened_at })
                })
                .collect(),
            heads: plan
                .swaps
                .into_iter()
                .map(|swap| swap.head)
                .chain(plan.accounts.into_iter().map(|account| account.head))
                .collect(),
            answers: plan.answers,
        })
    }

    fn answer(&mut self, mut batch: Batch, written: Written) {
        self.ids.use_up(&written);
        let memory = &self.shared.memory;
        for head in written.heads {
            memory.remember_head(head);
        }
        for (name, head) in written.names {
            memory.remember_name(name, &head);
        }
        for (name, book) in &written.books {
            memory.remember_book(*name, *book);
        }
        self.count(&batch, &written.answers);
        let committed = Committed {
            batch_size: written.answers.len(),
            conflicts: batch.conflicts,
        };
        let work: Vec<_> = batch.work.drain(..).collect();
        // The accounts are free before their callers hear of it: the next requests need not wait for this lane.
        drop(batch);
        for passage in work.iter().filter_map(|pending| pending.passage.as_ref()) {
            passage.commit(committed);
        }
        let answers = written.answers.into_iter().map(Ok);
        batch::answer_all(work.into_iter().zip(answers));
    }

    fn count(&self, batch: &Batch, answers: &[Answered]) {
        if answers.is_empty() {
            // All of it rests, or had been done before.
            return;
        }
        let stats = &self.shared.stats;
        let took = batch.began.elapsed();
        stats.batches.inc();
        stats.batch_size.observe(number(answers.len()));
        stats.batch_duration.observe(took.as_secs_f64());
        stats.commands.inc_by(answers.len() as u64);
        let replays = answers.iter().filter(|answered| answered.replayed);
        stats.replays.inc_by(replays.count() as u64);
        let changed = answers.iter().flat_map(Answered::changes);
        self.shared.hot.count(changed);
    }
}

/// An exchange with the database that ends in bounded time also where the network swallows the answer.
pub(super) async fn bounded<T, E: Into<CommitError>>(
    exchange: impl Future<Output = Result<T, E>>,
) -> Result<T, CommitError> {
    match timeout(STATEMENT_WAIT, exchange).await {
        Ok(answer) => answer.map_err(Into::into),
        Err(_) => Err(CommitError::Lost("no answer in time".to_owned())),
    }
}

/// A number for a histogram.
fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

pub(super) fn not_connected() -> CommitError {
    CommitError::Lost("not connected".to_owned())
}

impl From<StorageError> for CommitError {
    fn from(error: StorageError) -> Self {
        error.into_commit_error()
    }
}
