//! What the ledger of a fixture went through: every dialect, keys of every kind of outcome, a reset, odd letters.

mod native;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::asked::{Answer, Asked, Teller};
use super::fixture::Told;
use crate::support::Reply;

const ODD_NAME: &str = "Zo\u{eb} \"O'Brien\" \\ %s $1 \u{1f600}";
const ODD_ID: &str = "a'b\"c\\d\n-- \u{1f600}";

/// What is to be asked again, with the first answer if it writes.
struct Story {
    teller: Teller,
    told: Vec<(Asked, Option<Answer>)>,
}

impl Story {
    /// Writes, and is asked again under its key.
    async fn once(&mut self, key: &str, status: u16, asked: Asked) -> Reply {
        let asked = asked.key(key);
        let reply = self.teller.send(&asked).await;
        assert_eq!(reply.status, status, "{asked:?}: {reply:?}");
        assert!(!reply.is_replayed(), "{asked:?}");
        self.told.push((asked, Some(Answer::of(&reply))));
        reply
    }

    /// Writes, and is not asked again.
    async fn write(&mut self, status: u16, asked: Asked) -> Reply {
        let reply = self.teller.send(&asked).await;
        assert_eq!(reply.status, status, "{asked:?}: {reply:?}");
        reply
    }

    fn read_at_the_end(&mut self, asked: Asked) {
        self.told.push((asked, None));
    }
}

