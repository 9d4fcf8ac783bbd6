//! The audit: recomputes every balance, version and seal from the entries alone, beside live traffic.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::ledger::{AccountId, Amount, Currency, CurrencyCode, Seal, Version};
use crate::storage::audit::{self, StoredEntry, StoredHead, StoredTransaction};
use crate::storage::{Connection, StorageError};

/// Rows in a page. A page is one short statement, so that no snapshot is held for long.
const HEADS_PAGE: i64 = 500;
const ENTRIES_PAGE: i64 = 5_000;
const TRANSACTIONS_PAGE: i64 = 5_000;
/// How many differences are kept in full; the rest are counted.
const FINDINGS_MAX: usize = 100;

/// What the audit read, and what is off.
#[derive(Debug, Default)]
pub struct Report {
    pub accounts: u64,
    pub entries: u64,
    pub transactions: u64,
    pub totals: BTreeMap<CurrencyCode, Total>,
    /// The first differences.
    pub findings: Vec<Finding>,
    pub findings_count: u64,
}

/// The sums of a currency over all accounts, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    pub scale: u8,
    pub accounts: u64,
    pub balances: i128,
    pub entries: i128,
}

/// One difference between what is stored and what follows from the entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub place: Place,
    pub what: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Account(AccountId),
    Entry(AccountId, Version),
    Transaction(Uuid),
    Currency(CurrencyCode),
}

/// Reads everything, in pages. Changes nothing, locks nothing, and raises no alarm over what is written meanwhile: heads are
/// read first, then, later, the entries up to each head's version. `progress` is called after each page.
///
/// # Errors
/// Where the database does not answer.
pub async fn run(
    connection: &mut Connection,
    mut progress: impl FnMut(&Report),
) -> Result<Report, StorageError> {
    let mut report = Report::default();
    let mut after = AccountId(0);
    loop {
        let heads = audit::list_heads(connection, after, HEADS_PAGE).await?;
        let last = heads.last().map_or(AccountId(i64::MAX), |head| head.id);
        check_accounts(connection, &mut report, &heads, after, last).await?;
        progress(&report);
        if heads.is_empty() {
            break;
        }
        after = last;
    }
    check_transactions(connection, &mut report, &mut progress).await?;
    report.check_totals();
    Ok(report)
}

/// The chain of one account, as far as its entries have been read.
struct Chain {
    head: StoredHead,
    version: Version,
    balance: Amount,
    seal: Seal,
    last_entry_at: DateTime<Utc>,
    /// Whether an entry beyond the head has been seen.
    is_passed: bool,
    /// After the first difference all that follows would differ as well.
    broken: bool,
}

/// Accounts after one up to and including the last. Past the last account of all there must be no entry.
async fn check_accounts(
    connection: &mut Connection,
    report: &mut Report,
    heads: &[StoredHead],
    after: AccountId,
    last: AccountId,
) -> Result<(), StorageError> {
    let mut chains: HashMap<AccountId, Chain> = heads
        .iter()
        .map(|head| (head.id, Chain::new(head)))
        .collect();
    let mut position = (after, Version(i64::MAX));
    loop {
        let entries = audit::list_entries(connection, position, last, ENTRIES_PAGE).await?;
        let Some(end) = entries.last() else { break };
        position = (end.account, end.version);
        if chains
            .get(&end.account)
            .is_some_and(|chain| chain.head.version < end.version)
        {
            // Written since the head was read; what is newer still is not for this audit.
            position.1 = Version(i64::MAX);
        }
        for entry in entries {
            match chains.get_mut(&entry.account) {
                Some(chain) if entry.version <= chain.head.version => {
                    report.entries = report.entries.saturating_add(1);
                    chain.check_entry(report, &entry);
                }
                Some(chain) if !chain.is_passed => {
                    chain.is_passed = true;
                    check_beyond(connection, report, &entry).await?;
                }
                Some(_) => {}
                None => check_stray(connection, report, &entry).await?,
            }
        }
    }
    for head in heads {
        if let Some(chain) = chains.remove(&head.id) {
            chain.check_head(report);
        }
    }
    Ok(())
}

/// An entry that is newer than the head was: written since, or the head does not know of it.
async fn check_beyond(
    connection: &mut Connection,
    report: &mut Report,
    entry: &StoredEntry,
) -> Result<(), StorageError> {
    if find_head(connection, entry.account)
        .await?
        .is_some_and(|head| head.version < entry.version)
    {
        let what = "is beyond the version that its account has".to_owned();
        report.find(Place::Entry(entry.account, entry.version), what);
    }
    Ok(())
}

/// The head of an account as it is now.
async fn find_head(
    connection: &mut Connection,
    account: AccountId,
) -> Result<Option<StoredHead>, StorageError> {
    let before = AccountId(account.0.saturating_sub(1));
    let mut next = audit::list_heads(connection, before, 1).await?;
    Ok(next.pop().filter(|head| head.id == account))
}

