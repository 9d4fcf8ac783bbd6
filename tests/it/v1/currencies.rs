//! `GET /v1/currencies`: the registry in pages, also while somebody adds to it.

use crate::support::{Bank, Reply};

use super::{assert_problem, texts};

fn codes(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 200, "{reply:?}");
    texts(&reply.json()["data"], "code")
}

fn next(reply: &Reply) -> Option<String> {
    let cursor = reply.json()["next_cursor"].clone();
    cursor.as_str().map(str::to_owned)
}

#[tokio::test]
async fn a_currency_is_its_code_its_name_its_decimals_and_whether_it_is_crypto() {
    let bank = Bank::open().await;
    let reply = bank.get("/v1/currencies?order=asc&limit=1").await;
    let (list, _) = reply.text.split_once(r#""next_cursor":"#).expect("a list");
    let bitcoin = r#"{"data":[{"code":"BTC","name":"bitcoin","scale":8,"crypto":true}],"#;
    assert_eq!(list, bitcoin);
    assert_eq!(reply.headers["content-type"], "application/json");
    assert_eq!(reply.headers["cache-control"], "no-store");
    let all = bank.get("/v1/currencies").await;
    assert_eq!(codes(&all), ["USD", "MATIC", "JPY", "EUR", "ETH", "BTC"]);
    assert_eq!(next(&all), None);
    bank.close().await;
}

#[tokio::test]
async fn pages_miss_nothing_and_show_nothing_twice_while_others_are_added() {
    let bank = Bank::open().await;
    for (order, added, expected) in [
        ("asc", "DKK", "BTC,ETH,EUR,JPY,MATIC,USD"),
        ("desc", "GBP", "USD,MATIC,JPY,EUR,ETH,DKK,BTC"),
    ] {
        let mut seen = Vec::new();
        let mut query = format!("limit=2&order={order}");
        // A list that did not end would fail for what it shows twice.
        while seen.len() < 20 {
            let page = bank.get(&format!("/v1/currencies?{query}")).await;
            seen.extend(codes(&page));
            let Some(cursor) = next(&page) else { break };
            query = format!("limit=3&order={order}&cursor={cursor}");
            // Behind the place that has been reached.
            let insert = format!(
                "insert into currencies (code, name, scale, crypto)
                 values ('{added}', 'of {}', 2, false) on conflict do nothing",
                added.to_lowercase()
            );
            if seen.len() == 5 {
                bank.plant(&insert).await;
            }
        }
        assert_eq!(seen.join(","), expected);
    }
    let all = bank.get("/v1/currencies?limit=100").await;
    assert_eq!(codes(&all).len(), 8);
    bank.close().await;
}

#[tokio::test]
async fn what_a_list_does_not_know_is_refused() {
    let bank = Bank::open().await;
    let first = bank.get("/v1/currencies?limit=1").await;
    let cursor = next(&first).expect("there is more");
    for (query, code) in [
        ("limit=0", "validation_failed"),
        ("limit=101", "validation_failed"),
        ("limit=x", "validation_failed"),
        ("limit=1&limit=1", "validation_failed"),
        ("order=newest", "validation_failed"),
        ("page=2", "validation_failed"),
        ("limit=%zz", "validation_failed"),
        ("cursor=", "invalid_cursor"),
        ("cursor=AQ", "invalid_cursor"),
        (&format!("order=asc&cursor={cursor}"), "invalid_cursor"),
    ] {
        let reply = bank.get(&format!("/v1/currencies?{query}")).await;
        assert_eq!(reply.status, 400, "{query}: {reply:?}");
        assert_eq!(assert_problem(&reply, query), code, "{query}");
    }
    let unknown = bank.get("/v1/currencies?page=2").await.json();
    assert_eq!(unknown["detail"], "\"page\" is no parameter of this path");
    bank.close().await;
}

#[tokio::test]
async fn a_database_that_is_away_is_a_problem_that_says_when_to_ask_again() {
    let bank = Bank::open().await;
    bank.plant("alter table currencies rename to currencies_away")
        .await;
    let reply = bank.get("/v1/currencies").await;
    assert_eq!(reply.status, 503, "{reply:?}");
    assert_eq!(assert_problem(&reply, "away"), "unavailable");
    assert_eq!(reply.headers["retry-after"], "1");
    bank.plant("alter table currencies_away rename to currencies")
        .await;
    bank.close().await;
}
