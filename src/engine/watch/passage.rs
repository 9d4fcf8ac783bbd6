//! When a command was taken from the queue, committed and answered: for a caller who traces its request.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use tokio::task::futures::TaskLocalFuture;
use tokio::task_local;

use crate::ledger::Fault;

task_local! {
    static TRAIL: Trail;
}

/// The passages of a request's commands through the engine, in the order in which they were submitted.
#[derive(Clone, Debug, Default)]
pub struct Trail(Arc<Mutex<Vec<Arc<Passage>>>>);

/// A command on its way through the engine. What has not happened is not there.
#[derive(Debug)]
pub struct Passage {
    pub submitted: SystemTime,
    taken: OnceLock<SystemTime>,
    committed: OnceLock<Committed>,
    answered: OnceLock<Ended>,
}

/// The batch that a command was committed with.
#[derive(Clone, Copy, Debug)]
pub struct Committed {
    /// In commands.
    pub batch_size: usize,
    /// Rounds that were lost to another writer before.
    pub conflicts: u32,
}

/// When a command was answered, and why not by the ledger.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    pub at: SystemTime,
    pub fault: Option<Fault>,
}

impl Trail {
    /// Polls what handles a request, and notes the commands that it submits.
    pub fn follow<F: Future>(&self, request: F) -> TaskLocalFuture<Trail, F> {
        TRAIL.scope(self.clone(), request)
    }

    #[must_use]
    pub fn passages(&self) -> Vec<Arc<Passage>> {
        let passages = self.0.lock();
        passages.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Passage {
    /// When a lane took the command from the queue.
    #[must_use]
    pub fn taken(&self) -> Option<SystemTime> {
        self.taken.get().copied()
    }

    #[must_use]
    pub fn committed(&self) -> Option<Committed> {
        self.committed.get().copied()
    }

    #[must_use]
    pub fn answered(&self) -> Option<Ended> {
        self.answered.get().copied()
    }

    /// A batch that was set aside is taken more than once; the first time ended the wait.
    pub(in crate::engine) fn take(&self) {
        self.taken.get_or_init(SystemTime::now);
    }

    pub(in crate::engine) fn commit(&self, committed: Committed) {
        self.committed.get_or_init(|| committed);
    }

    pub(in crate::engine) fn answer(&self, fault: Option<Fault>) {
        let at = SystemTime::now();
        self.answered.get_or_init(|| Ended { at, fault });
    }
}

/// The passage of a command that is submitted now. None if nobody traces the request.
pub(in crate::engine) fn begin() -> Option<Arc<Passage>> {
    let noted = TRAIL.try_with(|Trail(passages)| {
        let passage = Arc::new(Passage {
            submitted: SystemTime::now(),
            taken: OnceLock::new(),
            committed: OnceLock::new(),
            answered: OnceLock::new(),
        });
        let passages = passages.lock();
        let mut passages = passages.unwrap_or_else(PoisonError::into_inner);
        passages.push(Arc::clone(&passage));
        passage
    });
    noted.ok()
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    /// What happens while the trail of a request is followed.
    fn followed<T>(trail: &Trail, request: impl FnOnce() -> T) -> T {
        let request = trail.follow(async { request() });
        request.now_or_never().expect("nothing to wait for")
    }

    #[test]
    fn a_trail_has_the_passages_of_its_own_commands_in_order() {
        let (trail, other) = (Trail::default(), Trail::default());
        let begun = followed(&trail, || {
            [begin(), begin()].map(|one| one.expect("followed"))
        });
        let elsewhere = followed(&other, || begin().expect("followed"));
        assert!(begin().is_none(), "nobody traces this one");
        let passages = trail.passages();
        assert_eq!(passages.len(), 2);
        for (passage, begun) in passages.iter().zip(&begun) {
            assert!(Arc::ptr_eq(passage, begun));
        }
        assert_eq!(other.passages().len(), 1);
        assert!(Arc::ptr_eq(&other.passages()[0], &elsewhere));
    }

    #[test]
    fn a_passage_tells_what_has_happened_the_first_time() {
        let trail = Trail::default();
        let before = SystemTime::now();
        let passage = followed(&trail, || begin().expect("followed"));
        assert!((before..=SystemTime::now()).contains(&passage.submitted));
        assert!(passage.taken().is_none());
        assert!(passage.committed().is_none());
        assert!(passage.answered().is_none());

        passage.take();
        let taken = passage.taken().expect("taken");
        assert!((passage.submitted..=SystemTime::now()).contains(&taken));
        passage.take();
        assert_eq!(passage.taken(), Some(taken));

        for batch_size in [3, 4] {
            let conflicts = 1;
            passage.commit(Committed {
                batch_size,
                conflicts,
            });
        }
        let committed = passage.committed().expect("committed");
        assert_eq!((committed.batch_size, committed.conflicts), (3, 1));

        passage.answer(Some(Fault::Unavailable));
        let answered = passage.answered().expect("answered");
        assert!((taken..=SystemTime::now()).contains(&answered.at));
        passage.answer(None);
        let again = passage.answered().expect("answered");
        assert_eq!(
            (again.at, again.fault),
            (answered.at, Some(Fault::Unavailable))
        );
    }
}
