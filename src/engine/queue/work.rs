//! Commands that a lane took: while they live, no other lane works on their accounts.

use std::collections::HashSet;
use std::sync::Arc;

use super::bounded::Queue;
use super::pending::{Pending, resources};
use super::resource::Resource;
use crate::ledger::Command;

/// Commands that a lane took together, in their order.
pub(in crate::engine) struct Work {
    pub pending: Vec<Pending>,
    claim: Claim,
}

/// What a lane gets.
pub(in crate::engine) struct Taken {
    /// None if all that could be worked on had waited too long.
    pub work: Option<Work>,
    /// Commands that waited too long: nothing was applied.
    pub expired: Vec<Pending>,
}

/// The resources of commands, given back at the end, however they end.
struct Claim {
    queue: Arc<Queue>,
    resources: HashSet<Resource>,
}

impl Work {
    /// Waits for commands, and takes at most so many of them. `None` once the queue is closed and empty. Whoever stops
    /// waiting takes nothing.
    pub(in crate::engine) async fn take(queue: &Arc<Queue>, size_max: usize) -> Option<Taken> {
        let taken = queue.take(size_max).await?;
        let work = (!taken.pending.is_empty()).then(|| Self {
            claim: Claim {
                queue: Arc::clone(queue),
                resources: resources(&taken.pending),
            },
            pending: taken.pending,
        });
        let expired = taken.expired;
        Some(Taken { work, expired })
    }

    pub(in crate::engine) fn commands(&self) -> impl Iterator<Item = &Command> {
        self.pending.iter().map(|pending| &pending.command)
    }

    /// The second half, as work of its own.
    pub(in crate::engine) fn split_off(&mut self) -> Self {
        let second = self.pending.split_off(self.pending.len() / 2);
        self.part(second)
    }

    /// Takes out every command of the given accounts, and every later one that must not overtake those.
    pub(in crate::engine) fn separate(&mut self, resources: &HashSet<Resource>) -> Self {
        let mut blocked = resources.clone();
        let (apart, rest): (Vec<Pending>, Vec<Pending>) =
            self.pending.drain(..).partition(|pending| {
                let touches = pending
                    .resources
                    .iter()
                    .any(|resource| blocked.contains(resource));
                if touches {
                    blocked.extend(&pending.resources);
                }
                touches
            });
        self.pending = rest;
        self.part(apart)
    }

    /// Each part claims its own accounts, and nothing is free in between.
    fn part(&mut self, pending: Vec<Pending>) -> Self {
        let queue = &self.claim.queue;
        let claim = Claim::new(queue, &pending);
        self.claim = Claim::new(queue, &self.pending);
        Self { pending, claim }
    }
}

impl Claim {
    fn new(queue: &Arc<Queue>, pending: &[Pending]) -> Self {
        let resources = resources(pending);
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
