//! What holds of any plan of callers' commands, whatever they ask.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::plan::{Expected, Plan};
use super::store::Store;
use crate::ledger::{
    AccountId, AccountRef, Action, Answered, Change, Command, DetailsDigest, Entry, Head, Hold,
    HoldId, Kind, Note, Posted, Receipt, Rejection, Scope, Sealed, TransactionId,
};

/// Heads and holds as the entries of a plan make them, one after the other.
struct Followed {
    heads: HashMap<AccountId, Head>,
    holds: BTreeMap<HoldId, Hold>,
    last: HashMap<AccountId, TransactionId>,
}

pub(super) fn assert_sound(plan: &Plan<'_>, commands: &[&Command], store: &Store) {
    let mut followed = Followed {
        heads: store.all.heads.clone(),
        holds: store.all.holds.values().flatten().map(by_id).collect(),
        last: store.last.clone(),
    };
    for new in &plan.accounts {
        followed.heads.insert(new.head.id, new.head.opening());
    }
    for new in &plan.entries {
        followed.follow(&new.sealed);
    }
    assert_heads(plan, store, &followed);
    assert_holds(plan, store, &followed);
    assert_confirmed(plan, commands);
    assert_rows(plan, commands, store);
    assert_texts(plan, commands);
    assert_pairs(plan);
    let are_open = plan
        .books
        .iter()
        .chain(plan.sealed_books.iter().map(|(book, _)| book));
    for book in are_open {
        let name = store.all.book_name(*book).expect("a book");
        assert_eq!(store.all.books.id(name), Some(*book), "a book that is open");
    }
}

impl Followed {
    fn follow(&mut self, Sealed { entry, seal }: &Sealed) {
        let id = entry.account;
        let before = self.last.insert(id, entry.transaction);
        let head = self.heads[&id].follow(entry, before);
        let mut head = head.unwrap_or_else(|fault| panic!("{fault}: {entry:?}"));
        assert_eq!(head.seal, *seal, "sealed to the one before");
        let free = head.state.balance.minor() - head.state.held.minor();
        assert!(head.state.floor.minor() <= free, "covered: {entry:?}");
        if let Some(hold) = entry.change.hold() {
            let hold = Hold::follow(self.holds.get(&hold.id), entry, head.currency);
            let hold = hold.unwrap_or_else(|| panic!("a hold follows: {entry:?}"));
            self.holds.insert(hold.id, hold);
        }
        let active: Vec<&Hold> = self.active(id).collect();
        let remaining = active.iter().map(|hold| hold.remaining().amount().minor());
        assert_eq!(remaining.sum::<i128>(), head.state.held.minor(), "held");
        head.active_holds = u16::try_from(active.len()).expect("few holds");
        self.heads.insert(id, head);
    }

    fn active(&self, account: AccountId) -> impl Iterator<Item = &Hold> {
        let holds = self.holds.values();
        holds.filter(move |hold| hold.account == account && hold.is_active())
    }
}

/// Every head that has changed is written, as its entries make it, in place of the one that was read.
fn assert_heads(plan: &Plan<'_>, store: &Store, followed: &Followed) {
    let swapped: Vec<AccountId> = plan.swaps.iter().map(|swap| swap.expected.id).collect();
    assert!(swapped.is_sorted() && plan.confirms.is_sorted_by_key(|head| head.id));
    assert!(plan.confirms.iter().all(|head| !swapped.contains(&head.id)));
    let expected = plan.swaps.iter().map(|swap| &swap.expected);
    for expected in expected.chain(&plan.confirms) {
        assert_eq!(*expected, Expected::of(&store.all.heads[&expected.id]));
    }
    let written = plan.swaps.iter().map(|swap| &swap.head);
    let written = written.chain(plan.accounts.iter().map(|new| &new.head));
    let written: HashMap<AccountId, &Head> = written.map(|head| (head.id, head)).collect();
    for (id, head) in &followed.heads {
        let Some(written) = written.get(id) else {
            assert_eq!(Some(head), store.all.heads.get(id), "not written");
            continue;
        };
        let due_at = written.due_at;
        let head = Head {
            due_at,
            ..head.clone()
        };
        assert_eq!(**written, head, "the head is what its entries make it");
        let first = followed.active(*id).map(|hold| hold.expires_at).min();
        match (due_at, first) {
            (None, None) => {}
            (Some(due_at), Some(first)) => assert!(due_at <= first, "{due_at} {first}"),
            other => panic!("due {other:?}"),
        }
    }
}

