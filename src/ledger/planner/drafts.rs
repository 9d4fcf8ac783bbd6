//! Accounts and holds as they stand after the commands so far, and what an attempt has changed of them, so that it can be undone.

use std::collections::hash_map;
use std::collections::{BTreeMap, HashMap, btree_map};
use std::mem;
use std::slice::Iter;

use chrono::{DateTime, TimeDelta, Utc};

use super::plan::{Expected, HoldSwap, NewEntry, View};
use crate::ledger::{
    AccountId, Amount, BookId, Change, Currency, Head, Hold, HoldAfter, HoldId, HoldKind,
    NamedAccount, Rejection, Stamp, Step, UserId, Version,
};

/// Every account and every hold that an answer depends on.
pub(super) struct Drafts<'v> {
    accounts: BTreeMap<AccountId, Draft>,
    holds: HashMap<HoldId, HoldDraft>,
    /// What was opened on the way, by its name.
    names: HashMap<NamedAccount, AccountId>,
    entries: Vec<NewEntry>,
    unused: Iter<'v, AccountId>,
    attempt: Attempt<'v>,
}

pub(super) struct Draft {
    pub(super) head: Head,
    pub(super) origin: Origin,
}

pub(super) enum Origin {
    /// With when something of it was due.
    Stored(Expected, Option<DateTime<Utc>>),
    Opened(Option<NamedAccount>),
}

#[derive(Clone)]
struct HoldDraft {
    hold: Hold,
    /// None if it was placed on the way.
    stored: Option<Version>,
}

/// What a step about a hold does.
pub(super) enum HoldStep {
    Hold(HoldKind),
    Capture {
        /// Negative.
        amount: Amount,
        counterparty: Option<AccountId>,
        posting: u8,
    },
}

/// All that the drafts come to.
pub(super) struct Finished {
    /// By id.
    pub(super) accounts: Vec<Draft>,
    pub(super) entries: Vec<NewEntry>,
    pub(super) new_holds: Vec<Hold>,
    pub(super) hold_swaps: Vec<HoldSwap>,
}

/// What to go back to if the command is refused.
struct Attempt<'v> {
    entries: usize,
    unused: Iter<'v, AccountId>,
    /// What was changed, as it was before, in the order of the changes.
    before: Vec<Before>,
    opened: Vec<AccountId>,
}

enum Before {
    Head(Head),
    Hold(HoldId, Option<HoldDraft>),
}

impl<'v> Drafts<'v> {
    pub(super) fn new(view: &'v View) -> Self {
        let unused = view.unused_accounts.iter();
        Self {
            accounts: BTreeMap::new(),
            holds: HashMap::new(),
            names: HashMap::new(),
            entries: Vec::new(),
            unused: unused.clone(),
            attempt: Attempt {
                entries: 0,
                unused,
                before: Vec::new(),
                opened: Vec::new(),
            },
        }
    }

    /// Begins an attempt: from here on, every step can be undone.
    pub(super) fn begin(&mut self) {
        self.attempt.entries = self.entries.len();
        self.attempt.unused = self.unused.clone();
        self.attempt.before.clear();
        self.attempt.opened.clear();
    }

    /// Takes the steps of the attempt back. That an account was looked at stays: the refusal depends on it.
    pub(super) fn undo(&mut self) {
        self.entries.truncate(self.attempt.entries);
        self.unused = self.attempt.unused.clone();
        for before in self.attempt.before.drain(..).rev() {
            match before {
                Before::Head(head) => {
                    if let Some(draft) = self.accounts.get_mut(&head.id) {
                        draft.head = head;
                    }
                }
                Before::Hold(id, Some(draft)) => drop(self.holds.insert(id, draft)),
                Before::Hold(id, None) => drop(self.holds.remove(&id)),
            }
        }
        for id in self.attempt.opened.drain(..) {
            let opened = self.accounts.remove(&id);
            if let Some(Origin::Opened(Some(name))) = opened.map(|draft| draft.origin) {
                self.names.remove(&name);
            }
        }
    }

    /// The account, if it is there. From here on the plan depends on its head.
    pub(super) fn look(&mut self, id: AccountId, view: &View) -> Option<AccountId> {
        if let btree_map::Entry::Vacant(vacant) = self.accounts.entry(id) {
            let head = view.heads.get(&id)?.clone();
            let origin = Origin::Stored(Expected::of(&head), head.due_at);
            vacant.insert(Draft { head, origin });
        }
        Some(id)
    }

    /// The hold as it stands after the steps so far, if it is there.
    pub(super) fn find_hold(&mut self, id: HoldId, view: &View) -> Option<&Hold> {
        let draft = match self.holds.entry(id) {
            hash_map::Entry::Occupied(draft) => draft.into_mut(),
            hash_map::Entry::Vacant(vacant) => {
                let hold = view.holds.get(&id)?.clone()?;
                let stored = Some(hold.version);
                vacant.insert(HoldDraft { hold, stored })
            }
        };
        Some(&draft.hold)
    }

    /// Notes a hold that no command names.
    pub(super) fn know_hold(&mut self, hold: &Hold) {
        let stored = Some(hold.version);
        self.holds.entry(hold.id).or_insert_with(|| HoldDraft {
            hold: hold.clone(),
            stored,
        });
    }

    /// What was opened on the way under a name.
    pub(super) fn named(&self, name: &NamedAccount) -> Option<AccountId> {
        self.names.get(name).copied()
    }

    /// Lets go of the names of a book that was reset.
    pub(super) fn forget_names(&mut self, is_of_book: impl Fn(&NamedAccount) -> bool) {
        self.names.retain(|name, _| !is_of_book(name));
    }

    pub(super) fn has(&self, id: AccountId) -> bool {
        self.accounts.contains_key(&id)
    }

