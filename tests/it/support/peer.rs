//! A peer: a socket on which a test says what no HTTP library would say, when it likes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::bank::Reply;

/// Longer than the service may take to answer or to close, whatever it was sent.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two bytes of a peer that is slow.
const TRICKLE: Duration = Duration::from_millis(250);

/// A connection of its own.
pub(crate) struct Peer<S = TcpStream> {
    socket: S,
    unread: Vec<u8>,
}

impl Peer {
    /// Connects to `http://address:port`.
    pub(crate) async fn connect(url: &str) -> Self {
        let address = url.strip_prefix("http://").expect("a URL");
        let socket = TcpStream::connect(address).await;
        Self::over(socket.expect("the service listens"))
    }

    /// The same of a peer for whom little can wait, so that it is soon full.
    pub(crate) async fn connect_narrow(url: &str) -> Self {
        let address = url.strip_prefix("http://").expect("a URL");
        let socket = TcpSocket::new_v4().expect("a socket");
        let narrowed = socket.set_recv_buffer_size(4_096);
        narrowed.expect("a smaller buffer");
        let socket = socket.connect(address.parse().expect("an address")).await;
        Self::over(socket.expect("the service listens"))
    }

    /// Goes away without a word: what it was sent and has not read is refused.
    pub(crate) fn reset(self) {
        let lingers_no_more = self.socket.set_zero_linger();
        lingers_no_more.expect("a socket");
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    /// The same over what was connected elsewhere.
    pub(crate) fn over(socket: S) -> Self {
        Self {
            socket,
            unread: Vec::new(),
        }
    }

    /// Says this; what the service no longer listens to is lost.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let sent = timeout(PATIENCE, self.socket.write_all(bytes)).await;
        drop(sent.expect("the service takes it, or closes"));
    }

    /// Says nothing more, and listens.
    pub(crate) async fn end(&mut self) {
        drop(self.socket.shutdown().await);
    }

    /// The next answer, whole; nothing where the service has closed.
    pub(crate) async fn reply(&mut self) -> Option<Reply> {
        loop {
            if let Some((reply, length)) = first(&self.unread) {
                self.unread.drain(..length);
                // An interim answer is none.
                if 200 <= reply.status {
                    return Some(reply);
                }
            } else if self.hear().await == 0 {
                return None;
            }
        }
    }

    /// The next answer to a `HEAD`, which has the length of a body that does not come.
    pub(crate) async fn head(&mut self) -> Option<Reply> {
        loop {
            let end = self.unread.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = end {
                let head: Vec<u8> = self.unread.drain(..end + 4).collect();
                return Some(Reply::parse(&head));
            }
            if self.hear().await == 0 {
                return None;
            }
        }
    }

    /// The status of the next answer, which may be an interim one.
    pub(crate) async fn interim(&mut self) -> u16 {
        loop {
            if let Some((reply, length)) = first(&self.unread) {
                self.unread.drain(..length);
                return reply.status;
            }
            assert_ne!(self.hear().await, 0, "the service closed");
        }
    }

    /// Waits for a few bytes of an answer, and reads no more.
    pub(crate) async fn glimpse(&mut self) {
        let read = timeout(PATIENCE, self.socket.read(&mut [0; 8])).await;
        drop(read.expect("the service answers, or closes"));
    }

    /// All answers until the service closes.
    pub(crate) async fn rest(mut self) -> Vec<Reply> {
        let mut replies = Vec::new();
        while let Some(reply) = self.reply().await {
            replies.push(reply);
        }
        replies
    }

    /// All bytes until the service closes.
    pub(crate) async fn everything(mut self) -> Vec<u8> {
        while self.hear().await != 0 {}
        self.unread
    }

    /// Says it byte by byte, over and over the last one, until the service closes; the statuses of its answers.
    pub(crate) async fn trickle(mut self, bytes: &[u8]) -> Vec<u16> {
        let last = bytes.last().expect("something to say");
        let mut slowly = bytes.iter().chain(std::iter::repeat(last));
        let mut heard = Vec::new();
        let speaks = async {
            loop {
                let byte = *slowly.next().expect("no end");
                drop(self.socket.write_all(&[byte]).await);
                let hear = timeout(TRICKLE, self.socket.read_buf(&mut heard)).await;
                if matches!(hear, Ok(Ok(0) | Err(_))) {
                    break;
                }
            }
        };
        let ended = timeout(PATIENCE, speaks).await;
        ended.expect("the service closes");
        self.unread.extend(heard);
        let mut statuses = Vec::new();
        while let Some((reply, length)) = first(&self.unread) {
            self.unread.drain(..length);
            statuses.push(reply.status);
        }
        statuses
    }

    /// Asks over and over for what is large and costs little, and listens to nothing, until the service closes.
    pub(crate) async fn chatter(mut self) {
        let page = "GET / HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n";
        let pages = page.repeat(100).into_bytes();
        let speaks = async { while self.socket.write_all(&pages).await.is_ok() {} };
        let ended = timeout(PATIENCE, speaks).await;
        ended.expect("the service closes");
    }

    /// How many bytes came; none where the service has closed.
    async fn hear(&mut self) -> usize {
        let heard = timeout(PATIENCE, self.socket.read_buf(&mut self.unread)).await;
        heard
            .expect("the service answers, or closes")
            .unwrap_or_default()
    }
}

/// A request as its bytes stand on the wire, under a key.
pub(crate) fn request(line: &str, key: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "{line} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: {key}\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// A withdrawal of 1 by a user.
pub(crate) fn withdrawal(user: i64, key: &str) -> Vec<u8> {
    let line = format!("PUT /api/users/{user}/balance");
    request(&line, key, r#"{"amount":-1}"#)
}

/// Asks who user 1 is, on a connection of its own, until it is told that it is enough; how many answers it got.
pub(crate) async fn ordinary_client(url: &str, enough: &AtomicBool) -> usize {
    let mut client = Peer::connect(url).await;
    let mut answers = 0;
    while !enough.load(Ordering::Relaxed) {
        client.send(&request("GET /api/users/1", "a", "")).await;
        let reply = client.reply().await.expect("it is not cut off");
        assert_eq!(reply.status, 200, "{reply:?}");
        answers += 1;
    }
    answers
}

/// The first answer among the bytes, if it is whole, and its length.
fn first(bytes: &[u8]) -> Option<(Reply, usize)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = Reply::parse(&bytes[..end]);
    let body = head.headers.get("content-length");
    let body = body.map_or(0, |length| length.parse().expect("a length"));
    let whole = bytes.get(..end + body)?;
    Some((Reply::parse(whole), whole.len()))
}
