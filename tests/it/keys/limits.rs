//! How many keys and books there can be, and what whoever asks for more is told.

use passbook::ledger::access::Scope;
use serde_json::json;

use super::{id, keys, secret};
use crate::support::Bank;
use crate::v1::assert_problem;

const FILL: &str = "
    insert into api_keys (id, principal_id, digest, prefix, scope, created_at, expires_at)
    select gen_random_uuid(), (select id from principals where name = 'shop'), sha256(number::text::bytea), 'pbk_0000',
        'read', now() - interval '2 hours', case when 9999 < number then now() - interval '1 hour' end
    from generate_series(1, 12000) as number;
    update access_changes set count = count + 1";

#[tokio::test]
async fn as_many_keys_live_as_a_service_remembers_and_one_more_is_refused() {
    let bank = Bank::open().await;
    let first = bank.make_key(&json!({"name": "shop"})).await;
    bank.plant(FILL).await;
    let made = bank.post("/v1/keys", r#"{"name":"shop"}"#).await;
    assert_eq!(made.status, 409, "{made:?}");
    assert_eq!(assert_problem(&made, "made"), "too_many_keys");
    let rotated = bank
        .post(&format!("/v1/keys/{}/rotate", id(&first)), "")
        .await;
    assert_eq!(assert_problem(&rotated, "rotated"), "too_many_keys");
    let asked = keys(&bank.database_url, &["create", "shop"]);
    assert_eq!(asked.code, Some(2));
    assert!(
        asked.why.contains("there are 10000 keys that live"),
        "{}",
        asked.why
    );
    // All that live are known, and so are the 2,001 that have ended, as there is room.
    assert_eq!(bank.check(&secret(&first)), Ok(Scope::Write));
    bank.revoke_key(&id(&first)).await;
    let last = bank.make_key(&json!({"name": "shop"})).await;
    assert_eq!(bank.check(&secret(&last)), Ok(Scope::Write));
    bank.close().await;
}

#[tokio::test]
async fn a_service_has_a_hundred_books_at_most() {
    let bank = Bank::open().await;
    let opened = "insert into books (name, opened_at) select 'b' || number, now() from generate_series(1, 101) as number";
    bank.plant(opened).await;
    let names = |numbers: std::ops::RangeInclusive<u8>| numbers.map(|number| format!("b{number}"));
    let hundred: Vec<String> = names(1..=100).collect();
    let made = bank
        .make_key(&json!({"name": "shop", "books": hundred}))
        .await;
    assert_eq!(made["books"].as_array().map(Vec::len), Some(100));
    for books in [json!(["b101"]), json!(names(1..=101).collect::<Vec<_>>())] {
        let body = json!({"name": "shop", "books": books});
        let more = bank.post("/v1/keys", &body.to_string()).await;
        assert_eq!(more.status, 400, "{more:?}");
        assert_eq!(more.json()["errors"][0]["pointer"], "/books");
    }
    // Those that it has already are no more of them.
    bank.make_key(&json!({"name": "shop", "books": ["b7", "b100"]}))
        .await;
    bank.close().await;
}
