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
use crate::ledger::{AccountRef, Action, Amendment, Answer, Command, Email, Key, Metadata, Note};

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
        let accounts = command.accounts().map(Resource::called);
        let mut resources: Vec<Resource> = accounts.chain(Resource::others(&command)).collect();
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
        Action::Post(postings) => [size_of_val(postings.as_slice()), 0, 0],
        Action::Reverse(_)
        | Action::PlaceHold(_)
        | Action::ChangeHold(..)
        | Action::VoidHold(_)
        | Action::Expire(_)
        | Action::Amend(..)
        | Action::OpenAccount(_)
        | Action::OpenBook(_)
        | Action::ResetBook(_) => [0; 3],
    };
    let of_caller = [
        command.note.as_ref().map_or(0, note_bytes),
        action_metadata_bytes(&command.action),
        command
            .caller
            .as_ref()
            .map_or(0, |caller| caller.request_id.len()),
    ];
    let of_any = [
        command.key.as_ref().map_or(0, key_bytes),
        size_of_val(command.conditions.as_slice()),
        command.accounts().map(account_bytes).sum(),
    ];
    let all = of_user.into_iter().chain(of_caller).chain(of_any);
    all.sum()
}

fn key_bytes(key: &Key) -> usize {
    let said = key.said.as_ref().map_or(0, |said| said.text.len());
    key.text.len().saturating_add(said)
}

fn note_bytes(note: &Note) -> usize {
    let reference = note.reference.as_ref().map_or(0, String::len);
    reference.saturating_add(metadata_bytes(&note.metadata))
}

fn action_metadata_bytes(action: &Action) -> usize {
    match action {
        Action::OpenAccount(open) => open
            .details
            .as_ref()
            .map_or(0, |details| metadata_bytes(&details.metadata)),
        Action::Amend(_, Amendment::Details(change)) => {
            let patch = change.metadata.iter().flat_map(|patch| &patch.members);
            let text = |value: &Option<String>| value.as_ref().map_or(0, String::len);
            patch
                .map(|(name, value)| name.len().saturating_add(text(value)))
                .sum()
        }
        _ => 0,
    }
}

fn metadata_bytes(metadata: &Metadata) -> usize {
    let members = metadata.0.iter();
    members
        .map(|(name, value)| name.len().saturating_add(value.len()))
        .sum()
}

fn account_bytes(reference: &AccountRef) -> usize {
    match reference {
        AccountRef::Id(_) | AccountRef::Owned(..) => 0,
        AccountRef::Named(account) => account.name.as_str().len(),
    }
}
