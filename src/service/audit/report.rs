//! What an audit read, and what it found off.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::checkpoint::Anchor;
use super::place::{Finding, Place};
use super::seen::Seen;
use crate::ledger::{Amount, BookId, Currency, CurrencyCode};

/// How many differences are kept in full; the rest are counted.
const FINDINGS_MAX: usize = 100;

/// What the audit read, and what is off.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub accounts: u64,
    pub entries: u64,
    pub transactions: u64,
    pub totals: BTreeMap<CurrencyCode, Total>,
    /// The first differences.
    pub findings: Vec<Finding>,
    pub findings_count: u64,
    /// The latest of the entries that were found right.
    pub(super) latest: Option<Anchor>,
    /// Accepted resets of books, with their times.
    pub(super) resets: Vec<(DateTime<Utc>, Uuid)>,
    /// Books that accepted transactions say they opened.
    pub(super) opened_books: Vec<(BookId, Uuid)>,
    /// What a full run saw as of each moment that it was asked for.
    pub(super) seen: Vec<Seen>,
}

/// The sums of a currency over the accounts that were checked, in minor units. Where an account is checked from an entry on,
/// its balance counts as far as it has changed since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    pub scale: u8,
    pub accounts: u64,
    pub balances: i128,
    pub entries: i128,
}

impl Report {
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings_count == 0
    }

    pub(super) fn find(&mut self, place: Place, what: String) {
        self.findings_count = self.findings_count.saturating_add(1);
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding { place, what });
        }
    }

    /// Adds what another part of the same audit has read.
    pub(super) fn absorb(&mut self, part: Self) {
        self.accounts = self.accounts.saturating_add(part.accounts);
        self.entries = self.entries.saturating_add(part.entries);
        self.transactions = self.transactions.saturating_add(part.transactions);
        for (code, more) in part.totals {
            let total = self.totals.entry(code).or_default();
            total.scale = more.scale;
            total.accounts = total.accounts.saturating_add(more.accounts);
            total.balances = total.balances.saturating_add(more.balances);
            total.entries = total.entries.saturating_add(more.entries);
        }
        self.findings_count = self.findings_count.saturating_add(part.findings_count);
        let room = FINDINGS_MAX.saturating_sub(self.findings.len());
        self.findings.extend(part.findings.into_iter().take(room));
        self.resets.extend(part.resets);
        self.opened_books.extend(part.opened_books);
        for (seen, more) in self.seen.iter_mut().zip(part.seen) {
            seen.absorb(more);
        }
        self.note_latest(part.latest);
    }

    pub(super) fn note_latest(&mut self, anchor: Option<Anchor>) {
        let time = |anchor: &Option<Anchor>| anchor.as_ref().map(|anchor| anchor.created_at);
        if time(&self.latest) < time(&anchor) {
            self.latest = anchor;
        }
    }

    fn total(&mut self, currency: Currency) -> &mut Total {
        let total = self.totals.entry(currency.code).or_default();
        total.scale = currency.scale;
        total
    }

    pub(super) fn add_entry(&mut self, currency: Currency, amount: Amount) {
        let total = self.total(currency);
        total.entries = total.entries.saturating_add(amount.minor());
    }

    pub(super) fn add_balance(&mut self, currency: Currency, minor: i128) {
        let total = self.total(currency);
        total.accounts = total.accounts.saturating_add(1);
        total.balances = total.balances.saturating_add(minor);
    }

    /// The last step: whether the sums agree.
    pub(super) fn check_totals(&mut self) {
        // The parts came in any order.
        self.findings
            .sort_by(|one, other| one.place.cmp(&other.place));
        for (code, total) in self.totals.clone() {
            if total.balances != total.entries {
                let what = format!(
                    "balances add up to {}, entries to {} minor units",
                    total.balances, total.entries
                );
                self.find(Place::Currency(code), what);
            }
        }
    }
}
