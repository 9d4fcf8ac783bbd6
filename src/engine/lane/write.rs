//! The one statement of a batch, and what it did.

use chrono::Utc;

use super::batch::Batch;
use super::error::RoundError;
use super::link::bounded;
use super::state::Lane;
use crate::ledger::plan::Plan;
use crate::ledger::{Answered, BookName, Command, Head, NamedAccount, OpenBook, Openings, plan};
use crate::storage::{self, CommitError};

/// What a statement did: the answers that it made true, and what to remember of it.
#[derive(Default)]
pub(super) struct Written {
    pub answers: Vec<Answered>,
    pub heads: Vec<Head>,
    pub names: Vec<(NamedAccount, Head)>,
    pub books: Vec<(BookName, OpenBook)>,
    pub openings: Openings,
}

impl Lane {
    /// Plans on the heads as they are taken to be, and lets the one statement confirm them.
    pub(super) async fn write(&mut self, batch: &Batch) -> Result<Written, RoundError> {
        let connection = self.link.connection()?;
        let commands: Vec<&Command> = batch.commands().collect();
        let now = Utc::now();
        // In this order: what suspends the process in between makes the plan late, which the statement finds.
        if batch.is_late() {
            return Err(CommitError::ClockApart.into());
        }
        let plan = plan(&commands, &batch.view, now);
        if plan.needs_outcomes {
            return Err(RoundError::OutcomesUnknown);
        }
        bounded(storage::batch::write(connection, &plan)).await?;
        Ok(Written::of(plan))
    }
}

impl Written {
    fn of(plan: Plan<'_>) -> Self {
        let accounts = plan.accounts.iter();
        let names =
            accounts.filter_map(|account| Some((account.name.clone()?, account.head.clone())));
        let books = plan.new_books.iter().map(|new| {
            let (id, opened_at) = (new.id, new.opened_at);
            (new.name, OpenBook { id, opened_at })
        });
        Self {
            openings: Openings {
                accounts: plan.accounts.len(),
                users: plan.users.len(),
                books: plan.new_books.len(),
                // Those that were not used are not used again either.
                transactions: 0,
            },
            names: names.collect(),
            books: books.collect(),
            heads: plan
                .swaps
                .into_iter()
                .map(|swap| swap.head)
                .chain(plan.accounts.into_iter().map(|account| account.head))
                .collect(),
            answers: plan.answers,
        }
    }
}