    /// An account as it stands after the steps so far.
    pub(super) fn head(&self, id: AccountId) -> &Head {
        let draft = self.accounts.get(&id);
        &draft.expect("the account was found or opened").head
    }

    /// An account as it was before the first step of the attempt.
    pub(super) fn head_before(&self, id: AccountId) -> &Head {
        let mut before = self.attempt.before.iter();
        let changed = before.find_map(|before| match before {
            Before::Head(head) => (head.id == id).then_some(head),
            Before::Hold(..) => None,
        });
        changed.unwrap_or_else(|| self.head(id))
    }

    /// The entries of the attempt, in the order of its steps.
    pub(super) fn steps(&self) -> &[NewEntry] {
        self.entries.get(self.attempt.entries..).unwrap_or_default()
    }

    /// The time of what changes none of some accounts: not earlier than any entry that one of them has.
    pub(super) fn time(
        &self,
        now: DateTime<Utc>,
        accounts: impl IntoIterator<Item = AccountId>,
    ) -> DateTime<Utc> {
        let accounts = accounts.into_iter();
        let last = accounts.map(|id| self.head(id).last_entry_at);
        last.fold(now, DateTime::max)
    }

    /// The time of the next entry of some accounts: later than every entry that one of them has.
    pub(super) fn time_of_entry(
        &self,
        now: DateTime<Utc>,
        accounts: impl IntoIterator<Item = AccountId>,
    ) -> DateTime<Utc> {
        accounts.into_iter().fold(now, |at, id| {
            let head = self.head(id);
            let least = if head.version == Version::OPENING {
                TimeDelta::zero()
            } else {
                TimeDelta::microseconds(1)
            };
            let earliest = head.last_entry_at.checked_add_signed(least);
            at.max(earliest.unwrap_or(at))
        })
    }

    /// A step: one change of one account, and the entry of it.
    pub(super) fn step(
        &mut self,
        id: AccountId,
        step: Step,
        stamp: &Stamp,
    ) -> Result<(), Rejection> {
        let (head, sealed) = self.head(id).next(step, stamp)?;
        let currency = head.currency;
        self.entries.push(NewEntry { sealed, currency });
        self.put(head);
        Ok(())
    }

    /// A step about a hold, which is such from then on.
    pub(super) fn step_hold(
        &mut self,
        mut hold: Hold,
        step: &HoldStep,
        stamp: &Stamp,
    ) -> Result<(), Rejection> {
        let before = self.holds.get(&hold.id).cloned();
        let before_hold = before.as_ref().map(|draft| &draft.hold);
        let after = HoldAfter {
            id: hold.id,
            remaining: hold.remaining(),
            expires_at: hold.expires_at,
        };
        let (change, posting) = match *step {
            HoldStep::Hold(kind) => (Change::Hold { kind, hold: after }, 0),
            HoldStep::Capture {
                amount,
                counterparty,
                posting,
            } => {
                let capture = Change::Capture {
                    amount,
                    counterparty,
                    hold: after,
                };
                (capture, posting)
            }
        };
        let step = Step {
            change,
            held: hold.held_since(before_hold),
            posting,
        };
        self.step(hold.account, step, stamp)?;
        let mut head = self.head(hold.account).clone();
        let was_active = before_hold.is_some_and(Hold::is_active);
        head.active_holds = match (was_active, hold.is_active()) {
            (false, true) => head.active_holds.saturating_add(1),
            (true, false) => head.active_holds.saturating_sub(1),
            (true, true) | (false, false) => head.active_holds,
        };
        if head.active_holds == 0 {
            head.due_at = None;
        } else if hold.is_active() {
            let due_at = head.due_at.unwrap_or(hold.expires_at);
            head.due_at = Some(due_at.min(hold.expires_at));
        }
        hold.version = head.version;
        self.put(head);
        let draft = HoldDraft {
            hold,
            stored: before.as_ref().and_then(|draft| draft.stored),
        };
        self.attempt
            .before
            .push(Before::Hold(draft.hold.id, before));
        self.holds.insert(draft.hold.id, draft);
        Ok(())
    }

    /// Corrects when something of an account is due.
    pub(super) fn set_due(&mut self, id: AccountId, due_at: Option<DateTime<Utc>>) {
        if let Some(draft) = self.accounts.get_mut(&id) {
            draft.head.due_at = due_at;
        }
    }

    fn put(&mut self, head: Head) {
        if let Some(draft) = self.accounts.get_mut(&head.id) {
            let before = mem::replace(&mut draft.head, head);
            self.attempt.before.push(Before::Head(before));
        }
    }

    /// A step: a new account.
    pub(super) fn open(
        &mut self,
        book: BookId,
        owner: Option<UserId>,
        currency: Currency,
        at: DateTime<Utc>,
        name: Option<NamedAccount>,
    ) -> AccountId {
        let unused = self.unused.next();
        let id = *unused.expect("the view holds an id for every account that may be opened");
        let head = Head::open(id, book, owner, currency, at);
        if let Some(name) = &name {
            self.names.insert(name.clone(), id);
        }
        let origin = Origin::Opened(name);
        self.accounts.insert(id, Draft { head, origin });
        self.attempt.opened.push(id);
        id
    }

    pub(super) fn finish(self) -> Finished {
        let (mut new_holds, mut hold_swaps) = (Vec::new(), Vec::new());
        for HoldDraft { hold, stored } in self.holds.into_values() {
            match stored {
                None => new_holds.push(hold),
                Some(version) if version == hold.version => {}
                Some(expected) => hold_swaps.push(HoldSwap { expected, hold }),
            }
        }
        Finished {
            accounts: self.accounts.into_values().collect(),
            entries: self.entries,
            new_holds,
            hold_swaps,
        }
    }
}
