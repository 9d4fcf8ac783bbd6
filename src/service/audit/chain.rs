//! The chain of one account, followed from its opening or from an entry that was checked before.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::checkpoint::Anchor;
use super::place::Place;
use super::report::Report;
use super::seen::{Past, entered_at};
use crate::ledger::{Amount, Break, Entry, Head, Seal, Version};
use crate::storage::audit::{StoredEntry, StoredHead, StoredStart};

/// How much later than its book's sealing an entry may be: the two may be of services whose clocks are apart.
const SEALING_MAX: Duration = Duration::from_mins(1);

/// The chain of one account, as far as its entries have been read.
pub(super) struct Chain {
    /// The head as it is stored.
    pub(super) stored: StoredHead,
    /// The head that the entries have made so far.
    made: Head,
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
    pub(super) fn new(stored: &StoredHead, moments: &[DateTime<Utc>]) -> Self {
        Self {
            stored: stored.clone(),
            made: stored.opening(),
            balance_before: Amount::ZERO,
            is_passed: false,
            broken: false,
            past: moments.iter().map(|moment| (*moment, None)).collect(),
        }
    }

    /// From after an entry that was checked before, which is believed.
    pub(super) fn resume(stored: &StoredHead, start: &StoredStart, report: &mut Report) -> Self {
        let mut chain = Self::new(stored, &[]);
        let Some((balance, seal)) = start.balance.zip(start.seal) else {
            let what = "holds what is no amount of the currency, or no seal".to_owned();
            report.find(Place::Entry(stored.id, start.version), what);
            chain.broken = true;
            return chain;
        };
        chain.balance_before = balance;
        chain.made = Head {
            balance,
            version: start.version,
            seal,
            last_entry_at: start.created_at,
            ..chain.made
        };
        chain
    }

    /// The last version that was read.
    pub(super) fn version(&self) -> Version {
        self.made.version
    }

    pub(super) fn check_entry(&mut self, report: &mut Report, entry: &StoredEntry) {
        let place = Place::Entry(entry.account, entry.version);
        let read = entry.entry(self.stored.currency);
        report.entries = report.entries.saturating_add(1);
        if let Some(read) = &read {
            report.add_entry(self.stored.currency, read.change.amount());
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
            && let Err(what) = self.follow(entry, read.as_ref())
        {
            self.broken = true;
            report.find(place, what);
        }
    }

    /// Whether it was asked for and dated after its book was sealed. The time alone may be ahead: an account's times rise, whatever
    /// clock the last one was of.
    fn is_after_sealing(&self, entry: &StoredEntry) -> bool {
        let Some(sealed_at) = self.stored.book_sealed_at else {
            return false;
        };
        let late = sealed_at + SEALING_MAX;
        let entered = entered_at(entry.transaction.0);
        let is_of_the_future = self.stored.read_at < entry.created_at;
        late < entry.created_at && late < entered && !is_of_the_future
    }

    /// The chain with one more entry; or why the entry does not follow.
    fn follow(&mut self, stored: &StoredEntry, read: Option<&Entry>) -> Result<(), String> {
        let before = &self.made;
        if stored.version != before.version.next() {
            return Err(self.tell(Break::Missing, Amount::ZERO));
        }
        let read = read.ok_or("holds what is no amount of the currency")?;
        let amount = read.change.amount();
        let after = before.follow(read);
        let after = after.map_err(|why| self.tell(why, amount))?;
        if stored.seal != Some(after.seal) {
            let seal = after.seal;
            return Err(format!("is not what was sealed: the seal should be {seal}"));
        }
        self.made = after;
        Ok(())
    }

    /// Why an entry of that amount does not follow.
    fn tell(&self, why: Break, amount: Amount) -> String {
        let scale = self.stored.currency.scale;
        match why {
            Break::Missing => {
                let version = self.made.version.0;
                format!("follows on version {version}: entries are missing")
            }
            Break::TooLarge => "goes beyond the largest amount".to_owned(),
            Break::Balance { said, sum } => {
                let texts = [said, self.made.balance, amount, sum].map(|it| it.to_text(scale));
                let [said, before, amount, sum] = texts;
                format!("says balance {said}, but {before} and {amount} is {sum}")
            }
            Break::BelowFloor => "leaves less than nothing".to_owned(),
            Break::NotLater => "is not later than the entry before".to_owned(),
        }
    }

    /// Whether the head is what its entries made of it, once all of them were followed.
    pub(super) fn check_head(&self, report: &mut Report) {
        let (stored, made) = (&self.stored, &self.made);
        report.accounts = report.accounts.saturating_add(1);
        report.add_balance(stored.currency, self.change());
        self.remember(report);
        let mut find = |what: String| report.find(Place::Account(stored.id), what);
        if stored
            .balance
            .zip(stored.floor)
            .is_none_or(|(balance, floor)| balance < floor)
        {
            find("has a balance below its floor".to_owned());
        }
        if self.broken {
            return;
        }
        let scale = stored.currency.scale;
        if stored.version != made.version {
            find(format!(
                "says version {}, its entries end at {}",
                stored.version.0, made.version.0
            ));
        }
        if stored.balance != Some(made.balance) {
            let said = stored
                .balance
                .map_or("no amount".to_owned(), |balance| balance.to_text(scale));
            find(format!(
                "says balance {said}, its entries add up to {}",
                made.balance.to_text(scale)
            ));
        }
        if stored.seal != Some(made.seal) {
            find(format!("says another seal than its entries: {}", made.seal));
        }
        if stored.last_entry_at != made.last_entry_at {
            find("says another time than its last entry".to_owned());
        }
        report.note_latest(self.anchor());
    }

    /// Adds the account to what was seen of each moment.
    fn remember(&self, report: &mut Report) {
        for (seen, (_, last)) in report.seen.iter_mut().zip(&self.past) {
            let opening = || (Version::OPENING, Some(self.stored.opening().seal));
            let (version, seal) = last.unwrap_or_else(opening);
            seen.add_account(&Past {
                account: self.stored.id,
                opened_at: self.stored.opened_at,
                version,
                seal,
                name: self.stored.name.as_ref(),
            });
        }
    }

    /// How much the balance has changed since where the chain is followed from, in minor units.
    fn change(&self) -> i128 {
        let balance = self.stored.balance.unwrap_or_default();
        balance.minor().saturating_sub(self.balance_before.minor())
    }

    /// The entry that the chain ends with, if there is one.
    fn anchor(&self) -> Option<Anchor> {
        let made = &self.made;
        (made.version != Version::OPENING).then_some(Anchor {
            account: made.id,
            version: made.version,
            seal: made.seal,
            created_at: made.last_entry_at,
        })
    }
}
