//! Holds of accounts: followed with the chains, and compared with what is stored of each.

use std::collections::BTreeMap;

use super::place::Place;
use super::report::Report;
use super::state::Audit;
use crate::ledger::{Amount, Currency, Entry, Hold, HoldId, HoldStatus, Magnitude, Version};
use crate::storage::audit::{self, StoredHold};
use crate::storage::{Connection, StorageError};

/// The holds of one account, as far as its entries have been read.
#[derive(Clone, Debug, Default)]
pub(super) struct Holds {
    active: BTreeMap<HoldId, Hold>,
    /// Those that have ended since somebody took them last.
    ended: Vec<Hold>,
}

/// A hold as its entries made it until the head of its account was read.
pub(super) struct MadeHold {
    pub(super) hold: Hold,
    /// The version that the head had.
    pub(super) read_at: Version,
}

impl Holds {
    /// Whether it is active, as far as is known.
    pub(super) fn has(&self, id: HoldId) -> bool {
        self.active.contains_key(&id)
    }

    /// How many are active.
    pub(super) fn count(&self) -> usize {
        self.active.len()
    }

    /// Adds one that began before the entries that are read.
    pub(super) fn recall(&mut self, hold: Hold) {
        if hold.is_active() {
            self.active.insert(hold.id, hold);
        }
    }

    /// One more entry of the account, which held so much before.
    ///
    /// # Errors
    /// Why the entry cannot follow on the holds as they were.
    pub(super) fn follow(
        &mut self,
        held_before: Amount,
        entry: &Entry,
        currency: Currency,
    ) -> Result<(), &'static str> {
        let Some(after) = entry.change.hold() else {
            return Ok(());
        };
        let before = self.active.remove(&after.id);
        let hold = Hold::follow(before.as_ref(), entry, currency);
        let hold = hold.ok_or("does not follow on its hold as it was")?;
        let sum = held_before.checked_add(hold.held_since(before.as_ref()));
        if sum != Some(entry.after.held) {
            return Err("says another sum than what remains of the active holds");
        }
        if hold.is_active() {
            self.active.insert(hold.id, hold);
        } else {
            self.ended.push(hold);
        }
        Ok(())
    }

    pub(super) fn take_ended(&mut self) -> Vec<Hold> {
        std::mem::take(&mut self.ended)
    }

    pub(super) fn into_active(self) -> impl Iterator<Item = Hold> {
        self.active.into_values()
    }
}

/// Compares holds with what is stored of them, some at a time.
pub(super) async fn check_rows(
    connection: &mut Connection,
    report: &mut Report,
    holds: &[MadeHold],
    page_max: i64,
) -> Result<(), StorageError> {
    let page_max = usize::try_from(page_max).unwrap_or(usize::MAX).max(1);
    for page in holds.chunks(page_max) {
        let ids: Vec<HoldId> = page.iter().map(|made| made.hold.id).collect();
        let rows = audit::list_holds(connection, &ids).await?;
        let rows: BTreeMap<HoldId, StoredHold> =
            rows.into_iter().map(|row| (row.id, row)).collect();
        for made in page {
            let found = match rows.get(&made.hold.id) {
                Some(row) => compare(made, row),
                None => Err("is not stored, though an entry placed it".to_owned()),
            };
            if let Err(what) = found {
                report.find(Place::Hold(made.hold.id), what);
            }
        }
    }
    Ok(())
}

/// The row was read after the head, so an active hold may have changed since, with its account. One that has ended never changes.
fn compare(made: &MadeHold, row: &StoredHold) -> Result<(), String> {
    let hold = &made.hold;
    if row.account != hold.account || row.created_at != hold.created_at {
        return Err("is stored with another account or another time than its entries".to_owned());
    }
    if hold.is_active() && made.read_at < row.version {
        return if row.account_version.is_some_and(|now| row.version <= now) {
            Ok(())
        } else {
            Err(format!(
                "says version {}, which its account has not",
                row.version.0
            ))
        };
    }
    let scale = hold.currency.scale;
    let amount = |text: &str| Amount::parse_plain(text, scale).ok();
    for (name, said, is) in [
        ("amount", &row.amount, hold.amount),
        ("captured", &row.captured, hold.captured),
    ] {
        if amount(said) != Some(is.amount()) {
            let is = Magnitude::amount(is).to_text(scale);
            return Err(format!("says {name} {said}, its entries make it {is}"));
        }
    }
    if row.status != Some(hold.status) {
        let is = name(hold.status);
        return Err(format!("says another status than its entries: {is}"));
    }
    if row.expires_at != hold.expires_at {
        return Err("says another expiry than its entries".to_owned());
    }
    if row.version != hold.version {
        let (said, is) = (row.version.0, hold.version.0);
        return Err(format!("says version {said}, its entries end at {is}"));
    }
    Ok(())
}

fn name(status: HoldStatus) -> &'static str {
    match status {
        HoldStatus::Active => "active",
        HoldStatus::Captured => "captured",
        HoldStatus::Voided => "voided",
        HoldStatus::Expired => "expired",
    }
}

/// Every hold was placed by an entry of its account.
pub(super) async fn check_placed(
    connection: &mut Connection,
    audit: &Audit,
) -> Result<(), StorageError> {
    let mut after = HoldId(audit.first);
    loop {
        let limit = audit.pages.registry_max;
        let page = audit::list_placed(connection, after, limit).await?;
        let mut report = audit.part();
        for hold in page.iter().filter(|hold| !hold.is_placed) {
            let what = "was placed by no entry of its account".to_owned();
            report.find(Place::Hold(hold.id), what);
        }
        audit.add(report);
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = last.id;
    }
}

#[cfg(test)]
mod tests;
