//! A queue for tests: callers come and go, and lanes look for work when they are told to.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use proptest::prelude::*;
use tokio::sync::oneshot;
use tokio::time::Instant;
use uuid::Uuid;

use crate::engine::queue::work::Taken;
use crate::engine::queue::{Pending, Queue, Work};
use crate::ledger::{
    AccountId, AccountName, AccountRef, Action, Amount, Answer, BookName, Command, Currency,
    CurrencyCode, Email, FirstAccount, Key, Magnitude, NamedAccount, OpenAccount, OpenUser, Party,
    PasswordHash, Posting, TransactionId,
};

/// What a command on accounts takes of a queue, in bytes, if it has no key.
pub(in crate::engine) const COMMAND_BYTES: usize = size_of::<Pending>();
/// What one takes that moves money.
pub(in crate::engine) const POST_BYTES: usize = COMMAND_BYTES + size_of::<Posting>();

/// The end of the accounts that random commands touch, from 1 on.
pub(in crate::engine) const ACCOUNTS_END: i64 = 6;

/// Which of several is meant: the number, modulo how many there are.
pub(in crate::engine) type Choice = usize;

/// A queue, with the callers who wait for their answers.
pub(in crate::engine) struct Desk {
    pub queue: Arc<Queue>,
    pub callers: HashMap<u128, oneshot::Receiver<Answer>>,
}

/// A lane that looks for work when it is told to.
pub(in crate::engine) struct Lane {
    take: Pin<Box<dyn Future<Output = Option<Taken>>>>,
    alarm: Arc<Alarm>,
}

#[derive(Default)]
struct Alarm(AtomicBool);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Desk {
    pub(in crate::engine) fn new(commands_max: usize, bytes_max: usize) -> Self {
        Self {
            queue: Arc::new(Queue::new(commands_max, bytes_max)),
            callers: HashMap::new(),
        }
    }

    /// A queue with room for all that a test puts in.
    pub(in crate::engine) fn roomy() -> Self {
        Self::new(1_000, 1_000_000)
    }

    /// Whether the queue took the command.
    pub(in crate::engine) fn submit(&mut self, number: u128, accounts: &[i64]) -> bool {
        self.send(pending(number, accounts))
    }

    /// A command whose time is up already.
    pub(in crate::engine) fn submit_late(&mut self, number: u128, accounts: &[i64]) -> bool {
        let (mut pending, caller) = pending(number, accounts);
        pending.deadline = Instant::now();
        self.send((pending, caller))
    }

    pub(in crate::engine) fn send(&mut self, sent: (Pending, oneshot::Receiver<Answer>)) -> bool {
        let (pending, caller) = sent;
        self.callers.insert(id(&pending), caller);
        self.queue.push(pending)
    }

    /// The caller goes away.
    pub(in crate::engine) fn abandon(&mut self, number: u128) {
        self.callers.remove(&number).expect("a caller");
    }

    pub(in crate::engine) fn answer(&mut self, number: u128) -> Option<Answer> {
        self.callers.get_mut(&number)?.try_recv().ok()
    }

    /// What a lane gets without having to wait.
    pub(in crate::engine) fn take(&self, size_max: usize) -> Poll<Option<Taken>> {
        Lane::new(&self.queue, size_max).look()
    }

    pub(in crate::engine) fn taken(&self, size_max: usize) -> Taken {
        match self.take(size_max) {
            Poll::Ready(Some(taken)) => taken,
            Poll::Ready(None) | Poll::Pending => panic!("nothing to do"),
        }
    }

    pub(in crate::engine) fn work(&self, size_max: usize) -> Work {
        let taken = self.taken(size_max);
        assert!(taken.expired.is_empty());
        taken.work.expect("work")
    }

    pub(in crate::engine) fn is_idle(&self) -> bool {
        self.take(10).is_pending()
    }

    /// A lane that found nothing to do.
    pub(in crate::engine) fn sleeper(&self, size_max: usize) -> Lane {
        let mut lane = Lane::new(&self.queue, size_max);
        assert!(lane.look().is_pending());
        assert!(!lane.is_woken());
        lane
    }
}

