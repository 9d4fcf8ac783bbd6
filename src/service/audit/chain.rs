//! The chain of one account, followed from its opening or from an entry that was checked before.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::checkpoint::Anchor;
use super::head;
use super::holds::{Holds, MadeHold};
use super::place::Place;
use super::report::Report;
use super::seen::{Past, entered_at};
use crate::ledger::{
    Amount, Break, DetailsDigest, Entry, EntryKind, Head, Hold, HoldId, Seal, TransactionId,
    Version,
};
use crate::storage::audit::{StoredEntry, StoredHead, StoredStart};

/// How much later than its book's sealing an entry may be: the two may be of services whose clocks are apart.
const SEALING_MAX: Duration = Duration::from_mins(1);

/// The chain of one account, as far as its entries have been read.
pub(super) struct Chain {
    /// The head as it is stored.
    pub(super) stored: StoredHead,
    /// The head that the entries have made so far.
    pub(super) made: Head,
    /// The transaction of the last of them.
    last: Option<TransactionId>,
    /// Those that the entries were about so far.
    holds: Holds,
    /// Whether the chain is followed from an entry and not from the opening.
    is_resumed: bool,
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
            last: None,
            holds: Holds::default(),
            is_resumed: false,
            balance_before: Amount::ZERO,
            is_passed: false,
            broken: false,
            past: moments.iter().map(|moment| (*moment, None)).collect(),
        }
    }

    /// From after an entry that was checked before, which is believed.
    pub(super) fn resume(stored: &StoredHead, start: &StoredStart, report: &mut Report) -> Self {
        let mut chain = Self::new(stored, &[]);
        chain.is_resumed = true;
        chain.last = Some(start.transaction);
        let Some((state, seal)) = start.state.zip(start.seal) else {
            let what = "holds what is no amount of the currency, or no seal".to_owned();
            report.find(Place::Entry(stored.id, start.version), what);
            chain.broken = true;
            return chain;
        };
        chain.balance_before = state.balance;
        chain.made = Head {
            state,
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
        if let Ok(read) = &read {
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
        if self.broken {
            return;
        }
        let said = self.made.state.details;
        if let Err(what) = self.follow(entry, read.as_ref().map_err(|what| *what)) {
            self.broken = true;
            report.find(place, what);
        } else if let Some(what) = self.check_text(entry, said) {
            report.find(place, what.to_owned());
        }
    }

    /// Whether what is said of the account is there, if the entry sealed something else than before.
    fn check_text(
        &self,
        entry: &StoredEntry,
        before: Option<DetailsDigest>,
    ) -> Option<&'static str> {
        let digest = self.made.state.details?;
        if before == Some(digest) {
            return None;
        }
        match entry.text() {
            None => Some("seals details that are not stored"),
            Some(text) => (!text.fits(digest)).then_some("seals other details than are stored"),
        }
    }

    /// Whether it was asked for and dated after its book was sealed. The time alone may be ahead: an account's times rise, whatever
    /// clock the last one was of.
    /// Nobody asks for the end of a hold.
    fn is_after_sealing(&self, entry: &StoredEntry) -> bool {
        let Some(sealed_at) = self.stored.book_sealed_at else {
            return false;
        };
        if entry.kind() == Some(EntryKind::HoldExpired) {
            return false;
        }
        let late = sealed_at + SEALING_MAX;
        let entered = entered_at(entry.transaction.0);
        let is_of_the_future = self.stored.read_at < entry.created_at;
        late < entry.created_at && late < entered && !is_of_the_future
    }

    /// The chain with one more entry; or why the entry does not follow.
    fn follow(
        &mut self,
        stored: &StoredEntry,
        read: Result<&Entry, &'static str>,
    ) -> Result<(), String> {
        let before = &self.made;
        if stored.version != before.version.next() {
            return Err(self.tell(Break::Missing, Amount::ZERO));
        }
        let read = read?;
        let amount = read.change.amount();
        let after = before.follow(read, self.last);
        let after = after.map_err(|why| self.tell(why, amount))?;
        let held = before.state.held;
        self.holds.follow(held, read, self.stored.currency)?;
        if stored.seal != Some(after.seal) {
            let seal = after.seal;
            return Err(format!("is not what was sealed: the seal should be {seal}"));
        }
        self.made = after;
        self.last = Some(read.transaction);
        Ok(())
    }

    /// A hold that an entry is about and that began before the entries that are read.
    pub(super) fn unknown_hold(&self, entry: &StoredEntry) -> Option<HoldId> {
        let is_placed = entry.kind() == Some(EntryKind::HoldPlaced);
        let hold = entry.hold().filter(|id| !self.holds.has(*id));
        hold.filter(|_| self.is_resumed && !self.broken && !is_placed)
    }

    pub(super) fn recall(&mut self, hold: Hold) {
        self.holds.recall(hold);
    }

    /// Holds that have ended since the last time.
    pub(super) fn take_ended(&mut self) -> impl Iterator<Item = MadeHold> {
        let read_at = self.stored.version;
        let ended = self.holds.take_ended().into_iter();
        ended.map(move |hold| MadeHold { hold, read_at })
    }

    /// Holds that are active after all entries; nothing can be said of them if the chain is broken.
    pub(super) fn into_active(self) -> impl Iterator<Item = MadeHold> {
        let (read_at, is_whole) = (self.stored.version, !self.broken);
        let active = self.holds.into_active().filter(move |_| is_whole);
        active.map(move |hold| MadeHold { hold, read_at })
    }

    /// How many holds are active, if all entries were read.
    pub(super) fn active_holds(&self) -> Option<usize> {
        (!self.is_resumed).then(|| self.holds.count())
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
                let texts =
                    [said, self.made.state.balance, amount, sum].map(|it| it.to_text(scale));
                let [said, before, amount, sum] = texts;
                format!("says balance {said}, but {before} and {amount} is {sum}")
            }
            Break::BelowFloor => "leaves less than is held and its floor allow".to_owned(),
            Break::State => "leaves a state that its kind cannot leave".to_owned(),
            Break::NotLater => "is not later than the entry before".to_owned(),
        }
    }

    /// Whether the head is what its entries made of it, once all of them were followed.
    pub(super) fn check_head(&self, report: &mut Report) {
        let stored = &self.stored;
        report.accounts = report.accounts.saturating_add(1);
        report.add_balance(stored.currency, self.change());
        self.remember(report);
        let mut find = |what: String| report.find(Place::Account(stored.id), what);
        head::differences_alone(stored)
            .into_iter()
            .for_each(&mut find);
        if self.broken {
            return;
        }
        head::differences(self).into_iter().for_each(find);
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
