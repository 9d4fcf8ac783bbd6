//! Bodies and texts that are broken, endless, or cut short.

use std::fmt::Write as _;

use super::{BALANCE, USERS, assert_refused, assert_unharmed, state};
use crate::support::Bank;

/// Bodies that are no object of fields, for any request.
fn broken_bodies() -> Vec<Vec<u8>> {
    let texts = [
        "",
        " ",
        "{",
        "}",
        "null",
        "[]",
        "[1]",
        "[{\"amount\":1}]",
        "1",
        "\"amount\"",
        "true",
        "{}{}",
        "{},",
        "{\"amount\"}",
        "{\"amount\":1,}",
        "{amount:1}",
        "{'amount':1}",
        "{\"amount\":1}//",
        "amount=1",
        "{\"amount\":1} x",
        "\0{\"amount\":1}",
        "{\"amount\":1}\0",
        "{\"amount\":1,\"amount\":2}",
        "{\"amount\":1,\"\\u0061mount\":1}",
        "{\"name\":\"a\",\"amount\":1,\"name\":\"a\",\"amount\":1}",
        "<amount>1</amount>",
    ];
    let mut bodies: Vec<Vec<u8>> = texts.map(|text| text.as_bytes().to_vec()).to_vec();
    bodies.push(b"{\"amount\":1,\"x\":\"\xff\"}".to_vec());
    bodies.push(b"{\"amount\":1,\"x\":\"\xed\xa0\x80\"}".to_vec());
    bodies.push(b"\xff\xfe{\0}\0".to_vec());
    bodies.push(b"\x1f\x8b\x08\x00".to_vec());
    bodies.push("[".repeat(10_000).into_bytes());
    bodies.push(format!("{{\"amount\":{}", "[".repeat(10_000)).into_bytes());
    bodies.push("{\"amount\":".repeat(5_000).into_bytes());
    bodies
}

#[tokio::test]
async fn a_body_that_is_no_object_of_fields_is_refused() {
    let bank = Bank::open().await;
    bank.user("1000").await;
    let before = state(&bank).await;
    for body in broken_bodies() {
        let what = String::from_utf8_lossy(&body).into_owned();
        let json = "Content-Type: application/json\r\n";
        let reply = bank
            .send_bytes(&request(&format!("PUT {BALANCE}"), json, &body))
            .await;
        assert_refused(&reply, &what);
        assert_eq!(reply.status, 400, "{what}");
        // Nothing at all is a new user, and where only `amount` is twice, a new user has no such field.
        let is_amount = what.starts_with("{\"amount\":1,\"") && body.is_ascii();
        if what.trim().is_empty() || is_amount {
            continue;
        }
        let reply = bank
            .send_bytes(&request(&format!("POST {USERS}"), json, &body))
            .await;
        assert_refused(&reply, &what);
        assert_eq!(reply.status, 400, "{what}");
    }
    assert_unharmed(bank, &before).await;
}

