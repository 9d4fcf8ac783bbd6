//! Idempotency keys: asked twice is done once, and answered the same.

use std::collections::{HashMap, HashSet};

use reqwest::Method;

use crate::support::bank::at_once;
use crate::support::{Bank, Reply};

const REUSED: &str = r#"{"success":false,"error":{"message":"Idempotency-Key was used for another request","code":422}}"#;

async fn put_once(bank: &Bank, user: i64, key: &str, amount: &str) -> Reply {
    bank.known_user(user).change_once(key, amount).await
}

async fn open_once(bank: &Bank, key: &str, body: &str) -> Reply {
    let asked = bank.ask(Method::POST, "/api/users").once(key);
    asked.body(body).send().await
}

/// The first answer again, to the byte, and marked as such.
#[track_caller]
fn assert_replays(again: &Reply, first: &Reply) {
    assert!(!first.headers.contains_key("idempotent-replayed"));
    assert_eq!(
        again.headers.get("idempotent-replayed").map(String::as_str),
        Some("true")
    );
    assert_eq!((again.status, &again.text), (first.status, &first.text));
    assert_eq!(again.headers["content-type"], first.headers["content-type"]);
}

#[track_caller]
fn assert_reused(reply: &Reply) {
    assert_eq!((reply.status, reply.text.as_str()), (422, REUSED));
    assert!(!reply.is_replayed());
}

async fn entries(bank: &Bank) -> i64 {
    bank.number("select count(*) from entries").await
}

#[tokio::test]
async fn a_replayed_key_returns_the_first_answer_to_the_byte() {
    let bank = Bank::open().await;
    let user = bank.user("100").await;
    let asked = [
        ("deposit", "25.50", 200),
        ("withdrawal", "-20", 200),
        ("refusal", "-1000", 400),
        ("nothing", "0", 200),
        ("last", "-105.50", 200),
    ];
    let mut first = Vec::new();
    for (key, amount, status) in asked {
        let reply = user.change_once(key, amount).await;
        assert_eq!(reply.status, status, "{reply:?}");
        first.push(reply);
    }
    for _ in 0..2 {
        for ((key, amount, _), first) in asked.iter().zip(&first) {
            assert_replays(&user.change_once(key, amount).await, first);
        }
    }
    assert_eq!(user.balance().await, "0.00");
    assert_eq!(
        entries(&bank).await,
        4,
        "the opening and three that moved money"
    );
    assert_eq!(
        bank.number("select count(*) from transactions where idempotency_key is not null")
            .await,
        5
    );
    bank.close().await;
}

#[tokio::test]
async fn a_replay_of_nothing_shows_the_balance_of_then() {
    let bank = Bank::open().await;
    let (user, empty) = (bank.user("100").await, bank.user("0").await);
    let first = user.change_once("zero", "0").await;
    let first_empty = empty.change_once("zero", "0").await;
    assert_eq!(first.json()["data"]["balance"].to_string(), "100.00");
    assert_eq!(first_empty.json()["data"]["balance"].to_string(), "0.00");
    for user in [&user, &empty] {
        assert_eq!(user.change("1").await.status, 200);
    }
    assert_replays(&user.change_once("zero", "0").await, &first);
    assert_replays(&empty.change_once("zero", "-0.00").await, &first_empty);
    assert_reused(&user.change_once("zero", "1").await);
    assert_eq!(user.balance().await, "101.00");
    bank.close().await;
}