/// Goes through the story, and asks everything once more at its end.
pub(super) async fn tell(url: &str) -> Vec<Told> {
    let mut story = Story {
        teller: Teller::new(url),
        told: Vec::new(),
    };
    users(&mut story).await;
    accounts(&mut story).await;
    events(&mut story).await;
    ledger(&mut story).await;
    microfin(&mut story).await;
    native::tell(&mut story).await;
    let mut told = Vec::new();
    for (asked, first) in story.told {
        let again = story.teller.ask(&asked).await;
        // In the words of `accounts`, what is accepted a second time is a duplicate.
        let is_duplicate = again
            .body
            .starts_with(r#"{"error":"Duplicate transaction""#);
        if let Some(first) = first.as_ref().filter(|_| !is_duplicate) {
            assert_eq!(
                (again.status, &again.body),
                (first.status, &first.body),
                "{asked:?}"
            );
            assert_eq!(again.headers["idempotent-replayed"], "true", "{asked:?}");
        }
        told.push(Told {
            asked,
            first,
            again,
        });
    }
    told
}

async fn users(story: &mut Story) {
    let opened = json!({"name": ODD_NAME, "email": "Ren\u{e9}@B\u{fc}cher.example", "balance": 20});
    let opened = story
        .once("users-open", 201, Asked::post("/api/users", &opened))
        .await;
    let path = format!("/api/users/{}", opened.json()["data"]["id"]);
    let taken = json!({"email": "RENE\u{301}@xn--bcher-kva.example", "balance": 1});
    story
        .once("users-taken", 409, Asked::post("/api/users", &taken))
        .await;
    story
        .once("users-empty", 201, Asked::post("/api/users", &Value::Null))
        .await;
    for email in ["\u{39f}\u{394}\u{39f}\u{3a3}@y.example", "root@y.example."] {
        let key = format!("users-{}", email.len());
        story
            .once(
                &key,
                201,
                Asked::post("/api/users", &json!({"email": email})),
            )
            .await;
    }
    let balance = format!("{path}/balance");
    for (key, status, amount) in [
        ("users-deposit", 200, json!(0.10)),
        ("users-withdraw", 200, json!("-2.50")),
        ("users-zero", 200, json!(0)),
        ("users-poor", 400, json!(-1000)),
        ("back\\slash';--%s", 200, json!(-1)),
    ] {
        story
            .once(
                key,
                status,
                Asked::send("PUT", &balance, &json!({"amount": amount})),
            )
            .await;
    }
    story
        .write(200, Asked::send("PUT", &balance, &json!({"amount": 5000})))
        .await;
    story.read_at_the_end(Asked::get(&path));
    story.read_at_the_end(Asked::get("/api/users/1"));
}

async fn accounts(story: &mut Story) {
    let rich = Asked::post("/accounts", &json!({"balance": 1000.00}));
    let rich = story.once("accounts-open", 201, rich).await;
    let empty = story
        .once(
            "accounts-empty",
            201,
            Asked::post("/accounts", &Value::Null),
        )
        .await;
    let path = |opened: &Reply| format!("/accounts/{}", opened.json()["accountId"]);
    let (rich, empty) = (path(&rich), path(&empty));
    let change = |path: &str, amount: Value, kind: &str, version: Option<u32>| {
        let mut body = json!({"amount": amount, "type": kind});
        if let Some(version) = version {
            body["expectedVersion"] = version.into();
        }
        Asked::post(&format!("{path}/transactions"), &body)
    };
    story
        .once(
            "accounts-in",
            201,
            change(&rich, json!(49), "Deposit", Some(2)),
        )
        .await;
    // Down to the floor, and no further.
    story
        .once(
            "accounts-out",
            201,
            change(&rich, json!("1049.00"), "Withdraw", None),
        )
        .await;
    story
        .once(
            "accounts-poor",
            422,
            change(&rich, json!(0.01), "debit", None),
        )
        .await;
    story
        .once(
            "accounts-late",
            409,
            change(&rich, json!(1), "credit", Some(2)),
        )
        .await;
    story
        .write(201, change(&rich, json!(7), "Deposit", None))
        .await;
    for path in [rich, empty] {
        story.read_at_the_end(Asked::get(&format!("{path}/balance")));
        story.read_at_the_end(Asked::get(&format!("{path}/transactions")));
    }
}

async fn events(story: &mut Story) {
    let deposit = |to: &str, amount: u32| {
        Asked::post(
            "/event",
            &json!({"type": "deposit", "destination": to, "amount": amount}),
        )
    };
    let withdraw = |from: &str, amount: u32| {
        Asked::post(
            "/event",
            &json!({"type": "withdraw", "origin": from, "amount": amount}),
        )
    };
    let transfer = |from: &str, to: &str, amount: f64| {
        let body = json!({"type": "transfer", "origin": from, "destination": to, "amount": amount});
        Asked::post("/event", &body)
    };
    // Keys of a book belong to its accounts, which nobody reaches by their names once it is reset.
    story
        .write(201, deposit("100", 10).key("events-of-before"))
        .await;
    story.write(201, transfer("100", "300", 4.5)).await;
    story
        .once("events-reset", 200, Asked::post("/reset", &Value::Null))
        .await;
    story.write(404, withdraw("100", 1)).await;
    story.once("events-in", 201, deposit("100", 20)).await;
    story.once("events-odd", 201, deposit(ODD_ID, 3)).await;
    story.once("events-out", 201, withdraw("100", 5)).await;
    story
        .once("events-over", 201, transfer("100", "300", 2.25))
        .await;
    story.once("events-poor", 422, withdraw("300", 3)).await;
    story
        .once("events-poorer", 422, transfer("300", "400", 99.0))
        .await;
    story.write(201, deposit("300", 500)).await;
    for id in ["100", "300", ODD_ID, "400"] {
        let id = utf8_percent_encode(id, NON_ALPHANUMERIC);
        story.read_at_the_end(Asked::get(&format!("/balance?account_id={id}")));
        story.read_at_the_end(Asked::get(&format!("/chain?account_id={id}")));
    }
}

async fn ledger(story: &mut Story) {
    let name = utf8_percent_encode(ODD_NAME, NON_ALPHANUMERIC);
    let open = |email: &str| Asked::get(&format!("/create?name={name}&email={email}"));
    let lin = story
        .once("ledger-open", 200, open("Lin@x.example"))
        .await
        .json()["user_id"]
        .clone();
    let kay = story
        .once("ledger-second", 200, open("kay@x.example"))
        .await
        .json()["user_id"]
        .clone();
    story.once("ledger-taken", 409, open("LIN@x.example")).await;
    let change = |path: &str, amount: &str, currency: &str| {
        let body = json!({"user_id": lin, "amount": amount, "currency_type": currency});
        Asked::post(path, &body)
    };
    let transfer = |amount: &str| {
        let query = format!("source_user_id={lin}&target_user_id={kay}&amount={amount}");
        Asked::get(&format!("/transfer?{query}&currency_type=ethereum"))
    };
    story
        .once(
            "ledger-in",
            200,
            change("/deposit", "0.00000003", "bitcoin"),
        )
        .await;
    story
        .once("ledger-added", 200, change("/deposit", "12.5", "dogecoin"))
        .await;
    story
        .once(
            "ledger-long",
            200,
            change("/deposit", "1.000000000000000001", "ethereum"),
        )
        .await;
    story
        .once(
            "ledger-out",
            200,
            change("/withdraw", "0.00000001", "bitcoin"),
        )
        .await;
    story
        .once("ledger-over", 200, transfer("0.000000000000000001"))
        .await;
    story
        .once("ledger-poor", 422, change("/withdraw", "1", "bitcoin"))
        .await;
    story.once("ledger-poorer", 422, transfer("500")).await;
    story
        .write(200, change("/deposit", "1000", "bitcoin"))
        .await;
    story
        .write(200, change("/deposit", "1000", "ethereum"))
        .await;
    for user in [lin, kay] {
        story.read_at_the_end(Asked::get(&format!("/balance?user_id={user}")));
    }
}

async fn microfin(story: &mut Story) {
    let grace = json!({"name": ODD_NAME, "email": "Grace@x.example", "password": "Compiler1952"});
    let signed_up = story
        .once("microfin-open", 200, Asked::post("/api/signup", &grace))
        .await;
    story
        .once(
            "microfin-taken",
            400,
            Asked::post(
                "/api/signup",
                &json!({
                    "name": "Grace", "email": "GRACE@x.example", "password": "Compiler1953"
                }),
            ),
        )
        .await;
    let sign_in = Asked::post(
        "/api/signin",
        &json!({"email": "grace@X.example", "password": "Compiler1952"}),
    );
    let signed_in = story.write(200, sign_in.clone()).await;
    let token = |reply: &Reply| {
        let cookie = reply.headers["set-cookie"]
            .split(['=', ';'])
            .nth(1)
            .expect("a token")
            .to_owned();
        format!("Bearer {cookie}")
    };
    let (token, other) = (token(&signed_up), token(&signed_in));
    let ask = |path: &str, body: Value| Asked::post(path, &body).with("Authorization", &token);
    let mut numbers = Vec::new();
    for key in ["microfin-first", "microfin-second"] {
        let opened = story
            .once(key, 200, ask("/api/accountGeneration", Value::Null))
            .await;
        numbers.push(opened.json()["accountNumber"].clone());
    }
    let one = |amount: &str| json!({"accountNumber": numbers[0], "amount": amount});
    let (from, to) = (&numbers[0], &numbers[1]);
    let two = |amount: &str| json!({"senderAccountNumber": from, "receiverAccountNumber": to, "amount": amount});
    for (key, status, path, body) in [
        ("microfin-in", 202, "/api/deposit", one("50")),
        ("microfin-out", 202, "/api/withdraw", one("0.01")),
        ("microfin-over", 202, "/api/transfer", two("9.99")),
        ("microfin-poor", 400, "/api/withdraw", one("40.01")),
        ("microfin-poorer", 400, "/api/transfer", two("40.01")),
    ] {
        story.once(key, status, ask(path, body)).await;
    }
    story.write(202, ask("/api/deposit", one("1000"))).await;
    story.read_at_the_end(Asked::get("/api/accounts").with("Authorization", &other));
    story.read_at_the_end(sign_in);
}
