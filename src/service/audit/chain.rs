//! The chain of one account, followed from its opening or from an entry that was checked before.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::checkpoint::Anchor;
use super::place::Place;
use super::report::Report;
use super::seen::{Past, entered_at};
use crate::ledger::seal::Sealed;
use crate::ledger::{Amount, Seal, Version};
use crate::storage::audit::{StoredEntry, StoredHead, StoredStart};

/// How much later than its book's sealing an entry may be: the two may be of services whose clocks are apart.
const SEALING_MAX: Duration = Duration::from_mins(1);

/// The chain of one account, as far as its entries have been read.
pub(super) struct Chain {
    pub(super) head: StoredHead,
    version: Version,
    balance: Amount,
    seal: Seal,
    last_entry_at: DateTime<Utc>,
    /// What the account held where the chain is followed from.
    balance_before: Amount,
    /// Whether an entry beyond the head has been seen.
    pub(super) is_passed: bool,
    /// After the first difference all that follows would differ as well.
    broken: bool,
    /// The last entry before each moment that the audit remembers, as it is stored; none where the opening is the last.
    past: Vec<(DateTime<Utc>, Option<Last>)>,
}

/// The version and the seal of an entry, as it is stored.
type Last = (Version, Option<Seal>);

impl Chain {
    /// From the account's opening on.
    pub(super) fn new(head: &StoredHead, moments: &[DateTime<Utc>]) -> Self {
        Self {
            version: Version::OPENING,
            balance: Amount::ZERO,
            seal: genesis(head),
            last_entry_at: head.opened_at,
            balance_before: Amount::ZERO,
            is_passed: false,
            broken: false,
            past: moments.iter().map(|moment| (*moment, None)).collect(),
            head: head.clone(),
        }
    }

    /// From after an entry that was checked before, which is believed.
    pub(super) fn resume(head: &StoredHead, start: &StoredStart, report: &mut Report) -> Self {
        let mut chain = Self::new(head, &[]);
        let Some((balance, seal)) = start.balance.zip(start.seal) else {
            let what = "holds what is no amount of the currency, or no seal".to_owned();
            report.find(Place::Entry(head.id, start.version), what);
            chain.broken = true;
            return chain;
        };
        (chain.version, chain.balance, chain.seal) = (start.version, balance, seal);
        (chain.last_entry_at, chain.balance_before) = (start.created_at, balance);
        chain
    }

    /// The last version that was read.
    pub(super) fn version(&self) -> Version {
        self.version
    }

    pub(super) fn check_entry(&mut self, report: &mut Report, entry: &StoredEntry) {
        let place = Place::Entry(entry.account, entry.version);
        let sealed = entry.sealed(self.head.currency);
        report.entries = report.entries.saturating_add(1);
        if let Some(sealed) = &sealed {
            report.add_entry(self.head.currency, sealed.amount);
        }
        if !entry.has_transaction {
            let what = format!("has no accepted transaction {}", entry.transaction);
            report.find(place.clone(), what);
        }
        if self.is_after_sealing(entry) {
            report.find(
                place.clone(),
                "is later than the sealing of its book".to_owned(),
            );
        }
        for (moment, last) in &mut self.past {
            if entry.created_at < *moment {
                *last = Some((entry.version, entry.seal));
            }
        }
        if !self.broken
            && let Err(what) = self.follow(entry, sealed.as_ref())
        {
            self.broken = true;
            report.find(place, what);
        }
    }

    /// Whether it was asked for and dated after its book was sealed. The time alone may be ahead: an account's times rise, whatever
    /// clock the last one was of.
    fn is_after_sealing(&self, entry: &StoredEntry) -> bool {
        let Some(sealed_at) = self.head.book_sealed_at else {
            return false;
        };
        let late = sealed_at + SEALING_MAX;
        let entered = entered_at(entry.transaction.0);
        let is_of_the_future = self.head.read_at < entry.created_at;
        late < entry.created_at && late < entered && !is_of_the_future
    }

