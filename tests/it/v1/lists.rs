//! Lists: what is filtered, and that pages miss nothing and show nothing twice while rows are added.

use serde_json::{Value, json};

use super::{assert_refused, texts};
use crate::support::Bank;
use crate::support::native::{id_of, usd};

async fn ids(bank: &Bank, path: &str) -> Vec<String> {
    texts(&bank.shown(path).await["data"], "id")
}

/// Goes through a list in pages, and has something added after each.
async fn walk(bank: &Bank, path: &str, mut add: impl AsyncFnMut()) -> Vec<String> {
    let mut seen = Vec::new();
    let mut query = "limit=3".to_owned();
    // A list that did not end would fail for what it shows twice.
    while seen.len() < 1_000 {
        let page = bank.shown(&format!("{path}&{query}")).await;
        seen.extend(texts(&page["data"], "id"));
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        query = format!("limit=4&cursor={cursor}");
        add().await;
    }
    seen
}

#[tokio::test]
async fn pages_miss_nothing_and_show_nothing_twice_while_rows_are_added() {
    let bank = Bank::open().await;
    let account = bank.account_with("1000").await;
    let (mut accounts, mut holds) = (vec![account.clone()], Vec::new());
    for _ in 0..14 {
        accounts.push(bank.account_with("0").await);
        holds.push(bank.hold(&account, "1").await);
    }
    // By their ids, which lanes take in blocks.
    accounts.sort_unstable();
    let path = format!("/v1/transactions?account={account}");
    let transactions = ids(&bank, &format!("{path}&limit=100&order=asc")).await;
    assert_eq!(
        transactions.len(),
        16,
        "opened, deposited, and fourteen held"
    );
    for (path, expected) in [
        ("/v1/accounts?currency=USD".to_owned(), &accounts),
        (format!("/v1/holds?account={account}"), &holds),
        (path, &transactions),
    ] {
        let mut count = 0;
        let newest = walk(&bank, &path, async || {
            count += 1;
            bank.account_with("0").await;
            bank.hold(&account, "0.01").await;
        })
        .await;
        assert!(2 < count, "there were pages");
        // What was there at the start is there once, whatever was added.
        let known = |all: &[String]| -> Vec<String> {
            let known = all.iter().filter(|id| expected.contains(id));
            known.cloned().collect()
        };
        let mut newest = known(&newest);
        newest.reverse();
        assert_eq!(newest, *expected, "{path}");
        let oldest = walk(&bank, &format!("{path}&order=asc"), async || {
            if count < 8 {
                count += 1;
                bank.account_with("0").await;
                bank.hold(&account, "0.01").await;
            }
        })
        .await;
        assert_eq!(known(&oldest), *expected, "{path}");
        let mut once = oldest.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), oldest.len(), "{path}");
    }
    bank.close().await;
}

