//! A network between the service and PostgreSQL that can be cut at the worst moment.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::time::sleep;

use super::postgres;

/// Cut connections on their way to PostgreSQL's socket.
pub(crate) struct Proxy {
    pub(crate) database_url: String,
    state: Arc<State>,
}

/// What happens to new connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    Open = 0,
    /// Closed as soon as they are made.
    Shut = 1,
    /// Nothing that they send arrives, and nobody tells them.
    Silent = 2,
}

/// What happens to the next batch that the service writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Nothing = 0,
    /// The statement never reaches PostgreSQL.
    Request = 1,
    /// PostgreSQL commits the statement, and its answer is lost.
    Answer = 2,
    /// The statement reaches PostgreSQL, which goes on with it although nobody listens any more.
    Orphan = 3,
    /// Nothing gets through any more, either way, and nobody is told.
    Stall = 4,
    /// The statement gets its answer, and what the service asks next over the same connection is lost: the first that is not
    /// a statement of a batch.
    Question = 5,
}

#[derive(Default)]
struct State {
    next: AtomicU8,
    cuts: AtomicU64,
    door: AtomicU8,
    delay_ms: AtomicU64,
    /// How many connections there have been, and how many of them are silent by now.
    made: AtomicU64,
    silenced: AtomicU64,
}

impl Proxy {
    /// A way to a new database that leads through the proxy.
    pub(crate) async fn to_new_database() -> (Self, String) {
        let direct = postgres::create_database().await;
        let socket = socket_of(&direct);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let door = shared.door.load(Ordering::SeqCst);
                if door == Door::Shut as u8 {
                    continue;
                }
                let server = UnixStream::connect(&socket)
                    .await
                    .expect("PostgreSQL listens");
                if door == Door::Silent as u8 {
                    tokio::spawn(stall(client, server));
                } else {
                    tokio::spawn(carry(client, server, Arc::clone(&shared)));
                }
            }
        });
        let database = direct
            .split(['/', '?'])
            .nth(3)
            .expect("a database in the URL");
        let database_url =
            format!("postgres://passbook@127.0.0.1:{port}/{database}?sslmode=disable");
        (
            Self {
                database_url,
                state,
            },
            direct,
        )
    }

    /// Cuts the connection that writes the next batch.
    pub(crate) fn cut_next(&self, cut: Cut) {
        self.state.next.store(cut as u8, Ordering::SeqCst);
    }

    pub(crate) fn set_door(&self, door: Door) {
        self.state.door.store(door as u8, Ordering::SeqCst);
    }

    /// Nothing gets through the connections that there are any more, and nobody is told.
    pub(crate) fn silence(&self) {
        let made = self.state.made.load(Ordering::SeqCst);
        self.state.silenced.store(made, Ordering::SeqCst);
    }

    /// How long whatever the service sends is on its way, in milliseconds.
    pub(crate) fn delay(&self, ms: u64) {
        self.state.delay_ms.store(ms, Ordering::SeqCst);
    }

    /// How many connections have been cut.
    pub(crate) fn cuts(&self) -> u64 {
        self.state.cuts.load(Ordering::SeqCst)
    }
}

impl State {
    fn is_next(&self, cut: Cut) -> bool {
        self.next.load(Ordering::SeqCst) == cut as u8
    }

    fn take(&self, cut: Cut) -> bool {
        let taken = self.next.compare_exchange(
            cut as u8,
            Cut::Nothing as u8,
            Ordering::SeqCst,
            Ordering::SeqCst,
        );
        if taken.is_ok() {
            self.cuts.fetch_add(1, Ordering::SeqCst);
        }
        taken.is_ok()
    }
}

/// Carries bytes both ways, until an end closes or the connection is cut.
async fn carry(mut client: TcpStream, mut server: UnixStream, state: Arc<State>) {
    let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let (mut losing, mut asking) = (false, false);
    let number = state.made.fetch_add(1, Ordering::SeqCst) + 1;
    loop {
        tokio::select! {
            sent = client.read(&mut up) => {
                let Ok(length @ 1..) = sent else { return };
                if number <= state.silenced.load(Ordering::SeqCst) {
                    stall(client, server).await;
                    return;
                }
                if is_write(&up[..length]) {
                    asking = state.is_next(Cut::Question);
                    if state.take(Cut::Request) {
                        return;
                    }
                    if state.take(Cut::Stall) {
                        stall(client, server).await;
                        return;
                    }
                    losing |= state.take(Cut::Answer);
                    if state.take(Cut::Orphan) {
                        drop(client);
                        orphan(server, &up[..length]).await;
                        return;
                    }
                } else if asking && state.take(Cut::Question) {
                    return;
                }
                sleep(Duration::from_millis(state.delay_ms.load(Ordering::SeqCst))).await;
                if server.write_all(&up[..length]).await.is_err() {
                    return;
                }
            }
            answered = server.read(&mut down) => {
                let Ok(length @ 1..) = answered else { return };
                // `Z`, ready for query, ends the answer to a request: the statement is committed.
                if losing {
                    if down[..length].windows(5).any(|bytes| bytes == [b'Z', 0, 0, 0, 5]) {
                        return;
                    }
                    continue;
                }
                if client.write_all(&down[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Swallows everything until the service gives up; PostgreSQL is not told before.
async fn stall(mut client: TcpStream, server: UnixStream) {
    let mut swallowed = vec![0; 1 << 16];
    while client
        .read(&mut swallowed)
        .await
        .is_ok_and(|length| 0 < length)
    {}
    drop(server);
}

/// Lets PostgreSQL finish a statement; its connection stays open for as long as that takes.
async fn orphan(mut server: UnixStream, statement: &[u8]) {
    drop(server.write_all(statement).await);
    let mut answer = vec![0; 1 << 16];
    while server.read(&mut answer).await.is_ok_and(|length| {
        0 < length
            && !answer[..length]
                .windows(5)
                .any(|bytes| bytes == [b'Z', 0, 0, 0, 5])
    }) {}
}

/// Whether a message to PostgreSQL is a `Bind` of as many values as only the batch statement has (PostgreSQL's manual,
/// section 55.7).
fn is_write(message: &[u8]) -> bool {
    let number = |bytes: &[u8]| {
        bytes
            .get(..2)
            .map(|two| usize::from(u16::from_be_bytes([two[0], two[1]])))
    };
    let after_name = |bytes: &'_ [u8]| bytes.iter().position(|byte| *byte == 0).map(|end| end + 1);
    let values = || {
        let portal = message.strip_prefix(b"B")?.get(4..)?;
        let statement = portal.get(after_name(portal)?..)?;
        let formats = statement.get(after_name(statement)?..)?;
        number(formats.get(2 + 2 * number(formats)?..)?)
    };
    values().is_some_and(|values| 20 < values)
}

/// The socket that a URL of the test PostgreSQL names.
fn socket_of(url: &str) -> PathBuf {
    let (_, host) = url.split_once("host=").expect("a socket in the URL");
    let directory = host
        .split('&')
        .next()
        .unwrap_or_default()
        .replace("%2F", "/");
    PathBuf::from(directory).join(".s.PGSQL.5432")
}
