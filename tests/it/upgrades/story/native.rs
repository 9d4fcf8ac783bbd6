//! What the native interface left in the ledger of a fixture: whatever a caller can do, and its refusals.

use serde_json::{Value, json};

use super::{ODD_NAME, Story};
use crate::support::Reply;
use crate::upgrades::asked::Asked;

pub(super) async fn tell(story: &mut Story) {
    let (rich, poor) = open(story).await;
    transactions(story, &rich, &poor).await;
    holds(story, &rich, &poor).await;
    states(story, &rich).await;
    registers(story, &rich).await;
    keys(story).await;
}

fn id(reply: &Reply) -> String {
    reply.json()["id"].as_str().expect("an id").to_owned()
}

fn usd(from: &str, to: &str, amount: &str) -> Value {
    json!({"from": from, "to": to, "amount": amount, "currency": "USD"})
}

async fn open(story: &mut Story) -> (String, String) {
    let rich = json!({
        "currency": "USD", "external_id": "assets:bank:1", "metadata": {"name": ODD_NAME},
    });
    let rich = story
        .once("v1-open", 201, Asked::post("/v1/accounts", &rich))
        .await;
    let poor = json!({"currency": "USD", "overdraft_limit": "5"});
    let poor = story
        .once("v1-limit", 201, Asked::post("/v1/accounts", &poor))
        .await;
    let taken = json!({"currency": "EUR", "external_id": "assets:bank:1"});
    story
        .once("v1-taken", 409, Asked::post("/v1/accounts", &taken))
        .await;
    (id(&rich), id(&poor))
}

async fn transactions(story: &mut Story, rich: &str, poor: &str) {
    let post = |body: Value| Asked::post("/v1/transactions", &body);
    let deposit = json!({"postings": [usd("world", rich, "100")], "reference": ODD_NAME});
    let deposit = story.once("v1-deposit", 201, post(deposit)).await;
    let several = json!({
        "postings": [usd(rich, poor, "30"), usd(poor, rich, "0.5"), usd(poor, "world", "all")],
        "conditions": [{"account": rich, "version": 3, "available_at_least": "10"}],
        "metadata": {"a": "1"},
    });
    story.once("v1-several", 201, post(several)).await;
    let too_much = json!({"postings": [usd(rich, poor, "1"), usd(poor, rich, "1000")]});
    story.once("v1-too-much", 422, post(too_much)).await;
    let stale = json!({
        "postings": [usd(rich, poor, "1")], "conditions": [{"account": poor, "version": 1}],
    });
    story.once("v1-stale", 409, post(stale)).await;
    let path = format!("/v1/transactions/{}/reversal", id(&deposit));
    let poorer = json!({"postings": [usd("world", rich, "60")]});
    let poorer = story.once("v1-again", 201, post(poorer)).await;
    let reversal = format!("/v1/transactions/{}/reversal", id(&poorer));
    let said = json!({"reference": "back"});
    story
        .once("v1-reversal", 201, Asked::post(&reversal, &said))
        .await;
    story
        .once("v1-reversed", 409, Asked::post(&reversal, &Value::Null))
        .await;
    story
        .once("v1-unfunded", 422, Asked::post(&path, &Value::Null))
        .await;
}

async fn holds(story: &mut Story, rich: &str, poor: &str) {
    let hold = json!({"account": rich, "amount": "20", "currency": "USD", "reference": "a stay"});
    let place = |key: &'static str| (key, Asked::post("/v1/holds", &hold));
    let mut ids = Vec::new();
    for (key, asked) in ["v1-hold-1", "v1-hold-2", "v1-hold-3"].map(place) {
        ids.push(id(&story.once(key, 201, asked).await));
    }
    let path = |id: &str, what: &str| format!("/v1/holds/{id}/{what}");
    let part = json!({"to": poor, "amount": "5", "final": false});
    let captures = path(&ids[0], "captures");
    story
        .once("v1-capture", 201, Asked::post(&captures, &part))
        .await;
    let change = Asked::send(
        "PATCH",
        &format!("/v1/holds/{}", ids[0]),
        &json!({"amount": "9"}),
    );
    story
        .once("v1-change", 200, change.with("If-Match", "*"))
        .await;
    let over = json!({"to": "world", "amount": "21", "overcapture": true});
    let captures = path(&ids[1], "captures");
    story
        .once("v1-over", 201, Asked::post(&captures, &over))
        .await;
    let void = Asked::post(&path(&ids[2], "void"), &Value::Null);
    story.once("v1-void", 200, void).await;
    let again = Asked::post(&path(&ids[2], "void"), &Value::Null);
    story.once("v1-void-again", 409, again).await;
}

async fn states(story: &mut Story, rich: &str) {
    let path = format!("/v1/accounts/{rich}");
    let change = json!({"overdraft_limit": "7.5", "metadata": {"name": null, "b": "2"}});
    let change = Asked::send("PATCH", &path, &change).with("If-Match", "*");
    story.once("v1-amend", 200, change).await;
    for (key, what) in [("f1", "freeze"), ("u1", "unfreeze"), ("f2", "freeze")] {
        let asked = Asked::post(&format!("{path}/{what}"), &Value::Null);
        story.write(200, asked.key(key).with("If-Match", "*")).await;
    }
    let out = json!({"postings": [usd(rich, "world", "1")]});
    story
        .once("v1-frozen", 422, Asked::post("/v1/transactions", &out))
        .await;
    let close = Asked::post(&format!("{path}/close"), &Value::Null);
    story
        .once("v1-close", 409, close.with("If-Match", "*"))
        .await;
    story.read_at_the_end(Asked::get(&path));
}

async fn registers(story: &mut Story, rich: &str) {
    let user = json!({"name": ODD_NAME, "email": "Ann@v1.example"});
    let user = story
        .once("v1-user", 201, Asked::post("/v1/users", &user))
        .await;
    let book = json!({"name": "shop"});
    story
        .once("v1-book", 201, Asked::post("/v1/books", &book))
        .await;
    let owned = json!({"currency": "JPY", "owner": id(&user)});
    let owned = Asked::post("/v1/accounts", &owned).with("Passbook-Book", "shop");
    story.once("v1-owned", 201, owned).await;
    story.read_at_the_end(Asked::get(&format!("/v1/transactions?account={rich}")));
    story.read_at_the_end(Asked::get(&format!("/v1/holds?account={rich}")));
    story.read_at_the_end(Asked::get("/v1/idempotency-keys/v1-too-much"));
}

/// Shown once, so they are listed at the end.
async fn keys(story: &mut Story) {
    let make = |body: Value| Asked::post("/v1/keys", &body);
    let scopes = json!({"name": "shop", "scopes": ["admin"], "books": ["shop", "main"], "expires_in": "3650d"});
    let first = story.write(201, make(scopes)).await;
    let second = story.write(201, make(json!({"name": "audit"}))).await;
    let rotate = Asked::post(&format!("/v1/keys/{}/rotate", id(&first)), &Value::Null);
    story.write(201, rotate).await;
    let revoke = Asked::send("DELETE", &format!("/v1/keys/{}", id(&second)), &Value::Null);
    story.write(204, revoke).await;
    story.read_at_the_end(Asked::get("/v1/keys"));
}
