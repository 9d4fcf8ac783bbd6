//! Holds whose time is over: whoever touches their account writes that down first, whatever becomes of the command itself.

use std::collections::BTreeSet;

use super::drafts::HoldStep;
use super::plan::NewTransaction;
use super::{Done, Planner};
use crate::ledger::{AccountId, Command, Hold, HoldKind, HoldStatus, Kind, Scope, Stamp};

impl Planner<'_, '_> {
    /// Expires what is due on every account that the command touches.
    pub(super) fn expire_due(&mut self, command: &Command) {
        if self.view.due.is_empty() {
            return;
        }
        for account in self.view.accounts_of(command).collect::<BTreeSet<_>>() {
            self.expire_account(account);
        }
    }

    /// What the sweeper asks for: that every command does it is enough.
    pub(super) fn expire(&mut self, account: AccountId) -> Done {
        self.drafts.look(account, self.view);
        Done::nothing(self.now, Vec::new())
    }

    fn expire_account(&mut self, account: AccountId) {
        let Some(due) = self.view.due.get(&account) else {
            return;
        };
        if self.drafts.look(account, self.view).is_none() {
            return;
        }
        let is_time = |at| at <= self.now;
        if !self.drafts.head(account).due_at.is_some_and(is_time) {
            return;
        }
        let (over, open): (Vec<&Hold>, Vec<&Hold>) =
            due.holds.iter().partition(|hold| hold.is_due(self.now));
        for hold in over {
            self.write_expiry(hold);
        }
        let next = open.into_iter().map(|hold| hold.expires_at);
        let next = next.chain(due.next).min();
        self.drafts.set_due(account, next);
    }

    fn write_expiry(&mut self, hold: &Hold) {
        let account = hold.account;
        let Some(id) = self.unused_transactions.next().copied() else {
            // Without an id it stays as it is: not to be captured, and not yet free.
            return;
        };
        let at = self.entry_time(account);
        let stamp = Stamp {
            transaction: id,
            created_at: at,
            note: None,
            effective_at: None,
        };
        // No command before this one has touched the account, so the hold is as it is stored.
        self.drafts.know_hold(hold);
        let expired = Hold {
            status: HoldStatus::Expired,
            ..hold.clone()
        };
        let step = HoldStep::Hold(HoldKind::Expired);
        self.drafts
            .step_hold(expired, &step, &stamp)
            .expect("what frees money is never refused");
        let scope = Scope::Account(account);
        let row = NewTransaction::new(id, Kind::HoldExpired, scope, at);
        self.plan.transactions.push(row);
    }
}
