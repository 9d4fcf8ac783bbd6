//! What the engine counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that many tasks change.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

#[derive(Debug, Default)]
pub(super) struct Stats {
    pub commands: Count,
    pub batches: Count,
    pub replays: Count,
    pub conflicts: Count,
    pub longest_streak: Count,
    pub lock_firsts: Count,
    pub set_aside: Count,
    pub splits: Count,
    pub looks: Count,
    pub reconnects: Count,
    pub expired: Count,
    pub overloaded: Count,
    pub connected: Count,
}

/// What the engine has counted since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Commands that got an answer from the ledger.
    pub commands: u64,
    /// Batches that were committed.
    pub batches: u64,
    /// Answers that had been given before.
    pub replays: u64,
    /// Batches planned again because another writer was first.
    pub conflicts: u64,
    /// The most conflicts in a row that a batch has had.
    pub longest_streak: u64,
    /// Batches that locked their accounts before they planned.
    pub lock_firsts: u64,
    /// Commands that waited for a row that somebody else held.
    pub set_aside: u64,
    /// Batches split because of one bad command, or a statement that took too long.
    pub splits: u64,
    /// Times that the database was asked what had become of a batch.
    pub looks: u64,
    /// Connections that were made again.
    pub reconnects: u64,
    /// Commands that waited too long and were dropped.
    pub expired: u64,
    /// Commands refused because too many waited.
    pub overloaded: u64,
    /// Commands that wait in the queue now.
    pub waiting: u64,
}

impl Count {
    pub(super) fn add(&self, count: usize) {
        self.0.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(super) fn subtract(&self, count: usize) {
        self.0.fetch_sub(count as u64, Ordering::Relaxed);
    }

    /// Keeps the largest.
    pub(super) fn raise(&self, number: u64) {
        self.0.fetch_max(number, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Stats {
    pub(super) fn counts(&self, waiting: usize) -> Counts {
        Counts {
            commands: self.commands.get(),
            batches: self.batches.get(),
            replays: self.replays.get(),
            conflicts: self.conflicts.get(),
            longest_streak: self.longest_streak.get(),
            lock_firsts: self.lock_firsts.get(),
            set_aside: self.set_aside.get(),
            splits: self.splits.get(),
            looks: self.looks.get(),
            reconnects: self.reconnects.get(),
            expired: self.expired.get(),
            overloaded: self.overloaded.get(),
            waiting: waiting as u64,
        }
    }
}
