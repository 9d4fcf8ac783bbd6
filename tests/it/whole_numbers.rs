//! Whole numbers as serializers of some languages write them, in every dialect: 2 as `2.0`, 10000000 as `1.0E7`.

use crate::support::Bank;

/// How a whole number may be written, and how what is none.
fn spellings(number: i64) -> Vec<String> {
    vec![
        format!("{number}"),
        format!("{number}.0"),
        format!("{number}.000"),
        format!("{number}e0"),
        format!("{number}0.0E-1"),
    ]
}

#[tokio::test]
async fn a_version_is_a_whole_number_however_it_is_written() {
    let bank = Bank::open().await;
    bank.post("/accounts", r#"{"balance":10}"#).await;
    let ask = async |version: &str| {
        let body = format!(r#"{{"amount":1,"type":"Deposit","expectedVersion":{version}}}"#);
        bank.post("/accounts/1/transactions", &body).await
    };
    for (at, spelling) in (2_i64..).zip(0..5) {
        let version = &spellings(at)[spelling];
        assert_eq!(ask(version).await.status, 201, "{version}");
    }
    for version in [
        "7.5",
        "0.0",
        "-7.0",
        "1e400",
        "\"7.0\"",
        "\"7e0\"",
        "\"\\\"7\"",
        "[7]",
    ] {
        let reply = ask(version).await;
        assert_eq!(reply.status, 400, "{version}");
        assert!(
            reply
                .text
                .contains("\"expectedVersion must be a positive integer"),
            "{reply:?}"
        );
    }
    assert_eq!(ask("\"7\"").await.status, 201);
    bank.close().await;
}

#[tokio::test]
async fn a_user_is_a_whole_number_however_it_is_written() {
    let bank = Bank::open().await;
    for name in ["a", "b", "c"] {
        bank.get(&format!("/create?name={name}&email={name}@x"))
            .await;
    }
    let deposit = async |user: &str| {
        let body = format!(r#"{{"user_id":{user},"amount":1,"currency_type":"bitcoin"}}"#);
        bank.post("/deposit", &body).await
    };
    for user in spellings(3) {
        let reply = deposit(&user).await;
        assert_eq!(
            (reply.status, &reply.json()["user_id"]),
            (200, &3.into()),
            "{user}: {reply:?}"
        );
    }
    for user in ["3.5", "-3.0", "0.0", "1e400", "\"3.0\"", "\"\\\"3\""] {
        let reply = deposit(user).await;
        assert_eq!(reply.status, 400, "{user}");
        assert!(
            reply.text.contains("user_id must be a positive integer"),
            "{reply:?}"
        );
    }
    let body =
        r#"{"source_user_id":3.0,"target_user_id":1.0e0,"amount":2,"currency_type":"bitcoin"}"#;
    assert_eq!(bank.post("/transfer", body).await.status, 200);
    assert_eq!(
        bank.post("/balance", r#"{"user_id":3.0}"#).await.json()["bitcoin"],
        3
    );
    bank.close().await;
}

#[tokio::test]
async fn an_account_is_a_whole_number_or_a_text() {
    let bank = Bank::open().await;
    let deposit = async |account: &str| {
        let body = format!(r#"{{"type":"deposit","destination":{account},"amount":1}}"#);
        bank.post("/event", &body).await
    };
    for (account, id) in [
        ("100", "100"),
        ("100.0", "100"),
        ("1e2", "100"),
        ("1.0E7", "10000000"),
        ("-5.0", "-5"),
        ("\"100.0\"", "100.0"),
        ("\"1e2\"", "1e2"),
    ] {
        let reply = deposit(account).await;
        assert_eq!(reply.status, 201, "{account}: {reply:?}");
        assert_eq!(reply.json()["destination"]["id"], id, "{account}");
    }
    for account in ["2.5", "1e400", "1e-1", "true"] {
        assert_eq!(deposit(account).await.status, 400, "{account}");
    }
    let body = r#"{"type":"transfer","origin":100.0,"destination":3e2,"amount":3}"#;
    let moved = r#"{"origin":{"id":"100","balance":0},"destination":{"id":"300","balance":3}}"#;
    assert_eq!(bank.post("/event", body).await.text, moved);
    bank.close().await;
}

#[tokio::test]
async fn an_account_number_may_be_written_as_any_whole_number() {
    let bank = Bank::open().await;
    let body = r#"{"name":"a","email":"a@example.org","password":"Secret12"}"#;
    let reply = bank.post("/api/signup", body).await;
    let cookie = reply.headers["set-cookie"]
        .split(';')
        .next()
        .expect("a cookie")
        .to_owned();
    let post = async |path: &str, body: &str| {
        let headers = [("Cookie", cookie.as_str())];
        bank.send(reqwest::Method::POST, path, &headers, Some(body))
            .await
    };
    let opened = post("/api/accountGeneration", "").await.json();
    let number = opened["accountNumber"]
        .as_str()
        .expect("a number")
        .to_owned();
    let whole: i64 = number.parse().expect("digits");
    for spelling in spellings(whole) {
        let reply = post(
            "/api/deposit",
            &format!(r#"{{"accountNumber":{spelling},"amount":1}}"#),
        )
        .await;
        assert_eq!(reply.status, 202, "{spelling}: {reply:?}");
    }
    for (odd, message) in [
        (format!("{whole}.5"), "Invalid Input"),
        (format!("-{whole}"), "Invalid Input"),
        (format!("-{whole}.0"), "Invalid Input"),
        (format!("\"{whole}.0\""), "Account not found"),
    ] {
        let reply = post(
            "/api/deposit",
            &format!(r#"{{"accountNumber":{odd},"amount":1}}"#),
        )
        .await;
        assert_eq!(
            (reply.status, &reply.json()["message"]),
            (400, &message.into()),
            "{odd}"
        );
    }
    bank.close().await;
}

#[tokio::test]
async fn a_decimal_in_a_string_may_have_an_exponent() {
    let bank = Bank::open().await;
    let user = bank.user("\"1E+3\"").await;
    for (amount, balance) in [
        ("\"1E+2\"", "1100.00"),
        ("\"-1e2\"", "1000.00"),
        ("\"1.5E-1\"", "1000.15"),
        ("\"0E-10\"", "1000.15"),
        ("1.0E2", "1100.15"),
    ] {
        let reply = user.change(amount).await;
        assert_eq!(reply.status, 200, "{amount}: {reply:?}");
        assert_eq!(user.balance().await, balance, "{amount}");
    }
    for amount in [
        "\"1e\"",
        "\"e2\"",
        "\"1e400\"",
        "\"1 e2\"",
        "\"1e2.0\"",
        "\"1E-3\"",
    ] {
        assert_eq!(user.change(amount).await.status, 400, "{amount}");
    }
    let event = r#"{"type":"deposit","destination":"a","amount":"1E+2"}"#;
    assert_eq!(
        bank.post("/event", event).await.json()["destination"]["balance"],
        100
    );
    let body = r#"{"user_id":1,"amount":"1E-8","currency_type":"bitcoin"}"#;
    assert_eq!(bank.post("/deposit", body).await.status, 200);
    let body = r#"{"amount":"1E+1","type":"Deposit"}"#;
    assert_eq!(
        bank.post("/accounts/1/transactions", body).await.status,
        201
    );
    bank.close().await;
}
