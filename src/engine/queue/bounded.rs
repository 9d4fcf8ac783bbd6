//! The one queue as callers and lanes share it: bounded, in order of arrival, and lanes are woken for what they can
//! start on.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::line::{Line, Taken};
use super::pending::Pending;
use super::resource::Resource;

pub(in crate::engine) struct Queue {
    state: Mutex<State>,
    /// Wakes a lane that found nothing to do.
    bell: Notify,
}

struct State {
    line: Line,
    is_closed: bool,
}

impl Queue {
    pub(in crate::engine) fn new(commands_max: usize, bytes_max: usize) -> Self {
        Self {
            state: Mutex::new(State {
                line: Line::new(commands_max, bytes_max),
                is_closed: false,
            }),
            bell: Notify::new(),
        }
    }

    /// Whether there was room.
    pub(in crate::engine) fn push(&self, pending: Pending) -> bool {
        let mut state = self.state();
        if state.is_closed || !state.line.has_room_for(&pending) {
            return false;
        }
        // A lane that works on the account looks again when it is done; to wake another would be for nothing.
        let is_startable = state.line.is_free(&pending);
        state.line.push(pending);
        drop(state);
        if is_startable {
            self.wake_one();
        }
        true
    }

    /// Waits for commands, and takes what may be worked on now, in order. `None` once the queue is closed and empty.
    pub(super) async fn take(&self, size_max: usize) -> Option<Taken> {
        loop {
            let woken = self.bell.notified();
            // Whoever is about to hand in a command goes first: if processors are short, batches are larger for it.
            thread::yield_now();
            {
                let mut state = self.state();
                let taken = state.line.take(size_max, Instant::now());
                if !taken.pending.is_empty() || !taken.expired.is_empty() {
                    let is_full = size_max <= taken.pending.len();
                    if is_full && !state.line.is_empty() {
                        self.wake_one();
                    }
                    return Some(taken);
                }
                if state.is_finished() {
                    return None;
                }
            }
            woken.await;
        }
    }

    /// Takes out the commands that waited too long.
    pub(in crate::engine) fn expire(&self) -> Vec<Pending> {
        self.state().line.expire(Instant::now())
    }

    /// How many commands wait.
    pub(in crate::engine) fn len(&self) -> usize {
        self.state().line.len()
    }

    /// Whether nothing waits, and nothing ever will.
    pub(in crate::engine) fn is_finished(&self) -> bool {
        self.state().is_finished()
    }

    /// Keeps the resources from other lanes.
    pub(super) fn claim(&self, resources: &HashSet<Resource>) {
        self.state().line.claim(resources);
    }

    pub(super) fn release(&self, resources: &HashSet<Resource>) {
        let mut state = self.state();
        state.line.release(resources);
        let more = !state.line.is_empty() || state.is_closed;
        drop(state);
        if more {
            self.wake_one();
        }
    }

    /// Takes no more commands. Lanes end when the last is answered.
    pub(in crate::engine) fn close(&self) {
        self.state().is_closed = true;
        self.wake_all();
    }

    pub(in crate::engine) fn wake_all(&self) {
        self.bell.notify_waiters();
        self.wake_one();
    }

    /// The lane that was at work last: if one is enough, its session has everything at hand, and the others stay
    /// asleep.
    fn wake_one(&self) {
        self.bell.notify_last();
    }

    /// Nothing that holds the lock leaves the state half changed, so a panic elsewhere does not spoil it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_finished(&self) -> bool {
        self.is_closed && self.line.is_empty()
    }
}
