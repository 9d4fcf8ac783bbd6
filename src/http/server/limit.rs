//! A time that something may take, on a connection.

use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// A limit of time that is set again and again, with one timer. The timer is early at most: when it goes off it is set to the last
/// end, which costs less than to set it for each request.
pub(super) struct Limit {
    length: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    end: Option<Instant>,
}

impl Limit {
    pub(super) fn of(length: Duration) -> Self {
        Self {
            length,
            timer: None,
            end: None,
        }
    }

    pub(super) fn start(&mut self) {
        self.end = Some(Instant::now() + self.length);
    }

    pub(super) fn stop(&mut self) {
        self.end = None;
    }

    pub(super) fn is_running(&self) -> bool {
        self.end.is_some()
    }

    /// Whether the time has run out; the task is woken when it has, if not before.
    pub(super) fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        let Some(end) = self.end else {
            return false;
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(end)));
        while timer.as_mut().poll(context).is_ready() {
            if end <= timer.deadline() {
                return true;
            }
            timer.as_mut().reset(end);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;

    use tokio::time::{sleep, timeout};

    use super::*;

    #[tokio::test]
    async fn a_limit_that_is_set_again_ends_at_its_last_time() {
        let length = Duration::from_millis(50);
        let mut limit = Limit::of(length);
        limit.start();
        // Sets the timer.
        poll_fn(|context| Poll::Ready(limit.is_over(context))).await;
        sleep(length / 5).await;
        let began = Instant::now();
        limit.start();
        let over = poll_fn(|context| {
            if limit.is_over(context) {
                return Poll::Ready(());
            }
            Poll::Pending
        });
        let over = timeout(Duration::from_secs(20), over).await;
        assert!(over.is_ok(), "nobody was woken");
        assert!(length <= began.elapsed());
        limit.stop();
        assert!(!poll_fn(|context| Poll::Ready(limit.is_over(context))).await);
    }
}
