//! The waiting commands in their order, and what is worked on meanwhile: nobody overtakes on an account.

use std::collections::{HashMap, HashSet, VecDeque};

use tokio::time::Instant;

use super::pending::{Pending, resources};
use super::resource::Resource;

pub(super) struct Line {
    waiting: VecDeque<Pending>,
    commands_max: usize,
    bytes: usize,
    bytes_max: usize,
    /// How many waiting commands there are of each account.
    counts: HashMap<Resource, usize>,
    /// What some lane works on, and in how many parts of its work.
    busy: HashMap<Resource, usize>,
}

/// What comes out of the line.
#[derive(Default)]
pub(super) struct Taken {
    /// What may be worked on now. Its resources are claimed.
    pub pending: Vec<Pending>,
    /// Commands that waited too long: nothing was applied.
    pub expired: Vec<Pending>,
}

impl Line {
    pub(super) fn new(commands_max: usize, bytes_max: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            commands_max,
            bytes: 0,
            bytes_max,
            counts: HashMap::new(),
            busy: HashMap::new(),
        }
    }

    /// One account may fill half of the line at most.
    pub(super) fn has_room_for(&self, pending: &Pending) -> bool {
        let account_max = self.commands_max.div_ceil(2);
        let count = |resource| self.counts.get(resource).copied().unwrap_or_default();
        let mut resources = pending.resources.iter();
        self.waiting.len() < self.commands_max
            && self.bytes.saturating_add(pending.bytes) <= self.bytes_max
            && resources.all(|resource| count(resource) < account_max)
    }

    /// Whether no lane works on what the command touches.
    pub(super) fn is_free(&self, pending: &Pending) -> bool {
        let mut resources = pending.resources.iter();
        !resources.any(|resource| self.busy.contains_key(resource))
    }

    pub(super) fn push(&mut self, pending: Pending) {
        for resource in &pending.resources {
            *self.counts.entry(*resource).or_default() += 1;
        }
        self.bytes = self.bytes.saturating_add(pending.bytes);
        self.waiting.push_back(pending);
    }

    /// Takes out what may be worked on now, in order, and claims it.
    pub(super) fn take(&mut self, size_max: usize, now: Instant) -> Taken {
        let mut taken = Taken::default();
        let mut skipped: VecDeque<Pending> = VecDeque::new();
        let mut blocked: HashSet<Resource> = HashSet::new();
        // A command of many postings is as much work as many of one.
        let mut size: usize = 0;
        while size < size_max {
            let Some(pending) = self.waiting.pop_front() else {
                break;
            };
            if pending.is_abandoned() {
                self.forget(&pending);
            } else if pending.deadline <= now {
                self.forget(&pending);
                taken.expired.push(pending);
            } else if pending
                .resources
                .iter()
                .any(|one| self.busy.contains_key(one) || blocked.contains(one))
            {
                blocked.extend(&pending.resources);
                skipped.push_back(pending);
            } else {
                self.forget(&pending);
                size = size.saturating_add(pending.command.weight());
                taken.pending.push(pending);
            }
        }
        if !skipped.is_empty() {
            skipped.append(&mut self.waiting);
            self.waiting = skipped;
        }
        self.claim(&resources(&taken.pending));
        taken
    }

    /// Takes out the commands that waited too long.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Pending> {
        let (expired, waiting): (Vec<Pending>, Vec<Pending>) = self
            .waiting
            .drain(..)
            .partition(|pending| pending.deadline <= now);
        self.waiting = waiting.into();
        for pending in &expired {
            self.forget(pending);
        }
        expired
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn claim(&mut self, resources: &HashSet<Resource>) {
        for resource in resources {
            *self.busy.entry(*resource).or_default() += 1;
        }
    }

    pub(super) fn release(&mut self, resources: &HashSet<Resource>) {
        for resource in resources {
            decrement(&mut self.busy, *resource);
        }
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
