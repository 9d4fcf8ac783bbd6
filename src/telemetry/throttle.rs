//! Lines of the log that may come thousands of times: one of a kind a second, with how many were held back.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How far apart two lines of a kind are at least.
const INTERVAL: Duration = Duration::from_secs(1);

/// A kind of line. What is said of it first after others were held back tells how many those were.
#[derive(Debug)]
pub struct Throttle(Mutex<Said>);

#[derive(Debug)]
struct Said {
    last: Option<Instant>,
    held_back: u64,
}

impl Throttle {
    #[expect(
        clippy::new_without_default,
        reason = "it stands in statics, which a default cannot make"
    )]
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(Said {
            last: None,
            held_back: 0,
        }))
    }

    /// Says the line, unless one of its kind was said within the last second. It is given how many were held back since,
    /// if any were.
    pub fn say(&self, line: impl FnOnce(Option<u64>)) {
        if let Some(held_back) = self.pass(Instant::now()) {
            line((held_back != 0).then_some(held_back));
        }
    }

    /// How many lines were held back since the last one, if it is time for another.
    fn pass(&self, now: Instant) -> Option<u64> {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if said.last.is_some_and(|last| now < last + INTERVAL) {
            said.held_back = said.held_back.saturating_add(1);
            return None;
        }
        said.last = Some(now);
        Some(std::mem::take(&mut said.held_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_a_second_is_said_and_the_next_tells_how_many_were_not() {
        let throttle = Throttle::new();
        let began = Instant::now();
        let at = |ms| throttle.pass(began + Duration::from_millis(ms));
        assert_eq!(at(0), Some(0));
        assert_eq!([at(1), at(500), at(999)], [None; 3]);
        assert_eq!(at(1_000), Some(3));
        assert_eq!(at(1_999), None);
        assert_eq!(at(5_000), Some(1));
        assert_eq!(at(9_000), Some(0));
    }
}
