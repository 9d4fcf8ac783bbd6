//! A network between the service and PostgreSQL that can be cut at the worst moment.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::time::sleep;

use super::{postgres, process};

/// Cut connections on their way to PostgreSQL's socket.
pub(crate) struct Proxy {
    pub(crate) database_url: String,
    state: Arc<State>,
    /// Where its own socket is.
    _directory: TempDir,
}

/// A message to PostgreSQL at which the network stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    Parse = b'P' as isize,
    Bind = b'B' as isize,
    Execute = b'E' as isize,
    Sync = b'S' as isize,
    /// The commit of a transaction of several statements.
    Commit = b'Q' as isize,
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

struct State {
    /// The kind of the message that is held back next; 0 if none is.
    hold: AtomicU8,
    held: AtomicU64,
    /// Whether what was held back may go on.
    released: watch::Sender<bool>,
    next: AtomicU8,
    cuts: AtomicU64,
    door: AtomicU8,
    delay_ms: AtomicU64,
    /// How many connections came while the door was not open.
    turned_away: AtomicU64,
    /// How many connections there have been, and how many of them are silent by now.
    made: AtomicU64,
    silenced: AtomicU64,
}

/// One end of a connection.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for S {}

impl Proxy {
    /// A way to a new database that leads through the proxy, from socket to socket: a batch is committed with its statement.
    pub(crate) async fn to_new_database() -> (Self, String) {
        let direct = postgres::create_database().await;
        (Self::to(&direct), direct)
    }

