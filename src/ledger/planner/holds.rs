//! What the planner does about holds: they are placed, changed and voided. Captures are postings.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::drafts::HoldStep;
use super::{Done, Planner};
use crate::ledger::{
    Command, Head, Hold, HoldChange, HoldId, HoldKind, HoldStatus, Kind, Magnitude, More, Native,
    NewHold, Rejection, Side, Status,
};

impl Planner<'_, '_> {
    /// The hold as it stands, if whoever asks may know of it. From here on the plan depends on its account.
    pub(super) fn find_hold(&mut self, id: HoldId) -> Result<&Hold, Rejection> {
        let found = self.drafts.find_hold(id, self.view);
        let account = found.ok_or(Native::HoldNotFound)?.account;
        let found = self.drafts.look(account, self.view);
        let is_known = found.is_some_and(|account| {
            let head = self.drafts.head(account);
            let (book, owner) = (head.book, head.owner);
            self.is_within(book) && self.person.is_none_or(|person| owner == Some(person))
        });
        let found = self.drafts.find_hold(id, self.view);
        Ok(found.filter(|_| is_known).ok_or(Native::HoldNotFound)?)
    }

    /// The same, if something can still become of it.
    pub(super) fn active_hold(&mut self, id: HoldId) -> Result<Hold, Rejection> {
        let now = self.now;
        let hold = self.find_hold(id)?;
        if hold.is_active() && !hold.is_due(now) {
            Ok(hold.clone())
        } else {
            let account = hold.account;
            Err(Native::HoldNotActive { account }.into())
        }
    }

    pub(super) fn place_hold(
        &mut self,
        command: &Command,
        new: &NewHold,
    ) -> Result<Done, Rejection> {
        let account = self.find(&new.account)?;
        self.check_book(account)?;
        let head = self.drafts.head(account);
        head.admits(new.currency, Side::Source)?;
        if Head::ACTIVE_HOLDS_MAX <= head.active_holds {
            return Err(Native::TooManyHolds { account }.into());
        }
        let at = self.entry_time(account);
        let expires_at = new.expires_at.or_else(|| later(at, Hold::LIFETIME));
        let expires_at = expires_at.ok_or(Native::TimeOutOfRange)?;
        check_expiry(at, expires_at)?;
        let hold = Hold {
            id: HoldId(command.id.0),
            account,
            currency: new.currency,
            amount: new.amount,
            captured: Magnitude::ZERO,
            status: HoldStatus::Active,
            expires_at,
            version: self.drafts.head(account).version,
            created_at: at,
        };
        self.step_hold(command, hold, HoldKind::Placed, Kind::HoldPlaced, at)
    }

    pub(super) fn change_hold(
        &mut self,
        command: &Command,
        id: HoldId,
        change: &HoldChange,
    ) -> Result<Done, Rejection> {
        let before = self.active_hold(id)?;
        let account = before.account;
        self.check_book(account)?;
        let head = self.drafts.head(account);
        let amount = match &change.amount {
            None => before.amount,
            Some(figure) => figure.in_currency(head.currency)?.magnitude(),
        };
        if amount < before.captured {
            return Err(Native::HoldAmountExceeded { account }.into());
        }
        if before.amount < amount && head.state.status == Status::Frozen {
            return Err(Rejection::AccountFrozen { account });
        }
        let at = self.entry_time(account);
        let expires_at = change.expires_at.unwrap_or(before.expires_at);
        if amount == before.amount && expires_at == before.expires_at {
            let at = self.drafts.time(self.now, [account]);
            return Ok(self.unchanged(before, at));
        }
        check_expiry(at, expires_at)?;
        let status = if amount == before.captured {
            HoldStatus::Captured
        } else {
            HoldStatus::Active
        };
        let hold = Hold {
            amount,
            status,
            expires_at,
            ..before
        };
        self.step_hold(command, hold, HoldKind::Changed, Kind::HoldChanged, at)
    }

    pub(super) fn void_hold(&mut self, command: &Command, id: HoldId) -> Result<Done, Rejection> {
        let before = self.active_hold(id)?;
        self.check_book(before.account)?;
        let at = self.entry_time(before.account);
        let hold = Hold {
            status: HoldStatus::Voided,
            ..before
        };
        self.step_hold(command, hold, HoldKind::Voided, Kind::HoldVoided, at)
    }

    fn step_hold(
        &mut self,
        command: &Command,
        hold: Hold,
        step: HoldKind,
        kind: Kind,
        at: DateTime<Utc>,
    ) -> Result<Done, Rejection> {
        let (id, account) = (hold.id, hold.account);
        let stamp = Self::stamp(command, at);
        self.drafts.step_hold(hold, &HoldStep::Hold(step), &stamp)?;
        let hold = Some(self.find_hold(id)?.clone());
        Ok(Done {
            kind,
            created_at: at,
            standings: vec![self.standing(account)],
            more: More {
                hold,
                ..More::default()
            },
        })
    }

    fn unchanged(&self, hold: Hold, at: DateTime<Utc>) -> Done {
        let mut done = Done::nothing(at, vec![self.standing(hold.account)]);
        done.more.hold = Some(hold);
        done
    }
}

/// A hold ends after it was placed or changed, and not too long after.
fn check_expiry(at: DateTime<Utc>, expires_at: DateTime<Utc>) -> Result<(), Rejection> {
    let is_in_time =
        later(at, Hold::LIFETIME_MAX).is_some_and(|last| at < expires_at && expires_at <= last);
    if is_in_time {
        Ok(())
    } else {
        Err(Native::TimeOutOfRange.into())
    }
}

fn later(at: DateTime<Utc>, by: Duration) -> Option<DateTime<Utc>> {
    at.checked_add_signed(TimeDelta::from_std(by).ok()?)
}
