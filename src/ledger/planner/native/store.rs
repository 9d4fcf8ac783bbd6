//! A database in memory: gives a plan what it needs, and not more, and takes what it writes.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::super::plan::{Due, Original, Plan, Recorded, View};
use crate::ledger::{
    AccountId, BookId, Command, Head, Hold, Needs, OpenBook, Openings, Posted, Sealed,
    TransactionId, UserId,
};

/// The ids from which on new accounts, users and books are counted.
pub(super) const FIRST_ID: i64 = 100;

pub(super) struct Store {
    /// Everything that there is.
    pub all: View,
    /// The transaction of the last entry of each account.
    pub last: HashMap<AccountId, TransactionId>,
    /// How many ids of accounts, users, books and expiries were used.
    used: [usize; 4],
}

/// The ids of expiries, in their order.
pub(super) fn expiries(from: usize) -> impl Iterator<Item = TransactionId> {
    let first = 0x019b_7700_0000_7000_8000_0000_0000_0000;
    let numbers = (first..).skip(from);
    numbers.map(|number| TransactionId(Uuid::from_u128(number)))
}

impl Store {
    pub(super) fn new(all: View) -> Self {
        Self {
            all,
            last: HashMap::new(),
            used: [0; 4],
        }
    }

    /// What a plan of some commands has to know; of keys, all that have an outcome.
    pub(super) fn read(&self, commands: &[&Command], now: DateTime<Utc>) -> View {
        let mut view = View {
            outcomes: self.all.outcomes.clone(),
            looked_up: self.all.looked_up.clone(),
            ..View::default()
        };
        for round in 0.. {
            let needs = Needs::of(commands.iter().copied(), &view, now);
            if needs.is_empty() {
                break;
            }
            assert!(
                round < 4,
                "what a plan needs is known in a few rounds: {needs:?}"
            );
            self.fill(&needs, &mut view);
        }
        let Openings {
            accounts,
            users,
            books,
            transactions,
        } = Openings::of(commands.iter().copied(), &view);
        let ids = |kind: usize, count: usize| {
            let first = FIRST_ID + i64::try_from(self.used[kind]).expect("few ids");
            (first..).take(count)
        };
        view.unused_accounts = ids(0, accounts).map(AccountId).collect();
        view.unused_users = ids(1, users).map(UserId).collect();
        view.unused_books = ids(2, books).map(BookId).collect();
        view.unused_transactions = expiries(self.used[3]).take(transactions).collect();
        view
    }

    fn fill(&self, needs: &Needs, view: &mut View) {
        let all = &self.all;
        for name in &needs.books {
            match all.books.find(*name) {
                Some(book) => view.books.insert(*name, book),
                None => drop(view.absent_books.insert(*name)),
            }
        }
        for book in &needs.book_names {
            view.book_names.insert(*book, all.book_names[book]);
        }
        for reference in &needs.accounts {
            let id = all.account(reference);
            match id.and_then(|id| all.heads.get(&id)) {
                Some(head) => view.insert(reference, head.clone()),
                None => drop(view.absent.insert(reference.clone())),
            }
        }
        for id in &needs.holds {
            let hold = all.holds.get(id).cloned().flatten();
            if let Some(hold) = &hold {
                let head = all.heads[&hold.account].clone();
                view.heads.entry(head.id).or_insert(head);
            }
            view.holds.insert(*id, hold);
        }
        for account in &needs.due {
            let until = needs.due_until.expect("a time");
            view.due.insert(*account, self.due(*account, until));
        }
        for id in &needs.originals {
            let original = all.originals.get(id).cloned().flatten();
            view.originals.insert(*id, original);
        }
        for account in &needs.details {
            let metadata = all.details.get(account).cloned();
            view.details.insert(*account, metadata.unwrap_or_default());
        }
        for id in &needs.external_ids {
            let is_taken = all.external_ids.contains_key(id);
            view.external_ids.insert(id.clone(), is_taken);
        }
        for user in &needs.users {
            view.users.insert(*user, all.users.contains_key(user));
        }
    }