impl Lane {
    pub(in crate::engine) fn new(queue: &Arc<Queue>, size_max: usize) -> Self {
        let queue = Arc::clone(queue);
        Self {
            take: Box::pin(async move { Work::take(&queue, size_max).await }),
            alarm: Arc::default(),
        }
    }

    pub(in crate::engine) fn look(&mut self) -> Poll<Option<Taken>> {
        self.alarm.0.store(false, Ordering::SeqCst);
        let waker = Waker::from(Arc::clone(&self.alarm));
        self.take.as_mut().poll(&mut Context::from_waker(&waker))
    }

    pub(in crate::engine) fn is_woken(&self) -> bool {
        self.alarm.0.load(Ordering::SeqCst)
    }

    /// The work of a lane that was woken for it.
    pub(in crate::engine) fn work(&mut self) -> Work {
        assert!(self.is_woken());
        match self.look() {
            Poll::Ready(Some(taken)) => taken.work.expect("work"),
            Poll::Ready(None) | Poll::Pending => panic!("nothing to do"),
        }
    }
}

pub(in crate::engine) fn command(number: u128, action: Action) -> Command {
    Command::new(TransactionId(Uuid::from_u128(number)), action)
}

pub(in crate::engine) fn keyed(number: u128, action: Action, key: &str) -> Command {
    let text = key.to_owned();
    let digest = [0; 32];
    Command {
        key: Some(Key {
            text,
            digest,
            said: None,
        }),
        ..command(number, action)
    }
}

/// What touches these accounts, at most two, and nothing else.
pub(in crate::engine) fn touching(accounts: &[AccountRef]) -> Action {
    let (from, to) = match accounts {
        [] => return Action::ResetBook(BookName::EVENTS),
        [to] => (Party::World, to),
        [from, to, ..] => (Party::Account(from.clone()), to),
    };
    let amount = Amount::from_minor(1).expect("an amount").magnitude();
    Action::post(Posting::new(
        from,
        Party::Account(to.clone()),
        amount,
        usd(),
    ))
}

pub(in crate::engine) fn usd() -> Currency {
    Currency {
        code: CurrencyCode::parse("USD").expect("a code"),
        scale: 2,
    }
}

pub(in crate::engine) fn on(accounts: &[i64]) -> Action {
    let accounts: Vec<_> = accounts
        .iter()
        .map(|account| AccountRef::Id(AccountId(*account)))
        .collect();
    touching(&accounts)
}

pub(in crate::engine) fn open_user(text: Option<&str>) -> Action {
    Action::OpenUser(OpenUser {
        name: text.map(str::to_owned),
        email: text.map(|text| Email::parse(&format!("{text}@x")).expect("an email")),
        password_hash: text.map(|text| PasswordHash(format!("{text}#hash"))),
        session: None,
        account: Some(FirstAccount {
            currency: usd(),
            opening_balance: Magnitude::ZERO,
        }),
    })
}

pub(in crate::engine) fn named(name: &str) -> NamedAccount {
    NamedAccount {
        book: BookName::EVENTS,
        name: AccountName::parse(name).expect("a name"),
        owner: None,
    }
}

pub(in crate::engine) fn open_account() -> Action {
    Action::OpenAccount(OpenAccount::plain(None, usd(), Magnitude::ZERO))
}

pub(in crate::engine) fn pending(
    number: u128,
    accounts: &[i64],
) -> (Pending, oneshot::Receiver<Answer>) {
    Pending::new(command(number, on(accounts)), Instant::now())
}

fn id(pending: &Pending) -> u128 {
    pending.command.id.0.as_u128()
}

pub(in crate::engine) fn numbers(pending: &[Pending]) -> Vec<u128> {
    pending.iter().map(id).collect()
}

/// What a random command touches.
pub(in crate::engine) fn accounts() -> impl Strategy<Value = Vec<i64>> {
    prop::collection::vec(1..ACCOUNTS_END, 0..3)
}