    /// The chain with one more entry; or why the entry does not follow.
    fn follow(&mut self, entry: &StoredEntry, sealed: Option<&Sealed>) -> Result<(), String> {
        let expected = Version(self.version.0.saturating_add(1));
        if entry.version != expected {
            return Err(format!(
                "follows on version {}: entries are missing",
                self.version.0
            ));
        }
        let sealed = sealed.ok_or("holds what is no amount of the currency")?;
        let scale = self.head.currency.scale;
        let balance = self
            .balance
            .checked_add(sealed.amount)
            .ok_or("goes beyond the largest amount")?;
        if balance != sealed.balance {
            let (before, amount) = (self.balance.to_text(scale), sealed.amount.to_text(scale));
            return Err(format!(
                "says balance {}, but {before} and {amount} is {}",
                sealed.balance.to_text(scale),
                balance.to_text(scale)
            ));
        }
        if sealed.balance.is_negative() {
            return Err("leaves less than nothing".to_owned());
        }
        let first = self.version == Version::OPENING;
        if sealed.created_at < self.last_entry_at
            || (!first && sealed.created_at == self.last_entry_at)
        {
            return Err("is not later than the entry before".to_owned());
        }
        let seal = self.seal.next(sealed);
        if entry.seal != Some(seal) {
            return Err(format!("is not what was sealed: the seal should be {seal}"));
        }
        (self.version, self.balance, self.seal, self.last_entry_at) =
            (expected, balance, seal, sealed.created_at);
        Ok(())
    }

    /// Whether the head is what its entries made of it, once all of them were followed.
    pub(super) fn check_head(&self, report: &mut Report) {
        let head = &self.head;
        report.accounts = report.accounts.saturating_add(1);
        report.add_balance(head.currency, self.change());
        self.remember(report);
        let mut find = |what: String| report.find(Place::Account(head.id), what);
        if head
            .balance
            .zip(head.floor)
            .is_none_or(|(balance, floor)| balance < floor)
        {
            find("has a balance below its floor".to_owned());
        }
        if self.broken {
            return;
        }
        let scale = head.currency.scale;
        if head.version != self.version {
            find(format!(
                "says version {}, its entries end at {}",
                head.version.0, self.version.0
            ));
        }
        if head.balance != Some(self.balance) {
            let stored = head
                .balance
                .map_or("no amount".to_owned(), |balance| balance.to_text(scale));
            find(format!(
                "says balance {stored}, its entries add up to {}",
                self.balance.to_text(scale)
            ));
        }
        if head.seal != Some(self.seal) {
            find(format!("says another seal than its entries: {}", self.seal));
        }
        if head.last_entry_at != self.last_entry_at {
            find("says another time than its last entry".to_owned());
        }
        report.note_latest(self.anchor());
    }

    /// Adds the account to what was seen of each moment.
    fn remember(&self, report: &mut Report) {
        for (seen, (_, last)) in report.seen.iter_mut().zip(&self.past) {
            let opening = || (Version::OPENING, Some(genesis(&self.head)));
            let (version, seal) = last.unwrap_or_else(opening);
            seen.add_account(&Past {
                account: self.head.id,
                opened_at: self.head.opened_at,
                version,
                seal,
                name: self.head.name.as_ref(),
            });
        }
    }

    /// How much the balance has changed since where the chain is followed from, in minor units.
    fn change(&self) -> i128 {
        let balance = self.head.balance.unwrap_or_default();
        balance.minor().saturating_sub(self.balance_before.minor())
    }

    /// The entry that the chain ends with, if there is one.
    fn anchor(&self) -> Option<Anchor> {
        (self.version != Version::OPENING).then_some(Anchor {
            account: self.head.id,
            version: self.version,
            seal: self.seal,
            created_at: self.last_entry_at,
        })
    }
}

/// The seal of its opening.
fn genesis(head: &StoredHead) -> Seal {
    Seal::genesis(
        head.id,
        head.book,
        head.owner,
        head.currency,
        head.opened_at,
    )
}
