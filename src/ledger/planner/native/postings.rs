//! How the most obvious ledger moves money from one party to another.

use super::super::posting_tests::cents;
use super::naive::{Naive, Refused, Time, id, left, said};
use crate::ledger::money::MINOR_UNITS_MAX;
use crate::ledger::{
    AccountId, AccountRef, Bound, Capture, Command, Condition, Currency, HoldStatus, Kind, Measure,
    More, Native, Part, Party, Posted, Posting, Quantity, Receipt, Rejection, Rule, Side,
    TransactionId, Version,
};

/// A posting whose ends are found.
struct Leg {
    from: Option<AccountId>,
    to: Option<AccountId>,
    capture: Option<Capture>,
    amount: Quantity,
    currency: Option<Currency>,
}

impl Naive {
    pub(super) fn post(
        &mut self,
        command: &Command,
        postings: &[Posting],
    ) -> Result<Receipt, Refused> {
        let mut legs = Vec::new();
        for (place, posting) in postings.iter().enumerate() {
            let leg = self.leg(posting);
            legs.push(leg.map_err(|rejection| (Some(Part::Posting(place)), rejection))?);
        }
        self.move_all(command, &legs, None)
    }

    pub(super) fn reverse(
        &mut self,
        command: &Command,
        transaction: TransactionId,
    ) -> Result<Receipt, Refused> {
        let nowhere = |native: Native| (None, Rejection::from(native));
        let moved = self.transactions.get(&transaction);
        let moved = moved.ok_or(nowhere(Native::NotFound))?;
        for account in &moved.accounts {
            let found = self.find(&AccountRef::Id(*account), Side::Target);
            found.map_err(|_| nowhere(Native::NotFound))?;
        }
        if moved.postings.is_empty() {
            return Err(nowhere(Native::NotReversible));
        }
        if let Some(transaction) = moved.reversed_by {
            return Err(nowhere(Native::AlreadyReversed { transaction }));
        }
        let turned = moved.postings.iter().rev().map(|posted| Leg {
            from: posted.to,
            to: posted.from,
            capture: None,
            amount: Quantity::Exactly(posted.amount),
            currency: Some(posted.currency),
        });
        let legs: Vec<Leg> = turned.collect();
        self.move_all(command, &legs, Some(transaction))
    }

    fn leg(&self, posting: &Posting) -> Result<Leg, Rejection> {
        let mut capture = None;
        let from = match &posting.from {
            Party::World => None,
            Party::Account(account) => Some(self.find(account, Side::Source)?),
            Party::Hold(asked) => {
                capture = Some(*asked);
                Some(self.hold(asked.hold)?.account)
            }
        };
        let to = match &posting.to {
            Party::World => None,
            Party::Account(account) => Some(self.find(account, Side::Target)?),
            Party::Hold(_) => unreachable!("a hold takes nothing"),
        };
        let (amount, currency) = (posting.amount.clone(), posting.currency);
        Ok(Leg {
            from,
            to,
            capture,
            amount,
            currency,
        })
    }

    fn move_all(
        &mut self,
        command: &Command,
        legs: &[Leg],
        reverses: Option<TransactionId>,
    ) -> Result<Receipt, Refused> {
        let before = self.clone();
        before.check_conditions(command, |_, rule| matches!(rule, Rule::Version(_)))?;
        let mut touched = Vec::new();
        for end in legs.iter().flat_map(|leg| [leg.from, leg.to]).flatten() {
            if !touched.contains(&end) {
                touched.push(end);
            }
        }
        let at = self.entry_time(touched.iter().copied());
        let mut postings = Vec::new();
        for (place, leg) in legs.iter().enumerate() {
            let part = Some(Part::Posting(place));
            let amount = self.take_from(leg, at).map_err(|it| (part, it))?;
            let is_funded = |_: &Self, rule: &Rule| matches!(rule, Rule::VersionOfFunded(_));
            before.check_conditions(command, is_funded)?;
            self.give_to(leg, amount, at).map_err(|it| (part, it))?;
            let any = leg.from.or(leg.to).expect("an account");
            postings.push(Posted {
                from: leg.from,
                to: leg.to,
                amount: cents(amount).magnitude(),
                currency: self.accounts[&any].currency,
                hold: leg.capture.map(|capture| capture.hold),
            });
        }
        self.check_conditions(command, |_, rule| matches!(rule, Rule::Bound { .. }))?;
        let standings = touched.iter().map(|id| {
            let change = self.accounts[id].balance - before.accounts[id].balance;
            self.standing(*id, change)
        });
        let standings = standings.collect();
        let kind = match postings.as_slice() {
            [one] if one.from.is_none() => Kind::Deposit,
            [one] if one.to.is_none() => Kind::Withdrawal,
            [_] => Kind::Transfer,
            _ => Kind::Transaction,
        };
        let mut captured = legs.iter().rev().filter_map(|leg| leg.capture);
        let hold = captured.next().map(|last| self.holds[&last.hold].clone());
        let more = More {
            postings,
            reverses,
            hold,
            ..More::default()
        };
        Ok(said(command, kind, at, standings, more))
    }

