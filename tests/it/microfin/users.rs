//! Who signs up and in to the `microfin` dialect.

use std::collections::HashSet;

use argon2::Argon2;
use argon2::password_hash::PasswordHasher as _;
use argon2::password_hash::phc::PasswordHash;

use super::{Member, PASSWORD, assert_says, newcomer, sign_in, sign_up, token};
use crate::support::Bank;

#[tokio::test]
async fn a_new_user_stands_in_the_table_with_an_argon2id_hash() {
    let bank = Bank::open().await;
    let body = r#"{"name":"Ada","email":"Ada@Example.org","password":"Secret12","role":"admin"}"#;
    assert_says(
        &bank.post("/api/signup", body).await,
        200,
        "User Created Successfully",
    );
    sign_up(&bank, "grace").await;
    let stored: Vec<(String, String, String)> = bank
        .rows("select name, email, password_hash from users order by id")
        .await;
    assert_eq!(stored.len(), 2);
    assert_eq!(
        (stored[0].0.as_str(), stored[0].1.as_str()),
        ("Ada", "ada@example.org")
    );
    for (_, _, hash) in &stored {
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
    }
    assert_ne!(stored[0].2, stored[1].2, "each with a salt of its own");
    bank.close().await;
}

#[tokio::test]
async fn a_sign_up_needs_every_field_and_only_then_right_ones() {
    let bank = Bank::open().await;
    let right = [r#""ada""#, r#""ada@example.org""#, r#""Secret12""#];
    let names = ["name", "email", "password"];
    let body = |values: [&str; 3]| {
        let fields = names
            .iter()
            .zip(values)
            .filter(|(_, value)| !value.is_empty());
        let fields: Vec<String> = fields
            .map(|(name, value)| format!(r#""{name}":{value}"#))
            .collect();
        format!("{{{}}}", fields.join(","))
    };
    for at in 0..3 {
        for missing in ["", "null", r#""""#] {
            let mut values = ["1", "1", "1"];
            values[at] = missing;
            let reply = bank.post("/api/signup", &body(values)).await;
            assert_says(&reply, 400, "All fields are required");
        }
    }
    let long = format!("\"{}\"", "x".repeat(256));
    let long_email = format!("\"{}@example.org\"", "x".repeat(250));
    let long_password = format!("\"aA1{}\"", "x".repeat(126));
    let wrong = [
        vec![
            "1",
            "true",
            "[]",
            "{}",
            r#"" ""#,
            r#""a\u0000""#,
            r#""\ud800""#,
            &long,
        ],
        vec![
            "1",
            r#""ada""#,
            r#""@x""#,
            r#""a@""#,
            r#""a@b@c""#,
            r#""a b@c""#,
            r#""a\u0000@b""#,
            &long_email,
        ],
        vec![
            "12345678",
            r#""Secret1""#,
            r#""secret12""#,
            r#""SECRET12""#,
            r#""Secretxx""#,
            &long_password,
        ],
    ];
    for (at, wrong) in wrong.into_iter().enumerate() {
        for value in wrong {
            let mut values = right;
            values[at] = value;
            let reply = bank.post("/api/signup", &body(values)).await;
            assert_says(&reply, 400, "Invalid Input");
        }
    }
    assert_eq!(bank.number("select count(*) from users").await, 0);
    assert_eq!(bank.post("/api/signup", &body(right)).await.status, 200);
    bank.close().await;
}

#[tokio::test]
async fn an_email_belongs_to_one_user_whatever_its_case_and_wherever_they_came_from() {
    let bank = Bank::open().await;
    sign_up(&bank, "ada").await;
    let reply = bank
        .post("/api/users", r#"{"email":"grace@example.org"}"#)
        .await;
    assert_eq!(reply.status, 201);
    for name in ["ada", "ADA", "grace", "Grace"] {
        let reply = sign_up(&bank, name).await;
        assert_says(&reply, 400, "Email in Use");
        assert!(!reply.headers.contains_key("set-cookie"));
    }
    let reply = bank
        .post("/api/users", r#"{"email":"ada@example.org"}"#)
        .await;
    assert_eq!(reply.status, 409);
    assert_eq!(bank.number("select count(*) from users").await, 2);
    assert_eq!(bank.number("select count(*) from sessions").await, 1);
    bank.close().await;
}

#[tokio::test]
async fn an_unknown_email_and_a_wrong_password_get_the_same_answer() {
    let bank = Bank::open().await;
    sign_up(&bank, "ada").await;
    bank.post("/api/users", r#"{"email":"grace@example.org"}"#)
        .await;
    let wrong = [
        ("ada@example.org", "Secret13"),
        ("ada@example.org", "secret12"),
        ("ada@example.org", " "),
        ("nobody@example.org", PASSWORD),
        ("grace@example.org", PASSWORD),
        ("nobody", PASSWORD),
    ];
    let mut headers = HashSet::new();
    for (email, password) in wrong {
        let reply = sign_in(&bank, email, password).await;
        assert_says(&reply, 401, "Invalid Password");
        let mut names: Vec<String> = reply.headers.into_keys().collect();
        names.sort();
        headers.insert(names);
    }
    assert_eq!(headers.len(), 1);
    for body in [
        r#"{"email":1,"password":"Secret12"}"#,
        r#"{"email":"ada@example.org","password":[]}"#,
        r#"{"email":"ada@example.org","password":"Secret12\u0000"}"#,
        r#"{"email":"a\u0000@example.org","password":"Secret12"}"#,
        &format!(
            r#"{{"email":"ada@example.org","password":"{}"}}"#,
            "x".repeat(129)
        ),
        &format!(r#"{{"email":"{}@b","password":"x"}}"#, "x".repeat(253)),
    ] {
        let reply = bank.post("/api/signin", body).await;
        assert_says(&reply, 400, "Invalid Input");
    }
    for body in [
        r#"{"email":"ada@example.org"}"#,
        r#"{"email":"","password":"x"}"#,
        r#"{"email":1,"password":null}"#,
    ] {
        let reply = bank.post("/api/signin", body).await;
        assert_says(&reply, 400, "All fields are required");
    }
    assert_eq!(bank.number("select count(*) from sessions").await, 1);
    bank.close().await;
}

#[tokio::test]
async fn each_sign_in_begins_a_session_of_its_own() {
    let bank = Bank::open().await;
    let member = Member::new(&bank, "ada").await;
    let mut tokens = HashSet::from([member.token.clone()]);
    for email in ["ada@example.org", "ADA@Example.org"] {
        let reply = sign_in(&bank, email, PASSWORD).await;
        assert_says(&reply, 200, "User Signed In  Successfully");
        assert!(tokens.insert(token(&reply)));
    }
    for token in &tokens {
        let member = Member {
            bank: &bank,
            token: token.clone(),
        };
        assert_eq!(member.get("/api/accounts").await.status, 200);
    }
    bank.close().await;
}

#[tokio::test]
async fn a_replayed_sign_up_begins_another_session_of_the_same_user() {
    let bank = Bank::open().await;
    let once = async |key: &str, body: &str| {
        let asked = bank.ask(reqwest::Method::POST, "/api/signup").once(key);
        asked.body(body).send().await
    };
    let body = newcomer("ada", PASSWORD);
    let first = once("one", &body).await;
    assert_says(&first, 200, "User Created Successfully");
    assert!(!first.is_replayed());
    let again = once("one", &body).await;
    assert_says(&again, 200, "User Created Successfully");
    assert!(again.is_replayed());
    assert_ne!(token(&first), token(&again));
    let again = once("one", &body.replace("ada@", "ADA@")).await;
    assert!(
        again.is_replayed(),
        "an email in another case is no other email"
    );

    for other in [
        newcomer("ada", "Secret13"),
        newcomer("grace", PASSWORD),
        body.replace(r#""name":"ada""#, r#""name":"Ada""#),
    ] {
        let reply = once("one", &other).await;
        assert_says(&reply, 422, "Idempotency-Key was used for another request");
        assert!(!reply.headers.contains_key("set-cookie"));
    }
    let refused = once("two", &body).await;
    assert_says(&refused, 400, "Email in Use");
    let again = once("two", &body).await;
    assert_says(&again, 400, "Email in Use");
    assert!(again.is_replayed());
    assert_eq!(bank.number("select count(*) from users").await, 1);
    bank.close().await;
}

#[tokio::test]
async fn nobody_is_signed_up_whose_session_cannot_begin() {
    let bank = Bank::open().await;
    bank.plant("alter table sessions add constraint none check (false) not valid")
        .await;
    for key in [None, Some("key")] {
        let asked = bank.ask(reqwest::Method::POST, "/api/signup").once(key);
        let reply = asked.body(&newcomer("ada", PASSWORD)).send().await;
        assert_eq!(reply.status, 500, "{reply:?}");
        assert_eq!(bank.number("select count(*) from users").await, 0);
    }
    bank.plant("alter table sessions drop constraint none")
        .await;
    // What was not applied may be asked again.
    let member = Member::new(&bank, "ada").await;
    assert_eq!(member.get("/api/accounts").await.status, 200);
    bank.close().await;
}

#[tokio::test]
async fn a_password_is_the_same_composed_or_not_and_a_hash_from_before_is_known() {
    let bank = Bank::open().await;
    let [composed, decomposed] = ["R\u{e9}n\u{e9}1952", "Re\u{301}ne\u{301}1952"];
    for (name, chosen) in [("ada", composed), ("grace", decomposed)] {
        let reply = bank.post("/api/signup", &newcomer(name, chosen)).await;
        assert_says(&reply, 200, "User Created Successfully");
        for typed in [composed, decomposed] {
            let reply = sign_in(&bank, &format!("{name}@example.org"), typed).await;
            assert_eq!(reply.status, 200, "{name} {typed}");
        }
    }
    // Of the decomposed text, as every earlier release hashed it.
    let hash: PasswordHash = Argon2::default()
        .hash_password(decomposed.as_bytes())
        .expect("a hash");
    bank.plant(&format!(
        "update users set password_hash = '{hash}' where name = 'ada'"
    ))
    .await;
    for (typed, status) in [(decomposed, 200), (composed, 401), ("Rene1952", 401)] {
        let reply = sign_in(&bank, "ada@example.org", typed).await;
        assert_eq!(reply.status, status, "{typed}");
    }
    bank.close().await;
}
