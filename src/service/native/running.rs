//! Keys under which a request is being carried out by this node: all others under the same wait for the first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

use crate::ledger::CallerId;

type Name = (CallerId, String);

#[derive(Default)]
pub(in crate::service) struct Running {
    turns: Arc<Turns>,
}

#[derive(Default)]
struct Turns(Mutex<HashMap<Name, Arc<RwLock<()>>>>);

/// The turn of a request. It ends when this is dropped.
pub(super) struct InTurn {
    turns: Arc<Turns>,
    name: Name,
    turn: Option<Turn>,
}

/// Held for what it lets others do when it is dropped.
enum Turn {
    First { _alone: OwnedRwLockWriteGuard<()> },
    Later { _together: OwnedRwLockReadGuard<()> },
}

impl Running {
    /// Waits until the first request under the key is done. All that wait for it go on together, as its outcome is known
    /// by then. Whoever gives up leaves nothing behind.
    pub(super) async fn enter(&self, caller: CallerId, key: String) -> InTurn {
        let name = (caller, key);
        let (turn, first) = {
            let mut turns = self.turns.lock();
            let turn = Arc::clone(turns.entry(name.clone()).or_default());
            // Of a turn that nobody else has had, this is the first.
            let is_new = Arc::strong_count(&turn) == 2;
            let first = is_new.then(|| Arc::clone(&turn).try_write_owned().ok());
            (turn, first.flatten())
        };
        let mut entered = InTurn {
            turns: Arc::clone(&self.turns),
            name,
            turn: None,
        };
        entered.turn = Some(match first {
            Some(alone) => Turn::First { _alone: alone },
            None => Turn::Later {
                _together: turn.read_owned().await,
            },
        });
        entered
    }

    pub(super) fn is_running(&self, caller: CallerId, key: &str) -> bool {
        let turns = self.turns.lock();
        turns.contains_key(&(caller, key.to_owned()))
    }
}

impl Turns {
    /// No panic leaves it half changed.
    fn lock(&self) -> MutexGuard<'_, HashMap<Name, Arc<RwLock<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InTurn {
    fn drop(&mut self) {
        drop(self.turn.take());
        let mut turns = self.turns.lock();
        // The last one out: nobody else holds the turn, and nobody can get at it without this lock.
        let is_last = |turn: &Arc<RwLock<()>>| Arc::strong_count(turn) == 1;
        if turns.get(&self.name).is_some_and(is_last) {
            turns.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Duration, timeout};

    use super::*;

    const CALLER: CallerId = CallerId::ANYONE;

    #[tokio::test]
    async fn the_second_under_a_key_waits_and_nothing_is_left_behind() {
        let running = Running::default();
        let first = running.enter(CALLER, "k".to_owned()).await;
        assert!(running.is_running(CALLER, "k"));
        assert!(!running.is_running(CallerId(2), "k"));
        let waits = |key: &str| timeout(Duration::ZERO, running.enter(CALLER, key.to_owned()));
        assert!(waits("k").await.is_err());
        assert!(waits("other").await.is_ok());
        let later = async || running.enter(CALLER, "k".to_owned()).await;
        let (second, third, ()) = tokio::join!(later(), later(), async { drop(first) });
        assert!(running.is_running(CALLER, "k"), "both at once");
        assert!(waits("k").await.is_ok(), "nobody waits for one that waited");
        drop((second, third));
        assert!(!running.is_running(CALLER, "k"));
        assert!(waits("k").await.is_ok());
        assert!(running.turns.lock().is_empty());
    }
}
