//! A batch goes from round to round until every command has its answer.

use tokio::time::Instant;

use super::batch::Batch;
use super::error::RoundError;
use super::state::Lane;
use super::write::Written;
use crate::engine::queue::answer_all;
use crate::engine::watch::passage::Committed;
use crate::ledger::{Answered, Fault};
use crate::storage::StorageError;
use crate::storage::lane::Commits;
use crate::telemetry::throttle::Throttle;

/// After so many conflicts in a row a batch locks its accounts before it plans.
const CONFLICTS_MAX: u32 = 3;

static OUT_OF_TIME: Throttle = Throttle::new();

impl Lane {
    /// Answers every command of the batch. After [`RETRY_MAX`](crate::engine::limits::RETRY_MAX) no round begins any
    /// more.
    pub(super) async fn finish(&mut self, batch: Batch) {
        let mut batches = vec![batch];
        while let Some(mut batch) = batches.pop() {
            if batch.until() <= Instant::now() {
                let commands = batch.work.pending.len();
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
    async fn round(&mut self, batch: &mut Batch) -> Result<Written, RoundError> {
        if !self.link.is_open() && !self.reconnect(Some(batch.until())).await {
            return Err(StorageError::Lost("the database is away".to_owned()).into());
        }
        self.check_durability().await?;
        self.fill(batch).await?;
        if self.shared.memory.is_any_locked(batch.view.heads.keys()) {
            batch.skips_locked = true;
        }
        if batch.maybe_committed || batch.skips_locked || CONFLICTS_MAX <= batch.conflicts {
            return self.write_locked(batch).await;
        }
        match self.link.commits()? {
            Commits::WithStatement => self.write(batch).await,
            Commits::Explicitly => self.write_and_commit(batch).await,
        }
    }

    fn answer(&mut self, mut batch: Batch, written: Written) {
        self.ids.use_up(&written.openings);
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
        let answered = std::mem::take(&mut batch.work.pending);
        // The accounts are free before their callers hear of it: the next requests need not wait for this lane.
        drop(batch);
        let passages = answered.iter();
        for passage in passages.filter_map(|pending| pending.passage.as_ref()) {
            passage.commit(committed);
        }
        let answers = written.answers.into_iter().map(Ok);
        answer_all(answered.into_iter().zip(answers));
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

/// A number for a histogram.
fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
