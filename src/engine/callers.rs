//! Callers who wait for an answer. Those who wait on one runtime get theirs together, and wake it once.

use std::collections::HashMap;

use tokio::runtime::{self, Handle};
use tokio::sync::oneshot;

/// Who waits for an answer, and where.
pub(crate) struct Caller<T> {
    answer: oneshot::Sender<T>,
    /// None if there is no runtime.
    runtime: Option<Handle>,
}

impl<T: Send + 'static> Caller<T> {
    /// A caller on the runtime that this is called on, with what receives the answer.
    pub(crate) fn new() -> (Self, oneshot::Receiver<T>) {
        let (answer, receiver) = oneshot::channel();
        let runtime = Handle::try_current().ok();
        (Self { answer, runtime }, receiver)
    }

    /// Whether nobody waits any more.
    pub(super) fn is_gone(&self) -> bool {
        self.answer.is_closed()
    }

    fn answer(self, answer: T) {
        // Who went away needs no answer. One who changes something asks again with the same key.
        drop(self.answer.send(answer));
    }
}

/// Answers all of them.
///
/// To wake a runtime from another thread is a system call, and if processors are scarce the woken thread takes the
/// place of the waking one after each: so several callers on one runtime are woken by a task there. One alone is woken
/// from here.
pub(crate) fn answer_all<T: Send + 'static>(answers: impl IntoIterator<Item = (Caller<T>, T)>) {
    let mut rounds: HashMap<Option<runtime::Id>, Vec<(Caller<T>, T)>> = HashMap::new();
    for (caller, answer) in answers {
        let runtime = caller.runtime.as_ref().map(Handle::id);
        rounds.entry(runtime).or_default().push((caller, answer));
    }
    for round in rounds.into_values() {
        let runtime = match round.as_slice() {
            [] | [_] => None,
            [(first, _), ..] => first.runtime.clone(),
        };
        match runtime {
            Some(runtime) => drop(runtime.spawn(async { hand_out(round) })),
            None => hand_out(round),
        }
    }
}

fn hand_out<T: Send + 'static>(round: Vec<(Caller<T>, T)>) {
    for (caller, answer) in round {
        caller.answer(answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_runtime() -> runtime::Runtime {
        let runtime = runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime")
    }

    fn callers(on: &runtime::Runtime, count: usize) -> Vec<(Caller<u8>, oneshot::Receiver<u8>)> {
        let _on = on.enter();
        (0..count).map(|_| Caller::new()).collect()
    }

    #[test]
    fn callers_on_one_runtime_are_answered_there_by_one_task() {
        let (one, other) = (a_runtime(), a_runtime());
        let waiting = callers(&one, 3).into_iter().chain(callers(&other, 2));
        let (callers, mut receivers): (Vec<_>, Vec<_>) = waiting.unzip();
        answer_all(callers.into_iter().zip(1..));

        let tasks = [&one, &other].map(|runtime| runtime.metrics().num_alive_tasks());
        assert_eq!(tasks, [1, 1]);
        for receiver in &mut receivers {
            assert!(receiver.try_recv().is_err(), "before the runtime ran");
        }
        one.block_on(tokio::task::yield_now());
        other.block_on(tokio::task::yield_now());
        let received = receivers
            .into_iter()
            .map(|mut receiver| receiver.try_recv());
        assert_eq!(
            received.collect::<Vec<_>>(),
            (1..=5).map(Ok).collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_caller_alone_is_answered_at_once() {
        let runtime = a_runtime();
        for (caller, mut receiver) in callers(&runtime, 1).into_iter().chain([Caller::new()]) {
            answer_all([(caller, 1)]);
            assert_eq!(receiver.try_recv(), Ok(1));
        }
    }

    #[test]
    fn a_runtime_that_has_ended_keeps_nobody_else_waiting() {
        let (ended, runtime) = (a_runtime(), a_runtime());
        let waiting = callers(&ended, 2).into_iter().chain(callers(&runtime, 2));
        let (callers, receivers): (Vec<_>, Vec<_>) = waiting.unzip();
        drop(ended);
        answer_all(callers.into_iter().zip(1..));
        let received = runtime.block_on(async {
            let mut received = Vec::new();
            for receiver in receivers {
                received.push(receiver.await.ok());
            }
            received
        });
        assert_eq!(received, [None, None, Some(3), Some(4)]);
    }
}