/// An entry of an account that was not there when the heads were read: opened since, or no account at all.
async fn check_stray(
    connection: &mut Connection,
    report: &mut Report,
    entry: &StoredEntry,
) -> Result<(), StorageError> {
    if find_head(connection, entry.account).await?.is_none() {
        report.find(
            Place::Entry(entry.account, entry.version),
            "has no account".to_owned(),
        );
    }
    Ok(())
}

async fn check_transactions(
    connection: &mut Connection,
    report: &mut Report,
    progress: &mut impl FnMut(&Report),
) -> Result<(), StorageError> {
    let mut after = Uuid::nil();
    loop {
        let transactions = audit::list_transactions(connection, after, TRANSACTIONS_PAGE).await?;
        let Some(last) = transactions.last() else {
            return Ok(());
        };
        after = last.id;
        for transaction in &transactions {
            report.transactions = report.transactions.saturating_add(1);
            report.check_transaction(transaction);
        }
        progress(report);
    }
}

impl Chain {
    fn new(head: &StoredHead) -> Self {
        Self {
            version: Version::OPENING,
            balance: Amount::ZERO,
            seal: Seal::genesis(
                head.id,
                head.book,
                head.owner,
                head.currency,
                head.opened_at,
            ),
            last_entry_at: head.opened_at,
            is_passed: false,
            broken: false,
            head: head.clone(),
        }
    }

    fn check_entry(&mut self, report: &mut Report, entry: &StoredEntry) {
        let place = Place::Entry(entry.account, entry.version);
        if let Some(sealed) = &entry.sealed {
            report.add_entry(self.head.currency, sealed.amount);
        }
        if !entry.has_transaction {
            report.find(
                place,
                format!("has no accepted transaction {}", entry.transaction),
            );
        }
        if !entry.has_counterpart {
            report.find(place, "has no counterpart on the other account".to_owned());
        }
        if !self.broken
            && let Err(what) = self.follow(entry)
        {
            self.broken = true;
            report.find(place, what);
        }
    }

    /// The chain with one more entry; or why the entry does not follow.
    fn follow(&mut self, entry: &StoredEntry) -> Result<(), String> {
        let expected = Version(self.version.0.saturating_add(1));
        if entry.version != expected {
            return Err(format!(
                "follows on version {}: entries are missing",
                self.version.0
            ));
        }
        let sealed = entry
            .sealed
            .as_ref()
            .ok_or("holds what is no amount of the currency")?;
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

    fn check_head(&self, report: &mut Report) {
        let head = &self.head;
        let place = Place::Account(head.id);
        report.accounts = report.accounts.saturating_add(1);
        report.add_balance(head.currency, head.balance);
        if head
            .balance
            .zip(head.floor)
            .is_none_or(|(balance, floor)| balance < floor)
        {
            report.find(place, "has a balance below its floor".to_owned());
        }
        if self.broken {
            return;
        }
        let scale = head.currency.scale;
        if head.version != self.version {
            report.find(
                place,
                format!(
                    "says version {}, its entries end at {}",
                    head.version.0, self.version.0
                ),
            );
        }
        if head.balance != Some(self.balance) {
            let stored = head
                .balance
                .map_or("no amount".to_owned(), |balance| balance.to_text(scale));
            report.find(
                place,
                format!(
                    "says balance {stored}, its entries add up to {}",
                    self.balance.to_text(scale)
                ),
            );
        }
        if head.seal != Some(self.seal) {
            report.find(
                place,
                format!("says another seal than its entries: {}", self.seal),
            );
        }
        if head.last_entry_at != self.last_entry_at {
            report.find(place, "says another time than its last entry".to_owned());
        }
    }
}

impl Report {
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings_count == 0
    }

    fn find(&mut self, place: Place, what: String) {
        self.findings_count = self.findings_count.saturating_add(1);
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding { place, what });
        }
    }

    fn total(&mut self, currency: Currency) -> &mut Total {
        let total = self.totals.entry(currency.code).or_default();
        total.scale = currency.scale;
        total
    }

    fn add_entry(&mut self, currency: Currency, amount: Amount) {
        let total = self.total(currency);
        total.entries = total.entries.saturating_add(amount.minor());
    }

    fn add_balance(&mut self, currency: Currency, balance: Option<Amount>) {
        let total = self.total(currency);
        total.accounts = total.accounts.saturating_add(1);
        total.balances = total
            .balances
            .saturating_add(balance.unwrap_or_default().minor());
    }

    fn check_transaction(&mut self, transaction: &StoredTransaction) {
        let place = Place::Transaction(transaction.id);
        if transaction.moves_money && transaction.entries == 0 {
            self.find(place, "was accepted, but has no entry".to_owned());
        }
        if transaction.refused && 0 < transaction.entries {
            self.find(place, "was refused, but has entries".to_owned());
        }
    }

    fn check_totals(&mut self) {
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

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, what } = self;
        match place {
            Place::Account(account) => write!(formatter, "account {account}: {what}"),
            Place::Entry(account, version) => {
                write!(formatter, "account {account}, entry {}: {what}", version.0)
            }
            Place::Transaction(id) => write!(formatter, "transaction {id}: {what}"),
            Place::Currency(code) => write!(formatter, "currency {code}: {what}"),
        }
    }
}
