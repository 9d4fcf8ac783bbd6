//! Puts a load on a service: in a closed loop each connection sends when it has its answer, in an open loop when it is due.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime;
use tokio::sync::{Semaphore, oneshot};

use super::case::Load;
use super::client::Connection;
use super::error::Error;
use super::requests::{Gives, Requests};
use super::tally::Tally;
use super::target::Target;

/// How long a connection that broke waits before it is made again.
const RECONNECT_PAUSE: Duration = Duration::from_millis(50);
/// How long after its end an open loop still sends what was due before.
const BACKLOG_MAX: Duration = Duration::from_secs(30);

/// When it ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Length {
    Time(Duration),
    Requests(u64),
}

/// A load that is on. Dropped, it breaks off.
pub(super) struct Running {
    shared: Arc<Shared>,
    ended: oneshot::Receiver<()>,
    /// Breaks the load off by being dropped.
    _cancel: oneshot::Sender<()>,
}

struct Shared {
    requests: Requests,
    length: Length,
    load: Load,
    began: Instant,
    next: AtomicU64,
    completed: AtomicU64,
    /// Arrivals of an open loop that nobody has taken yet.
    due: Semaphore,
    is_over: AtomicBool,
    tally: Mutex<Tally>,
}

/// A request whose time has come.
struct Turn {
    number: u64,
    /// When it was to begin. In an open loop that is before it does, where nobody was free.
    intended: Instant,
}

/// Connects, and puts the load on, from a thread of its own.
///
/// # Errors
/// Where nobody listens.
pub(super) async fn start(
    target: &Target,
    requests: Requests,
    load: Load,
    length: Length,
) -> Result<Running, Error> {
    let (starting, started) = oneshot::channel();
    let (ending, ended) = oneshot::channel();
    let (cancel, cancelled) = oneshot::channel::<()>();
    let address = target.address;
    let drive = async move {
        let mut connections = Vec::new();
        for _ in 0..load.connections {
            match Connection::open(address).await {
                Ok(connection) => connections.push(connection),
                Err(reason) => {
                    drop(starting.send(Err(reason)));
                    return;
                }
            }
        }
        let shared = Arc::new(Shared::new(requests, load, length));
        if starting.send(Ok(Arc::clone(&shared))).is_err() {
            return;
        }
        let sending = connections.into_iter();
        let sending = sending.map(|connection| tokio::spawn(send(Arc::clone(&shared), connection)));
        for sender in sending.collect::<Vec<_>>() {
            // One that panicked leaves its request without an answer, which the audit will see.
            drop(sender.await);
        }
        let _ = ending.send(());
    };
    let drive = async {
        tokio::select! {
            () = drive => {}
            _ = cancelled => {}
        }
    };
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(Error::Thread)?;
    let thread = thread::Builder::new().name("load".to_owned());
    let spawned = thread.spawn(move || runtime.block_on(drive));
    spawned.map_err(Error::Thread)?;
    let started = started.await.map_err(|_| Error::BrokenOff)?;
    let shared = started.map_err(|reason| Error::Unreachable {
        authority: target.authority.clone(),
        reason,
    })?;
    let running = Running {
        shared,
        ended,
        _cancel: cancel,
    };
    if let Some(per_s) = load.per_s {
        running.arrive(per_s)?;
    }
    Ok(running)
}

impl Running {
    pub(super) fn began(&self) -> Instant {
        self.shared.began
    }

    /// Requests that have been answered so far.
    pub(super) fn completed(&self) -> u64 {
        self.shared.completed.load(Ordering::Relaxed)
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.shared.began.elapsed()
    }

    /// Waits until the last answer is there.
    ///
    /// # Errors
    /// Where the load broke off.
    pub(super) async fn ended(&mut self) -> Result<(), Error> {
        (&mut self.ended).await.map_err(|_| Error::BrokenOff)
    }

    /// What was counted, once it has ended.
    pub(super) fn into_tally(self) -> Tally {
        std::mem::replace(&mut *self.shared.tally(), Tally::new())
    }

