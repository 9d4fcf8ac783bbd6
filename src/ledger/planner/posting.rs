//! Money that moves from one party to another: the steps of postings, and the order in which their rules refuse.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::drafts::HoldStep;
use super::{Done, End, Planner};
use crate::ledger::{
    AccountId, Amount, Capture, Change, Command, Currency, Hold, HoldStatus, Kind, Magnitude, More,
    Native, Part, Party, Posted, Posting, Quantity, Rejection, Side, Stamp, Standing, Step,
};

/// A posting whose ends are found.
pub(super) struct Leg {
    pub(super) from: End,
    pub(super) to: End,
    pub(super) capture: Option<Capture>,
    pub(super) amount: Quantity,
    pub(super) currency: Option<Currency>,
}

/// What moves, once the rules of both accounts have been asked.
struct Moved {
    source: Option<AccountId>,
    target: Option<AccountId>,
    amount: Magnitude,
    currency: Currency,
}

impl Planner<'_, '_> {
    pub(super) fn post(
        &mut self,
        command: &Command,
        postings: &[Posting],
    ) -> Result<Done, Rejection> {
        let mut legs = Vec::with_capacity(postings.len());
        for (place, posting) in postings.iter().enumerate() {
            self.part = Some(Part::Posting(place));
            let [from, to] = self.ends(posting)?;
            let capture = match posting.from {
                Party::Hold(capture) => Some(capture),
                Party::World | Party::Account(_) => None,
            };
            legs.push(Leg {
                from,
                to,
                capture,
                amount: posting.amount.clone(),
                currency: posting.currency,
            });
        }
        self.carry_over(command, legs)
    }

    /// Both ends of a posting, if there is a place for each.
    pub(super) fn ends(&mut self, posting: &Posting) -> Result<[End; 2], Rejection> {
        let from = self.end(&posting.from, Side::Source)?;
        Ok([from, self.end(&posting.to, Side::Target)?])
    }

    fn end(&mut self, party: &Party, side: Side) -> Result<End, Rejection> {
        match party {
            Party::World => Ok(End::World),
            Party::Account(reference) => self.locate(reference, side),
            Party::Hold(capture) => Ok(End::Account(self.find_hold(capture.hold)?.account)),
        }
    }

    /// Carries postings out in their order, each on what those before it left.
    pub(super) fn carry_over(
        &mut self,
        command: &Command,
        mut legs: Vec<Leg>,
    ) -> Result<Done, Rejection> {
        self.find_conditions(command)?;
        self.check_versions(command)?;
        for (place, leg) in legs.iter().enumerate() {
            self.part = Some(Part::Posting(place));
            if let End::Free(_) = leg.from {
                // What nobody has opened has nothing to give.
                return Err(Rejection::InsufficientFunds {
                    account: None,
                    available: Amount::ZERO,
                });
            }
        }
        let ends = legs
            .iter()
            .flat_map(|leg| [leg.from.account(), leg.to.account()]);
        let named: Vec<AccountId> = ends.flatten().collect();
        legs.retain(|leg| leg.amount != Quantity::Exactly(Magnitude::ZERO));
        if legs.is_empty() {
            self.check_versions_of_funded(command)?;
            self.check_bounds(command)?;
            let at = self.drafts.time(self.now, named.iter().copied());
            let standings = named.iter().map(|id| self.standing(*id));
            return Ok(Done::nothing(at, standings.collect()));
        }
        self.open_targets(&mut legs);
        let ends = legs
            .iter()
            .flat_map(|leg| [leg.from.account(), leg.to.account()]);
        let at = self.drafts.time_of_entry(self.now, ends.flatten());
        let stamp = Self::stamp(command, at);
        let mut postings = Vec::with_capacity(legs.len());
        let mut hold = None;
        for (place, leg) in legs.iter().enumerate() {
            self.part = Some(Part::Posting(place));
            let moved = self.carry(command, leg, place, &stamp)?;
            let captured = leg.capture.map(|capture| capture.hold);
            postings.push(Posted {
                from: moved.source,
                to: moved.target,
                amount: moved.amount,
                currency: moved.currency,
                hold: captured,
            });
            hold = captured.or(hold);
        }
        self.check_bounds(command)?;
        let kind = kind(&postings);
        let hold = hold.map(|hold| self.find_hold(hold).cloned()).transpose()?;
        let more = More {
            postings,
            hold,
            ..More::default()
        };
        Ok(Done {
            kind,
            created_at: at,
            standings: self.standings_after(),
            more,
        })
    }

    /// Names that take money get their accounts.
    fn open_targets(&mut self, legs: &mut [Leg]) {
        for leg in legs {
            let End::Free(name) = &leg.to else { continue };
            let opened = match (self.drafts.named(name), leg.currency) {
                (Some(opened), _) => opened,
                (None, Some(currency)) => self.open_named(&name.clone(), currency),
                (None, None) => continue,
            };
            leg.to = End::Account(opened);
        }
    }

