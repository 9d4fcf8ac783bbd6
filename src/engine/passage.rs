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
    pub(super) fn take(&self) {
        self.taken.get_or_init(SystemTime::now);
    }

    pub(super) fn commit(&self, committed: Committed) {
        self.committed.get_or_init(|| committed);
    }

    pub(super) fn answer(&self, fault: Option<Fault>) {
        let at = SystemTime::now();
        self.answered.get_or_init(|| Ended { at, fault });
    }
}

/// The passage of a command that is submitted now. None where nobody traces the request.
pub(super) fn begin() -> Option<Arc<Passage>> {
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
