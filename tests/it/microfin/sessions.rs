//! Sessions of the `microfin` dialect: how they are shown, kept and ended.

use reqwest::Method;
use sha2::{Digest, Sha256};

use super::{Member, PASSWORD, assert_says, newcomer, sign_in, token};
use crate::support::Bank;

const ACCOUNTS: &str = "/api/accounts";

#[tokio::test]
async fn a_token_is_taken_as_a_cookie_or_as_a_bearer_and_the_bearer_counts() {
    let bank = Bank::open().await;
    let (ada, grace) = (
        Member::new(&bank, "ada").await,
        Member::new(&bank, "grace").await,
    );
    let numbers = [ada.account().await, grace.account().await];
    let bearer = |member: &Member| ("Authorization", format!("Bearer {}", member.token));
    let cookie = |member: &Member| ("Cookie", format!("a=b; sessionId={}; c", member.token));
    for (headers, number) in [
        (vec![bearer(&ada)], &numbers[0]),
        (vec![cookie(&ada)], &numbers[0]),
        (vec![cookie(&ada), bearer(&grace)], &numbers[1]),
        (
            vec![("Authorization", "Basic YTpi".to_owned()), cookie(&ada)],
            &numbers[0],
        ),
        (
            vec![("Cookie", "sessionId=old".to_owned()), cookie(&grace)],
            &numbers[1],
        ),
    ] {
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let reply = bank.send(Method::GET, ACCOUNTS, &headers, None).await;
        assert!(reply.text.contains(number.as_str()), "{headers:?}");
    }
    bank.close().await;
}

#[tokio::test]
async fn the_cookie_is_secure_where_the_request_came_by_https() {
    let bank = Bank::open().await;
    Member::new(&bank, "ada").await;
    let https = [("X-Forwarded-Proto", "https")];
    let body = r#"{"email":"ada@example.org","password":"Secret12"}"#;
    let reply = bank
        .send(Method::POST, "/api/signin", &https, Some(body))
        .await;
    let (token, attributes) = reply.headers["set-cookie"]
        .split_once(';')
        .expect("attributes");
    assert_eq!(attributes, " Path=/; HttpOnly; SameSite=Lax; Secure");
    let bearer = token.replace("sessionId=", "Bearer ");
    let headers = [https[0], ("Authorization", bearer.as_str())];
    let reply = bank
        .send(Method::POST, "/api/signout", &headers, None)
        .await;
    let gone = "sessionId=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0";
    assert_eq!(reply.headers["set-cookie"], gone);
    bank.close().await;
}

#[tokio::test]
async fn of_a_token_only_its_hash_is_in_the_database() {
    let bank = Bank::open().await;
    let member = Member::new(&bank, "ada").await;
    member.post_once("key", "/api/accountGeneration", "").await;
    let hashes: Vec<(Vec<u8>,)> = bank.rows("select token_hash from sessions").await;
    let hash = Sha256::digest(&member.token).to_vec();
    assert_eq!(hashes, [(hash,)]);
    let tables: Vec<(String,)> = bank
        .rows("select tablename::text from pg_tables where schemaname = 'public'")
        .await;
    assert!(tables.iter().any(|(table,)| table == "sessions"));
    // In a bytea the bytes of the token show as the token itself, its letters as the hexadecimal of their codes.
    let token = &member.token;
    for secret in [
        format!("'{token}'"),
        format!("encode('{token}'::bytea, 'hex')"),
    ] {
        for (table,) in &tables {
            let rows = format!(
                "select count(*) from \"{table}\" as t where position({secret} in lower(t::text)) > 0"
            );
            assert_eq!(bank.number(&rows).await, 0, "{table}");
        }
    }
    bank.close().await;
}

#[tokio::test]
async fn a_sign_out_ends_one_session_at_once_on_every_service() {
    let here = Bank::open().await;
    let there = Bank::open_on(&here.database_url, &[]).await;
    let member = Member::new(&here, "ada").await;
    let other = token(&sign_in(&here, "ada@example.org", PASSWORD).await);
    let elsewhere = Member {
        bank: &there,
        token: member.token.clone(),
    };
    assert_eq!(elsewhere.get(ACCOUNTS).await.status, 200);
    let reply = member.post("/api/signout", "").await;
    assert_says(&reply, 200, "User Signed Out Successfully");
    let gone = "sessionId=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0";
    assert_eq!(reply.headers["set-cookie"], gone);
    assert_eq!(reply.headers["cache-control"], "no-store");
    for member in [&elsewhere, &member] {
        assert_says(&member.get(ACCOUNTS).await, 401, "User not logged in");
        let reply = member.post("/api/signout", "").await;
        assert_says(&reply, 401, "User not logged in");
        assert!(!reply.headers.contains_key("set-cookie"));
    }
    let still = Member {
        bank: &there,
        token: other,
    };
    assert_eq!(still.get(ACCOUNTS).await.status, 200);
    there.stop().await;
    here.close().await;
}

#[tokio::test]
async fn a_session_ends_after_half_an_hour_without_use() {
    let bank = Bank::open().await;
    let member = Member::new(&bank, "ada").await;
    let unused_for = async |minutes: u32| {
        let sql = format!("update sessions set used_at = now() - interval '{minutes} minutes'");
        bank.plant(&sql).await;
        member.get(ACCOUNTS).await
    };
    for _ in 0..2 {
        assert_eq!(
            unused_for(29).await.status,
            200,
            "each use gives half an hour more"
        );
    }
    assert_eq!(member.get(ACCOUNTS).await.status, 200);
    assert_says(&unused_for(30).await, 401, "User not logged in");
    bank.close().await;
}

#[tokio::test]
async fn a_session_ends_after_a_day_however_much_it_is_used() {
    let bank = Bank::open().await;
    let member = Member::new(&bank, "ada").await;
    let seconds = "select extract(epoch from expires_at - created_at)::bigint from sessions";
    assert_eq!(bank.number(seconds).await, 24 * 60 * 60);
    let age = |hours: u32| {
        format!(
            "update sessions set created_at = created_at - interval '{hours} hours', expires_at = expires_at - interval '{hours} hours'"
        )
    };
    bank.plant(&age(23)).await;
    assert_eq!(member.get(ACCOUNTS).await.status, 200);
    bank.plant(&age(1)).await;
    assert_says(&member.get(ACCOUNTS).await, 401, "User not logged in");
    let body = newcomer("ada", PASSWORD);
    let reply = bank.post("/api/signin", &body).await;
    let again = Member {
        bank: &bank,
        token: token(&reply),
    };
    assert_eq!(again.get(ACCOUNTS).await.status, 200);
    bank.close().await;
}

#[tokio::test]
async fn sessions_that_are_over_go_when_others_begin_by_signing_up_or_in() {
    let bank = Bank::open().await;
    let member = Member::new(&bank, "ada").await;
    bank.plant(
        "insert into sessions (token_hash, user_id, created_at, used_at, expires_at)
        select sha256(number::text::bytea), 1, now() - interval '1 day', now() - interval '31 minutes', now()
        from generate_series(1, 15) as number",
    )
    .await;
    let sessions = "select count(*) from sessions";
    assert_eq!(bank.number(sessions).await, 16);
    Member::new(&bank, "grace").await;
    assert_eq!(bank.number(sessions).await, 7, "ten went and one came");
    sign_in(&bank, "ada@example.org", PASSWORD).await;
    assert_eq!(bank.number(sessions).await, 3, "those of today stay");
    assert_eq!(member.get(ACCOUNTS).await.status, 200);
    bank.close().await;
}