    /// The refusals of one posting come in this order: book, status and currency, the hold, funds, one account twice, conditions,
    /// too much.
    fn carry(
        &mut self,
        command: &Command,
        leg: &Leg,
        place: usize,
        stamp: &Stamp,
    ) -> Result<Moved, Rejection> {
        let (source, target) = (leg.from.account(), leg.to.account());
        let any = source.or(target).ok_or(Native::NoAccount)?;
        let currency = leg.currency.unwrap_or(self.drafts.head(any).currency);
        for id in [source, target].into_iter().flatten() {
            self.check_book(id)?;
        }
        for (end, side) in [(source, Side::Source), (target, Side::Target)] {
            end.map_or(Ok(()), |id| self.drafts.head(id).admits(currency, side))?;
        }
        let amount = self.quantity(leg, source, currency)?;
        let posting = u8::try_from(place).unwrap_or(u8::MAX);
        if let Some(account) = source {
            if let Some(capture) = leg.capture {
                self.capture(capture, amount, target, posting, stamp)?;
            } else {
                let step = money(amount.amount().negated(), target, posting);
                self.drafts.step(account, step, stamp)?;
            }
            if source == target {
                return Err(Rejection::SameAccount { account });
            }
        }
        self.check_versions_of_funded(command)?;
        if let Some(account) = target {
            let step = money(amount.amount(), source, posting);
            self.drafts.step(account, step, stamp)?;
        }
        Ok(Moved {
            source,
            target,
            amount,
            currency,
        })
    }

    /// How much moves, at its turn.
    fn quantity(
        &mut self,
        leg: &Leg,
        source: Option<AccountId>,
        currency: Currency,
    ) -> Result<Magnitude, Rejection> {
        let amount = match &leg.amount {
            Quantity::Exactly(amount) => return Ok(*amount),
            Quantity::Written(figure) => figure.in_currency(currency)?,
            Quantity::All => match (leg.capture, source) {
                (Some(capture), _) => self.active_hold(capture.hold)?.remaining().amount(),
                (None, Some(account)) => self.drafts.head(account).state.available(),
                (None, None) => Amount::ZERO,
            },
        };
        Magnitude::positive(amount).ok_or(Rejection::InsufficientFunds {
            account: source,
            available: source.map_or(Amount::ZERO, |id| self.drafts.head(id).state.available()),
        })
    }

    /// The step of an account whose hold is captured.
    fn capture(
        &mut self,
        capture: Capture,
        amount: Magnitude,
        counterparty: Option<AccountId>,
        posting: u8,
        stamp: &Stamp,
    ) -> Result<(), Rejection> {
        let hold = self.active_hold(capture.hold)?;
        let account = hold.account;
        let remaining = hold.remaining();
        if remaining < amount && !capture.may_exceed {
            return Err(Native::HoldAmountExceeded { account }.into());
        }
        let captured = hold.captured.checked_add(amount);
        let captured = captured.ok_or(Rejection::AmountTooLarge { account })?;
        let is_over = capture.is_final || remaining <= amount;
        let status = if is_over {
            HoldStatus::Captured
        } else {
            HoldStatus::Active
        };
        let hold = Hold {
            captured,
            status,
            ..hold
        };
        let step = HoldStep::Capture {
            amount: amount.amount().negated(),
            counterparty,
            posting,
        };
        self.drafts.step_hold(hold, &step, stamp)
    }

    /// How the accounts that the attempt has changed stand after it, in the order of its steps, each once.
    fn standings_after(&self) -> Vec<Standing> {
        let mut seen = HashSet::new();
        let steps = self.drafts.steps().iter();
        let touched = steps.map(|new| new.sealed.entry.account);
        let standings = touched.filter(|id| seen.insert(*id)).map(|id| {
            let (before, head) = (self.drafts.head_before(id), self.drafts.head(id));
            let change = head.state.balance.saturating_sub(before.state.balance);
            Standing::of(head, change)
        });
        standings.collect()
    }

    pub(super) fn standing(&self, account: AccountId) -> Standing {
        Standing::of(self.drafts.head(account), Amount::ZERO)
    }

    /// The time of an entry of one account.
    pub(super) fn entry_time(&self, account: AccountId) -> DateTime<Utc> {
        self.drafts.time_of_entry(self.now, [account])
    }
}

fn money(amount: Amount, counterparty: Option<AccountId>, posting: u8) -> Step {
    Step {
        posting,
        ..Step::of(Change::Money {
            amount,
            counterparty,
        })
    }
}

/// What a transaction of such postings is called.
fn kind(postings: &[Posted]) -> Kind {
    match postings {
        [posted] => match (posted.from, posted.to) {
            (None, _) => Kind::Deposit,
            (Some(_), None) => Kind::Withdrawal,
            (Some(_), Some(_)) => Kind::Transfer,
        },
        _ => Kind::Transaction,
    }
}
