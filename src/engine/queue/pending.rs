//! A command that waits for its answer.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::resource::Resource;
use crate::engine::callers::{self, Caller};
use crate::engine::limits::WAIT_MAX;
use crate::engine::watch::passage::{self, Passage};
use crate::ledger::{AccountRef, Action, Answer, Command, Email};

/// A command that waits for its answer.
pub(in crate::engine) struct Pending {
    pub command: Command,
    pub resources: Vec<Resource>,
    pub bytes: usize,
    /// When the command is no longer worth starting on.
    pub deadline: Instant,
    /// If the request is traced.
    pub passage: Option<Arc<Passage>>,
    caller: Caller<Answer>,
}

impl Pending {
    /// A command with the receiver of its answer.
    pub(in crate::engine) fn new(
        command: Command,
        now: Instant,
    ) -> (Self, oneshot::Receiver<Answer>) {
        let (caller, receiver) = Caller::new();
        // Each once: a condition is mostly about an account that the money moves on.
        let mut resources: Vec<Resource> = command.accounts().map(Resource::called).collect();
        resources.sort_unstable();
        resources.dedup();
        let bytes = size_of::<Self>().saturating_add(heap_bytes(&command));
        (
            Self {
                command,
                resources,
                bytes,
                deadline: now + WAIT_MAX,
                passage: passage::begin(),
                caller,
            },
            receiver,
        )
    }

    /// How long it has been waiting.
    pub(in crate::engine) fn waited(&self, now: Instant) -> Duration {
        (now + WAIT_MAX).duration_since(self.deadline)
    }

    /// Whether nobody waits for the answer any more.
    pub(in crate::engine) fn is_abandoned(&self) -> bool {
        self.caller.is_gone()
    }
}

/// Gives commands their answers.
pub(in crate::engine) fn answer_all(answers: impl IntoIterator<Item = (Pending, Answer)>) {
    callers::answer_all(answers.into_iter().map(|(pending, answer)| {
        if let Some(passage) = &pending.passage {
            passage.answer(answer.as_ref().err().copied());
        }
        (pending.caller, answer)
    }));
}

/// Everything that the commands touch.
pub(in crate::engine) fn resources(commands: &[Pending]) -> HashSet<Resource> {
    let mut resources = HashSet::with_capacity(commands.len());
    resources.extend(commands.iter().flat_map(|pending| &pending.resources));
    resources
}

/// What a command holds besides itself.
fn heap_bytes(command: &Command) -> usize {
    let of_user = match &command.action {
        Action::OpenUser(open) => [
            open.name.as_ref().map_or(0, String::len),
            open.email.as_ref().map_or(0, Email::heap_bytes),
            open.password_hash.as_ref().map_or(0, |hash| hash.0.len()),
        ],
        Action::Post(_) | Action::OpenAccount(_) | Action::ResetBook(_) => [0; 3],
    };
    let of_any = [
        command.key.as_ref().map_or(0, |key| key.text.len()),
        size_of_val(command.conditions.as_slice()),
        command.accounts().map(account_bytes).sum(),
    ];
    of_user.into_iter().chain(of_any).sum()
}

fn account_bytes(reference: &AccountRef) -> usize {
    match reference {
        AccountRef::Id(_) | AccountRef::Owned(..) => 0,
        AccountRef::Named(account) => account.name.as_str().len(),
    }
}
