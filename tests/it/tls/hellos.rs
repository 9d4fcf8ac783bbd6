//! First words of clients: those of old versions and of weak ciphers are refused, byte by byte as a scanner says them.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::open;
use crate::support::Bank;

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// The first byte of a record that is an alert, and of one that is part of a handshake (RFC 8446, section 5.1).
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

/// Ciphers of this decade.
const GOOD: &[u16] = &[0xc02b, 0xc02c, 0xcca9];

/// What a client says that it can, and whether it is let in.
const HELLOS: [(&str, u16, &[u16], bool); 19] = [
    ("TLS 1.2", 0x0303, GOOD, true),
    (
        "TLS 1.2, ECDHE-ECDSA-AES128-GCM-SHA256",
        0x0303,
        &[0xc02b],
        true,
    ),
    (
        "TLS 1.2, old ciphers beside a good one",
        0x0303,
        &[0x0005, 0x000a, 0xc02b],
        true,
    ),
    ("SSL 3.0", 0x0300, GOOD, false),
    ("TLS 1.0", 0x0301, GOOD, false),
    ("TLS 1.1", 0x0302, GOOD, false),
    ("no encryption (NULL-SHA)", 0x0303, &[0x0002], false),
    (
        "no encryption (ECDHE-ECDSA-NULL-SHA)",
        0x0303,
        &[0xc006],
        false,
    ),
    (
        "no certificate (ADH-AES128-GCM-SHA256)",
        0x0303,
        &[0x00a6],
        false,
    ),
    (
        "no certificate (AECDH-AES256-SHA)",
        0x0303,
        &[0xc019],
        false,
    ),
    ("40 bits (EXP-RC4-MD5)", 0x0303, &[0x0003], false),
    ("56 bits (DES-CBC-SHA)", 0x0303, &[0x0009], false),
    ("64-bit blocks (DES-CBC3-SHA)", 0x0303, &[0x000a], false),
    ("64-bit blocks (IDEA-CBC-SHA)", 0x0303, &[0x0007], false),
    ("RC4 (RC4-SHA)", 0x0303, &[0x0005], false),
    ("RC4 (ECDHE-ECDSA-RC4-SHA)", 0x0303, &[0xc007], false),
    (
        "no forward secrecy (AES128-GCM-SHA256)",
        0x0303,
        &[0x009c],
        false,
    ),
    ("CBC (ECDHE-ECDSA-AES128-SHA256)", 0x0303, &[0xc023], false),
    (
        "fallback alone (TLS_FALLBACK_SCSV)",
        0x0303,
        &[0x5600],
        false,
    ),
];

/// What is no TLS at all.
const OTHERS: [(&str, &[u8]); 4] = [
    (
        "plain HTTP",
        b"GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    ("HTTP/2 without TLS", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    (
        "SSL 2.0",
        b"\x80\x1c\x01\x00\x02\x00\x03\x00\x00\x00\x10\x01\x00\x80aaaaaaaaaaaaaaaa",
    ),
    ("noise", &[0xff; 64]),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_versions_and_weak_ciphers_are_refused() {
    let (bank, _authority) = open(&[]).await;
    for (what, version, ciphers, is_let_in) in HELLOS {
        let answer = said(&bank, &hello(version, ciphers)).await;
        let expected = if is_let_in { HANDSHAKE } else { ALERT };
        assert_eq!(answer.first(), Some(&expected), "{what}: {answer:?}");
    }
    for (what, bytes) in OTHERS {
        let answer = said(&bank, bytes).await;
        let is_refused = matches!(answer.first(), None | Some(&ALERT));
        assert!(is_refused, "{what}: {answer:?}");
    }
    bank.close().await;
}

/// What the service says to the first words of a client who then says no more.
async fn said(bank: &Bank, bytes: &[u8]) -> Vec<u8> {
    let mut socket = TcpStream::connect(bank.app.listen())
        .await
        .expect("it listens");
    socket.write_all(bytes).await.expect("it hears");
    socket.shutdown().await.expect("a socket");
    let mut answer = Vec::new();
    let heard = timeout(PATIENCE, socket.read_to_end(&mut answer)).await;
    drop(heard.expect("the service closes"));
    answer
}

/// A record with a `ClientHello` (RFC 5246, section 7.4.1.2) as clients say it that know no later version.
fn hello(version: u16, ciphers: &[u16]) -> Vec<u8> {
    let ciphers: Vec<u8> = ciphers
        .iter()
        .flat_map(|cipher| cipher.to_be_bytes())
        .collect();
    let extensions = [
        // Groups: X25519 and P-256. Signatures: by ECDSA and by RSA.
        extension(10, &sized(&[0x00, 0x1d, 0x00, 0x17])),
        extension(11, &[1, 0]),
        extension(
            13,
            &sized(&[0x04, 0x03, 0x08, 0x04, 0x04, 0x01, 0x02, 0x03, 0x02, 0x01]),
        ),
        extension(23, &[]),
    ];
    let body = [
        &version.to_be_bytes()[..],
        &[7; 32],
        &[0],
        &sized(&ciphers),
        &[1, 0],
        &sized(&extensions.concat()),
    ];
    let body = body.concat();
    let message = [&[1, 0][..], &sized(&body)].concat();
    [&[HANDSHAKE, 3, 1][..], &sized(&message)].concat()
}

fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &sized(body)].concat()
}

/// With its length before it.
fn sized(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("a short text");
    [&length.to_be_bytes()[..], bytes].concat()
}
