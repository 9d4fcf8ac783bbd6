//! Money that moves from one party to another: the steps of a posting, and the order in which its rules refuse.

use chrono::{DateTime, Utc};

use super::{Done, End, Planner};
use crate::ledger::{
    AccountId, AccountRef, Amount, Change, Command, Condition, Kind, Party, Posting, Rejection,
    Side, Standing, Version,
};

impl Planner<'_, '_> {
    /// Both ends of a posting, if there is a place for each.
    pub(super) fn ends(&mut self, posting: &Posting) -> Result<[End; 2], Rejection> {
        let from = self.end(&posting.from, Side::Source)?;
        Ok([from, self.end(&posting.to, Side::Target)?])
    }

    fn end(&mut self, party: &Party, side: Side) -> Result<End, Rejection> {
        match party {
            Party::World => Ok(End::World),
            Party::Account(reference) => self.locate(reference, side),
        }
    }

    /// Its refusals come in this order: book, status and currency, funds, one account twice, conditions, too much.
    pub(super) fn post(&mut self, command: &Command, posting: &Posting) -> Result<Done, Rejection> {
        let [from, to] = self.ends(posting)?;
        if let End::Free(_) = from {
            // What nobody has opened has nothing to give.
            return Err(Rejection::InsufficientFunds {
                account: None,
                available: Amount::ZERO,
            });
        }
        let (amount, currency) = (posting.amount.amount(), posting.currency);
        if amount.is_zero() {
            self.check_conditions(command)?;
            let ends = [from.account(), to.account()];
            let at = self.drafts.time(self.now, ends.into_iter().flatten());
            return Ok(self.done(Kind::Empty, at, ends, Amount::ZERO));
        }
        let target = match to {
            End::Free(name) => Some(self.open_named(&name, currency)),
            End::World | End::Account(_) => to.account(),
        };
        let source = from.account();
        for id in [source, target].into_iter().flatten() {
            self.check_book(id)?;
        }
        for (end, side) in [(source, Side::Source), (target, Side::Target)] {
            end.map_or(Ok(()), |id| self.drafts.head(id).admits(currency, side))?;
        }
        let touched = [source, target].into_iter().flatten();
        let at = self.drafts.time_of_entry(self.now, touched);
        let money = |amount, counterparty| Change::Money {
            amount,
            counterparty,
        };
        if let Some(account) = source {
            self.drafts
                .step(account, money(amount.negated(), target), command.id, at)?;
            if source == target {
                return Err(Rejection::SameAccount { account });
            }
        }
        self.check_conditions(command)?;
        if let Some(account) = target {
            self.drafts
                .step(account, money(amount, source), command.id, at)?;
        }
        Ok(self.done(posting.kind(), at, [source, target], amount))
    }

    /// Conditions are about the accounts as they were before the first step.
    pub(super) fn check_conditions(&mut self, command: &Command) -> Result<(), Rejection> {
        command.conditions.iter().try_for_each(|condition| {
            let Condition::Version { account, version } = condition;
            self.check_version(account, *version)
        })
    }

    /// Conditions are about accounts that are there. One that is not is said before anything is opened for the command.
    pub(super) fn find_conditions(&mut self, command: &Command) -> Result<(), Rejection> {
        command.conditions.iter().try_for_each(|condition| {
            let Condition::Version { account, .. } = condition;
            self.find(account).map(drop)
        })
    }

    fn check_version(
        &mut self,
        reference: &AccountRef,
        expected: Version,
    ) -> Result<(), Rejection> {
        let account = self.find(reference)?;
        let current = self.drafts.version_before(account);
        if current == expected {
            Ok(())
        } else {
            Err(Rejection::VersionMismatch { account, current })
        }
    }

    fn find(&mut self, reference: &AccountRef) -> Result<AccountId, Rejection> {
        let side = Side::Target;
        let account = self.locate(reference, side)?.account();
        account.ok_or(Rejection::AccountNotFound { side })
    }

    /// What the command comes to, by the accounts as they stand now.
    fn done(
        &self,
        kind: Kind,
        created_at: DateTime<Utc>,
        [source, target]: [Option<AccountId>; 2],
        amount: Amount,
    ) -> Done {
        let ends = [(source, amount.negated()), (target, amount)].into_iter();
        let standings =
            ends.filter_map(|(id, change)| Some(Standing::of(self.drafts.head(id?), change)));
        Done {
            kind,
            created_at,
            standings: standings.collect(),
        }
    }
}
