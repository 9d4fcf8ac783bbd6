//! Commands on their way through a lane, with what is known about them so far.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::callers::{self, Caller};
use super::passage::{self, Passage};
use super::queue::Queue;
use super::{COMMIT_MAX, SETTLE_MAX, WAIT_MAX};
use crate::ledger::{
    AccountId, AccountRef, Action, Answer, Command, Email, Fault, NamedAccount, View,
};
use crate::storage::Unreadable;
use crate::telemetry::throttle::Throttle;

static UNREADABLE: Throttle = Throttle::new();

/// What two lanes must not work on at the same time, lest they overtake one another: an account as it is called, in 64 bits.
///
/// Two accounts of the same bits wait for one another as if they were one. An account that is called by both its name and its id
/// may be in two lanes at once: the compare-and-swap sorts that out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Resource(u64);

/// A command that waits for its answer.
pub(super) struct Pending {
    pub command: Command,
    pub resources: Vec<Resource>,
    pub bytes: usize,
    /// When the command is no longer worth starting on.
    pub deadline: Instant,
    /// Where the request is traced.
    pub passage: Option<Arc<Passage>>,
    caller: Caller<Answer>,
}

/// Commands that a lane commits together. While it lives, no other lane works on their accounts.
pub(super) struct Batch {
    pub work: Vec<Pending>,
    /// What is taken to be true. Known outcomes and emails stay through every retry; heads are read again.
    pub view: View,
    /// Conflicts in a row.
    pub conflicts: u32,
    /// A row of the batch stayed locked by someone else: go on without the rows that are.
    pub cautious: bool,
    /// Whether an earlier attempt may have been committed, now or later: look each time before planning again.
    pub suspect: bool,
    /// Halved once because the statement took too long.
    pub halved: bool,
    /// How often it went to another connection because the server could not write, or knew nothing of what was prepared.
    pub reroutes: u32,
    /// How often it was set aside because of rows that somebody else held.
    pub rests: u32,
    /// When a lane took it.
    pub began: Instant,
    claim: Claim,
}

/// The resources of a batch, given back when it ends, however it ends.
struct Claim {
    queue: Arc<Queue>,
    resources: HashSet<Resource>,
}

impl Resource {
    pub(super) fn account(account: AccountId) -> Self {
        Self::of(&account)
    }

    pub(super) fn name(name: &NamedAccount) -> Self {
        Self::of(name)
    }

    fn called(reference: &AccountRef) -> Self {
        match reference {
            AccountRef::Id(id) | AccountRef::Owned(id, _) => Self::account(*id),
            AccountRef::Named(name) => Self::name(name),
        }
    }

    /// No client knows the key, so none can choose a name that another account waits for.
    fn of(called: &impl Hash) -> Self {
        static KEYED: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        Self(KEYED.hash_one(called))
    }
}

impl Pending {
    /// A command with the receiver of its answer.
    pub(super) fn new(command: Command, now: Instant) -> (Self, oneshot::Receiver<Answer>) {
        let (caller, receiver) = Caller::new();
        let resources = command.accounts().map(Resource::called).collect();
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
    pub(super) fn waited(&self, now: Instant) -> Duration {
        (now + WAIT_MAX).duration_since(self.deadline)
    }

    /// Whether nobody waits for the answer any more.
    pub(super) fn is_abandoned(&self) -> bool {
        self.caller.is_gone()
    }
}

impl Batch {
    /// A batch whose resources are claimed already.
    pub(super) fn new(
        queue: &Arc<Queue>,
        work: Vec<Pending>,
        resources: HashSet<Resource>,
    ) -> Self {
        Self {
            claim: Claim {
                queue: Arc::clone(queue),
                resources,
            },
            work,
            view: View::default(),
            conflicts: 0,
            cautious: false,
            suspect: false,
            halved: false,
            reroutes: 0,
            rests: 0,
            began: Instant::now(),
        }
    }

    /// When it is no longer worth another round.
    pub(super) fn until(&self) -> Instant {
        self.began + SETTLE_MAX
    }

    /// Whether it is too late to plan it or to commit it, as [`super::FINAL_AFTER`] takes for granted.
    pub(super) fn is_late(&self) -> bool {
        self.began + COMMIT_MAX <= Instant::now()
    }

    pub(super) fn commands(&self) -> impl Iterator<Item = &Command> {
        self.work.iter().map(|pending| &pending.command)
    }

