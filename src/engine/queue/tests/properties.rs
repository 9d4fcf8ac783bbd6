//! What holds of the queue whatever happens, beside a queue written in the most obvious way.

use std::collections::HashSet;
use std::task::Poll;

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use tokio::time::Instant;

use super::desk::{
    ACCOUNTS_END, COMMAND_BYTES, Choice, Desk, POST_BYTES, accounts, keyed, numbers, on,
};
use crate::engine::queue::{Pending, Resource, Work};
use crate::ledger::AccountId;

const COMMANDS_MAX: usize = 9;
const ACCOUNT_MAX: usize = 5;
const BYTES_MAX: usize = 7 * COMMAND_BYTES;

#[derive(Clone, Debug)]
enum Step {
    Submit {
        accounts: Vec<i64>,
        key_bytes: usize,
        late: bool,
    },
    Abandon(Choice),
    Take(usize),
    Change(Choice, Change),
    Expire,
    Close,
}

/// What can happen to work that some lane has in hand.
#[derive(Clone, Copy, Debug)]
enum Change {
    Finish,
    Split,
    Separate(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let late = prop::bool::weighted(0.2);
    let key_bytes = prop_oneof![3 => Just(0), 1 => Just(COMMAND_BYTES / 2 + 1)];
    prop_oneof![
        16 => (accounts(), key_bytes, late).prop_map(|(accounts, key_bytes, late)| Step::Submit {
            accounts,
            key_bytes,
            late
        }),
        2 => any::<Choice>().prop_map(Step::Abandon),
        5 => (1_usize..5).prop_map(Step::Take),
        8 => (any::<Choice>(), change()).prop_map(|(which, change)| Step::Change(which, change)),
        1 => Just(Step::Expire),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => Just(Change::Finish),
        1 => Just(Change::Split),
        1 => (1..ACCOUNTS_END).prop_map(Change::Separate),
    ]
}

/// Some steps, and perhaps the end with some more.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let some = || prop::collection::vec(step(), 1..60);
    (some(), prop::option::of(some())).prop_map(|(mut steps, after)| {
        if let Some(after) = after {
            steps.push(Step::Close);
            steps.extend(after);
        }
        steps
    })
}

#[derive(Clone, Debug)]
struct Sent {
    number: u128,
    accounts: Vec<i64>,
    bytes: usize,
    late: bool,
    abandoned: bool,
}

/// The queue as it is described.
#[derive(Default)]
struct Naive {
    waiting: Vec<Sent>,
    /// The commands that each lane has in hand.
    hands: Vec<Vec<Sent>>,
    is_closed: bool,
}

fn names(work: &[Sent]) -> Vec<u128> {
    work.iter().map(|sent| sent.number).collect()
}

fn touches(sent: &Sent, accounts: &HashSet<i64>) -> bool {
    sent.accounts.iter().any(|one| accounts.contains(one))
}

/// Takes out every command that touches the accounts, or those of one that is taken out before it.
fn touched(work: &mut Vec<Sent>, mut accounts: HashSet<i64>) -> Vec<Sent> {
    let mut apart = Vec::new();
    for sent in std::mem::take(work) {
        if touches(&sent, &accounts) {
            accounts.extend(&sent.accounts);
            apart.push(sent);
        } else {
            work.push(sent);
        }
    }
    apart
}

impl Naive {
    fn submit(&mut self, sent: Sent) -> bool {
        let bytes: usize = self.waiting.iter().map(|sent| sent.bytes).sum();
        let waiting = |account: &i64| {
            let accounts = self.waiting.iter().flat_map(|sent| &sent.accounts);
            accounts.filter(|one| *one == account).count()
        };
        let fits = !self.is_closed
            && self.waiting.len() < COMMANDS_MAX
            && bytes + sent.bytes <= BYTES_MAX
            && sent.accounts.iter().all(|one| waiting(one) < ACCOUNT_MAX);
        if fits {
            self.waiting.push(sent);
        }
        fits
    }

    fn busy(&self) -> HashSet<i64> {
        let hands = self.hands.iter().flatten();
        hands.flat_map(|sent| sent.accounts.clone()).collect()
    }

    /// What a lane gets and what is too late for it; nothing at all if it has to wait.
    fn take(&mut self, size_max: usize) -> Option<(Vec<u128>, Vec<u128>)> {
        let (mut work, mut late, mut left) = (Vec::new(), Vec::new(), Vec::new());
        let mut blocked = self.busy();
        for sent in std::mem::take(&mut self.waiting) {
            if work.len() == size_max {
                left.push(sent);
            } else if sent.abandoned {
            } else if sent.late {
                late.push(sent);
            } else if touches(&sent, &blocked) {
                blocked.extend(&sent.accounts);
                left.push(sent);
            } else {
                work.push(sent);
            }
        }
        self.waiting = left;
        let taken = (names(&work), names(&late));
        if !work.is_empty() {
            self.hands.push(work);
        }
        (!taken.0.is_empty() || !taken.1.is_empty()).then_some(taken)
    }