/// Every hold that has changed is written, in place of the one that was read.
fn assert_holds(plan: &Plan<'_>, store: &Store, followed: &Followed) {
    let mut written = BTreeMap::new();
    for new in &plan.new_holds {
        assert!(!store.all.holds.contains_key(&new.id), "{new:?}");
        assert!(written.insert(new.id, new.clone()).is_none());
    }
    for swap in &plan.hold_swaps {
        let before = store.all.holds[&swap.hold.id].as_ref().expect("a hold");
        assert_eq!(swap.expected, before.version);
        assert!(written.insert(swap.hold.id, swap.hold.clone()).is_none());
    }
    let before = |id| store.all.holds.get(id).and_then(Option::as_ref);
    let changed = followed
        .holds
        .iter()
        .filter(|(id, hold)| before(id) != Some(*hold));
    let changed: BTreeMap<HoldId, Hold> = changed.map(|(_, hold)| by_id(hold)).collect();
    assert_eq!(written, changed);
}

/// What an answer depends on, the database confirms; of an accepted command's conditions, under a lock.
fn assert_confirmed(plan: &Plan<'_>, commands: &[&Command]) {
    let confirmed = plan.confirms.iter().map(|head| head.id);
    let swapped = plan.swaps.iter().map(|swap| swap.expected.id);
    let opened = plan.accounts.iter().map(|new| new.head.id);
    let locked: BTreeSet<AccountId> = swapped.chain(opened).collect();
    let seen: BTreeSet<AccountId> = confirmed.chain(locked.iter().copied()).collect();
    for (command, answered) in commands.iter().zip(&plan.answers) {
        if answered.replayed {
            continue;
        }
        let ids: Vec<AccountId> = match &answered.outcome {
            Ok(receipt) => receipt.standings.iter().map(|it| it.account).collect(),
            Err(rejection) => Vec::from_iter(rejection.account()),
        };
        assert!(ids.iter().all(|id| seen.contains(id)), "{answered:?}");
        if answered.outcome.is_ok() && !command.is_dry {
            let conditions = command.conditions.iter().map(|it| &it.account);
            for account in conditions {
                let AccountRef::Id(id) = account else {
                    continue;
                };
                assert!(locked.contains(id), "{command:?}");
            }
        }
    }
}

/// A row for each command that is kept, and nothing of any other.
fn assert_rows(plan: &Plan<'_>, commands: &[&Command], store: &Store) {
    let mut rows: HashMap<TransactionId, _> = HashMap::new();
    for row in &plan.transactions {
        assert!(rows.insert(row.id, row).is_none(), "one row a command");
    }
    let mut kept = BTreeSet::new();
    let mut needs_outcomes = false;
    for (command, answered) in commands.iter().zip(&plan.answers) {
        let row = rows.remove(&command.id);
        let Answered {
            outcome,
            sight,
            replayed,
        } = answered;
        match outcome {
            Ok(receipt) if is_kept(command, receipt, *replayed) => {
                let row = row.expect("a row");
                assert_eq!(
                    (row.kind, row.created_at),
                    (receipt.kind, receipt.created_at)
                );
                assert_eq!(
                    (&row.refusal, row.key.is_some()),
                    (&None, command.key.is_some())
                );
                assert_eq!(row.note, command.note.as_ref().map(Note::digest));
                assert_eq!(row.effective_at, command.effective_at);
                let more = receipt.more.as_deref();
                assert_eq!(row.reverses, more.and_then(|more| more.reverses));
                assert_eq!(row.user, more.and_then(|more| more.user));
                assert_eq!(row.book, more.and_then(|more| more.book));
                assert_turned_round(command, receipt, store);
                kept.insert(command.id);
            }
            Err(rejection) if !replayed && is_remembered(command, rejection) => {
                let row = row.expect("a row");
                assert_eq!(row.refusal.as_ref(), Some(rejection));
                assert_eq!(row.sight.as_ref(), sight.as_deref());
                assert_eq!(
                    (row.note, row.reverses, row.account),
                    (None, None, None),
                    "{row:?}"
                );
            }
            Ok(_) | Err(_) => assert!(row.is_none(), "{row:?}"),
        }
        needs_outcomes |= !replayed && is_forgotten(command, answered, store);
    }
    assert_eq!(plan.needs_outcomes, needs_outcomes);
    for row in rows.values() {
        let is_expiry = row.kind == Kind::HoldExpired && row.key.is_none() && row.refusal.is_none();
        assert!(
            is_expiry && matches!(row.scope, Scope::Account(_)),
            "{row:?}"
        );
        kept.insert(row.id);
    }
    let written = plan.entries.iter().map(|new| new.sealed.entry.transaction);
    let written = written.chain(plan.notes.iter().map(|new| new.transaction));
    let written = written.chain(plan.new_holds.iter().map(|hold| TransactionId(hold.id.0)));
    for id in written {
        assert!(kept.contains(&id), "nothing of what is not kept: {id}");
    }
    let opened = plan.transactions.iter().filter(|row| row.refusal.is_none());
    let opened = opened.filter(|row| row.kind == Kind::Opening);
    assert_eq!(opened.count(), plan.accounts.len());
}

