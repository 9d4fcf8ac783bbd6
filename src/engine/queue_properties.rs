//! What holds of the queue whatever happens, beside a queue written in the most obvious way.

use std::collections::{HashSet, VecDeque};
use std::task::Poll;

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use tokio::time::Instant;

use super::SETTLE_MAX;
use super::batch::{Batch, Pending, Resource};
use super::desk::{ACCOUNTS_END, COMMAND_BYTES, Choice, Desk, accounts, keyed, numbers, on};
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
    BringBack,
    Expire,
    ExpireReturned,
    Close,
}

/// What can happen to a batch that some lane has in hand.
#[derive(Clone, Copy, Debug)]
enum Change {
    Finish,
    Split,
    Separate(i64),
    SetAside { late: bool },
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
        2 => Just(Step::BringBack),
        1 => Just(Step::Expire),
        1 => Just(Step::ExpireReturned),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => Just(Change::Finish),
        1 => Just(Change::Split),
        1 => (1..ACCOUNTS_END).prop_map(Change::Separate),
        2 => prop::bool::weighted(0.3).prop_map(|late| Change::SetAside { late }),
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
struct Asked {
    number: u128,
    accounts: Vec<i64>,
    bytes: usize,
    late: bool,
    abandoned: bool,
}

/// Commands that a lane has in hand, and whether their time is up.
#[derive(Clone, Debug, Default)]
struct Hand {
    work: Vec<Asked>,
    late: bool,
}

/// The queue as it is described.
#[derive(Default)]
struct Naive {
    waiting: Vec<Asked>,
    hands: Vec<Hand>,
    aside: Vec<Hand>,
    returned: VecDeque<Hand>,
    is_closed: bool,
}

fn names(work: &[Asked]) -> Vec<u128> {
    work.iter().map(|asked| asked.number).collect()
}

fn touches(asked: &Asked, accounts: &HashSet<i64>) -> bool {
    asked.accounts.iter().any(|one| accounts.contains(one))
}

/// Takes out every command that touches the accounts, or those of one that is taken out before it.
fn touched(work: &mut Vec<Asked>, mut accounts: HashSet<i64>) -> Vec<Asked> {
    let mut apart = Vec::new();
    for asked in std::mem::take(work) {
        if touches(&asked, &accounts) {
            accounts.extend(&asked.accounts);
            apart.push(asked);
        } else {
            work.push(asked);
        }
    }
    apart
}

impl Naive {
    fn submit(&mut self, asked: Asked) -> bool {
        let bytes: usize = self.waiting.iter().map(|asked| asked.bytes).sum();
        let waiting = |account: &i64| {
            let accounts = self.waiting.iter().flat_map(|asked| &asked.accounts);
            accounts.filter(|one| *one == account).count()
        };
        let fits = !self.is_closed
            && self.waiting.len() < COMMANDS_MAX
            && bytes + asked.bytes <= BYTES_MAX
            && asked.accounts.iter().all(|one| waiting(one) < ACCOUNT_MAX);
        if fits {
            self.waiting.push(asked);
        }
        fits
    }

    fn busy(&self) -> HashSet<i64> {
        let hands = self.hands.iter().chain(&self.aside).chain(&self.returned);
        let work = hands.flat_map(|hand| &hand.work);
        work.flat_map(|asked| asked.accounts.clone()).collect()
    }

    /// What a lane gets and what is too late for it; nothing at all where it has to wait.
    fn take(&mut self, size_max: usize) -> Option<(Vec<u128>, Vec<u128>)> {
        if let Some(hand) = self.returned.pop_front() {
            let work = names(&hand.work);
            self.hands.push(hand);
            return Some((work, Vec::new()));
        }
        let (mut work, mut late, mut left) = (Vec::new(), Vec::new(), Vec::new());
        let mut blocked = self.busy();
        for asked in std::mem::take(&mut self.waiting) {
            if work.len() == size_max {
                left.push(asked);
            } else if asked.abandoned {
            } else if asked.late {
                late.push(asked);
            } else if touches(&asked, &blocked) {
                blocked.extend(&asked.accounts);
                left.push(asked);
            } else {
                work.push(asked);
            }
        }
        self.waiting = left;
        let taken = (names(&work), names(&late));
        if !work.is_empty() {
            self.hands.push(Hand { work, late: false });
        }
        (!taken.0.is_empty() || !taken.1.is_empty()).then_some(taken)
    }

