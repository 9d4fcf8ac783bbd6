//! A connection that speaks just enough HTTP/1.1 (RFC 9112): the load shares the cores with what it measures.

use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long an answer may take: more than the service allows itself.
const ANSWER_MAX: Duration = Duration::from_secs(15);
/// How long a connection may lie unused and still be used: the service closes a new one of which it has heard nothing for 5 s
/// with a 408, which would be taken for the answer to the next request.
const UNUSED_MAX: Duration = Duration::from_secs(4);
/// What an answer may be long, its head included.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// A keep-alive connection. One that broke, or lay unused for too long, is made again for the next request.
pub(super) struct Connection {
    address: SocketAddr,
    unused: Option<Unused>,
    received: Vec<u8>,
}

/// A connection on which nothing is under way.
struct Unused {
    stream: TcpStream,
    since: Instant,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    body: Range<usize>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Head {
    status: u16,
    closes: bool,
    body_begins: usize,
    body_length: usize,
}

impl Connection {
    /// # Errors
    /// Where nobody listens.
    pub(super) async fn open(address: SocketAddr) -> io::Result<Self> {
        let mut connection = Self {
            address,
            unused: None,
            received: Vec::new(),
        };
        let stream = connection.connect().await?;
        connection.keep(stream);
        Ok(connection)
    }

    /// Sends a request, and reads the whole of its answer.
    ///
    /// # Errors
    /// Where there is no answer, or none that can be read. What became of the request is unknown then.
    pub(super) async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer> {
        let is_fresh = |unused: &Unused| unused.since.elapsed() < UNUSED_MAX;
        let mut stream = match self.unused.take().filter(is_fresh) {
            Some(unused) => unused.stream,
            None => self.connect().await?,
        };
        self.received.clear();
        let exchanged = async {
            stream.write_all(request).await?;
            receive(&mut stream, &mut self.received).await
        };
        let head = timeout(ANSWER_MAX, exchanged).await??;
        if !head.closes {
            self.keep(stream);
        }
        Ok(Answer {
            status: head.status,
            body: head.body_begins..head.body_begins.saturating_add(head.body_length),
        })
    }

    /// The body of the last answer.
    pub(super) fn body(&self, answer: &Answer) -> &[u8] {
        self.received.get(answer.body.clone()).unwrap_or_default()
    }

    fn keep(&mut self, stream: TcpStream) {
        let since = Instant::now();
        self.unused = Some(Unused { stream, since });
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        let stream = timeout(ANSWER_MAX, TcpStream::connect(self.address)).await??;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

async fn receive(stream: &mut TcpStream, received: &mut Vec<u8>) -> io::Result<Head> {
    let mut head = None;
    loop {
        received.reserve(1024);
        if stream.read_buf(received).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if head.is_none() {
            head = parse_head(received)?;
        }
        if let Some(whole) = &head
            && whole.body_begins.saturating_add(whole.body_length) <= received.len()
        {
            return Ok(head.take().unwrap_or_default());
        }
        if ANSWER_BYTES_MAX < received.len() {
            return Err(io::Error::other("an answer that is too long"));
        }
    }
}

/// The head of an answer, once all of it is there.
fn parse_head(received: &[u8]) -> io::Result<Option<Head>> {
    let unreadable = || io::Error::other("an answer that is not HTTP/1.1");
    let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = received.get(..end).unwrap_or_default();
    let text = str::from_utf8(text).map_err(|_| unreadable())?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 "));
    let status = status.and_then(|rest| rest.get(..3)?.parse().ok());
    let mut head = Head {
        status: status.ok_or_else(unreadable)?,
        body_begins: end.saturating_add(4),
        ..Head::default()
    };
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            head.body_length = value.parse().map_err(|_| unreadable())?;
        } else if name.eq_ignore_ascii_case("connection") {
            head.closes = value.eq_ignore_ascii_case("close");
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(io::Error::other("an answer in chunks"));
        }
    }
    Ok(Some(head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let whole =
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 7\r\nconnection: close\r\n\r\n{\"a\":1}";
        for end in 0..whole.len() - 7 {
            let part = parse_head(&whole[..end]).expect("nothing wrong yet");
            assert_eq!(part, None);
        }
        let head = parse_head(whole).expect("a head").expect("a whole one");
        let expected = Head {
            status: 400,
            closes: true,
            body_begins: whole.len() - 7,
            body_length: 7,
        };
        assert_eq!(head, expected);
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for text in [
            "SSH-2.0-OpenSSH\r\n\r\n",
            "HTTP/1.1 abc\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        ] {
            assert!(parse_head(text.as_bytes()).is_err(), "{text}");
        }
    }
}