fn is_kept(command: &Command, receipt: &Receipt, is_replayed: bool) -> bool {
    let is_new = !is_replayed && !command.is_dry;
    is_new && (receipt.kind != Kind::Empty || command.key.is_some())
}

/// Whether a refusal stands under the key of its command.
fn is_remembered(command: &Command, rejection: &Rejection) -> bool {
    let is_there =
        command.caller.is_some() || !matches!(rejection, Rejection::AccountNotFound { .. });
    let is_final = match rejection {
        Rejection::KeyReused { .. } => false,
        Rejection::Native(native) => native.is_remembered(),
        _ => true,
    };
    command.key.is_some() && is_there && is_final
}

/// Whether only a look at its key can tell that a refusal is true.
fn is_forgotten(command: &Command, answered: &Answered, store: &Store) -> bool {
    let Some((key, caller)) = command.key.as_ref().zip(command.caller.as_ref()) else {
        return false;
    };
    let is_reused = matches!(answered.outcome, Err(Rejection::KeyReused { .. }));
    let scope = (Scope::Caller(caller.id), key.text.clone());
    let refused = answered.outcome.as_ref().err();
    let is_looked_up = store.all.looked_up.contains(&scope);
    refused.is_some_and(|refused| !is_reused && !is_remembered(command, refused)) && !is_looked_up
}

/// A reversal is its original turned round, the last posting first.
fn assert_turned_round(command: &Command, receipt: &Receipt, store: &Store) {
    let Action::Reverse(reversed) = command.action else {
        return;
    };
    let original = store.all.originals[&reversed]
        .as_ref()
        .expect("the original");
    let turned = original.postings.iter().rev().map(|posted| Posted {
        from: posted.to,
        to: posted.from,
        hold: None,
        ..posted.clone()
    });
    let more = receipt.more.as_ref().expect("a caller's");
    assert_eq!(more.postings, turned.collect::<Vec<_>>());
}

/// Every digest in an entry is that of a text that is written with it.
fn assert_texts(plan: &Plan<'_>, commands: &[&Command]) {
    let notes = plan
        .notes
        .iter()
        .map(|new| (new.transaction, new.note.digest()));
    let notes: HashMap<TransactionId, DetailsDigest> = notes.collect();
    for row in plan.transactions.iter().filter(|row| row.refusal.is_none()) {
        assert_eq!(notes.get(&row.id).copied(), row.note);
    }
    let asked: HashMap<_, _> = commands
        .iter()
        .map(|command| (command.id, *command))
        .collect();
    let details = plan.account_details.iter();
    let details = details.map(|new| ((new.account, new.version), new.details.digest()));
    let details: BTreeMap<_, _> = details.collect();
    assert_eq!(
        details.len(),
        plan.account_details.len(),
        "one text an entry"
    );
    let mut sealed = BTreeMap::new();
    for Entry {
        account,
        version,
        transaction,
        change,
        note,
        effective_at,
        ..
    } in plan.entries.iter().map(|new| new.sealed.entry)
    {
        assert_eq!(note, notes.get(&transaction).copied());
        assert_eq!(
            effective_at,
            asked.get(&transaction).and_then(|it| it.effective_at)
        );
        if let Change::Details {
            details: Some(digest),
            ..
        } = change
        {
            sealed.insert((account, version), digest);
        }
    }
    assert_eq!(details, sealed);
}

/// Each posting has two sides, and what one gains the other loses; or one, if the other is the world.
fn assert_pairs(plan: &Plan<'_>) {
    let mut sides: BTreeMap<_, Vec<Entry>> = BTreeMap::new();
    for entry in plan.entries.iter().map(|new| new.sealed.entry) {
        if !entry.change.amount().is_zero() {
            let posting = (entry.transaction, entry.posting);
            sides.entry(posting).or_default().push(entry);
        }
    }
    for sides in sides.values() {
        match sides.as_slice() {
            [one] => assert_eq!(one.change.counterparty(), None),
            [one, other] => {
                assert_eq!(one.change.amount(), other.change.amount().negated());
                assert_eq!(one.change.counterparty(), Some(other.account));
                assert_eq!(other.change.counterparty(), Some(one.account));
                assert_eq!(one.created_at, other.created_at);
            }
            more => panic!("{more:?}"),
        }
    }
}

fn by_id(hold: &Hold) -> (HoldId, Hold) {
    (hold.id, hold.clone())
}
