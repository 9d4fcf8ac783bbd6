//! What the answers to writes promised, held against what the database has under their keys.

use std::collections::BTreeMap;

use serde::Serialize;

use super::error::Error;
use crate::storage::{self, Connection};

/// The writes of all loads on one side, by the number of the load.
pub(super) type Runs = BTreeMap<u64, Writes>;

/// The writes of one load, by the number in their keys. Takes three bytes each, of which the database takes hundreds.
#[derive(Debug, Default)]
pub(super) struct Writes {
    sent: Vec<Write>,
    /// Entries under keys that were never sent.
    strays: u64,
}

/// What went out under one key, in entries of the journal.
#[derive(Clone, Copy, Debug, Default)]
struct Write {
    /// As many at least: an answer said so.
    promised: u8,
    /// As many at most: an answer said so, or did not tell.
    possible: u8,
    /// As many are there.
    found: u8,
}

/// What the answers promised against what is there under their keys, in entries, each key by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Promises {
    /// Promised by an answer.
    pub acknowledged: u64,
    /// There or not: their requests got no answer, or one that does not tell.
    pub unknown: u64,
    /// Added during the run, under keys of the run.
    pub added: u64,
    /// Promised, and not there.
    pub lost: u64,
    /// There, though their request was refused, or never sent.
    pub unpromised: u64,
    /// There once more than their request asked for.
    pub twice: u64,
}

/// The key of the n-th write of a load.
pub(super) fn key(run: u64, number: u64) -> String {
    format!("{run:016x}-{number}")
}

/// So many keys are read between two words of progress.
const PROGRESS_STEP: u64 = 10_000;

/// Looks up what the database has under the keys of all loads. Whatever others wrote is passed over.
///
/// # Errors
/// Where the database does not answer.
pub(super) async fn look_up(
    connection: &mut Connection,
    runs: &mut Runs,
    tell: impl Fn(u64),
) -> Result<(), Error> {
    let mut keys: u64 = 0;
    let found = |key: &str, entries| {
        if keys.is_multiple_of(PROGRESS_STEP) {
            tell(keys);
        }
        keys = keys.saturating_add(1);
        if let Some((run, number)) = parse(key)
            && let Some(writes) = runs.get_mut(&run)
        {
            writes.find(number, entries);
        }
    };
    Ok(storage::statistics::visit_keys(connection, found).await?)
}

impl Writes {
    /// What a request under the n-th key has done, by its answer. A 5xx may mean that nothing was applied, or that the
    /// outcome is unknown. Several requests may have one key: what any of them was promised holds, and holds once.
    pub(super) fn note(&mut self, number: u64, entries: u8, status: Option<u16>) {
        let (promised, possible) = match status {
            Some(200..300) => (entries, entries),
            Some(status) if status < 500 => (0, 0),
            Some(_) | None => (0, entries),
        };
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        if self.sent.len() <= index {
            self.sent.resize(index.saturating_add(1), Write::default());
        }
        if let Some(write) = self.sent.get_mut(index) {
            write.promised = write.promised.max(promised);
            write.possible = write.possible.max(possible);
        }
    }

    /// Takes in that so many entries are there under the n-th key.
    fn find(&mut self, number: u64, entries: u64) {
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        match self.sent.get_mut(index) {
            Some(write) => {
                let entries = u8::try_from(entries).unwrap_or(u8::MAX);
                write.found = write.found.saturating_add(entries);
            }
            None => self.strays = self.strays.saturating_add(entries),
        }
    }

    /// What came of the promises, once everything was looked up.
    pub(super) fn compare(&self) -> Promises {
        let mut promises = Promises {
            added: self.strays,
            unpromised: self.strays,
            ..Promises::default()
        };
        for write in &self.sent {
            let Write {
                promised,
                possible,
                found,
            } = *write;
            let excess = found.saturating_sub(possible);
            promises.add(Promises {
                acknowledged: promised.into(),
                unknown: possible.saturating_sub(promised).into(),
                added: found.into(),
                lost: promised.saturating_sub(found).into(),
                unpromised: if possible == 0 { excess.into() } else { 0 },
                twice: if possible == 0 { 0 } else { excess.into() },
            });
        }
        promises
    }
}

