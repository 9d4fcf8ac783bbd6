//! Commands on their way through a lane, with what is known about them so far.

use std::collections::HashSet;

use tokio::time::Instant;

use crate::engine::limits::{COMMIT_MAX, RETRY_MAX};
use crate::engine::queue::{Resource, Work, answer_all};
use crate::ledger::{Command, Fault, View};
use crate::storage::Unreadable;
use crate::telemetry::throttle::Throttle;

static UNREADABLE: Throttle = Throttle::new();

/// Commands that a lane commits together. While it lives, no other lane works on their accounts.
pub(super) struct Batch {
    pub work: Work,
    /// What is taken to be true. Known outcomes and emails stay through every retry; heads are read again.
    pub view: View,
    /// Conflicts in a row.
    pub conflicts: u32,
    /// A row of the batch stayed locked by somebody else: go on without the rows that are.
    pub skips_locked: bool,
    /// Whether an earlier attempt may have been committed, now or later: look each time before planning again.
    pub maybe_committed: bool,
    /// Halved once because the statement took too long.
    pub halved: bool,
    /// How often it went to another connection because the server could not write, or knew nothing of what was prepared.
    pub reroutes: u32,
    /// How often it was set aside because of rows that somebody else had locked.
    pub rests: u32,
    /// When a lane took it.
    pub began: Instant,
}

impl Batch {
    pub(super) fn new(work: Work) -> Self {
        Self {
            work,
            view: View::default(),
            conflicts: 0,
            skips_locked: false,
            maybe_committed: false,
            halved: false,
            reroutes: 0,
            rests: 0,
            began: Instant::now(),
        }
    }

    /// When it is no longer worth another round.
    pub(super) fn until(&self) -> Instant {
        self.began + RETRY_MAX
    }

    /// Whether it is too late to plan it or to commit it, as [`FINAL_AFTER`](crate::engine::FINAL_AFTER) takes for
    /// granted.
    pub(super) fn is_late(&self) -> bool {
        self.began + COMMIT_MAX <= Instant::now()
    }

    pub(super) fn commands(&self) -> impl Iterator<Item = &Command> {
        self.work.commands()
    }

    /// Gives every command the same answer: that nothing was applied only if that is known.
    pub(super) fn fail(mut self, fault: Fault) {
        let fault = self.nothing_applied(fault);
        answer_all(
            self.work
                .pending
                .drain(..)
                .map(|pending| (pending, Err(fault))),
        );
    }

    /// Takes out the commands that need a row which cannot be read, and tells their callers to ask again: a newer program beside
    /// this one may know what it says. Whether there were any.
    pub(super) fn dismiss(
        &mut self,
        unreadable: impl Fn(&Command, &View) -> Option<Unreadable>,
    ) -> bool {
        let fault = self.nothing_applied(Fault::Unavailable);
        let mut dismissed = Vec::new();
        for pending in std::mem::take(&mut self.work.pending) {
            let Some(error) = unreadable(&pending.command, &self.view) else {
                self.work.pending.push(pending);
                continue;
            };
            let transaction = pending.command.id;
            UNREADABLE.say(|held_back| {
                tracing::error!(%error, ?transaction, held_back, "a command cannot be answered here");
            });
            dismissed.push((pending, Err(fault)));
        }
        let any = !dismissed.is_empty();
        answer_all(dismissed);
        any
    }

    /// A fault that says that nothing was applied, if that is known.
    fn nothing_applied(&self, fault: Fault) -> Fault {
        if self.maybe_committed {
            Fault::OutcomeUnknown
        } else {
            fault
        }
    }

    /// Whether a half may get through if the whole took too long. A batch is halved for this once.
    pub(super) fn may_be_halved(&self) -> bool {
        !self.halved && 1 < self.work.pending.len()
    }

    /// The second half, in a batch of its own.
    pub(super) fn split_off(&mut self) -> Self {
        let second = self.work.split_off();
        self.part(second)
    }

    /// Takes out every command of the given accounts, and every later one that must not overtake those.
    pub(super) fn separate(&mut self, resources: &HashSet<Resource>) -> Self {
        let apart = self.work.separate(resources);
        self.part(apart)
    }

    /// Some of the work in a batch of its own.
    fn part(&self, work: Work) -> Self {
        let view = self.view.without_guesses();
        Self {
            work,
            view,
            ..*self
        }
    }
}