#[tokio::test]
async fn an_opening_is_replayed_and_its_key_opens_nobody_else() {
    let bank = Bank::open().await;
    let body = r#"{"name":"Ada","email":"ada@example.org","balance":10}"#;
    let first = open_once(&bank, "open", body).await;
    let bare = open_once(&bank, "bare", "{}").await;
    assert_eq!((first.status, bare.status), (201, 201));
    assert_eq!(bank.known_user(1).change("5").await.status, 200);
    assert_eq!(bank.known_user(2).change("5").await.status, 200);

    assert_replays(&open_once(&bank, "open", body).await, &first);
    let same = r#"{"balance":"10.00","email":"ADA@example.org","name":"Ada","other":1}"#;
    assert_replays(&open_once(&bank, "open", same).await, &first);
    assert_replays(&open_once(&bank, "bare", "{}").await, &bare);
    for other in [
        r#"{"name":"Ada","email":"ada@example.org","balance":10.01}"#,
        r#"{"name":"Bob","email":"ada@example.org","balance":10}"#,
        r#"{"name":"Ada","email":"bob@example.org","balance":10}"#,
        r#"{"name":"Ada","balance":10}"#,
        "{}",
    ] {
        assert_reused(&open_once(&bank, "open", other).await);
    }

    let taken = open_once(&bank, "taken", body).await;
    assert_eq!(
        (taken.status, taken.message().as_str()),
        (409, "Email already in use")
    );
    assert_replays(&open_once(&bank, "taken", body).await, &taken);
    assert_eq!(bank.number("select count(*) from users").await, 2);
    assert_eq!(entries(&bank).await, 3);
    bank.close().await;
}

#[tokio::test]
async fn the_same_key_for_another_request_is_refused_without_effect() {
    let bank = Bank::open().await;
    let user = bank.user("100").await;
    let first = user.change_once("key", "10").await;
    let refused = user.change_once("refused", "-1000").await;
    for amount in ["10.01", "-10", "0", "1", "-1000", "1e25"] {
        assert_reused(&user.change_once("key", amount).await);
    }
    for amount in ["-1", "-999.99", "1000", "0"] {
        assert_reused(&user.change_once("refused", amount).await);
    }
    assert_eq!(
        user.balance().await,
        "110.00",
        "and the first answers stand"
    );
    assert_eq!(entries(&bank).await, 2);
    assert_replays(&user.change_once("key", "10").await, &first);
    assert_replays(&user.change_once("refused", "-1000").await, &refused);
    bank.close().await;
}

#[tokio::test]
async fn a_request_is_the_same_however_its_amount_is_written() {
    let bank = Bank::open().await;
    let user = bank.user("100").await;
    let first = user.change_once("key", "10").await;
    for amount in ["10.00", "\"10\"", "\"10.0\"", "1e1", "1000e-2"] {
        assert_replays(&user.change_once("key", amount).await, &first);
    }
    assert_eq!(user.balance().await, "110.00");
    bank.close().await;
}

