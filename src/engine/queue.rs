//! The one queue: bounded, in order of arrival, with no account worked on by two lanes at once.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::batch::{Batch, Pending, Resource, resources};

pub(super) struct Queue {
    state: Mutex<State>,
    /// Wakes a lane that found nothing to do.
    work: Notify,
    commands_max: usize,
    bytes_max: usize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Pending>,
    bytes: usize,
    /// How many waiting commands there are of each account.
    counts: HashMap<Resource, usize>,
    /// What is in some lane's batch, and in how many parts of one.
    busy: HashMap<Resource, usize>,
    /// Batches whose rows somebody outside holds, due for another try.
    returned: VecDeque<Batch>,
    /// How many batches are set aside for a while.
    aside: usize,
    closed: bool,
}

/// What a lane gets.
pub(super) struct Taken {
    pub batch: Option<Batch>,
    /// Commands that waited too long: nothing was applied.
    pub expired: Vec<Pending>,
}

impl Queue {
    pub(super) fn new(commands_max: usize, bytes_max: usize) -> Self {
        Self {
            state: Mutex::default(),
            work: Notify::new(),
            commands_max,
            bytes_max,
        }
    }

    /// Whether there was room. One account may fill half of the queue at most.
    pub(super) fn push(&self, pending: Pending) -> bool {
        let mut state = self.state();
        let bytes = state.bytes.saturating_add(pending.bytes);
        if state.closed || self.commands_max <= state.waiting.len() || self.bytes_max < bytes {
            return false;
        }
        let account_max = self.commands_max.div_ceil(2);
        let counts = &state.counts;
        if pending.resources.iter().any(|resource| {
            counts
                .get(resource)
                .is_some_and(|count| account_max <= *count)
        }) {
            return false;
        }
        for resource in &pending.resources {
            *state.counts.entry(*resource).or_default() += 1;
        }
        // A lane that works on the account looks again when it is done; to wake another would be for nothing.
        let startable = !pending
            .resources
            .iter()
            .any(|resource| state.busy.contains_key(resource));
        state.bytes = bytes;
        state.waiting.push_back(pending);
        drop(state);
        if startable {
            self.wake_one();
        }
        true
    }

    /// Waits for commands, and takes what may be worked on now, in order. `None` once the queue is closed and empty.
    pub(super) async fn take(self: &Arc<Self>, size_max: usize) -> Option<Taken> {
        loop {
            let woken = self.work.notified();
            // Whoever is about to hand in a command goes first: where processors are short, batches are larger for it.
            thread::yield_now();
            {
                let mut state = self.state();
                let taken = state.take(self, size_max, Instant::now());
                if taken.batch.is_some() || !taken.expired.is_empty() {
                    let full = taken
                        .batch
                        .as_ref()
                        .is_some_and(|batch| size_max <= batch.work.len());
                    let returned = taken.batch.as_ref().is_some_and(|batch| batch.cautious);
                    let more = !state.waiting.is_empty() || !state.returned.is_empty();
                    if (full || returned) && more {
                        self.wake_one();
                    }
                    return Some(taken);
                }
                if state.is_finished() {
                    return None;
                }
            }
            woken.await;
        }
    }

    /// Takes out the batches that were set aside and are out of time.
    pub(super) fn expire_returned(&self) -> Vec<Batch> {
        let mut state = self.state();
        let now = Instant::now();
        let (expired, returned): (Vec<Batch>, Vec<Batch>) = state
            .returned
            .drain(..)
            .partition(|batch| batch.until() <= now);
        state.returned = returned.into();
        state.aside -= expired.len();
        expired
    }

    /// Takes out the commands that waited too long.
    pub(super) fn expire(&self) -> Vec<Pending> {
        let mut state = self.state();
        let now = Instant::now();
        let (expired, waiting): (Vec<Pending>, Vec<Pending>) = state
            .waiting
            .drain(..)
            .partition(|pending| pending.deadline <= now);
        state.waiting = waiting.into();
        for pending in &expired {
            state.forget(pending);
        }
        expired
    }

    /// How many commands wait.
    pub(super) fn len(&self) -> usize {
        self.state().waiting.len()
    }

    /// Whether there is nothing left to do, ever.
    pub(super) fn is_finished(&self) -> bool {
        self.state().is_finished()
    }

    /// Counts a batch as one that comes back.
    pub(super) fn set_aside(&self) {
        self.state().aside += 1;
    }

    /// Offers a batch that was set aside to the lanes again.
    pub(super) fn bring_back(&self, batch: Batch) {
        self.state().returned.push_back(batch);
        self.wake_one();
    }

    /// Keeps the resources from other lanes.
    pub(super) fn claim(&self, resources: &HashSet<Resource>) {
        self.state().claim(resources);
    }

    pub(super) fn release(&self, resources: &HashSet<Resource>) {
        let mut state = self.state();
        for resource in resources {
            decrement(&mut state.busy, *resource);
        }
        let more = !state.waiting.is_empty() || state.closed;
        drop(state);
        if more {
            self.wake_one();
        }
    }

    /// Takes no more commands. Lanes end when the last is answered.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.wake_all();
    }

    pub(super) fn wake_all(&self) {
        self.work.notify_waiters();
        self.wake_one();
    }

    /// The lane that was at work last: where one is enough, its session has everything at hand, and the others stay asleep.
    fn wake_one(&self) {
        self.work.notify_last();
    }

    /// Nothing that holds the lock leaves the state half changed, so a panic elsewhere does not spoil it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, queue: &Arc<Queue>, size_max: usize, now: Instant) -> Taken {
        if let Some(batch) = self.returned.pop_front() {
            self.aside -= 1;
            return Taken {
                batch: Some(batch),
                expired: Vec::new(),
            };
        }
        let mut work = Vec::new();
        let mut expired = Vec::new();
        let mut skipped: VecDeque<Pending> = VecDeque::new();
        let mut blocked: HashSet<Resource> = HashSet::new();
        while work.len() < size_max {
            let Some(pending) = self.waiting.pop_front() else {
                break;
            };
            if pending.is_abandoned() {
                self.forget(&pending);
            } else if pending.deadline <= now {
                self.forget(&pending);
                expired.push(pending);
            } else if pending
                .resources
                .iter()
                .any(|one| self.busy.contains_key(one) || blocked.contains(one))
            {
                blocked.extend(&pending.resources);
                skipped.push_back(pending);
            } else {
                self.forget(&pending);
                work.push(pending);
            }
        }
        if !skipped.is_empty() {
            skipped.append(&mut self.waiting);
            self.waiting = skipped;
        }
        if work.is_empty() {
            return Taken {
                batch: None,
                expired,
            };
        }
        let resources = resources(&work);
        self.claim(&resources);
        Taken {
            batch: Some(Batch::new(queue, work, resources)),
            expired,
        }
    }

    fn claim(&mut self, resources: &HashSet<Resource>) {
        for resource in resources {
            *self.busy.entry(*resource).or_default() += 1;
        }
    }

    fn is_finished(&self) -> bool {
        self.closed && self.waiting.is_empty() && self.aside == 0
    }

    /// A command that no longer waits.
    fn forget(&mut self, pending: &Pending) {
        self.bytes = self.bytes.saturating_sub(pending.bytes);
        for resource in &pending.resources {
            decrement(&mut self.counts, *resource);
        }
    }
}

fn decrement(counts: &mut HashMap<Resource, usize>, resource: Resource) {
    if let Some(count) = counts.get_mut(&resource) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&resource);
        }
    }
}