    fn is_finished(&self) -> bool {
        self.is_closed && self.waiting.is_empty()
    }
}

/// Both queues, side by side.
struct Both {
    desk: Desk,
    naive: Naive,
    hands: Vec<Work>,
    submitted: u128,
}

impl Both {
    fn new() -> Self {
        Self {
            desk: Desk::new(COMMANDS_MAX, BYTES_MAX),
            naive: Naive::default(),
            hands: Vec::new(),
            submitted: 0,
        }
    }

    fn step(&mut self, step: Step) -> TestCaseResult {
        match step {
            Step::Submit {
                accounts,
                key_bytes,
                late,
            } => self.submit(accounts, key_bytes, late)?,
            Step::Abandon(which) => {
                let waiting = self.naive.waiting.len();
                let open = &mut self.naive.waiting;
                if let Some(sent) = open.get_mut(which % waiting.max(1))
                    && !sent.abandoned
                {
                    sent.abandoned = true;
                    self.desk.abandon(sent.number);
                }
            }
            Step::Take(size_max) => self.take(size_max)?,
            Step::Change(which, change) => {
                if !self.hands.is_empty() {
                    self.change(which % self.hands.len(), change);
                }
            }
            Step::Expire => {
                let late = self.naive.waiting.extract_if(.., |sent| sent.late);
                let late: Vec<Sent> = late.collect();
                prop_assert_eq!(numbers(&self.desk.queue.expire()), names(&late));
            }
            Step::Close => {
                self.desk.queue.close();
                self.naive.is_closed = true;
            }
        }
        prop_assert_eq!(self.desk.queue.len(), self.naive.waiting.len());
        prop_assert_eq!(self.desk.queue.is_finished(), self.naive.is_finished());
        let hands = self.hands.iter().map(|work| numbers(&work.pending));
        let expected = self.naive.hands.iter().map(|hand| names(hand));
        prop_assert!(hands.eq(expected));
        Ok(())
    }

    fn change(&mut self, which: usize, change: Change) {
        let work = &mut self.hands[which];
        let hand = &mut self.naive.hands[which];
        match change {
            Change::Finish => {
                drop(self.hands.remove(which));
                self.naive.hands.remove(which);
            }
            Change::Split => {
                let expected = hand.split_off(hand.len() / 2);
                let second = work.split_off();
                self.hands.push(second);
                self.naive.hands.push(expected);
            }
            Change::Separate(account) => {
                let resources = HashSet::from([Resource::account(AccountId(account))]);
                let expected = touched(hand, HashSet::from([account]));
                let apart = work.separate(&resources);
                self.hands.push(apart);
                self.naive.hands.push(expected);
            }
        }
    }

    fn submit(&mut self, mut accounts: Vec<i64>, key_bytes: usize, late: bool) -> TestCaseResult {
        self.submitted += 1;
        let command = keyed(self.submitted, on(&accounts), &"k".repeat(key_bytes));
        // An account counts once, however often the command names it.
        accounts.sort_unstable();
        accounts.dedup();
        let (mut pending, caller) = Pending::new(command, Instant::now());
        if late {
            pending.deadline = Instant::now();
        }
        let own_bytes = if accounts.is_empty() {
            COMMAND_BYTES
        } else {
            POST_BYTES
        };
        let sent = Sent {
            number: self.submitted,
            accounts,
            bytes: key_bytes + own_bytes,
            late,
            abandoned: false,
        };
        prop_assert_eq!(self.desk.send((pending, caller)), self.naive.submit(sent));
        Ok(())
    }

    fn take(&mut self, size_max: usize) -> TestCaseResult {
        let expected = self.naive.take(size_max);
        let taken = match self.desk.take(size_max) {
            Poll::Pending => None,
            Poll::Ready(None) => {
                prop_assert!(self.naive.is_finished());
                None
            }
            Poll::Ready(Some(taken)) => {
                let work = taken.work.as_ref().map(|work| numbers(&work.pending));
                self.hands.extend(taken.work);
                Some((work.unwrap_or_default(), numbers(&taken.expired)))
            }
        };
        prop_assert_eq!(taken, expected);
        Ok(())
    }
}

proptest! {
    #[test]
    fn the_queue_does_as_the_naive_one(steps in steps()) {
        let mut both = Both::new();
        for step in steps {
            both.step(step)?;
        }
        // Whatever happened, nothing is left behind: no claim, no count, no byte.
        while !both.naive.waiting.is_empty() {
            both.step(Step::Take(10))?;
            while !both.hands.is_empty() {
                both.step(Step::Change(0, Change::Finish))?;
            }
        }
        for account in 0..10 {
            both.step(Step::Submit { accounts: vec![account % 2], key_bytes: 0, late: false })?;
        }
        both.step(Step::Take(10))?;
    }
}
