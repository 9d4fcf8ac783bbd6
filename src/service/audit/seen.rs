//! What a full run saw, as keyed digests, so that the next one can tell whether all of it is still there.
//!
//! Rows are read in any order by several jobs, so their digests are added up: the multiset hash `MSet-Add-Hash` of Clarke et al.,
//! "Incremental Multiset Hash Functions and Their Application to Memory Integrity Checking" (2003). Nobody can look for
//! other rows of the same sum without the key, which is random and stands in the checkpoint alone.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::place::Place;
use crate::ledger::{AccountId, Seal, Version};
use crate::storage::audit::{CurrencyRow, Reach, StoredName};

/// Sums of each kind. A ledger with more accounts than this has several of them in one sum, and is told which.
const SUMS_MAX: u64 = 4_096;

/// Everything that was written before a moment. The moment is so long ago that nothing is written before it any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) moment: DateTime<Utc>,
    pub(super) key: [u8; 32],
    /// By account id.
    pub(super) accounts: Sums,
    /// By the milliseconds in the ids of transactions.
    pub(super) transactions: Sums,
    pub(super) currencies: BTreeMap<String, Sum>,
}

/// Sums over ranges of numbers, each of the same width.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) width: u64,
    pub(super) sums: BTreeMap<u64, Sum>,
}

/// How many rows, and their digests added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) count: u64,
    pub(super) digest: u128,
}

/// An account as it stood.
pub(super) struct Past<'h> {
    pub(super) account: AccountId,
    pub(super) opened_at: DateTime<Utc>,
    pub(super) version: Version,
    pub(super) seal: Option<Seal>,
    pub(super) name: Option<&'h StoredName>,
}

impl Seen {
    /// Nothing yet, as of a moment.
    pub(super) fn begin(reach: &Reach, moment: DateTime<Utc>, key: [u8; 32]) -> Self {
        let accounts = u64::try_from(reach.last_account).unwrap_or_default();
        let now = u64::try_from(reach.now.timestamp_millis()).unwrap_or_default();
        let milliseconds = now.saturating_sub(milliseconds(reach.first_transaction));
        Self {
            moment,
            key,
            accounts: Sums::over(accounts),
            transactions: Sums::over(milliseconds),
            currencies: BTreeMap::new(),
        }
    }

    /// The same with nothing in it, to be filled again.
    pub(super) fn emptied(&self) -> Self {
        let empty = |sums: &Sums| Sums {
            width: sums.width,
            sums: BTreeMap::new(),
        };
        Self {
            moment: self.moment,
            key: self.key,
            accounts: empty(&self.accounts),
            transactions: empty(&self.transactions),
            currencies: BTreeMap::new(),
        }
    }

    pub(super) fn add_account(&mut self, past: &Past<'_>) {
        if self.moment <= past.opened_at {
            return;
        }
        let mut hash = self.hash(b"account");
        hash.update(past.account.0.to_be_bytes());
        hash.update(past.version.0.to_be_bytes());
        hash.update(past.seal.map_or([0; 32], |seal| seal.0));
        if let Some(name) = past.name {
            hash.update(name.book.0.to_be_bytes());
            hash.update(name.name.as_bytes());
        }
        let number = u64::try_from(past.account.0).unwrap_or_default();
        self.accounts.add(number, Sum::of(hash));
    }

    pub(super) fn add_transaction(&mut self, id: Uuid, created_at: DateTime<Utc>, columns: &[u8]) {
        if self.moment <= created_at {
            return;
        }
        let mut hash = self.hash(b"transaction");
        hash.update(id.as_bytes());
        hash.update(columns);
        self.transactions.add(milliseconds(id), Sum::of(hash));
    }

    pub(super) fn add_currency(&mut self, row: &CurrencyRow) {
        if self.moment <= row.created_at {
            return;
        }
        let mut hash = self.hash(b"currency");
        for text in [&row.code, &row.name, &row.scale.to_string()] {
            hash.update(text.as_bytes());
            hash.update([0]);
        }
        hash.update([u8::from(row.crypto)]);
        hash.update(row.created_at.timestamp_micros().to_be_bytes());
        self.currencies.insert(row.code.clone(), Sum::of(hash));
    }

    /// Adds what another part of the same audit saw.
    pub(super) fn absorb(&mut self, part: Self) {
        self.accounts.absorb(part.accounts);
        self.transactions.absorb(part.transactions);
        self.currencies.extend(part.currencies);
    }

    /// What is not as it was, where `now` was filled by a later run.
    pub(super) fn differences(&self, now: &Self) -> Vec<(Place, String)> {
        let saw = format!("the full audit up to {} saw", self.moment);
        let told = |was: Sum, is: Sum| {
            if was.count == is.count {
                format!("not as {saw} it")
            } else {
                format!("not as {saw} it: {} then, {} now", was.count, is.count)
            }
        };
        let accounts = self.accounts.differences(&now.accounts).map(|range| {
            let [first, last] = [range.first, range.last].map(account);
            (Place::Accounts(first, last), told(range.was, range.is))
        });
        let transactions = self.transactions.differences(&now.transactions);
        let transactions = transactions.map(|range| {
            let [first, last] = [range.first, range.last].map(time);
            (Place::Transactions(first, last), told(range.was, range.is))
        });
        let codes = self.currencies.keys().chain(now.currencies.keys());
        let mut codes: Vec<&String> = codes
            .filter(|code| self.currencies.get(*code) != now.currencies.get(*code))
            .collect();
        codes.dedup();
        let currencies = codes.into_iter().map(|code| {
            let what = format!("is not as {saw} it");
            (Place::Registered(code.clone()), what)
        });
        accounts.chain(transactions).chain(currencies).collect()
    }

