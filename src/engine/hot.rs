//! Which accounts change most: a sketch of bounded size (Metwally, Agrawal, El Abbadi: "Efficient computation of frequent and
//! top-k elements in data streams", 2005: Space-Saving).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::ledger::AccountId;

/// Accounts that are counted at a time. An account with more than one change in so many is among them.
const ACCOUNTS_MAX: usize = 256;

/// How often accounts were changed, as far as is remembered.
#[derive(Default)]
pub(super) struct Hot(Mutex<HashMap<AccountId, Count>>);

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
    pub(super) fn count(&self, accounts: impl Iterator<Item = AccountId>) {
        let mut counts = self.counts();
        for account in accounts {
            if !counts.contains_key(&account) && ACCOUNTS_MAX <= counts.len() {
                replace_least(&mut counts, account);
            }
            counts.entry(account).or_default().changes += 1;
        }
    }

    /// The busiest first.
    pub(super) fn list(&self, limit: usize) -> Vec<HotAccount> {
        let counts = self.counts();
        let mut accounts: Vec<HotAccount> = counts
            .iter()
            .map(|(account, count)| HotAccount {
                account: *account,
                changes_max: count.changes,
                changes_min: count.changes - count.surplus,
            })
            .collect();
        accounts.sort_unstable_by_key(|hot| (u64::MAX - hot.changes_max, hot.account));
        accounts.truncate(limit);
        accounts
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<AccountId, Count>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The account with the fewest changes gives way; nobody knows how many of its changes were the new one's.
fn replace_least(counts: &mut HashMap<AccountId, Count>, account: AccountId) {
    let least = counts.iter().min_by_key(|(_, count)| count.changes);
    let Some((least, count)) = least.map(|(least, count)| (*least, *count)) else {
        return;
    };
    counts.remove(&least);
    counts.insert(
        account,
        Count {
            changes: count.changes,
            surplus: count.changes,
        },
    );
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
}