#[tokio::test]
async fn accounts_are_found_by_all_that_is_said_of_them() {
    let bank = Bank::open().await;
    let user = id_of(&bank.command("/v1/users", &json!({})).await);
    let open = async |new: Value| bank.open_account(&new).await;
    let one =
        open(json!({"currency": "USD", "external_id": "till:1", "metadata": {"a": "1", "b": "1"}}))
            .await;
    let two =
        open(json!({"currency": "USD", "external_id": "till:2", "metadata": {"a": "1", "b": "2"}}))
            .await;
    let owned = open(json!({"currency": "EUR", "owner": user, "external_id": "tills"})).await;
    bank.set_status_of(&two, "freeze").await;
    for (query, expected) in [
        ("", vec![&one, &two, &owned]),
        ("external_id=till:1", vec![&one]),
        ("external_id=till", vec![]),
        ("external_id_prefix=till:", vec![&one, &two]),
        ("external_id_prefix=till", vec![&one, &two, &owned]),
        (&*format!("owner={user}"), vec![&owned]),
        ("owner=999", vec![]),
        ("currency=USD", vec![&one, &two]),
        ("status=frozen", vec![&two]),
        ("status=open", vec![&one, &owned]),
        ("status=closed", vec![]),
        ("metadata.a=1", vec![&one, &two]),
        ("metadata.a=1&metadata.b=2", vec![&two]),
        ("metadata.a=1&metadata.b=2&status=open", vec![]),
        ("metadata.a=", vec![]),
    ] {
        let found = ids(&bank, &format!("/v1/accounts?order=asc&{query}")).await;
        let mut expected = expected;
        expected.sort_unstable();
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
    }
    // What is not said any more is not found.
    let path = format!("/v1/accounts/{one}");
    let changed = bank.change(reqwest::Method::PATCH, &path);
    let changed = changed
        .body(r#"{"metadata":{"a":null,"c":"3"}}"#)
        .send()
        .await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(ids(&bank, "/v1/accounts?metadata.a=1").await, [&*two]);
    assert_eq!(ids(&bank, "/v1/accounts?metadata.c=3").await, [&*one]);
    bank.set_status_of(&two, "unfreeze").await;
    for query in [
        "owner=x",
        "currency=usd",
        "status=Open",
        "external_id=a%20b",
        "external_id_prefix=",
        "metadata.=1",
        "metadata.a%20b=1",
        "name=1",
        "limit=0",
        "order=up",
        "owner=1&owner=1",
        "status=open%00",
    ] {
        let reply = bank.get(&format!("/v1/accounts?{query}")).await;
        assert_refused(&reply, 400, "validation_failed", query);
    }
    let odd = bank.get("/v1/accounts?cursor=AQ").await;
    assert_refused(&odd, 400, "invalid_cursor", "no cursor");
    bank.close().await;
}

#[tokio::test]
async fn transactions_are_found_by_account_words_and_time() {
    let bank = Bank::open().await;
    let (ada, bob) = (bank.account_with("0").await, bank.account_with("0").await);
    let mut made = Vec::new();
    for (to, reference, order) in [(&ada, "a", "1"), (&bob, "a", "2"), (&ada, "b", "1")] {
        let body = json!({
            "postings": [usd("world", to, "1")], "reference": reference, "metadata": {"order": order, "x": ""},
        });
        made.push(bank.command("/v1/transactions", &body).await.json());
    }
    let id = |at: usize| made[at]["id"].as_str().expect("an id").to_owned();
    let at = |place: usize| {
        made[place]["created_at"]
            .as_str()
            .expect("a time")
            .to_owned()
    };
    for (query, expected) in [
        ("reference=a".to_owned(), vec![id(0), id(1)]),
        ("reference=A".to_owned(), vec![]),
        (format!("reference=a&account={ada}"), vec![id(0)]),
        ("metadata.order=1".to_owned(), vec![id(0), id(2)]),
        (
            "metadata.order=1&metadata.x=&reference=b".to_owned(),
            vec![id(2)],
        ),
        ("metadata.order=3".to_owned(), vec![]),
        // A range has its beginning, and its end no more.
        (format!("from={}&to={}", at(0), at(2)), vec![id(0), id(1)]),
        (format!("from={}", at(1)), vec![id(1), id(2)]),
        (format!("from={0}&to={0}", at(1)), vec![]),
        (
            format!("effective_from={}&effective_to={}", at(0), at(1)),
            vec![id(0)],
        ),
        (format!("account={}&reference=a", "000000000000"), vec![]),
    ] {
        let found = ids(&bank, &format!("/v1/transactions?order=asc&{query}")).await;
        assert_eq!(found, expected, "{query}");
    }
    for query in [
        "account=x",
        "from=now",
        "to=2026-01-01",
        "from=2026-01-01T00:00:00.1234567Z",
        "kind=deposit",
        "metadata.order=1&metadata.order=1",
    ] {
        let reply = bank.get(&format!("/v1/transactions?{query}")).await;
        assert_refused(&reply, 400, "validation_failed", query);
    }
    bank.close().await;
}

#[tokio::test]
async fn holds_are_found_by_account_status_and_end() {
    let bank = Bank::open().await;
    let (ada, bob) = (bank.account_with("10").await, bank.account_with("10").await);
    let (first, second) = (bank.hold(&ada, "1").await, bank.hold(&ada, "1").await);
    let third = bank.hold(&bob, "1").await;
    let path = format!("/v1/holds/{second}/captures");
    let captured = bank.command(&path, &json!({"to": "world"})).await;
    assert_eq!(captured.status, 201, "{captured:?}");
    let until = bank.shown(&format!("/v1/holds/{third}")).await["expires_at"].clone();
    let until = until.as_str().expect("a time");
    for (query, expected) in [
        ("", vec![&first, &second, &third]),
        (&*format!("account={ada}"), vec![&first, &second]),
        ("status=active", vec![&first, &third]),
        (&*format!("status=captured&account={ada}"), vec![&second]),
        ("status=voided", vec![]),
        (&*format!("expires_before={until}"), vec![&first, &second]),
        ("account=000000000000", vec![]),
    ] {
        let found = ids(&bank, &format!("/v1/holds?order=asc&{query}")).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
    }
    for query in [
        "account=world",
        "status=done",
        "expires_before=x",
        "owner=1",
    ] {
        let reply = bank.get(&format!("/v1/holds?{query}")).await;
        assert_refused(&reply, 400, "validation_failed", query);
    }
    bank.close().await;
}
