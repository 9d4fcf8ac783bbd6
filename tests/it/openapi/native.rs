//! What the native API's part of the document says, asked of a bank: each operation with what it needs to be there.

use serde_json::{Value, json};

use super::document::{Document, Example};
use crate::support::ask::Ask;
use crate::support::bank::at_once;
use crate::support::{Bank, Reply, eventually};

/// A head of a request that gets a status of every operation that has it.
const HEADS: [(u16, &str, &str); 6] = [
    (304, "If-None-Match", "*"),
    (401, "Authorization", "Bearer nobody"),
    (403, "Passbook-Book", "nowhere"),
    (406, "Accept", "image/png"),
    (412, "If-Match", "\"999\""),
    (422, "Idempotency-Key", "reused"),
];

/// Ids that the document's examples speak of, and what there is in their place.
pub(crate) struct Things([(&'static str, String); 6]);

impl Things {
    /// An account with money, another, a hold, a transaction and an API key, all new.
    pub(crate) async fn new(bank: &Bank) -> Self {
        Self::of(bank, None).await
    }

    /// The same; the account with money belongs to a user.
    pub(crate) async fn of(bank: &Bank, owner: Option<&str>) -> Self {
        let mut account = json!({"currency": "USD"});
        if let Some(owner) = owner {
            account["owner"] = json!(owner);
        }
        let first = make(bank, "/v1/accounts", &account).await;
        let second = make(bank, "/v1/accounts", &json!({"currency": "USD"})).await;
        let posting = |from: &str, to: &str, amount: &str| json!({"postings": [{"from": from, "to": to, "amount": amount, "currency": "USD"}]});
        make(
            bank,
            "/v1/transactions",
            &posting("world", &first, "100.00"),
        )
        .await;
        let transaction = make(bank, "/v1/transactions", &posting(&first, &second, "1.00")).await;
        let hold = json!({"account": first, "amount": "30.00", "currency": "USD"});
        let hold = make(bank, "/v1/holds", &hold).await;
        let api_key = bank.post("/v1/keys", r#"{"name":"shop"}"#).await;
        assert_eq!(api_key.status, 201, "{api_key:?}");
        let api_key = api_key.json()["id"].as_str().expect("an id").to_owned();
        Self([
            ("000000000777", first),
            ("000000000874", second),
            ("019b7600-0000-7000-8000-00000000000a", transaction),
            ("019b7600-0000-7000-8000-00000000000b", hold),
            ("order-17", new_key("made")),
            ("019b7600-0000-7000-8000-00000000000c", api_key),
        ])
    }

    /// The example, of these things.
    pub(crate) fn put_into(&self, mut example: Example) -> Example {
        for (named, there) in &self.0 {
            example.target = example.target.replace(named, there);
            if let Some((_, body)) = &mut example.body {
                *body = body.replace(named, there);
            }
        }
        example
    }
}

/// Whether an operation belongs to the native API.
pub(crate) fn is_native(name: &str) -> bool {
    name.contains(" /v1/") || name.contains(" /problems")
}

/// What the operation needs before its example can be carried out.
pub(crate) async fn prepare(bank: &Bank, name: &str) -> Things {
    prepare_for(bank, name, None).await
}

/// The same; the account with money belongs to a user.
pub(crate) async fn prepare_for(bank: &Bank, name: &str, owner: Option<&str>) -> Things {
    let mut things = Things::of(bank, owner).await;
    match name {
        // Nothing is in it.
        "POST /v1/accounts/{id}/close" => {
            things.0[0].1 = make(bank, "/v1/accounts", &json!({"currency": "USD"})).await;
        }
        "GET /v1/idempotency-keys/{key}" => {
            let (_, key) = &things.0[4];
            let asked = bank
                .ask(reqwest::Method::POST, "/v1/users")
                .once(key.as_str());
            assert_eq!(asked.send().await.status, 201);
        }
        _ => {}
    }
    things
}

/// Successes of every operation, and the refusals that come of what stands in its head.
pub(crate) async fn answers(bank: &Bank, document: &Document) -> Vec<(String, u16, Reply)> {
    let mut all = Vec::new();
    let used = bank.ask(reqwest::Method::POST, "/v1/users").once("reused");
    assert_eq!(used.send().await.status, 201);
    for name in document.names().filter(|name| is_native(name)) {
        let statuses = document.statuses(&name);
        for (status, header, value) in HEADS {
            if statuses.contains(&status) && document.heeds(&name, header) {
                let reply = with_head(bank, document, &name, header, value).await;
                all.push((name.clone(), status, reply));
            }
        }
        for (status, reply) in of_target(bank, document, &name).await {
            all.push((name.clone(), status, reply));
        }
        let status = [201, 204].into_iter().find(|made| statuses.contains(made));
        let status = status.unwrap_or(200);
        let example = document.examples(&name).remove(0);
        let example = prepare(bank, &name).await.put_into(example);
        let asked = keyed(document, &name, example.ask(bank, None), "done");
        all.push((name.clone(), status, asked.send().await));
    }
    all.extend(apart(bank, document).await);
    all.extend(in_use(bank, document).await);
    all
}

/// An example with another field in its head.
async fn with_head(
    bank: &Bank,
    document: &Document,
    name: &str,
    header: &str,
    value: &str,
) -> Reply {
    let mut example = document.examples(name).remove(0);
    example.headers.retain(|(given, _)| given != header);
    let mut asked = prepare(bank, name).await.put_into(example).ask(bank, None);
    if header != "Idempotency-Key" {
        asked = keyed(document, name, asked, "refused");
    }
    asked.with(header, value).send().await
}

/// What comes of another target: of a query that nobody knows, or of a path with nothing at it.
async fn of_target(bank: &Bank, document: &Document, name: &str) -> Vec<(u16, Reply)> {
    let mut replies = Vec::new();
    let mut example = document.examples(name).remove(0);
    example.target.push_str("?nonsense=1");
    replies.push((400, example.ask(bank, None).send().await));
    if document.statuses(name).contains(&404) {
        let mut example = document.examples(name).remove(0);
        for (there, nowhere) in [
            ("000000000777", "999999999999"),
            ("/users/1", "/users/999999999"),
            ("insufficient_funds", "no_such_code"),
            ("order-17", "no-such-key"),
        ] {
            example.target = example.target.replace(there, nowhere);
        }
        let asked = keyed(document, name, example.ask(bank, None), "nowhere");
        replies.push((404, asked.send().await));
    }
    replies
}

/// Statuses that one operation has.
async fn apart(bank: &Bank, document: &Document) -> Vec<(String, u16, Reply)> {
    let mut all = Vec::new();
    let name = "GET /v1/accounts/{id}";
    let example = document.examples(name).remove(0);
    let mut example = Things::new(bank).await.put_into(example);
    example.target.push_str("?min_version=999");
    all.push((name.to_owned(), 409, example.ask(bank, None).send().await));

    let name = "POST /v1/transactions";
    let example = document.examples(name).remove(0);
    let mut example = Things::new(bank).await.put_into(example);
    let (kind, body) = example.body.take().expect("a body");
    let mut body: Value = serde_json::from_str(&body).expect("JSON");
    body["dry_run"] = json!(true);
    example.body = Some((kind, body.to_string()));
    all.push((name.to_owned(), 200, example.ask(bank, None).send().await));

    for name in document.with_status(428) {
        let mut example = document.examples(&name).remove(0);
        example.headers.clear();
        let asked = prepare(bank, &name).await.put_into(example).ask(bank, None);
        let reply = asked.once(new_key("unmatched").as_str()).send().await;
        all.push((name, 428, reply));
    }
    bank.plant(ALL_KEYS).await;
    let more: Vec<String> = document
        .with_status(409)
        .filter(|name| name.contains("/keys"))
        .collect();
    for name in more {
        let mut example = document.examples(&name).remove(0);
        let living = bank.shown("/v1/keys").await["data"][0]["id"].clone();
        let living = living.as_str().expect("an id");
        example.target = example
            .target
            .replace("019b7600-0000-7000-8000-00000000000c", living);
        all.push((name, 409, example.ask(bank, None).send().await));
    }
    bank.plant("update api_keys set revoked_at = now() where revoked_at is null")
        .await;
    all
}

/// As many as can live.
const ALL_KEYS: &str = "
    insert into api_keys (id, principal_id, digest, prefix, scope, created_at)
    select gen_random_uuid(), max(principal_id), sha256(number::text::bytea), 'pbk_0000', 'read', now()
    from api_keys, generate_series(1, 10000) as number group by number";

/// Each command again under its key, while the first waits for the books.
async fn in_use(bank: &Bank, document: &Document) -> Vec<(String, u16, Reply)> {
    let names = document.with_status(409);
    let names: Vec<String> = names
        .filter(|name| is_native(name) && document.takes_key(name))
        .collect();
    let mut examples = Vec::new();
    for name in &names {
        let example = document.examples(name).remove(0);
        let example = prepare(bank, name).await.put_into(example);
        examples.push((example, new_key("busy")));
    }
    // Reads go on, so that keys are looked up.
    let mut books = bank.intruder().await;
    sqlx::raw_sql("begin; lock table transactions in exclusive mode")
        .execute(&mut books)
        .await
        .expect("locked");
    let firsts = examples.iter().map(|(example, key)| {
        let asked = example.ask(bank, None).once(key.as_str());
        tokio::spawn(asked.send())
    });
    let firsts: Vec<_> = firsts.collect();
    let seconds = at_once(examples.iter().map(async |(example, key)| {
        let path = format!("/v1/idempotency-keys/{key}");
        eventually("the first is being carried out", async || {
            bank.get(&path).await.status == 200
        })
        .await;
        example.ask(bank, None).once(key.as_str()).send().await
    }));
    let seconds = seconds.await;
    sqlx::raw_sql("rollback")
        .execute(&mut books)
        .await
        .expect("unlocked");
    drop(books);
    for first in firsts {
        drop(first.await.expect("an answer"));
    }
    let seconds = names.into_iter().zip(seconds);
    seconds.map(|(name, reply)| (name, 409, reply)).collect()
}

/// Makes a thing, and says its id.
async fn make(bank: &Bank, path: &str, body: &Value) -> String {
    let asked = bank
        .ask(reqwest::Method::POST, path)
        .body(&body.to_string());
    let reply = asked.once(new_key("made").as_str()).send().await;
    assert_eq!(reply.status, 201, "{path}: {reply:?}");
    reply.json()["id"].as_str().expect("an id").to_owned()
}

/// The request under a new key, if its operation takes one.
fn keyed(document: &Document, name: &str, asked: Ask, what: &str) -> Ask {
    if document.takes_key(name) {
        asked.once(new_key(what).as_str())
    } else {
        asked
    }
}

fn new_key(what: &str) -> String {
    format!("{what}-{}", uuid::Uuid::now_v7())
}