impl Promises {
    #[must_use]
    pub fn are_kept(&self) -> bool {
        self.lost == 0 && self.unpromised == 0 && self.twice == 0
    }

    pub(super) fn add(&mut self, other: Self) {
        self.acknowledged = self.acknowledged.saturating_add(other.acknowledged);
        self.unknown = self.unknown.saturating_add(other.unknown);
        self.added = self.added.saturating_add(other.added);
        self.lost = self.lost.saturating_add(other.lost);
        self.unpromised = self.unpromised.saturating_add(other.unpromised);
        self.twice = self.twice.saturating_add(other.twice);
    }
}

/// The load and the number in a key; none where it is not one of ours.
fn parse(key: &str) -> Option<(u64, u64)> {
    let (run, number) = key.split_once('-')?;
    let run = u64::from_str_radix(run, 16).ok()?;
    Some((run, number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three writes of two entries each: one done, one refused, one without an answer.
    fn sent() -> Writes {
        let mut writes = Writes::default();
        writes.note(0, 2, Some(200));
        writes.note(1, 2, Some(400));
        writes.note(2, 2, None);
        writes
    }

    fn compared(found: &[(u64, u64)]) -> Promises {
        let mut writes = sent();
        for (number, entries) in found {
            writes.find(*number, *entries);
        }
        writes.compare()
    }

    #[test]
    fn what_has_no_answer_may_be_there_or_not() {
        let right = Promises {
            acknowledged: 2,
            unknown: 2,
            added: 2,
            ..Promises::default()
        };
        assert_eq!(compared(&[(0, 2)]), right);
        assert_eq!(compared(&[(2, 2), (0, 2)]), Promises { added: 4, ..right });
    }

    /// Each kind by itself, also where the sum of the entries is right.
    #[test]
    fn what_is_lost_unpromised_or_twice_is_told_apart() {
        let off = |found: &[(u64, u64)]| {
            let Promises {
                lost,
                unpromised,
                twice,
                ..
            } = compared(found);
            (lost, unpromised, twice)
        };
        assert_eq!(off(&[]), (2, 0, 0));
        assert_eq!(off(&[(0, 1)]), (1, 0, 0));
        assert_eq!(
            off(&[(1, 2)]),
            (2, 2, 0),
            "refused, and in place of another"
        );
        assert_eq!(off(&[(0, 2), (3, 2)]), (0, 2, 0), "never sent");
        assert_eq!(off(&[(0, 2), (u64::MAX, 2)]), (0, 2, 0), "never sent");
        assert_eq!(off(&[(0, 4)]), (0, 0, 2));
        assert_eq!(off(&[(0, 2), (0, 2)]), (0, 0, 2), "in another scope");
        assert_eq!(off(&[(0, 2), (2, 4)]), (0, 0, 2));
        assert_eq!(off(&[(2, 3)]), (2, 0, 1), "of another");
        assert_eq!(off(&[(0, 1_000)]), (0, 0, 253), "as far as is counted");
    }

    #[test]
    fn copies_under_one_key_are_one_write() {
        let acknowledged = |statuses: &[Option<u16>]| {
            let mut writes = Writes::default();
            for status in statuses {
                writes.note(0, 1, *status);
            }
            let Promises {
                acknowledged,
                unknown,
                ..
            } = writes.compare();
            (acknowledged, unknown)
        };
        assert_eq!(acknowledged(&[Some(201), Some(200), Some(200)]), (1, 0));
        assert_eq!(acknowledged(&[None, Some(200)]), (1, 0), "told by the copy");
        assert_eq!(acknowledged(&[Some(409), Some(503)]), (0, 1));
        assert_eq!(acknowledged(&[Some(400), Some(400)]), (0, 0));
    }

    #[test]
    fn a_key_is_read_back() {
        for (run, number) in [(0, 0), (u64::MAX, u64::MAX), (0xb0a7, 17)] {
            assert_eq!(parse(&key(run, number)), Some((run, number)));
        }
        for other in ["", "-", "order-17", "7f", "7f-", "7f-1-2", "-1"] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
