//! Balances, looked up together: reads that arrive while others are under way are the next statement.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{UserBalance, read, unreadable_row};
use crate::engine::callers::{Caller, answer_all};
use crate::ledger::{Currency, Fault, UserId};
use crate::storage::{self, Pool};

/// How many may wait. Beyond it, a read is refused.
const WAITING_MAX: usize = 20_000;
/// Statements under way at a time, where they hold more than one read each.
const FLIGHTS: u32 = 2;

/// The balance, where the user and the account are there.
type Found = Result<Option<UserBalance>, Fault>;

/// Who looks balances up.
pub(super) struct Balances(Arc<Shared>);

struct Shared {
    pool: Pool,
    state: Mutex<State>,
    batch_size_max: usize,
    flights_max: u32,
}

#[derive(Default)]
struct State {
    waiting: Vec<Wanted>,
    flights: u32,
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
            flights_max: if batch_size_max == 1 {
                pool_size_max
            } else {
                FLIGHTS.min(pool_size_max)
            },
        }))
    }

    /// A user beside their account in a currency, as it was after the call at the earliest.
    ///
    /// # Errors
    /// Where the database does not answer, or too many wait.
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
            if state.flights < self.0.flights_max {
                state.flights += 1;
                // A task of its own: who asked may go away.
                tokio::spawn(Flight::new(&self.0).fly());
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
struct Flight {
    shared: Arc<Shared>,
    landed: bool,
}

impl Flight {
    fn new(shared: &Arc<Shared>) -> Self {
        Self {
            shared: Arc::clone(shared),
            landed: false,
        }
    }

    /// Looks up whatever waits, until nothing does.
    async fn fly(mut self) {
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

    /// The next reads, in their order. Where there are none the flight is over, before anybody else can ask for one.
    fn take(&mut self) -> Option<Vec<Wanted>> {
        let mut state = self.shared.state();
        if state.waiting.is_empty() {
            state.flights -= 1;
            self.landed = true;
            return None;
        }
        let count = state.waiting.len().min(self.shared.batch_size_max);
        Some(state.waiting.drain(..count).collect())
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if !self.landed {
            self.shared.state().flights -= 1;
        }
    }
}
