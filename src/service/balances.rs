//! Balances, looked up together: reads that arrive while others are under way are the next statement.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{UserBalance, read, unreadable_row};
use crate::engine::callers::{Caller, answer_all};
use crate::ledger::{Currency, Fault, UserId};
use crate::storage::{self, Pool};

/// How many may wait. Beyond it, a read is refused.
const WAITING_MAX: usize = 20_000;
/// Statements under way at a time, if they hold more than one read each.
const LOOKUPS_MAX: u32 = 2;

/// The balance, if the user and the account are there.
type Found = Result<Option<UserBalance>, Fault>;

/// Who looks balances up.
pub(super) struct Balances(Arc<Shared>);

struct Shared {
    pool: Pool,
    state: Mutex<State>,
    batch_size_max: usize,
    lookups_max: u32,
}

#[derive(Default)]
struct State {
    waiting: Vec<Wanted>,
    lookups: u32,
}

/// A balance that somebody waits for.
struct Wanted {
    user: UserId,
    currency: Currency,
    caller: Caller<Found>,
}

impl Balances {
    /// With a batch size of one, every read is a statement of its own.
    pub(super) fn new(pool: Pool, batch_size_max: usize, pool_size_max: u32) -> Self {
        Self(Arc::new(Shared {
            pool,
            state: Mutex::default(),
            batch_size_max,
            lookups_max: if batch_size_max == 1 {
                pool_size_max
            } else {
                LOOKUPS_MAX.min(pool_size_max)
            },
        }))
    }

    /// A user beside their account in a currency, as it was after the call at the earliest.
    ///
    /// # Errors
    /// If the database does not answer, or too many wait.
    pub(super) async fn find(&self, user: UserId, currency: Currency) -> Found {
        let (caller, found) = Caller::new();
        {
            let mut state = self.0.state();
            if WAITING_MAX <= state.waiting.len() {
                return Err(Fault::Overloaded);
            }
            state.waiting.push(Wanted {
                user,
                currency,
                caller,
            });
            if state.lookups < self.0.lookups_max {
                state.lookups += 1;
                // A task of its own: who asked may go away.
                tokio::spawn(Lookup::new(&self.0).run());
            }
        }
        found.await.unwrap_or(Err(Fault::Unavailable))
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to have a statement under way, given back however it ends.
struct Lookup {
    shared: Arc<Shared>,
    is_over: bool,
}

impl Lookup {
    fn new(shared: &Arc<Shared>) -> Self {
        Self {
            shared: Arc::clone(shared),
            is_over: false,
        }
    }

    /// Looks up whatever waits, until nothing does.
    async fn run(mut self) {
        while let Some(wanted) = self.take() {
            let asked: Vec<(UserId, Currency)> = wanted
                .iter()
                .map(|wanted| (wanted.user, wanted.currency))
                .collect();
            let callers = wanted.into_iter().map(|wanted| wanted.caller);
            let found = read(&self.shared.pool, async move |connection| {
                storage::users::list_balances(connection, &asked).await
            });
            match found.await {
                Ok(found) => {
                    let found = found.into_iter();
                    let found = found.map(|found| found.map_err(|error| unreadable_row(&error)));
                    answer_all(callers.zip(found));
                }
                Err(fault) => answer_all(callers.map(|caller| (caller, Err(fault)))),
            }
        }
    }

    /// The next reads, in their order. If there are none, the lookup is over, before anybody else can ask for one.
    fn take(&mut self) -> Option<Vec<Wanted>> {
        let mut state = self.shared.state();
        if state.waiting.is_empty() {
            state.lookups -= 1;
            self.is_over = true;
            return None;
        }
        let count = state.waiting.len().min(self.shared.batch_size_max);
        Some(state.waiting.drain(..count).collect())
    }
}

impl Drop for Lookup {
    fn drop(&mut self) {
        if !self.is_over {
            self.shared.state().lookups -= 1;
        }
    }
}
