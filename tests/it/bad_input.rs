//! What no client should send and the database must not take: refused in the dialect's shape, and nothing is changed.

mod amounts;
mod bodies;
pub(crate) mod corpus;
mod database;
mod routes;

use crate::support::{Bank, Reply};

const BALANCE: &str = "/api/users/1/balance";
const USERS: &str = "/api/users";

/// Everything that a request could have changed, as one text.
pub(crate) async fn state(bank: &Bank) -> String {
    let rows: Vec<(String,)> = bank
        .rows(
            "select json_build_array(
                (select json_agg(accounts order by id) from accounts), (select json_agg(users order by id) from users),
                (select count(*) from entries), (select count(*) from transactions),
                (select count(*) from account_names))::text",
        )
        .await;
    rows.into_iter().next().expect("a row").0
}

/// A refusal in one of the two shapes of the dialect, and never a failure of the service.
#[track_caller]
fn assert_refused(reply: &Reply, what: &str) {
    let what = what.get(..200.min(what.len())).unwrap_or_default();
    assert!(
        (400..500).contains(&reply.status),
        "{what}: {}",
        reply.status
    );
    assert_eq!(reply.headers["content-type"], "application/json", "{what}");
    let json = reply.json();
    assert_eq!(json["success"], false, "{what}: {json}");
    assert_eq!(json.as_object().map(serde_json::Map::len), Some(2));
    if let Some(errors) = json["errors"].as_array() {
        assert_eq!(reply.status, 400, "{what}");
        assert!(
            !errors.is_empty()
                && errors
                    .iter()
                    .all(|error| error["field"].is_string() && error["message"].is_string()),
            "{what}: {json}"
        );
    } else {
        assert_eq!(json["error"]["code"], reply.status, "{what}");
        assert!(json["error"]["message"].is_string(), "{what}: {json}");
    }
}

/// Nothing was changed by all that, and the service still serves.
async fn assert_unharmed(bank: Bank, before: &str) {
    assert_eq!(state(&bank).await, before);
    let user = bank.user("5").await;
    assert_eq!(user.change("-2").await.status, 200);
    assert_eq!(user.balance().await, "3.00");
    bank.close().await;
}