    fn is_finished(&self) -> bool {
        let set_aside = self.aside.len() + self.returned.len();
        self.is_closed && self.waiting.is_empty() && set_aside == 0
    }
}

/// Both queues, side by side.
struct Both {
    desk: Desk,
    naive: Naive,
    hands: Vec<Batch>,
    aside: Vec<Batch>,
    submitted: u128,
}

impl Both {
    fn new() -> Self {
        Self {
            desk: Desk::new(COMMANDS_MAX, BYTES_MAX),
            naive: Naive::default(),
            hands: Vec::new(),
            aside: Vec::new(),
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
                if let Some(asked) = open.get_mut(which % waiting.max(1))
                    && !asked.abandoned
                {
                    asked.abandoned = true;
                    self.desk.abandon(asked.number);
                }
            }
            Step::Take(size_max) => self.take(size_max)?,
            Step::Change(which, change) => {
                if !self.hands.is_empty() {
                    self.change(which % self.hands.len(), change);
                }
            }
            Step::BringBack => {
                if let Some(batch) = self.aside.pop() {
                    self.desk.queue.bring_back(batch);
                    self.naive.returned.extend(self.naive.aside.pop());
                }
            }
            Step::Expire => {
                let late = self.naive.waiting.extract_if(.., |asked| asked.late);
                let late: Vec<Asked> = late.collect();
                prop_assert_eq!(numbers(&self.desk.queue.expire()), names(&late));
            }
            Step::ExpireReturned => {
                let expired = self.desk.queue.expire_returned();
                let (late, returned) = self.naive.returned.drain(..).partition(|hand| hand.late);
                self.naive.returned = returned;
                let late: VecDeque<Hand> = late;
                let expired: Vec<_> = expired.iter().map(|batch| numbers(&batch.work)).collect();
                let late: Vec<_> = late.iter().map(|hand| names(&hand.work)).collect();
                prop_assert_eq!(expired, late);
            }
            Step::Close => {
                self.desk.queue.close();
                self.naive.is_closed = true;
            }
        }
        prop_assert_eq!(self.desk.queue.len(), self.naive.waiting.len());
        prop_assert_eq!(self.desk.queue.is_finished(), self.naive.is_finished());
        let hands = self.hands.iter().map(|batch| numbers(&batch.work));
        let expected = self.naive.hands.iter().map(|hand| names(&hand.work));
        prop_assert!(hands.eq(expected));
        Ok(())
    }

    fn change(&mut self, which: usize, change: Change) {
        let batch = &mut self.hands[which];
        let hand = &mut self.naive.hands[which];
        let late = hand.late;
        match change {
            Change::Finish => {
                drop(self.hands.remove(which));
                self.naive.hands.remove(which);
            }
            Change::Split => {
                let work = hand.work.split_off(hand.work.len() / 2);
                let second = batch.split_off();
                self.hands.push(second);
                self.naive.hands.push(Hand { work, late });
            }
            Change::Separate(account) => {
                let resources = HashSet::from([Resource::account(AccountId(account))]);
                let work = touched(&mut hand.work, HashSet::from([account]));
                let apart = batch.separate(&resources);
                self.hands.push(apart);
                self.naive.hands.push(Hand { work, late });
            }
            Change::SetAside { late } => {
                let mut batch = self.desk.aside(self.hands.remove(which));
                let mut hand = self.naive.hands.remove(which);
                if late {
                    batch.began -= SETTLE_MAX;
                    hand.late = true;
                }
                self.aside.push(batch);
                self.naive.aside.push(hand);
            }
        }
    }

    fn submit(&mut self, accounts: Vec<i64>, key_bytes: usize, late: bool) -> TestCaseResult {
        self.submitted += 1;
        let command = keyed(self.submitted, on(&accounts), &"k".repeat(key_bytes));
        let (mut pending, caller) = Pending::new(command, Instant::now());
        if late {
            pending.deadline = Instant::now();
        }
        let asked = Asked {
            number: self.submitted,
            accounts,
            bytes: COMMAND_BYTES + key_bytes,
            late,
            abandoned: false,
        };
        prop_assert_eq!(self.desk.send((pending, caller)), self.naive.submit(asked));
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
                let work = taken.batch.as_ref().map(|batch| numbers(&batch.work));
                self.hands.extend(taken.batch);
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
        while !both.aside.is_empty() {
            both.step(Step::BringBack)?;
        }
        while !both.naive.waiting.is_empty() || !both.naive.returned.is_empty() {
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
