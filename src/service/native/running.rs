//! Keys under which a request is being carried out by this node: the next under the same waits for its turn.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

use crate::ledger::CallerId;

type Name = (CallerId, String);

#[derive(Default)]
pub(in crate::service) struct Running {
    turns: Arc<Turns>,
}

#[derive(Default)]
struct Turns(Mutex<HashMap<Name, Arc<Turn<()>>>>);

/// The turn of a request. It ends when this is dropped.
pub(super) struct InTurn {
    turns: Arc<Turns>,
    name: Name,
    turn: Option<OwnedMutexGuard<()>>,
}

impl Running {
    /// Waits until no other request under the key is being carried out. Whoever gives up leaves nothing behind.
    pub(super) async fn enter(&self, caller: CallerId, key: String) -> InTurn {
        let name = (caller, key);
        let turn = {
            let mut turns = self.turns.lock();
            Arc::clone(turns.entry(name.clone()).or_default())
        };
        let mut entered = InTurn {
            turns: Arc::clone(&self.turns),
            name,
            turn: None,
        };
        entered.turn = Some(turn.lock_owned().await);
        entered
    }

    pub(super) fn is_running(&self, caller: CallerId, key: &str) -> bool {
        let turns = self.turns.lock();
        turns.contains_key(&(caller, key.to_owned()))
    }
}

impl Turns {
    /// No panic leaves it half changed.
    fn lock(&self) -> MutexGuard<'_, HashMap<Name, Arc<Turn<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InTurn {
    fn drop(&mut self) {
        drop(self.turn.take());
        let mut turns = self.turns.lock();
        // The last one out: nobody else holds the turn, and nobody can get at it without this lock.
        let is_last = |turn: &Arc<Turn<()>>| Arc::strong_count(turn) == 1;
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
        drop(first);
        assert!(!running.is_running(CALLER, "k"));
        assert!(waits("k").await.is_ok());
        assert!(running.turns.lock().is_empty());
    }
}