#[tokio::test]
async fn keys_are_kept_apart_by_account_by_book_and_by_case() {
    let bank = Bank::open().await;
    let (one, other) = (bank.user("100").await, bank.user("200").await);
    let first = one.change_once("key", "-10").await;
    let second = other.change_once("key", "-20").await;
    let third = open_once(&bank, "key", r#"{"balance":30}"#).await;
    let fourth = one.change_once("KEY", "-40").await;
    for reply in [&first, &second, &third, &fourth] {
        assert!(matches!(reply.status, 200 | 201), "{reply:?}");
        assert!(!reply.is_replayed(), "{reply:?}");
    }
    assert_replays(&one.change_once("key", "-10").await, &first);
    assert_replays(&other.change_once("key", "-20").await, &second);
    assert_reused(&one.change_once("key", "-20").await);
    assert_eq!(
        (one.balance().await, other.balance().await),
        ("50.00".to_owned(), "180.00".to_owned())
    );
    bank.close().await;
}

#[tokio::test]
async fn what_was_refused_stays_refused_when_money_comes() {
    let bank = Bank::open().await;
    let user = bank.user("10").await;
    let refused = user.change_once("late", "-50").await;
    assert_eq!(refused.status, 400);
    assert_eq!(user.change("100").await.status, 200);
    assert_replays(&user.change_once("late", "-50").await, &refused);
    assert_eq!(user.balance().await, "110.00");
    assert_eq!(user.change_once("again", "-50").await.status, 200);
    bank.close().await;
}

#[tokio::test]
async fn what_was_refused_or_empty_before_the_account_was_opened_stays_so_after() {
    let dollars = Bank::open().await;
    dollars.user("1").await;
    let url = dollars.stop().await;
    let euros = Bank::open_on(&url, &["--default-currency", "EUR"]).await;
    let user = euros.known_user(1);
    let refused = user.change_once("late", "-50").await;
    let nothing = user.change_once("nothing", "0").await;
    assert_eq!((refused.status, nothing.status), (400, 200));
    let first = user.change_once("first", "100").await;
    assert_eq!(first.status, 200);
    assert_replays(&user.change_once("first", "100").await, &first);
    assert_eq!(user.change_once("late", "-50").await.status, 400);
    assert_replays(&user.change_once("nothing", "0").await, &nothing);
    assert_eq!(user.balance().await, "100.00");
    euros.close().await;
}

#[tokio::test]
async fn a_key_has_1_to_255_visible_ascii_characters_and_is_given_once() {
    const BAD_KEY: &str = r#"{"success":false,"errors":[{"field":"Idempotency-Key","message":"Idempotency-Key must be 1 to 255 visible ASCII characters, given once"}]}"#;
    let bank = Bank::open().await;
    let user = bank.user("100").await;
    let visible: String = ('!'..='~').collect();
    for key in [
        "k",
        &"k".repeat(255),
        &visible,
        "';drop/**/table/**/users;--",
    ] {
        let first = user.change_once(key, "1").await;
        assert_eq!(first.status, 200, "{key}: {first:?}");
        assert_replays(&user.change_once(key, "1").await, &first);
    }
    let heads = [
        "Idempotency-Key: \r\n".to_owned(),
        "Idempotency-Key:\r\n".to_owned(),
        "Idempotency-Key: a b\r\n".to_owned(),
        "Idempotency-Key: a\tb\r\n".to_owned(),
        "Idempotency-Key: ключ\r\n".to_owned(),
        "Idempotency-Key: é\r\n".to_owned(),
        format!("Idempotency-Key: {}\r\n", "k".repeat(256)),
        "Idempotency-Key: a\r\nIdempotency-Key: b\r\n".to_owned(),
        "Idempotency-Key: a\r\nidempotency-key: a\r\n".to_owned(),
    ];
    for head in heads {
        for line in ["PUT /api/users/1/balance", "POST /api/users"] {
            let request = format!(
                "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{head}Content-Length: 12\r\n\r\n{{\"amount\":1}}"
            );
            let reply = bank.send_bytes(request.as_bytes()).await;
            assert_eq!(
                (reply.status, reply.text.as_str()),
                (400, BAD_KEY),
                "{head:?}"
            );
        }
    }
    assert_eq!(user.balance().await, "104.00");
    assert_eq!(bank.number("select count(*) from users").await, 1);
    bank.close().await;
}

#[tokio::test]
async fn a_request_that_finds_no_user_does_not_use_up_its_key() {
    let bank = Bank::open().await;
    for _ in 0..2 {
        for amount in ["5", "-5", "0"] {
            let reply = put_once(&bank, 1, "key", amount).await;
            assert_eq!(
                (reply.status, reply.message().as_str()),
                (404, "User not found")
            );
            assert!(!reply.is_replayed());
        }
    }
    assert_eq!(bank.number("select count(*) from transactions").await, 0);
    let user = bank.user("0").await;
    let first = user.change_once("key", "5").await;
    assert_eq!(first.status, 200);
    assert_replays(&user.change_once("key", "5").await, &first);
    // Nor does a request that is not understood.
    let wrong = user.change_once("other", "\"x\"").await;
    assert_eq!(wrong.status, 400);
    assert_eq!(user.change_once("other", "5").await.status, 200);
    assert_eq!(user.balance().await, "10.00");
    bank.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_copies_at_once_are_done_once_and_answered_the_same() {
    let bank = Bank::open().await;
    let user = bank.user("45").await;
    for number in 0..50 {
        let key = format!("key-{number}");
        let copies = at_once((0..64).map(|_| user.change_once(&key, "-1"))).await;
        let status = if number < 45 { 200 } else { 400 };
        let answers: HashSet<(u16, &str)> = copies
            .iter()
            .map(|reply| (reply.status, reply.text.as_str()))
            .collect();
        assert_eq!(answers.len(), 1, "{answers:?}");
        assert!(
            answers.iter().all(|answer| answer.0 == status),
            "{answers:?}"
        );
        let firsts = copies.iter().filter(|reply| !reply.is_replayed()).count();
        assert_eq!(firsts, 1, "{key}: one was the first, the others replay it");
    }
    assert_eq!(user.balance().await, "0.00");
    assert_eq!(entries(&bank).await, 46);
    assert_eq!(
        bank.number("select count(distinct idempotency_key) from transactions")
            .await,
        50
    );
    bank.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_requests_under_one_key_at_once_come_to_one() {
    let bank = Bank::open().await;
    let user = bank.user("1000").await;
    let mut spent = 0;
    for number in 0..20 {
        let key = format!("key-{number}");
        let copies = at_once((0..32).map(|copy| {
            let amount = if copy % 2 == 0 { "-1" } else { "-2" };
            user.change_once(&key, amount)
        }))
        .await;
        let (even, odd): (Vec<_>, Vec<_>) =
            (copies.iter().enumerate()).partition(|(copy, _)| copy % 2 == 0);
        let (won, lost) = if even[0].1.status == 200 {
            spent += 1;
            (even, odd)
        } else {
            spent += 2;
            (odd, even)
        };
        assert!(won.iter().all(|(_, reply)| reply.status == 200));
        for (_, reply) in lost {
            assert_reused(reply);
        }
    }
    assert_eq!(user.balance().await, format!("{}.00", 1_000 - spent));
    assert_eq!(entries(&bank).await, 21);
    bank.close().await;
}

/// Sends 200 keys three times each, all at once, to banks on one database: every key is applied once.
async fn retry_storm(banks: &[&Bank]) {
    const KEYS: usize = 200;
    let users = [
        banks[0].user("1000").await.id,
        banks[0].user("1000").await.id,
        banks[0].user("1000").await.id,
    ];
    let before = entries(banks[0]).await;
    // Copies of one key are 200 requests apart in one half and neighbours in the other.
    let order = (0..KEYS / 2)
        .flat_map(|key| [key; 3])
        .chain((0..3).flat_map(|_| KEYS / 2..KEYS));
    let replies = at_once(order.enumerate().map(|(position, key)| async move {
        let bank = banks[position % banks.len()];
        let amount = if key % 2 == 0 { "3" } else { "-1" };
        let name = format!("key-{key}");
        (
            key,
            put_once(bank, users[key % users.len()], &name, amount).await,
        )
    }))
    .await;

    assert_eq!(replies.len(), 3 * KEYS);
    let mut by_key: HashMap<usize, Vec<Reply>> = HashMap::new();
    for (key, reply) in replies {
        assert_eq!(reply.status, 200, "{reply:?}");
        by_key.entry(key).or_default().push(reply);
    }
    for (key, copies) in &by_key {
        let texts: HashSet<&str> = copies.iter().map(|reply| reply.text.as_str()).collect();
        assert_eq!(texts.len(), 1, "{key}: {texts:?}");
        let firsts = copies.iter().filter(|reply| !reply.is_replayed()).count();
        assert_eq!((copies.len(), firsts), (3, 1), "{key}");
    }
    let written = entries(banks[0]).await - before;
    assert_eq!(written, i64::try_from(KEYS).expect("few"));
    let total = "select sum(balance)::bigint from accounts";
    assert_eq!(banks[0].number(total).await, 3_000 + 3 * 100 - 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_storm_of_retries_every_key_is_applied_once() {
    let bank = Bank::open().await;
    retry_storm(&[&bank]).await;
    bank.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_storm_of_retries_to_two_services_every_key_is_applied_once() {
    let here = Bank::open().await;
    let there = Bank::open_on(&here.database_url, &[]).await;
    retry_storm(&[&here, &there]).await;
    there.stop().await;
    here.close().await;
}

#[tokio::test]
async fn a_restarted_service_and_another_one_replay_as_the_first_did() {
    let bank = Bank::open().await;
    let user = bank.user("100").await;
    let asked = [
        ("deposit", "10"),
        ("refusal", "-1000"),
        ("nothing", "0"),
        ("withdrawal", "-60"),
    ];
    let mut first = Vec::new();
    for (key, amount) in asked {
        first.push(user.change_once(key, amount).await);
    }
    let body = r#"{"email":"ada@example.org","balance":7}"#;
    let opened = open_once(&bank, "open", body).await;
    let taken = open_once(&bank, "taken", body).await;
    let other = Bank::open_on(&bank.database_url, &[]).await;
    let url = bank.stop().await;
    let restarted = Bank::open_on(&url, &[]).await;
    for bank in [&other, &restarted] {
        for ((key, amount), first) in asked.iter().zip(&first) {
            assert_replays(&put_once(bank, 1, key, amount).await, first);
        }
        assert_replays(&open_once(bank, "open", body).await, &opened);
        assert_replays(&open_once(bank, "taken", body).await, &taken);
        assert_reused(&put_once(bank, 1, "deposit", "11").await);
        assert_reused(&put_once(bank, 1, "refusal", "-10").await);
        assert_eq!(bank.known_user(1).balance().await, "50.00");
    }
    other.stop().await;
    restarted.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_of_a_first_deposit_at_once_open_one_account_and_fill_it_once() {
    let dollars = Bank::open().await;
    for _ in 0..10 {
        dollars.user("0").await;
    }
    let euros = ["--default-currency", "EUR"];
    let here = Bank::open_on(&dollars.database_url, &euros).await;
    let there = Bank::open_on(&dollars.database_url, &euros).await;
    let (here_ref, there_ref) = (&here, &there);
    for user in 1..=10 {
        let copies = at_once((0..16).map(|copy| {
            let bank = if copy % 2 == 0 { here_ref } else { there_ref };
            put_once(bank, user, "first", "1")
        }))
        .await;
        let answers: HashSet<&str> = copies.iter().map(|reply| reply.text.as_str()).collect();
        assert_eq!(answers.len(), 1, "{answers:?}");
        assert!(copies.iter().all(|reply| reply.status == 200));
        let firsts = copies.iter().filter(|reply| !reply.is_replayed()).count();
        assert_eq!(firsts, 1);
        assert_reused(&put_once(&here, user, "first", "2").await);
    }
    assert_eq!(entries(&here).await, 10);
    let accounts = "select count(*) from accounts where currency = 'EUR'";
    assert_eq!(here.number(accounts).await, 10);
    here.stop().await;
    there.stop().await;
    dollars.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_of_an_opening_at_once_open_one_user() {
    let here = Bank::open().await;
    let there = Bank::open_on(&here.database_url, &[]).await;
    let (here_ref, there_ref) = (&here, &there);
    for number in 0..10 {
        let key = format!("open-{number}");
        let copies = at_once((0..16).map(|copy| {
            let bank = if copy % 2 == 0 { here_ref } else { there_ref };
            open_once(bank, &key, r#"{"name":"Ada","balance":1}"#)
        }))
        .await;
        let answers: HashSet<&str> = copies.iter().map(|reply| reply.text.as_str()).collect();
        assert_eq!(answers.len(), 1, "{answers:?}");
        assert!(copies.iter().all(|reply| reply.status == 201));
        let firsts = copies.iter().filter(|reply| !reply.is_replayed()).count();
        assert_eq!(firsts, 1);
    }
    assert_eq!(here.number("select count(*) from users").await, 10);
    assert_eq!(entries(&here).await, 10);
    there.stop().await;
    here.close().await;
}