    /// What a posting takes from where, if it may move at all.
    fn take_from(&mut self, leg: &Leg, at: Time) -> Result<i128, Rejection> {
        let any = leg.from.or(leg.to).ok_or(Native::NoAccount)?;
        let currency = leg.currency.unwrap_or(self.accounts[&any].currency);
        for account in [leg.from, leg.to].into_iter().flatten() {
            self.check_book(account)?;
        }
        if let Some(from) = leg.from {
            self.check_giving(from, currency)?;
        }
        if let Some(to) = leg.to {
            self.check_taking(to, currency)?;
        }
        let available = leg.from.map_or(0, |from| self.available(from));
        let amount = match (&leg.amount, leg.capture) {
            (Quantity::Exactly(amount), _) => amount.amount().minor(),
            (Quantity::Written(figure), _) => figure.in_currency(currency)?.minor(),
            (Quantity::All, Some(capture)) => left(&self.active(capture.hold)?),
            (Quantity::All, None) => available,
        };
        if amount <= 0 {
            return Err(Rejection::InsufficientFunds {
                account: leg.from,
                available: cents(available),
            });
        }
        let Some(from) = leg.from else {
            return Ok(amount);
        };
        let (balance, held) = (self.accounts[&from].balance - amount, self.held(from));
        match leg.capture {
            None => {
                self.check_funds(from, balance, held)?;
                self.write(from, at);
            }
            Some(capture) => self.capture(capture, amount, at)?,
        }
        self.accounts.get_mut(&from).expect("an account").balance = balance;
        if leg.from == leg.to {
            return Err(Rejection::SameAccount { account: from });
        }
        Ok(amount)
    }

    fn capture(&mut self, capture: Capture, amount: i128, at: Time) -> Result<(), Rejection> {
        let mut hold = self.active(capture.hold)?;
        let (account, remaining) = (hold.account, left(&hold));
        if remaining < amount && !capture.may_exceed {
            return Err(Native::HoldAmountExceeded { account }.into());
        }
        let captured = hold.captured.amount().minor() + amount;
        if MINOR_UNITS_MAX < captured {
            return Err(Rejection::AmountTooLarge { account });
        }
        hold.captured = cents(captured).magnitude();
        if capture.is_final || remaining <= amount {
            hold.status = HoldStatus::Captured;
        }
        let balance = self.accounts[&account].balance - amount;
        let after = self.held(account) - remaining + left(&hold);
        self.check_funds(account, balance, after)?;
        self.write_hold(hold, at);
        Ok(())
    }

    fn give_to(&mut self, leg: &Leg, amount: i128, at: Time) -> Result<(), Rejection> {
        let Some(account) = leg.to else {
            return Ok(());
        };
        let target = self.accounts.get_mut(&account).expect("an account");
        if MINOR_UNITS_MAX < target.balance + amount {
            return Err(Rejection::AmountTooLarge { account });
        }
        target.balance += amount;
        self.write(account, at);
        Ok(())
    }

    /// Of the conditions those of some rules, in order, once all of their accounts are found.
    fn check_conditions(
        &self,
        command: &Command,
        is_asked: impl Fn(&Self, &Rule) -> bool,
    ) -> Result<(), Refused> {
        let each = || command.conditions.iter();
        for Condition { account, place, .. } in each() {
            let found = self.find(account, Side::Target);
            found.map_err(|rejection| (Some(Part::Condition(*place)), rejection))?;
        }
        for condition in each().filter(|condition| is_asked(self, &condition.rule)) {
            let checked = self.check(condition);
            checked.map_err(|rejection| (Some(Part::Condition(condition.place)), rejection))?;
        }
        Ok(())
    }

    fn check(&self, condition: &Condition) -> Result<(), Rejection> {
        let account = id(&condition.account);
        let state = &self.accounts[&account];
        match &condition.rule {
            Rule::Version(version) | Rule::VersionOfFunded(version) => {
                let current = Version(state.version);
                if current != *version {
                    return Err(Rejection::VersionMismatch { account, current });
                }
            }
            Rule::Bound { of, side, figure } => {
                let value = match of {
                    Measure::Balance => state.balance,
                    Measure::Available => self.available(account),
                };
                let bound = figure.in_currency(state.currency)?.minor();
                let is_beyond = match side {
                    Bound::AtLeast => value < bound,
                    Bound::AtMost => bound < value,
                };
                if is_beyond {
                    return Err(Native::ConditionFailed { account }.into());
                }
            }
        }
        Ok(())
    }
}
