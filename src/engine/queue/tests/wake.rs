//! Whatever happens, no lane sleeps while there is work that it could start on.

use std::collections::HashSet;
use std::task::Poll;

use proptest::prelude::*;

use super::desk::{ACCOUNTS_END, Choice, Desk, Lane, accounts, numbers};
use crate::engine::queue::{Resource, Work};
use crate::ledger::AccountId;

const LANES: usize = 3;

/// What can happen to lanes that look for work by themselves, each on being woken or done.
#[derive(Clone, Debug)]
enum Event {
    Submit(Vec<i64>),
    Finish(Choice),
    SetAside(Choice),
    FinishAside(Choice),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => accounts().prop_map(Event::Submit),
        2 => any::<Choice>().prop_map(Event::Finish),
        1 => any::<Choice>().prop_map(Event::SetAside),
        1 => any::<Choice>().prop_map(Event::FinishAside),
    ]
}

/// Lanes, each asleep or at work, with what they have set aside and what waits for them.
struct Lanes {
    desk: Desk,
    asleep: Vec<Lane>,
    working: Vec<Work>,
    aside: Vec<Work>,
    waiting: Vec<(u128, Vec<i64>)>,
    submitted: u128,
}

impl Lanes {
    fn new() -> Self {
        let mut lanes = Self {
            desk: Desk::roomy(),
            asleep: Vec::new(),
            working: Vec::new(),
            aside: Vec::new(),
            waiting: Vec::new(),
            submitted: 0,
        };
        for _ in 0..LANES {
            lanes.look();
        }
        lanes
    }

    fn happen(&mut self, event: Event) {
        let (working, aside) = (self.working.len(), self.aside.len());
        match event {
            Event::Submit(accounts) => {
                self.submitted += 1;
                assert!(self.desk.submit(self.submitted, &accounts));
                self.waiting.push((self.submitted, accounts));
            }
            Event::Finish(which) if 0 < working => {
                drop(self.working.remove(which % working));
                self.look();
            }
            Event::SetAside(which) if 0 < working => {
                self.aside.push(self.working.remove(which % working));
                self.look();
            }
            // By a lane that stays as it is.
            Event::FinishAside(which) if 0 < aside => drop(self.aside.remove(which % aside)),
            Event::Finish(_) | Event::SetAside(_) | Event::FinishAside(_) => {}
        }
        self.rouse();
    }

    fn close(&mut self) {
        self.desk.queue.close();
        self.rouse();
    }

    /// A lane without work looks for some.
    fn look(&mut self) {
        self.resume(Lane::new(&self.desk.queue, 2));
    }

    /// Lets the lanes that were woken look again.
    fn rouse(&mut self) {
        while let Some(woken) = self.asleep.iter().position(Lane::is_woken) {
            let lane = self.asleep.remove(woken);
            self.resume(lane);
        }
    }

    fn resume(&mut self, mut lane: Lane) {
        match lane.look() {
            Poll::Pending => self.asleep.push(lane),
            // The end: as a lane does it.
            Poll::Ready(None) => self.desk.queue.wake_all(),
            Poll::Ready(Some(taken)) => {
                let work = taken.work.expect("nothing is late here");
                let numbers = numbers(&work.pending);
                self.waiting.retain(|(number, _)| !numbers.contains(number));
                self.working.push(work);
            }
        }
    }

    fn has_startable(&self) -> bool {
        let work = self.working.iter().chain(&self.aside);
        let pending = work.flat_map(|work| &work.pending);
        let busy: HashSet<_> = pending.flat_map(|pending| &pending.resources).collect();
        let mut blocked: HashSet<i64> = (1..ACCOUNTS_END)
            .filter(|account| busy.contains(&Resource::account(AccountId(*account))))
            .collect();
        let mut waiting = self.waiting.iter();
        let is_startable = |(_, accounts): &(u128, Vec<i64>)| {
            let is_free = !accounts.iter().any(|account| blocked.contains(account));
            blocked.extend(accounts);
            is_free
        };
        waiting.any(is_startable)
    }
}

proptest! {
    #[test]
    fn no_lane_sleeps_while_there_is_something_to_start_on(
        events in prop::collection::vec(event(), 1..60),
        after in prop::collection::vec(event(), 0..10),
    ) {
        let mut lanes = Lanes::new();
        for event in events {
            lanes.happen(event);
            prop_assert!(lanes.asleep.is_empty() || !lanes.has_startable());
        }
        lanes.close();
        for event in after {
            if !matches!(event, Event::Submit(_)) {
                lanes.happen(event);
                prop_assert!(lanes.asleep.is_empty() || !lanes.has_startable());
            }
        }
        while !lanes.working.is_empty() || !lanes.aside.is_empty() {
            lanes.happen(Event::FinishAside(0));
            lanes.happen(Event::Finish(0));
        }
        prop_assert!(lanes.waiting.is_empty());
        prop_assert!(lanes.asleep.is_empty(), "every lane has ended");
    }
}
