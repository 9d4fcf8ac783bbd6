//! A transaction is reversed: its postings turned round, the last first, once.

use super::posting::Leg;
use super::{Done, End, Planner};
use crate::ledger::{Command, Native, Quantity, Rejection, TransactionId};

impl Planner<'_, '_> {
    pub(super) fn reverse(
        &mut self,
        command: &Command,
        transaction: TransactionId,
    ) -> Result<Done, Rejection> {
        let original = self.view.originals.get(&transaction);
        let original = original.and_then(Option::as_ref);
        let original = original.ok_or(Native::NotFound)?;
        for account in &original.accounts {
            let found = self.drafts.look(*account, self.view);
            let found = found.ok_or(Native::NotFound)?;
            let book = self.drafts.head(found).book;
            if !self.is_within(book) {
                return Err(Native::NotFound.into());
            }
        }
        if original.postings.is_empty() {
            return Err(Native::NotReversible.into());
        }
        let reversed = self.reversed.get(&transaction).copied();
        if let Some(transaction) = original.reversed_by.or(reversed) {
            return Err(Native::AlreadyReversed { transaction }.into());
        }
        let end = |account: Option<_>| account.map_or(End::World, End::Account);
        let legs = original.postings.iter().rev().map(|posted| Leg {
            from: end(posted.to),
            to: end(posted.from),
            capture: None,
            amount: Quantity::Exactly(posted.amount),
            currency: Some(posted.currency),
        });
        let mut done = self.carry_over(command, legs.collect())?;
        done.more.reverses = Some(transaction);
        Ok(done)
    }
}