    /// Has requests arrive, from a thread of its own: the runtime's timers are too coarse.
    fn arrive(&self, per_s: u32) -> Result<(), Error> {
        let shared = Arc::clone(&self.shared);
        let thread = thread::Builder::new().name("arrivals".to_owned());
        let spawned = thread.spawn(move || shared.arrive(per_s));
        spawned.map_err(Error::Thread)?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    fn new(requests: Requests, load: Load, length: Length) -> Self {
        Self {
            requests,
            length,
            load,
            began: Instant::now(),
            next: AtomicU64::new(0),
            completed: AtomicU64::new(0),
            due: Semaphore::new(0),
            is_over: AtomicBool::new(false),
            tally: Mutex::new(Tally::new()),
        }
    }

    /// The next request, when its time has come; none after the last.
    async fn turn(&self) -> Option<Turn> {
        let Some(per_s) = self.load.per_s else {
            return self.turn_at_once();
        };
        // The permit is used up.
        self.due.acquire().await.ok()?.forget();
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let intended = self.began + due_after(number, per_s);
        (number < self.arrivals(per_s)).then_some(Turn { number, intended })
    }

    fn turn_at_once(&self) -> Option<Turn> {
        let intended = Instant::now();
        let (numbers, goes_on) = match self.length {
            Length::Time(time) => (u64::MAX, intended < self.began + time),
            Length::Requests(count) => (count, true),
        };
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (goes_on && number < numbers).then_some(Turn { number, intended })
    }

    /// How many requests arrive in all, in an open loop.
    fn arrivals(&self, per_s: u32) -> u64 {
        match self.length {
            // One that is due at the very end is not in it.
            Length::Time(time) => arrived_after(time, per_s).saturating_sub(1),
            Length::Requests(count) => count,
        }
    }

    /// Gives permits as requests arrive; at the end one more for each connection, which then finds nothing left.
    fn arrive(&self, per_s: u32) {
        let arrivals = self.arrivals(per_s);
        let mut arrived: u64 = 0;
        while arrived < arrivals && !self.is_over.load(Ordering::Relaxed) {
            let now = arrived_after(self.began.elapsed(), per_s).min(arrivals);
            self.permit(now.saturating_sub(arrived));
            arrived = now;
            let next = due_after(arrived, per_s);
            thread::park_timeout(next.saturating_sub(self.began.elapsed()));
        }
        self.permit(self.load.connections as u64);
    }

    fn permit(&self, count: u64) {
        self.due
            .add_permits(usize::try_from(count).unwrap_or_default());
    }

    /// Whether an open loop is so far behind that what was due is given up.
    fn is_too_late(&self) -> bool {
        match self.length {
            Length::Time(time) if self.load.per_s.is_some() => {
                time + BACKLOG_MAX < self.began.elapsed()
            }
            Length::Time(_) | Length::Requests(_) => false,
        }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends and receives on one connection until nothing is left to be sent.
async fn send(shared: Arc<Shared>, mut connection: Connection) {
    let mut request = Vec::new();
    let mut placed: Option<String> = None;
    while let Some(turn) = shared.turn().await {
        if shared.is_too_late() {
            shared.tally().give_up(turn.intended.elapsed());
            continue;
        }
        let requests = &shared.requests;
        let asked = match placed.take() {
            Some(hold) => requests.capture(turn.number, &hold, &mut request),
            None => requests.write(turn.number, &mut request),
        };
        let answered = connection.exchange(&request).await;
        let at = Instant::now();
        shared.completed.fetch_add(1, Ordering::Relaxed);
        let status = answered.as_ref().ok().map(|answer| answer.status);
        {
            let mut tally = shared.tally();
            tally.record(asked, status, turn.intended, at);
            match (asked.gives, &answered) {
                (Gives::User, Ok(answer)) => tally.opened.extend(opened(connection.body(answer))),
                (Gives::Hold, Ok(answer)) => placed = find_placed(connection.body(answer)),
                (Gives::Nothing, _) | (_, Err(_)) => {}
            }
        }
        if answered.is_err() {
            tokio::time::sleep(RECONNECT_PAUSE).await;
        }
    }
}

/// The number after the first `"id":`.
fn opened(body: &[u8]) -> Option<i64> {
    let (_, rest) = str::from_utf8(body).ok()?.split_once(r#""id":"#)?;
    let end = rest.find(|letter: char| !letter.is_ascii_digit());
    rest.get(..end?)?.parse().ok()
}

/// The text after the first `"id":`. A refusal has none.
fn find_placed(body: &[u8]) -> Option<String> {
    let (_, rest) = str::from_utf8(body).ok()?.split_once(r#""id":""#)?;
    let (id, _) = rest.split_once('"')?;
    Some(id.to_owned())
}

fn due_after(number: u64, per_s: u32) -> Duration {
    let nanos = u128::from(number) * 1_000_000_000 / u128::from(per_s.max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// How many are due after so long: the first one at once.
fn arrived_after(elapsed: Duration, per_s: u32) -> u64 {
    let arrived = elapsed.as_nanos() * u128::from(per_s) / 1_000_000_000;
    u64::try_from(arrived).unwrap_or(u64::MAX).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_are_evenly_spaced() {
        for (number, after_ms) in [(0, 0), (1, 2), (5, 10), (500, 1_000)] {
            let due = due_after(number, 500);
            assert_eq!(due, Duration::from_millis(after_ms));
            assert_eq!(arrived_after(due, 500), number + 1);
        }
        assert_eq!(arrived_after(Duration::from_micros(1_999), 500), 1);
    }

    #[test]
    fn the_id_of_a_new_user_is_found() {
        let body = br#"{"success":true,"data":{"id":4711,"balance":1.00}}"#;
        assert_eq!(opened(body), Some(4711));
        assert_eq!(opened(br#"{"success":false}"#), None);
    }

    #[test]
    fn the_id_of_a_new_hold_is_found() {
        let body = br#"{"id":"01a2-7c","account":"000000000017"}"#;
        assert_eq!(find_placed(body).as_deref(), Some("01a2-7c"));
        let refusal = br#"{"code":"insufficient_funds","request_id":"01a2-7d"}"#;
        assert_eq!(find_placed(refusal), None);
    }
}