    fn due(&self, account: AccountId, until: DateTime<Utc>) -> Due {
        let holds = self.all.holds.values().flatten();
        let active = holds.filter(|hold| hold.account == account && hold.is_active());
        let (mut holds, others): (Vec<Hold>, Vec<Hold>) =
            active.cloned().partition(|hold| hold.expires_at <= until);
        holds.sort_by_key(|hold| (hold.expires_at, hold.id));
        let next = others.iter().map(|hold| hold.expires_at).min();
        Due { holds, next }
    }

    /// Writes a plan as the database would.
    pub(super) fn write(&mut self, commands: &[&Command], plan: &Plan<'_>) {
        let all = &mut self.all;
        let swapped = plan.swaps.iter().map(|swap| &swap.head);
        let opened = plan.accounts.iter().map(|new| &new.head);
        let heads: Vec<&Head> = swapped.chain(opened).collect();
        all.heads
            .extend(heads.iter().map(|head| (head.id, (*head).clone())));
        let swapped = plan.hold_swaps.iter().map(|swap| &swap.hold);
        for hold in swapped.chain(&plan.new_holds) {
            all.holds.insert(hold.id, Some(hold.clone()));
        }
        for new in &plan.account_details {
            all.details
                .insert(new.account, new.details.metadata.clone());
        }
        for new in &plan.external_ids {
            let id = (new.book, new.external_id.clone());
            all.external_ids.insert(id, true);
        }
        all.users
            .extend(plan.users.iter().map(|user| (user.id, true)));
        for new in &plan.new_books {
            let (id, opened_at) = (new.id, new.opened_at);
            all.books.insert(new.name, OpenBook { id, opened_at });
            all.book_names.insert(id, new.name);
        }
        self.write_transactions(commands, plan);
        let expired = plan.transactions.iter().map(|row| row.id);
        let expired = expired.filter(|id| commands.iter().all(|command| command.id != *id));
        let used = [
            plan.accounts.len(),
            plan.users.len(),
            plan.new_books.len(),
            expired.count(),
        ];
        for (count, used) in self.used.iter_mut().zip(used) {
            *count += used;
        }
    }

    fn write_transactions(&mut self, commands: &[&Command], plan: &Plan<'_>) {
        let all = &mut self.all;
        for row in plan.transactions.iter().filter(|row| row.refusal.is_none()) {
            all.originals.insert(row.id, Some(original(plan, row.id)));
            if let Some(reversed) = row.reverses {
                let reversed = all.originals.get_mut(&reversed);
                let reversed = reversed.and_then(Option::as_mut).expect("the original");
                assert_eq!(reversed.reversed_by.replace(row.id), None, "once");
            }
        }
        for Sealed { entry, .. } in plan.entries.iter().map(|new| new.sealed) {
            self.last.insert(entry.account, entry.transaction);
        }
        let ids = commands.iter().map(|command| command.id);
        let answers: HashMap<_, _> = ids.zip(&plan.answers).collect();
        for row in &plan.transactions {
            let Some(key) = row.key else { continue };
            let recorded = Recorded {
                transaction: row.id,
                digest: key.digest,
                outcome: answers[&row.id].outcome.clone(),
                sight: row.sight.clone().map(Box::new),
                salt: None,
            };
            let key = (row.scope, key.text.clone());
            let before = all.outcomes.insert(key, recorded);
            assert!(before.is_none(), "a key is remembered once");
        }
    }
}

/// A transaction as its entries tell it.
fn original(plan: &Plan<'_>, id: TransactionId) -> Original {
    let entries = plan
        .entries
        .iter()
        .map(|new| (new.sealed.entry, new.currency));
    let own: Vec<_> = entries
        .filter(|(entry, _)| entry.transaction == id)
        .collect();
    let mut accounts: Vec<AccountId> = own.iter().map(|(entry, _)| entry.account).collect();
    accounts.dedup();
    let posted = own.iter().filter_map(|(entry, currency)| {
        let change = entry.change;
        let hold = change.hold().map(|hold| hold.id);
        let posted = Posted::of_entry(
            entry.account,
            change.amount(),
            change.counterparty(),
            hold.filter(|_| !change.amount().is_zero()),
            *currency,
        );
        posted.map(|posted| (entry.posting, posted))
    });
    let mut posted: Vec<(u8, Posted)> = posted.collect();
    posted.sort_by_key(|(place, _)| *place);
    Original {
        accounts,
        postings: posted.into_iter().map(|(_, posted)| posted).collect(),
        reversed_by: None,
    }
}