#[tokio::test]
async fn names_and_emails_are_texts_that_the_database_can_hold() {
    let bank = Bank::open().await;
    let before = state(&bank).await;
    let long_name = format!(r#""{}""#, "😀".repeat(256));
    let long_email = format!(r#""{}@example.org""#, "a".repeat(243));
    // İ becomes two characters in lower case.
    let growing_email = format!(r#""{}@example.org""#, "İ".repeat(200));
    let no_text = [
        "1",
        "true",
        "[]",
        "{}",
        r#""""#,
        r#"" ""#,
        r#""\u0000""#,
        r#""a\u0000b""#,
        r#""\ud800""#,
        r#""\udc00\ud800""#,
        r#""\x""#,
        "\"\n\"",
        "NaN",
        r#"["a"]"#,
    ];
    let no_email = [
        r#""a""#,
        r#""@""#,
        r#""a@""#,
        r#""@a""#,
        r#""a@b@c""#,
        r#""a b@c""#,
        r#""a@b\n""#,
        r#""a@b\u00a0""#,
        r#""a\u0000@b""#,
        &long_email,
        &growing_email,
    ];
    let no_name = [long_name.as_str()];
    let names = no_text.iter().chain(&no_name);
    let emails = no_text.iter().chain(&no_email);
    let bodies = (names.map(|name| format!(r#"{{"balance":5,"name":{name}}}"#)))
        .chain(emails.map(|email| format!(r#"{{"balance":5,"email":{email}}}"#)));
    for body in bodies {
        let reply = bank.post(USERS, &body).await;
        assert_refused(&reply, &body);
        assert_eq!(reply.status, 400, "{body}");
    }
    assert_eq!(state(&bank).await, before);

    let longest = format!(
        r#"{{"name":"{}","email":"{}@example.org"}}"#,
        "😀".repeat(255),
        "é".repeat(242)
    );
    for body in [
        longest.as_str(),
        r#"{"name":"Robert'); drop table users;--","email":"a'--@b"}"#,
        r#"{"name":"\ud83d\ude00 $1 \\ {} %s","email":"ÄÖÜ@ß"}"#,
    ] {
        assert_eq!(bank.post(USERS, body).await.status, 201, "{body}");
    }
    let before = state(&bank).await;
    assert_unharmed(bank, &before).await;
}

#[tokio::test]
async fn depth_is_no_danger() {
    let bank = Bank::open().await;
    bank.user("1000").await;
    let before = state(&bank).await;
    let arrays = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(9_000), "}".repeat(9_000));
    for deep in [&arrays, &objects] {
        let reply = bank.put(BALANCE, &format!(r#"{{"amount":{deep}}}"#)).await;
        assert_refused(&reply, deep);
        let ignored = format!(r#"{{"other":{deep}}}"#);
        assert_refused(&bank.put(BALANCE, &ignored).await, deep);
        for field in ["name", "email", "balance"] {
            let reply = bank.post(USERS, &format!(r#"{{"{field}":{deep}}}"#)).await;
            assert_refused(&reply, deep);
        }
    }
    assert_unharmed(bank, &before).await;
}

#[tokio::test]
async fn digits_without_end_are_read_exactly_up_to_64_kib_and_refused_beyond() {
    let bank = Bank::open().await;
    let user = bank.user("1000").await;
    let zeros = "0".repeat(60_000);
    for (amount, balance) in [
        (format!("1.{zeros}"), "1001.00"),
        (format!("1{zeros}e-60000"), "1002.00"),
        (format!("0.{zeros}1e60001"), "1003.00"),
    ] {
        assert_eq!(user.change(&amount).await.status, 200);
        assert_eq!(user.balance().await, balance);
    }
    let before = state(&bank).await;
    for amount in [
        "9".repeat(60_000),
        format!("0.{}", "9".repeat(60_000)),
        format!("1e{}", "9".repeat(60_000)),
        format!("1e-{}", "9".repeat(60_000)),
    ] {
        assert_refused(&user.change(&amount).await, &amount);
    }
    let body = format!(r#"{{"amount":{}}}"#, "1".repeat(10_000_000));
    for line in [format!("PUT {BALANCE}"), format!("POST {USERS}")] {
        let reply = bank.send_bytes(&request(&line, "", body.as_bytes())).await;
        assert_refused(&reply, &line);
        assert_eq!(reply.status, 413);
    }
    let mut chunked = format!(
        "PUT {BALANCE} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    for chunk in body.as_bytes().chunks(10_000).take(20) {
        let text = String::from_utf8_lossy(chunk);
        write!(chunked, "{:x}\r\n{text}\r\n", chunk.len()).expect("a string grows");
    }
    chunked.push_str("0\r\n\r\n");
    let reply = bank.send_bytes(chunked.as_bytes()).await;
    assert_refused(&reply, "chunks");
    assert_eq!(reply.status, 413);
    assert_unharmed(bank, &before).await;
}

#[tokio::test]
async fn the_body_counts_whatever_its_content_type_and_unknown_fields_do_not() {
    let bank = Bank::open().await;
    bank.user("1000").await;
    let types = [
        "",
        "Content-Type: \r\n",
        "Content-Type: nonsense\r\n",
        "Content-Type: text/plain\r\n",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: application/json; charset=utf-16\r\n",
        "Content-Type: a/b\r\nContent-Type: c/d\r\n",
    ];
    for content_type in types {
        let put = |body| request(&format!("PUT {BALANCE}"), content_type, body);
        let reply = bank.send_bytes(&put(br#"{"amount":1}"#)).await;
        assert_eq!(reply.status, 200, "{content_type}: {reply:?}");
        let reply = bank.send_bytes(&put(b"amount=1")).await;
        assert_refused(&reply, content_type);
        assert_eq!(reply.status, 400, "{content_type}");
    }
    let unknown =
        r#" {"note":"\u0000","nested":[{"amount":5}],"Amount":7,"amount":1,"balance":9} "#;
    assert_eq!(bank.put(BALANCE, unknown).await.status, 200);
    assert_eq!(bank.known_user(1).balance().await, "1008.00");
    let before = state(&bank).await;
    assert_unharmed(bank, &before).await;
}

#[tokio::test]
async fn a_body_that_does_not_arrive_whole_is_not_applied() {
    let bank = Bank::open().await;
    bank.user("1000").await;
    let before = state(&bank).await;
    let cut_short = [
        "Content-Length: 100\r\n\r\n",
        "Content-Length: 13\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nc\r\n",
        "Transfer-Encoding: chunked\r\n\r\nff\r\n",
        "Transfer-Encoding: chunked\r\n\r\nnonsense\r\n",
    ];
    // The HTTP library refuses these itself, without a body.
    let misframed = [
        "Content-Length: -1\r\n\r\n",
        "Content-Length: 12x\r\n\r\n",
        "Content-Length: 99999999999999999999999\r\n\r\n",
        "Content-Length: 12\r\nContent-Length: 13\r\n\r\n",
        "Content-Length: 12\r\nTransfer-Encoding: chunked\r\n\r\n",
        "Transfer-Encoding: nonsense\r\n\r\n",
        "\r\n",
    ];
    for head in cut_short.into_iter().chain(misframed) {
        let bytes = format!(
            "PUT {BALANCE} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{head}{{\"amount\":1}}"
        );
        let reply = bank.send_bytes(bytes.as_bytes()).await;
        assert_eq!(reply.status, 400, "{head}: {reply:?}");
        if cut_short.contains(&head) {
            assert_refused(&reply, head);
        }
    }
    assert_unharmed(bank, &before).await;
}

/// A request as its bytes stand on the wire.
fn request(line: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut bytes = format!(
        "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n"
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}