    /// Of the users that it may open.
    pub(super) fn emails(&self) -> impl Iterator<Item = &Email> {
        self.commands().filter_map(|command| match &command.action {
            Action::OpenUser(open) => open.email.as_ref(),
            Action::Post(_) | Action::OpenAccount(_) | Action::ResetBook(_) => None,
        })
    }

    /// Gives every command the same answer: that nothing was applied only where that is known.
    pub(super) fn fail(mut self, fault: Fault) {
        let fault = self.nothing_applied(fault);
        answer_all(self.work.drain(..).map(|pending| (pending, Err(fault))));
    }

    /// Takes out the commands that need a row which cannot be read, and tells their callers to ask again: a newer program beside
    /// this one may know what it says. Whether there were any.
    pub(super) fn dismiss(
        &mut self,
        unreadable: impl Fn(&Command, &View) -> Option<Unreadable>,
    ) -> bool {
        let fault = self.nothing_applied(Fault::Unavailable);
        let mut dismissed = Vec::new();
        for pending in std::mem::take(&mut self.work) {
            let Some(error) = unreadable(&pending.command, &self.view) else {
                self.work.push(pending);
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

    /// A fault that says that nothing was applied, where that is known.
    fn nothing_applied(&self, fault: Fault) -> Fault {
        if self.suspect {
            Fault::OutcomeUnknown
        } else {
            fault
        }
    }

    /// Whether a half may get through where the whole took too long. A batch is halved for this once.
    pub(super) fn may_be_halved(&self) -> bool {
        !self.halved && 1 < self.work.len()
    }

    /// The second half, in a batch of its own.
    pub(super) fn split_off(&mut self) -> Self {
        let second = self.work.split_off(self.work.len() / 2);
        self.part(second)
    }

    /// Takes out every command of the given accounts, and every later one that must not overtake those.
    pub(super) fn separate(&mut self, resources: &HashSet<Resource>) -> Self {
        let mut blocked = resources.clone();
        let (apart, rest): (Vec<Pending>, Vec<Pending>) =
            self.work.drain(..).partition(|pending| {
                let touches = pending
                    .resources
                    .iter()
                    .any(|resource| blocked.contains(resource));
                if touches {
                    blocked.extend(&pending.resources);
                }
                touches
            });
        self.work = rest;
        self.part(apart)
    }

    /// Some of the work in a batch of its own; each part then claims its own accounts, and nothing is free in between.
    fn part(&mut self, work: Vec<Pending>) -> Self {
        let queue = &self.claim.queue;
        let claim = Claim::new(queue, &work);
        self.claim = Claim::new(queue, &self.work);
        let view = View {
            outcomes: self.view.outcomes.clone(),
            emails: self.view.emails.clone(),
            ..View::default()
        };
        Self {
            work,
            view,
            claim,
            ..*self
        }
    }
}

impl Claim {
    fn new(queue: &Arc<Queue>, work: &[Pending]) -> Self {
        let resources = resources(work);
        queue.claim(&resources);
        Self {
            queue: Arc::clone(queue),
            resources,
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.queue.release(&self.resources);
    }
}

/// Gives commands their answers.
pub(super) fn answer_all(answers: impl IntoIterator<Item = (Pending, Answer)>) {
    callers::answer_all(answers.into_iter().map(|(pending, answer)| {
        if let Some(passage) = &pending.passage {
            passage.answer(answer.as_ref().err().copied());
        }
        (pending.caller, answer)
    }));
}

/// Everything that the work touches.
pub(super) fn resources(work: &[Pending]) -> HashSet<Resource> {
    let mut resources = HashSet::with_capacity(work.len());
    resources.extend(work.iter().flat_map(|pending| &pending.resources));
    resources
}

/// What a command holds besides itself.
fn heap_bytes(command: &Command) -> usize {
    let text = match &command.action {
        Action::Post(_) => command.accounts().map(account_bytes).sum(),
        Action::OpenUser(open) => [
            open.name.as_ref().map_or(0, String::len),
            open.email.as_ref().map_or(0, Email::heap_bytes),
            open.password_hash.as_ref().map_or(0, |hash| hash.0.len()),
        ]
        .into_iter()
        .sum(),
        Action::OpenAccount(_) | Action::ResetBook(_) => 0,
    };
    command
        .key
        .as_ref()
        .map_or(0, |key| key.text.len())
        .saturating_add(text)
}

fn account_bytes(reference: &AccountRef) -> usize {
    match reference {
        AccountRef::Id(_) | AccountRef::Owned(..) => 0,
        AccountRef::Named(account) => account.name.as_str().len(),
    }
}