    /// The same to a database that is there.
    pub(crate) fn to(direct: &str) -> Self {
        let proxy = Self::between_sockets(direct);
        let listener = proxy.listen_on_socket();
        let (state, socket) = (Arc::clone(&proxy.state), socket_of(direct));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                open(client, &socket, &state).await;
            }
        });
        proxy
    }

    /// The same over a network, for the service: a server that cannot bound a transaction is told to commit by a message of its own.
    pub(crate) async fn over_tcp_to_new_database() -> (Self, String) {
        let direct = postgres::create_database().await;
        let mut proxy = Self::between_sockets(&direct);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (state, socket) = (Arc::clone(&proxy.state), socket_of(&direct));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                open(client, &socket, &state).await;
            }
        });
        let database = database_of(&direct);
        proxy.database_url =
            format!("postgres://passbook@127.0.0.1:{port}/{database}?sslmode=disable");
        (proxy, direct)
    }

    fn between_sockets(direct: &str) -> Self {
        let directory = process::data_dir();
        let host = process::path_of(&directory).replace('/', "%2F");
        let database = database_of(direct);
        let database_url =
            format!("postgres://passbook@localhost:5432/{database}?host={host}&sslmode=disable");
        let state = State {
            hold: AtomicU8::new(0),
            held: AtomicU64::new(0),
            released: watch::Sender::new(false),
            next: AtomicU8::new(Cut::Nothing as u8),
            cuts: AtomicU64::new(0),
            door: AtomicU8::new(Door::Open as u8),
            delay_ms: AtomicU64::new(0),
            turned_away: AtomicU64::new(0),
            made: AtomicU64::new(0),
            silenced: AtomicU64::new(0),
        };
        Self {
            database_url,
            state: Arc::new(state),
            _directory: directory,
        }
    }

    fn listen_on_socket(&self) -> UnixListener {
        UnixListener::bind(socket_of(&self.database_url)).expect("a socket")
    }

    /// Holds back the next such message of a batch, and all that the service sends after it.
    pub(crate) fn hold_next(&self, message: Message) {
        self.state.released.send_replace(false);
        self.state.hold.store(message as u8, Ordering::SeqCst);
    }

    /// How many messages have been held back so far.
    pub(crate) fn held(&self) -> u64 {
        self.state.held.load(Ordering::SeqCst)
    }

    /// Lets what was held back arrive, whether its sender is still there or not.
    pub(crate) fn release(&self) {
        self.state.released.send_replace(true);
    }

    /// Cuts the connection that writes the next batch.
    pub(crate) fn cut_next(&self, cut: Cut) {
        self.state.next.store(cut as u8, Ordering::SeqCst);
    }

    pub(crate) fn set_door(&self, door: Door) {
        self.state.door.store(door as u8, Ordering::SeqCst);
    }

    /// How many connections have come while the door was shut or silent.
    pub(crate) fn turned_away(&self) -> u64 {
        self.state.turned_away.load(Ordering::SeqCst)
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
    /// Where to hold back what was sent, if it is what is to be held back.
    fn take_hold(&self, sent: &[u8]) -> Option<usize> {
        let kind = self.hold.load(Ordering::SeqCst);
        let place = find(sent, kind)?;
        let is_meant = match kind {
            b'P' => contains(sent, b"with head as"),
            b'Q' => contains(sent, b"commit\0"),
            _ => is_write(sent),
        };
        let taken = is_meant
            && self
                .hold
                .compare_exchange(kind, 0, Ordering::SeqCst, Ordering::SeqCst)
                .is_ok();
        taken.then_some(place)
    }

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

/// A connection through the proxy, if it is open and PostgreSQL is there.
async fn open(client: impl Stream, socket: &Path, state: &Arc<State>) {
    let door = state.door.load(Ordering::SeqCst);
    if door != Door::Open as u8 {
        state.turned_away.fetch_add(1, Ordering::SeqCst);
    }
    if door == Door::Shut as u8 {
        return;
    }
    let Ok(server) = UnixStream::connect(socket).await else {
        return;
    };
    if door == Door::Silent as u8 {
        tokio::spawn(stall(client, server));
    } else {
        tokio::spawn(carry(client, server, Arc::clone(state)));
    }
}

/// Carries bytes both ways, until an end closes or the connection is cut.
async fn carry(mut client: impl Stream, mut server: UnixStream, state: Arc<State>) {
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
                if let Some(place) = state.take_hold(&up[..length]) {
                    return hold(client, server, &up[..length], place, &state).await;
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
                // `Z`, ready for query, ends the answer to a request; with `I` no transaction is open, so it is committed.
                if losing && down[..length].windows(6).any(|bytes| bytes == *b"Z\0\0\0\x05I") {
                    return;
                }
                if client.write_all(&down[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Holds a message and all after it back until it is released, while answers to what was before get through.
async fn hold(
    mut client: impl Stream,
    mut server: UnixStream,
    sent: &[u8],
    place: usize,
    state: &State,
) {
    let mut released = state.released.subscribe();
    let (mut back, mut answer, mut more) =
        (sent[place..].to_vec(), vec![0; 1 << 16], vec![0; 1 << 16]);
    server.write_all(&sent[..place]).await.expect("it is there");
    state.held.fetch_add(1, Ordering::SeqCst);
    let (mut is_client_there, mut is_server_there) = (true, true);
    loop {
        tokio::select! {
            () = async { drop(released.wait_for(|released| *released).await) } => break,
            sent = client.read(&mut more), if is_client_there => match sent {
                Ok(length @ 1..) => back.extend(&more[..length]),
                _ => is_client_there = false,
            },
            answered = server.read(&mut answer), if is_server_there => match answered {
                Ok(length @ 1..) => drop(client.write_all(&answer[..length]).await),
                _ => is_server_there = false,
            },
        }
    }
    // The server may have ended the session meanwhile.
    drop(server.write_all(&back).await);
    drop(server.shutdown().await);
    while server
        .read(&mut answer)
        .await
        .is_ok_and(|length| 0 < length)
    {}
}

/// Swallows everything until the service gives up; PostgreSQL is not told before.
async fn stall(mut client: impl Stream, server: UnixStream) {
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

/// Where the messages of such a kind begin among those that were sent at once.
fn find(sent: &[u8], kind: u8) -> Option<usize> {
    let mut place = 0;
    while let Some([first, length @ ..]) = sent.get(place..place + 5) {
        if *first == kind {
            return Some(place);
        }
        let length = u32::from_be_bytes(length.try_into().expect("four bytes"));
        place += 1 + usize::try_from(length).expect("small");
    }
    None
}

fn contains(bytes: &[u8], words: &[u8]) -> bool {
    bytes.windows(words.len()).any(|window| window == words)
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

fn database_of(url: &str) -> &str {
    let mut parts = url.split(['/', '?']);
    parts.nth(3).expect("a database in the URL")
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
