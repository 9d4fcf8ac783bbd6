//! Rows that this program cannot read, of a newer one beside it: they concern those alone who ask for them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::support::bank::{Reply, at_once};
use crate::support::newer::{self, Odd};
use crate::support::process::Passbook;
use crate::support::{Bank, postgres};

/// Changes of each of the others while something is odd.
const CHANGES: usize = 40;

/// Asks for something odd over and over, by two at once, while others go on; what the odd ones were answered. Nobody else
/// hears of it.
async fn beside_others(bank: &Bank, odd: impl AsyncFn() -> Reply) -> Vec<Reply> {
    let mut others = Vec::new();
    for _ in 0..6 {
        others.push(bank.user("0").await);
    }
    let done = AtomicBool::new(false);
    let repeat = async || {
        let mut replies = Vec::new();
        while !done.load(Ordering::SeqCst) {
            replies.push(odd().await);
        }
        replies
    };
    let work = async {
        let all = at_once(others.iter().map(async |other| {
            for number in 1..=CHANGES {
                let reply = other.change_once(&format!("{number}"), "1").await;
                assert_eq!(reply.status, 200, "{reply:?}");
                assert_eq!(other.balance().await, format!("{number}.00"));
            }
        }));
        all.await;
        done.store(true, Ordering::SeqCst);
    };
    let (one, other, ()) = tokio::join!(repeat(), repeat(), work);
    [one, other].concat()
}

/// A newer program can answer, so it is worth asking again; nothing was done.
fn assert_unreadable(replies: &[Reply]) {
    assert!(2 <= replies.len(), "asked over and over");
    for reply in replies {
        assert_eq!(reply.status, 503, "{reply:?}");
        assert!(reply.headers.contains_key("retry-after"), "{reply:?}");
        assert!(reply.text.contains("nothing was applied"), "{reply:?}");
    }
}

#[tokio::test]
async fn an_outcome_that_cannot_be_read_is_heard_of_by_its_own_caller_alone() {
    for lanes in ["1", "2"] {
        let bank = Bank::open_with(&["--lanes", lanes]).await;
        newer::add_words(&bank.database_url).await;
        for odd in Odd::ALL {
            let user = bank.user("5").await;
            let account = user.account().await;
            newer::add_outcome(&bank.database_url, odd, &account.to_string(), "odd").await;
            let replies = beside_others(&bank, async || user.change_once("odd", "-1").await);
            assert_unreadable(&replies.await);
            assert_eq!(user.balance().await, "5.00", "{odd:?}");
            assert_eq!(user.change_once("another", "-1").await.status, 200);
        }
        newer::remove_outcomes(&bank.database_url).await;
        bank.close().await;
    }
}

#[tokio::test]
async fn an_account_that_cannot_be_read_fails_no_others_batch_and_no_others_read() {
    let first = Bank::open().await;
    let url = first.database_url.clone();
    newer::add_words(&url).await;
    let users = [first.user("5").await, first.user("5").await];
    let [dormant, finer] = users.map(|user| user.id);
    first.stop().await;
    // It remembers none of them.
    let bank = Bank::open_on(&url, &["--lanes", "1"]).await;
    for (owner, odd, usual) in [
        (dormant, "status = 'dormant'", "status = 'open'"),
        (finer, "balance = 4.999", "balance = 5"),
    ] {
        let user = bank.known_user(owner);
        let update = |what| format!("update accounts set {what} where owner_id = {owner}");
        bank.plant(&update(odd)).await;
        assert_unreadable(&beside_others(&bank, async || user.change("-1").await).await);
        if owner == finer {
            let path = format!("/api/users/{owner}");
            assert_unreadable(&beside_others(&bank, async || bank.get(&path).await).await);
        }
        bank.plant(&update(usual)).await;
        assert_eq!(user.change("-1").await.status, 200);
        assert_eq!(user.balance().await, "4.00");
    }
    bank.close().await;
}

#[tokio::test]
async fn a_page_with_an_entry_of_a_kind_that_is_not_known_fails_by_itself() {
    let bank = Bank::open().await;
    newer::add_words(&bank.database_url).await;
    let mut accounts = Vec::new();
    for _ in 0..2 {
        let user = bank.user("5").await;
        assert_eq!(user.change_once("odd", "1").await.status, 200);
        accounts.push(user.account().await);
    }
    let [odd, other] = accounts[..] else {
        unreachable!("two accounts")
    };
    let set = async |kind: &str| {
        let sql = format!(
            "update transactions set kind = '{kind}' where idempotency_key = 'odd' and scope_id = {odd}"
        );
        bank.tamper(&sql).await;
    };
    set("capture").await;
    let page = async |account: i64, query: &str| {
        let path = format!("/accounts/{account}/transactions?{query}");
        bank.get(&path).await.status
    };
    assert_eq!(page(odd, "").await, 503);
    assert_eq!(page(odd, "before=3").await, 200, "the page before it");
    assert_eq!(page(other, "").await, 200);
    set("deposit").await;
    assert_eq!(page(odd, "").await, 200);
    bank.close().await;
}

#[tokio::test]
async fn a_currency_that_is_not_known_is_left_out_of_the_registry() {
    let bank = Bank::open().await;
    let user = bank.user("5").await;
    let path = format!("/balance?user_id={}", user.id);
    let before = bank.get(&path).await;
    assert_eq!(before.status, 200, "{before:?}");
    bank.plant(
        "alter table currencies drop constraint currencies_code_check;
         insert into currencies (code, name, scale, crypto) values ('new', 'new', 2, true)",
    )
    .await;
    assert_eq!(bank.get(&path).await.text, before.text);
    bank.tamper(
        "delete from currencies where code = 'new';
         alter table currencies add constraint currencies_code_check check (code ~ '^[A-Z][A-Z0-9]{2,11}$')",
    )
    .await;
    bank.close().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_said_once_a_second_at_most() {
    let url = postgres::create_database().await;
    newer::add_words(&url).await;
    let runtime_url = postgres::as_runtime(&url);
    let service = Passbook::serve(&["--database-url", &runtime_url, "--owner-url", &url]);
    let client = reqwest::Client::new();
    let users = format!("{}/api/users", service.url);
    let opened = client.post(&users).body(r#"{"balance":5}"#).send().await;
    assert_eq!(opened.expect("an answer").status(), 201);
    newer::add_outcome(&url, Odd::Refusal, "1", "odd").await;
    let began = Instant::now();
    for _ in 0..200 {
        let asked = client
            .put(format!("{users}/1/balance"))
            .header("Idempotency-Key", "odd");
        let reply = asked.body(r#"{"amount":-1}"#).send().await;
        assert_eq!(reply.expect("an answer").status(), 503);
    }
    let seconds = began.elapsed().as_secs();
    service.signal("TERM");
    let ended = service.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let lines = |words: &str| {
        let said = ended.stderr.lines().filter(|line| line.contains(words));
        u64::try_from(said.count()).expect("few")
    };
    assert!(
        (1..=seconds + 1).contains(&lines("card_stolen")),
        "{}",
        ended.stderr
    );
    assert!(
        (1..=seconds + 1).contains(&lines("a request failed")),
        "{}",
        ended.stderr
    );
    newer::remove_outcomes(&url).await;
    Bank::open_on(&url, &[]).await.close().await;
}
