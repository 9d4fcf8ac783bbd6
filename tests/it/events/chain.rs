//! `GET /chain`: the history of an account in blocks, and whether they still are what was sealed.

use serde_json::Value;

use super::{bank, deposit, event, said, withdraw};
use crate::support::Bank;

async fn chain(bank: &Bank, query: &str) -> Value {
    let reply = bank.get(&format!("/chain?{query}")).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()
}

async fn told(bank: &Bank) {
    deposit(bank, "a", "10").await;
    withdraw(bank, "a", "2.5").await;
    let pay = r#"{"type":"transfer","origin":"a","destination":"b","amount":5}"#;
    assert_eq!(event(bank, pay).await.status, 201);
}

#[tokio::test]
async fn a_chain_begins_with_its_genesis_and_each_block_names_the_one_before() {
    let bank = bank().await;
    told(&bank).await;
    let whole = chain(&bank, "account_id=a").await;
    assert_eq!(
        (&whole["valid"], &whole["next"]),
        (&Value::Bool(true), &Value::Null)
    );
    let blocks = whole["blocks"].as_array().expect("blocks");
    let data: Vec<String> = blocks
        .iter()
        .map(|block| block["data"].to_string())
        .collect();
    assert_eq!(
        data,
        [
            r#"{"amount":0,"destination":"a","origin":"0","signature":"genesis"}"#,
            r#"{"amount":10,"destination":"a","origin":"0","signature":"deposit"}"#,
            r#"{"amount":2.5,"destination":"0","origin":"a","signature":"withdraw"}"#,
            r#"{"amount":5,"destination":"b","origin":"a","signature":"transfer"}"#,
        ]
    );
    assert_eq!(blocks[0]["last_hash"], "0".repeat(64));
    for pair in blocks.windows(2) {
        assert_eq!(pair[1]["last_hash"], pair[0]["hash"]);
        assert!(pair[0]["timestamp"].as_str() <= pair[1]["timestamp"].as_str());
    }
    let seal: Vec<(String,)> = bank
        .rows("select encode(seal, 'hex') from accounts order by id")
        .await;
    assert_eq!(blocks[3]["hash"], seal[0].0);
    let other = chain(&bank, "account_id=b").await;
    let arrived = r#"{"amount":5,"destination":"b","origin":"a","signature":"transfer"}"#;
    assert_eq!(other["blocks"][1]["data"].to_string(), arrived);
    assert_eq!(other["blocks"][1]["timestamp"], blocks[3]["timestamp"]);
    bank.close().await;
}

#[tokio::test]
async fn pages_of_a_chain_join_without_a_gap() {
    let bank = bank().await;
    told(&bank).await;
    let whole = chain(&bank, "account_id=a").await;
    for limit in 1..=5 {
        let mut blocks = Vec::new();
        let mut query = format!("account_id=a&limit={limit}");
        loop {
            let page = chain(&bank, &query).await;
            assert_eq!(page["valid"], true);
            let part = page["blocks"].as_array().expect("blocks").clone();
            assert!(part.len() <= limit && !part.is_empty());
            blocks.extend(part);
            let Some(next) = page["next"].as_i64() else {
                break;
            };
            query = format!("account_id=a&limit={limit}&after={next}");
        }
        assert_eq!(Value::Array(blocks), whole["blocks"], "limit {limit}");
    }
    let beyond = chain(&bank, "account_id=a&after=99").await;
    assert_eq!(
        beyond.to_string(),
        r#"{"blocks":[],"next":null,"valid":true}"#
    );
    bank.close().await;
}

#[tokio::test]
async fn an_unknown_account_has_no_chain_and_a_bad_page_is_refused() {
    let bank = bank().await;
    told(&bank).await;
    assert_eq!(said(&bank.get("/chain?account_id=x").await), (404, "0"));
    for query in [
        "",
        "account_id=a&limit=0",
        "account_id=a&limit=101",
        "account_id=a&limit=x",
        "account_id=a&after=-1",
        "account_id=a&after=9223372036854775808",
        "account_id=a&after=",
    ] {
        let reply = bank.get(&format!("/chain?{query}")).await;
        assert_eq!(reply.status, 400, "{query}");
        assert!(reply.json()["error"].is_string());
    }
    bank.close().await;
}

#[tokio::test]
async fn a_chain_that_was_tampered_with_says_so() {
    let bank = bank().await;
    told(&bank).await;
    let tamper = |column: &str, value: &str, version: i64| {
        format!(
            "set session_replication_role = replica;
             alter table entries disable trigger all;
             update entries set {column} = {value} where version = {version} and account_id = (select min(id) from accounts);
             alter table entries enable always trigger entries_append_only;
             alter table entries enable always trigger entries_no_truncate;"
        )
    };
    for (column, forged, original) in [
        ("amount", "9", "10"),
        (
            "created_at",
            "created_at + interval '1 us'",
            "created_at - interval '1 us'",
        ),
        (
            "seal",
            "set_byte(seal, 0, get_byte(seal, 0) # 1)",
            "set_byte(seal, 0, get_byte(seal, 0) # 1)",
        ),
    ] {
        bank.plant(&tamper(column, forged, 2)).await;
        assert_eq!(
            chain(&bank, "account_id=a").await["valid"],
            false,
            "{column}"
        );
        bank.plant(&tamper(column, original, 2)).await;
        assert_eq!(
            chain(&bank, "account_id=a").await["valid"],
            true,
            "{column}"
        );
    }
    bank.close().await;
}

#[tokio::test]
async fn a_chain_whose_end_was_cut_off_says_so() {
    let bank = bank().await;
    told(&bank).await;
    let cut = "create table cut as select * from entries where version = 4;
        alter table entries disable trigger all;
        delete from entries where version = 4;
        alter table entries enable always trigger entries_append_only;
        alter table entries enable always trigger entries_no_truncate";
    bank.plant(cut).await;
    for query in [
        "account_id=a",
        "account_id=a&limit=2&after=2",
        "account_id=a&after=3",
    ] {
        assert_eq!(chain(&bank, query).await["valid"], false, "{query}");
    }
    bank.plant("insert into entries select * from cut; drop table cut")
        .await;
    assert_eq!(chain(&bank, "account_id=a").await["valid"], true);
    bank.close().await;
}
