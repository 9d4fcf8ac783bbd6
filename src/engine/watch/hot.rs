//! Which accounts change most: a sketch of bounded size (Metwally, Agrawal, El Abbadi: "Efficient computation of frequent and
//! top-k elements in data streams", 2005: Space-Saving).

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::ledger::AccountId;

/// Accounts that are counted at a time. An account with more than one change in so many is among them.
const ACCOUNTS_MAX: usize = 256;

/// How often accounts were changed, as far as is remembered.
#[derive(Default)]
pub(in crate::engine) struct Hot(Mutex<Sketch>);

#[derive(Default)]
struct Sketch {
    counts: HashMap<AccountId, Count>,
    /// The same accounts by their changes: who has the fewest gives way.
    order: BTreeSet<(u64, Reverse<AccountId>)>,
}

#[derive(Clone, Copy, Default)]
struct Count {
    changes: u64,
    /// How many of them may have been those of accounts that gave way.
    surplus: u64,
}

/// An account that changes often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HotAccount {
    pub account: AccountId,
    /// At most so many changes since the service started.
    pub changes_max: u64,
    /// At least so many.
    pub changes_min: u64,
}

impl Hot {
    pub(in crate::engine) fn count(&self, accounts: impl Iterator<Item = AccountId>) {
        let mut sketch = self.sketch();
        for account in accounts {
            sketch.count(account);
        }
    }

    /// The busiest first.
    pub(in crate::engine) fn list(&self, limit: usize) -> Vec<HotAccount> {
        let sketch = self.sketch();
        let busiest = sketch.order.iter().rev().take(limit);
        busiest
            .filter_map(|(_, Reverse(account))| Some((account, sketch.counts.get(account)?)))
            .map(|(account, count)| HotAccount {
                account: *account,
                changes_max: count.changes,
                changes_min: count.changes - count.surplus,
            })
            .collect()
    }

    fn sketch(&self) -> MutexGuard<'_, Sketch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sketch {
    fn count(&mut self, account: AccountId) {
        let known = self.counts.get(&account).copied();
        let count = known.unwrap_or_else(|| self.replace_least());
        if known.is_some() {
            self.order.remove(&(count.changes, Reverse(account)));
        }
        let count = Count {
            changes: count.changes + 1,
            ..count
        };
        self.order.insert((count.changes, Reverse(account)));
        self.counts.insert(account, count);
    }

    /// What a new account starts from. If there is no room, the one with the fewest changes gives way; nobody knows how
    /// many of its changes were the new one's.
    fn replace_least(&mut self) -> Count {
        if self.counts.len() < ACCOUNTS_MAX {
            return Count::default();
        }
        let Some((changes, Reverse(least))) = self.order.pop_first() else {
            return Count::default();
        };
        self.counts.remove(&least);
        Count {
            changes,
            surplus: changes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_account_is_found_among_many_and_its_count_is_bounded() {
        let hot = Hot::default();
        for round in 0..2_000 {
            let others = (0..3).map(|other| AccountId(10 + (round * 3 + other) % 1_500));
            hot.count([AccountId(1)].into_iter().chain(others));
        }
        let busiest = hot.list(2);
        assert_eq!(busiest[0].account, AccountId(1));
        assert!((busiest[0].changes_min..=busiest[0].changes_max).contains(&2_000));
        assert!(busiest[1].changes_max < 200, "{busiest:?}");
        assert_eq!(hot.list(10_000).len(), ACCOUNTS_MAX);
    }

    #[test]
    fn accounts_are_counted_exactly_while_there_is_room_for_them_all() {
        let hot = Hot::default();
        assert_eq!(hot.list(10), []);
        let account = |id: i64, changes| HotAccount {
            account: AccountId(id),
            changes_max: changes,
            changes_min: changes,
        };
        hot.count([3, 1, 2, 3, 1, 3].map(AccountId).into_iter());
        assert_eq!(hot.list(10), [account(3, 3), account(1, 2), account(2, 1)]);
        assert_eq!(hot.list(1), [account(3, 3)]);
    }

    #[test]
    fn the_least_busy_account_gives_way_and_its_changes_may_have_been_the_new_ones() {
        let hot = Hot::default();
        let room = i64::try_from(ACCOUNTS_MAX).expect("small");
        let twice = (1..=room).chain(2..=room).map(AccountId);
        hot.count(twice);
        assert_eq!(hot.list(10_000).len(), ACCOUNTS_MAX);
        assert_eq!(hot.list(10_000)[ACCOUNTS_MAX - 1].account, AccountId(1));
        hot.count([AccountId(1_000); 4].into_iter());
        let listed = hot.list(10_000);
        assert_eq!(listed.len(), ACCOUNTS_MAX);
        assert_eq!(
            listed[0],
            HotAccount {
                account: AccountId(1_000),
                changes_max: 5,
                changes_min: 4,
            }
        );
        assert!(listed.iter().all(|hot| hot.account != AccountId(1)));
        assert!(listed[1..].iter().all(|hot| hot.changes_min == 2));
    }
}