    fn hash(&self, kind: &[u8]) -> Sha256 {
        let mut hash = Sha256::new();
        hash.update(self.key);
        hash.update(kind);
        hash
    }
}

/// Numbers of one sum, which was another.
struct Range {
    first: u64,
    last: u64,
    was: Sum,
    is: Sum,
}

impl Sums {
    /// As few numbers to a sum as there may be.
    fn over(numbers: u64) -> Self {
        Self {
            width: numbers.div_ceil(SUMS_MAX).next_power_of_two(),
            sums: BTreeMap::new(),
        }
    }

    fn add(&mut self, number: u64, sum: Sum) {
        let place = number.checked_div(self.width).unwrap_or_default();
        self.sums.entry(place).or_default().add(sum);
    }

    fn absorb(&mut self, part: Self) {
        for (place, sum) in part.sums {
            self.sums.entry(place).or_default().add(sum);
        }
    }

    fn differences(&self, now: &Self) -> impl Iterator<Item = Range> {
        let mut places: Vec<u64> = self.sums.keys().chain(now.sums.keys()).copied().collect();
        places.sort_unstable();
        places.dedup();
        let sum = |sums: &Self, place| sums.sums.get(&place).copied().unwrap_or_default();
        let changed = places.into_iter().map(move |place| Range {
            first: place.saturating_mul(self.width),
            last: place.saturating_add(1).saturating_mul(self.width) - 1,
            was: sum(self, place),
            is: sum(now, place),
        });
        changed.filter(|range| range.was != range.is)
    }
}

impl Sum {
    fn of(hash: Sha256) -> Self {
        let hash: [u8; 32] = hash.finalize().into();
        Self {
            count: 1,
            digest: u128::from_be_bytes(std::array::from_fn(|index| hash[index])),
        }
    }

    fn add(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.digest = self.digest.wrapping_add(other.digest);
    }
}

/// When a command entered, as its id says.
pub(super) fn entered_at(id: Uuid) -> DateTime<Utc> {
    time(milliseconds(id))
}

/// The same in milliseconds since 1970: the first 48 bits of a UUID of version 7 (RFC 9562).
fn milliseconds(id: Uuid) -> u64 {
    u64::try_from(id.as_u128() >> 80).unwrap_or_default()
}

fn account(number: u64) -> AccountId {
    AccountId(i64::try_from(number).unwrap_or(i64::MAX))
}

fn time(milliseconds: u64) -> DateTime<Utc> {
    let milliseconds = i64::try_from(milliseconds).unwrap_or(i64::MAX);
    DateTime::from_timestamp_millis(milliseconds).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment() -> DateTime<Utc> {
        "2026-11-27T12:00:00Z".parse().expect("a time")
    }

    fn seen(last_account: i64) -> Seen {
        let reach = Reach {
            database: "1/2".to_owned(),
            now: moment(),
            last_account,
            first_transaction: Uuid::nil(),
            sealed_books_since: moment(),
        };
        Seen::begin(&reach, moment(), [7; 32])
    }

    fn add(seen: &mut Seen, account: i64, version: i64) {
        seen.add_account(&Past {
            account: AccountId(account),
            opened_at: moment() - chrono::Duration::days(1),
            version: Version(version),
            seal: None,
            name: None,
        });
    }

    #[test]
    fn the_order_and_the_parts_do_not_matter() {
        let (mut one, mut other) = (seen(100), seen(100));
        for account in 1..=100 {
            add(&mut one, account, 3);
        }
        for half in [51..=100, 1..=50] {
            let mut part = other.emptied();
            for account in half.rev() {
                add(&mut part, account, 3);
            }
            other.absorb(part);
        }
        assert_eq!(one, other);
        assert!(one.differences(&other).is_empty());
    }

    #[test]
    fn one_account_of_a_small_ledger_is_named_and_a_range_of_a_large_one() {
        for (last, changed, named) in [
            (4_096, 5, (5, 5)),
            (4_097, 5, (4, 5)),
            (1_000_000, 999_999, (999_936, 1_000_191)),
        ] {
            let (mut was, mut is) = (seen(last), seen(last));
            for account in [changed - 1, changed, 3] {
                add(&mut was, account, 2);
                add(&mut is, account, if account == changed { 3 } else { 2 });
            }
            let places: Vec<Place> = was.differences(&is).into_iter().map(|(at, _)| at).collect();
            let (first, end) = named;
            assert_eq!(places, [Place::Accounts(AccountId(first), AccountId(end))]);
        }
    }

    #[test]
    fn what_is_gone_and_what_came_are_counted() {
        let (mut was, mut is) = (seen(10), seen(10));
        add(&mut was, 3, 1);
        add(&mut is, 4, 1);
        let told = was.differences(&is);
        assert!(told[0].1.ends_with("1 then, 0 now"), "{told:?}");
        assert!(told[1].1.ends_with("0 then, 1 now"), "{told:?}");
    }

    #[test]
    fn what_is_written_after_the_moment_does_not_count() {
        let mut seen = seen(10);
        let before = seen.clone();
        seen.add_transaction(Uuid::max(), moment(), b"any");
        assert_eq!(seen, before);
        seen.add_transaction(
            Uuid::max(),
            moment() - chrono::Duration::microseconds(1),
            b"any",
        );
        assert_ne!(seen, before);
    }
}
